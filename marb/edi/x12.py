"""X12 framing: separators from the ISA, segments from bytes, with their places.

Bytes are read as Latin-1, one character a byte, so that every offset is exact; an element with bytes over 127 is then
decoded as UTF-8 where it is valid UTF-8 and stays Latin-1 where it is not, composed to NFC. Nothing is dropped and
nothing is replaced. Line breaks round segments and (where the terminator is not one itself) inside them are a
writer's layout, not data. What the segments mean is for the readers of claims and remittances.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, count, pairwise
from typing import NamedTuple

BLANKS = " \t\r\n\v\f\x1a\x00"
LINE_BREAKS = dict.fromkeys(map(ord, "\r\n"))
ISA_LENGTH = 106
MOST_SEGMENT_BYTES = 65_536

Segment = tuple[int, int, list[str]]
Piece = tuple[int, int, str]


class BadInterchange(Exception):
    """A file or interchange that cannot be read at all. Carries the TA105 code and the byte offset; no PHI."""

    def __init__(self, code: str, offset: int, sentence: str):
        super().__init__(sentence)
        self.code = code
        self.offset = offset
        self.sentence = sentence


class Separators(NamedTuple):
    """The four characters an interchange is written with; `repetition` is empty before version 00402."""

    element: str
    component: str
    repetition: str
    segment: str


class Span(NamedTuple):
    """A stretch of a file's bytes. `position` is the place in its ST of its first segment (ST = 1; 0 before ST)."""

    offset: int
    position: int
    data: bytes


class Excerpt(NamedTuple):
    """What a reader is given: the body to read, and before it the context that the body stands in.

    `context` holds ISA, GS, the heading of the open ST and the open loops (837: billing provider HL, and for a cut
    between CLMs the subscriber and patient HL; 835: heading and the LX header). It never holds a CLM or CLP.
    The body may run over several whole sets. `guide` is GS08 or ST03 of the first set.
    """

    separators: Separators
    context: list[Span]
    body: Span
    guide: str


ISA_HEAD = re.compile(rb"ISA([^A-Za-z0-9\s])")
# where a padded ISA has its element separators
FIXED = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
NEXT_SEGMENT = r"(?:GS|ST|TA1|ISB)"


def read_separators(head: bytes, offset: int = 0) -> Separators:
    """Read the separators of the ISA at the start of `head` (its ISA and some 100 bytes behind it).

    A padded ISA has them at fixed places. An ISA whose fields are not padded has sixteen elements all the same:
    ISA16 is one character, and the next that is no blank is the terminator; where only a line break stands before
    the next segment, that is it. Raises BadInterchange (TA105 004, 022, 026, 027).
    """
    matched = ISA_HEAD.match(head)
    if matched is None:
        raise BadInterchange("022", offset, "The interchange header (ISA) is not followed by a separator.")
    element = matched[1].decode("latin-1")
    fields = isa_fields(head[: 4 * ISA_LENGTH].decode("latin-1"), element)
    if len(fields) < 17 or len(fields[16]) < 2:
        raise BadInterchange("022", offset, "The interchange header (ISA) has fewer than sixteen elements.")
    component, segment = after_isa15(fields[16], element)
    repetition = fields[11] if len(fields[11]) == 1 and is_mark(fields[11]) else ""
    return checked(Separators(element, component, repetition, segment), offset)


def isa_fields(text: str, element: str) -> list[str]:
    """Split an ISA at its fixed places where it is padded, else at its first sixteen separators. [0] is `ISA`."""
    if len(text) < ISA_LENGTH or any(text[place] != element for place in FIXED):
        return text.split(element, 16)
    starts = (0, *(place + 1 for place in FIXED))
    return [text[start:end] for start, end in zip(starts, (*FIXED, None), strict=True)]


def after_isa15(rest: str, element: str) -> tuple[str, str]:
    """Tell ISA16 and the terminator from what stands behind the sixteenth separator."""
    following = rest[1:].lstrip(BLANKS)
    breaks = rest[1 : len(rest) - len(following)]
    next_segment = NEXT_SEGMENT + re.escape(element)
    only_spaces = breaks and not set(breaks) & set("\r\n")
    if is_mark(following[:1]) and (only_spaces or re.match(rf"[{BLANKS}]*{next_segment}", following[1:])):
        return rest[0], following[0]
    if re.match(next_segment, following) and is_isa16_missing(rest, breaks, following):
        return "", rest[0]
    return rest[0], next((mark for mark in "\n\r" if mark in breaks), rest[1])


def is_isa16_missing(rest: str, breaks: str, following: str) -> bool:
    """`ISA*...*P*~` without ISA16: no line break can be the terminator, or each line ends with that character."""
    line, broken, _ = following.partition("\n")
    return not breaks or bool(broken and line.rstrip(BLANKS).endswith(rest[0]))


def is_mark(character: str) -> bool:
    return character != "" and not (character.isalnum() or character in BLANKS)


def checked(separators: Separators, offset: int) -> Separators:
    element, component, repetition, segment = separators
    if not is_mark(element):
        raise BadInterchange("026", offset, "The element separator after ISA is not a separator.")
    if segment == element or not (is_mark(segment) or segment in "\r\n"):
        raise BadInterchange("004", offset, "The segment terminator after ISA16 is not a separator.")
    if component and (not is_mark(component) or component in (element, segment)):
        raise BadInterchange("027", offset, "The component separator (ISA16) is not a separator.")
    if not component:
        separators = separators._replace(component=next(mark for mark in ":>" if mark not in (element, segment)))
    if repetition in (element, separators.component, segment):
        return separators._replace(repetition="")
    return separators


def read_segments(span: Span, separators: Separators) -> Iterator[Segment]:
    """Yield (byte offset, position in ST, elements) of each segment in a span; elements[0] is the segment id.

    Blank stretches between segments are passed over; `~~` yields nothing (the scan reports it). The position
    restarts at 1 with each ST and is what the acknowledgements and findings call segment position.
    """
    element = separators.element
    for offset, position, piece in read_pieces(span, separators):
        yield offset, position, piece.split(element) if piece.isascii() else split_piece(piece, element)


def read_pieces(span: Span, separators: Separators) -> Iterable[Piece]:
    """Answer the segments of a span as read_segments does, each as its text, unsplit (see split_piece)."""
    text = span.data.decode("latin-1")
    terminator, wrapped = framing(text, separators.segment)
    pieces = text.split(terminator)
    pieces[-1] = pieces[-1].removesuffix(separators.segment)
    if not pieces[-1]:
        del pieces[-1]
    if wrapped or is_padded(text, pieces, terminator):
        return strip_pieces(span, pieces, separators, wrapped=wrapped, width=len(terminator))
    sizes = [len(piece) + len(terminator) for piece in pieces]
    has_sets = pieces[0].startswith("ST") or f"{terminator}ST" in text
    places = positions(span.position, pieces, separators) if has_sets else count(span.position)
    return zip(accumulate(sizes, initial=span.offset), places, pieces, strict=False)


def is_padded(text: str, pieces: list[str], terminator: str) -> bool:
    """Say whether blanks stand before or behind a segment anywhere, or nothing does between two terminators."""
    if not pieces or pieces[0][:1] in BLANKS or pieces[-1][-1:] in BLANKS:
        return True
    if terminator * 2 in text:
        return True
    # where the terminator ends a line, there are no other line breaks (see framing)
    blanks = BLANKS if len(terminator) == 1 else BLANKS.translate(LINE_BREAKS)
    return any(terminator + blank in text or blank + terminator in text for blank in blanks if blank in text)


def positions(first: int, pieces: list[str], separators: Separators) -> Iterable[int]:
    """Count the segments from `first` on, and from 1 at each ST."""
    opening = f"ST{separators.element}"
    starts = [place for place, piece in enumerate(pieces) if piece[:3] == opening or piece == "ST"]
    ends = [*starts, len(pieces)]
    counts = [range(1, 1 + end - start) for start, end in pairwise(ends)]
    return chain(range(first, first + ends[0]), *counts)


def strip_pieces(
    span: Span, pieces: list[str], separators: Separators, *, wrapped: bool, width: int
) -> Iterator[Piece]:
    """Take the blanks off segments, and line breaks out of wrapped ones; what is nothing but blank is passed over."""
    opening = f"ST{separators.element}"
    start, position = span.offset, span.position
    for piece in pieces:
        offset = start
        start += len(piece) + width
        stripped = piece.lstrip(BLANKS)
        if not stripped:
            continue
        offset += len(piece) - len(stripped)
        piece = unwrapped(stripped) if wrapped or stripped[-1] in BLANKS else stripped
        if piece[:3] == opening or piece == "ST":
            position = 1
        yield offset, position, piece
        position += 1


def split_piece(piece: str, element: str) -> list[str]:
    """Split a segment's text into its elements, each decoded."""
    elements = piece.split(element)
    return elements if piece.isascii() else [decoded(value) for value in elements]


def framing(text: str, terminator: str) -> tuple[str, bool]:
    """Say what to split at, and whether line breaks may stand inside segments.

    Where each terminator has the same line break behind it, both are split at as one: most files are written so. The
    last may lack it: a piece of a file ends with its last terminator.
    """
    if terminator in "\r\n" or ("\n" not in text and "\r" not in text):
        return terminator, False
    start = len(text) - len(text.lstrip(BLANKS))
    returns, feeds = text.count("\r", start), text.count("\n", start)
    whole = terminator + ("\r\n" if returns else "\n")
    if text.count(terminator) - text.endswith(terminator) == text.count(whole) == feeds and returns in (0, feeds):
        return whole, False
    return terminator, True


def unwrapped(piece: str) -> str:
    """Take a writer's line breaks out of a segment, and the blanks that some put before the terminator."""
    return piece.replace("\r", "").replace("\n", "").rstrip(BLANKS)


def decoded(text: str) -> str:
    """Read an element's bytes as UTF-8 where they are, else as Latin-1, composed to NFC."""
    if text.isascii():
        return text
    try:
        return unicodedata.normalize("NFC", text.encode("latin-1").decode("utf-8"))
    except UnicodeDecodeError:
        return unicodedata.normalize("NFC", text)


def element(elements: list[str], number: int) -> str:
    """Get an element by its X12 number, stripped of blanks; a trailing element left out is empty."""
    return elements[number].strip() if number < len(elements) else ""
