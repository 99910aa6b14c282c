"""The walk over an 835's segments: which loop is open, who reads the segment, what is yielded when a loop ends.

A table of readers belongs to each loop (heading, 2100, 2110); the segments of STRUCTURE end loops and open others in
any of them. What no reader knows is noted; inside a claim payment it is kept in `detail`. A claim payment with a value
that cannot be read, with control characters, or outside of a readable payment comes out as Quarantined.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count, islice
from typing import Any

from marb.edi.blocks import Block, read_blocks
from marb.edi.findings import CLAIM, EDIT, IK304, IK403, SET, WARNING, Finding, Place, Quarantined
from marb.edi.values import INVALID_CHARACTER
from marb.edi.x12 import BLANKS, Excerpt, Piece, Segment, Separators, Span, read_segments, split_piece
from remits.edi835.elements import BadElement, Note, label, text
from remits.edi835.lexicon import ClaimLexicon, LineLexicon
from remits.edi835.line import LINE_SEGMENTS, RemittanceLine, read_svc
from remits.edi835.payment import HEADING_SEGMENTS, Payment, ProviderAdjustment, heading_notes, read_plb
from remits.edi835.remittance import CLAIM_SEGMENTS, Remittance, complete, read_clp

Result = Payment | Remittance | Quarantined | ProviderAdjustment | Finding
Read = Callable[[Any, list[str], list[Note]], None]

# Control characters, and those that turn the direction of writing: none belongs in an element.
UNWANTED = re.compile("[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
UNWANTED_BYTES = re.compile(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\xe2]")
BLANK_BYTES = BLANKS.encode()
NO_SEGMENTS: dict[str, Read] = {}
LABEL_LENGTH = 20


def parse_payments(excerpt: Excerpt) -> Iterator[Result]:
    """Yield the payments, remittances, quarantined, provider adjustments and findings of an excerpt.

    The context only says under what the body stands: it yields its Payment and no findings, which belong to the piece
    that has the heading in its body. Raises nothing for any bytes.
    """
    reader = Reader(excerpt)
    for span in excerpt.context:
        yield from reader.read(span)
    reader.in_body = True
    yield from reader.read(excerpt.body)
    reader.end(excerpt.body.offset + len(excerpt.body.data))
    yield from reader.out


class Reader:
    """The open interchange, payment, claim payment and line of one walk."""

    def __init__(self, excerpt: Excerpt):
        self.separators = excerpt.separators
        self.guide = excerpt.guide
        self.group_guide = ""
        self.version = ""
        self.controls = ["", "", ""]
        self.in_body = False
        self.payment: Payment | None = None
        self.is_heading_open = False
        self.heading_in_body = False
        self.header: dict[str, Any] = {}
        self.remittance: Remittance | None = None
        self.loop: Any = None
        self.loop_name = ""
        self.table: Mapping[str, Read] = NO_SEGMENTS
        self.notes: list[Note] = []
        self.out: list[Result] = []
        self.span = excerpt.body
        self.claims = ClaimLexicon(excerpt.separators)
        numbers = count(1)
        # what is a known adjustment group is not the same in both versions
        self.lexicons = {is_4010: LineLexicon(excerpt.separators, numbers) for is_4010 in (False, True)}
        self.lines = self.lexicons[False]

    def read(self, span: Span) -> Iterator[Result]:
        self.span = span
        steps = self.read_segments(span) if UNWANTED_BYTES.search(span.data) else self.read_blocks(span)
        for _ in steps:
            if self.out:
                yield from self.out
                self.out.clear()

    def read_segments(self, span: Span) -> Iterator[None]:
        for segment in self.cleaned(read_segments(span, self.separators)):
            self.read_segment(segment)
            yield

    def read_blocks(self, span: Span) -> Iterator[None]:
        """Read what a border opens as one; lines and claims say much that was said before (remits.edi835.lexicon)."""
        for block in read_blocks(span, self.separators, BORDERS):
            if block.name == "SVC" and self.remittance is not None and self.in_body:
                self.read_line(self.remittance, block)
            elif block.name == "CLP":
                self.read_claim(block)
            else:
                self.read_pieces(block.pieces())
            yield

    def read_pieces(self, pieces: Iterable[Piece]) -> None:
        element = self.separators.element
        for offset, position, piece in pieces:
            self.read_segment((offset, position, split_piece(piece, element)))

    def read_segment(self, segment: Segment) -> None:
        name = segment[2][0]
        reads = self.table.get(name)
        if reads is not None:
            try:
                reads(self.loop, segment[2], self.notes)
            except BadElement as bad:
                self.break_off(bad, segment)
        else:
            STRUCTURE.get(name, Reader.keep_unknown)(self, segment)
        if self.notes:
            self.report(segment)

    def read_claim(self, block: Block) -> None:
        """Read a CLP and what stands before its first line."""
        pieces = iter(block.pieces())
        self.read_pieces(islice(pieces, 1))
        remittance, known = self.remittance, self.claims
        for offset, position, piece in pieces:
            take, said = known[piece]
            if take is None or remittance is None:
                self.read_segment((offset, position, said))
            else:
                take(remittance, said)

    def read_line(self, remittance: Remittance, block: Block) -> None:
        """Read a SVC and what stands behind it."""
        said, dated, numbered = self.lines.split(block.texts)
        line = self.lines.find(said, dated, numbered)
        if line is not None:
            line.byte_offset, line.segment_position = block.start, block.position
            remittance.lines.append(line)
            line.number = len(remittance.lines)
            return
        count = remittance.finding_count
        self.read_pieces(block.pieces())
        if remittance.finding_count == count:
            self.lines.keep(said, dated, numbered, remittance.lines[-1])

    def cleaned(self, segments: Iterator[Segment]) -> Iterator[Segment]:
        """Take control characters out of elements; the segment's reader is followed by a note that says so."""
        unwanted = unwanted_beside(self.separators)
        for offset, position, elements in segments:
            tainted = any(map(unwanted.search, elements))
            if tainted:
                elements = [elements[0], *(unwanted.sub("", each) for each in elements[1:])]
            yield offset, position, elements
            if tainted:
                self.taint((offset, position, elements))

    def taint(self, segment: Segment) -> None:
        level = WARNING if self.remittance is None else CLAIM
        self.notes.append(Note(level, IK403, INVALID_CHARACTER, "A control character stands inside a value."))
        self.break_remittance()
        self.report(segment)

    def break_remittance(self) -> None:
        if self.remittance is not None:
            self.remittance.is_broken = True

    def break_off(self, bad: BadElement, segment: Segment) -> None:
        """Note an element that cannot be read; what it stands in cannot become rows."""
        name = segment[2][0]
        whole = "payment" if self.remittance is None else "claim payment"
        level = SET if self.remittance is None else CLAIM
        sentence = f"The {label(name, bad.number)} {bad.sentence}: the {whole} cannot be read."
        self.notes.append(Note(level, IK403, bad.code, sentence, bad.number))
        self.break_remittance()

    # --- what ends a loop and opens another ---------------------------------------------------------------------------

    def open_interchange(self, segment: Segment) -> None:
        self.end(segment[0])
        self.payment = None
        self.controls = [control(segment[2], 13), "", ""]
        self.version, self.group_guide = text(segment[2], 12), ""

    def open_group(self, segment: Segment) -> None:
        self.end(segment[0])
        self.payment = None
        self.controls = [self.controls[0], control(segment[2], 6), ""]
        self.group_guide = text(segment[2], 8)

    def open_set(self, segment: Segment) -> None:
        """Open a payment: its guide is ST03, else GS08, else what the excerpt was cut by."""
        self.end(segment[0])
        elements = segment[2]
        self.controls[2] = control(elements, 2)
        guide = UNWANTED.sub("", text(elements, 3) or self.group_guide or self.guide)[:35]
        is_4010 = guide.startswith("004010") or (not guide and self.version == "00401")
        self.payment = Payment(segment[0], self.controls[2], guide, is_4010)
        self.is_heading_open, self.heading_in_body = True, self.in_body
        self.open_loop(self.payment, "1000", HEADING_SEGMENTS)
        self.header = {}

    def close_set(self, segment: Segment) -> None:
        self.end(segment[0])
        self.payment = None
        self.controls[2] = ""

    def open_header(self, segment: Segment) -> None:
        """Open loop 2000: its LX number and provider summary (TS3, TS2) go with every claim payment below it."""
        self.end(segment[0])
        self.header = {"number": text(segment[2], 1)}
        self.open_loop(self.header, "2000", HEADER_SEGMENTS)

    def open_remittance(self, segment: Segment) -> None:
        self.end(segment[0])
        self.remittance = Remittance(self.payment, self.place(segment))
        self.lines = self.lexicons[self.remittance.is_4010]
        self.open_loop(self.remittance, "2100", CLAIM_SEGMENTS)
        if self.header:
            self.remittance.detail["header"] = self.header
        self.check_payment()
        try:
            read_clp(self.remittance, segment[2], self.notes)
        except BadElement as bad:
            self.break_off(bad, segment)

    def check_payment(self) -> None:
        """A claim payment needs a payment that is a row."""
        if self.payment is None or self.payment.payment_cents is None:
            where = "outside of a payment" if self.payment is None else "under a payment without a readable amount"
            self.notes.append(Note(CLAIM, EDIT, "payment_missing", f"The claim payment (CLP) stands {where}."))
            self.break_remittance()

    def open_line(self, segment: Segment) -> None:
        remittance = self.remittance
        if remittance is None:
            self.misplace(segment)
            return
        number = len(remittance.lines) + 1
        component = self.separators.component
        line = RemittanceLine(number, segment[0], segment[1], is_4010=remittance.is_4010, component=component)
        remittance.lines.append(line)
        self.open_loop(line, "2110", LINE_SEGMENTS)
        try:
            read_svc(line, segment[2], self.notes)
        except BadElement as bad:
            self.break_off(bad, segment)

    def read_provider_adjustments(self, segment: Segment) -> None:
        self.end(segment[0])
        if self.payment is None or self.payment.payment_cents is None:
            self.misplace(segment, SET)
        else:
            self.out += read_plb(self.payment, segment[0], segment[2], self.separators.component, self.notes)

    def misplace(self, segment: Segment, level: str = WARNING) -> None:
        sentence = "The segment stands where it belongs to nothing, and is left out."
        self.notes.append(Note(level, IK304, "7", sentence))

    def keep_unknown(self, segment: Segment) -> None:
        """Note a segment that the open loop does not know. One inside a claim payment is kept in its `detail`."""
        if self.remittance is not None:
            kept = self.remittance.detail.setdefault("other_segments", [])
            kept.append(self.separators.element.join(segment[2]))
            sentence = "The segment does not belong in a claim payment; it is kept, not read."
            self.notes.append(Note(WARNING, IK304, "2", sentence))
        elif self.payment is not None:
            self.misplace(segment)

    def open_loop(self, loop: Any, name: str, table: Mapping[str, Read]) -> None:
        self.loop, self.loop_name, self.table = loop, name, table

    def end(self, offset: int) -> None:
        """End the open heading or claim payment before the segment at `offset`; its result goes out."""
        if self.is_heading_open and self.payment is not None:
            self.end_heading(self.payment)
        if self.remittance is not None:
            self.end_remittance(self.remittance, offset)
        self.remittance = None
        self.open_loop(None, "", NO_SEGMENTS)

    def end_heading(self, payment: Payment) -> None:
        self.is_heading_open = False
        if payment.payment_cents is not None:
            self.out.append(payment)
        if self.heading_in_body:
            place = Place(payment.byte_offset, 1, "ST", *self.controls)
            self.out += [finding(note, place, "1000", None) for note in heading_notes(payment)]

    def end_remittance(self, remittance: Remittance, offset: int) -> None:
        remittance.byte_end = self.trimmed(offset)
        if not remittance.is_broken:
            complete(remittance)
            self.out.append(remittance)
            return
        place = remittance.place
        number = remittance.patient_control_number
        extent = (place.byte_offset, remittance.byte_end, place.segment_position)
        self.out.append(Quarantined(*extent, place.set_control, number, remittance.charge_cents))

    def trimmed(self, offset: int) -> int:
        """Step back over blanks between segments, so that an extent does not depend on where a chunk was cut."""
        data, start = self.span.data, self.span.offset
        while offset > start + 1 and data[offset - start - 1] in BLANK_BYTES:
            offset -= 1
        return offset

    # --- places -------------------------------------------------------------------------------------------------------

    def place(self, segment: Segment) -> Place:
        name = UNWANTED.sub("", segment[2][0])[:10]
        return Place(segment[0], segment[1], name, *self.controls)

    def report(self, segment: Segment) -> None:
        """Turn the notes on a segment into findings. Those of a context were reported with the piece it is from."""
        if self.in_body:
            owner = None if self.remittance is None else self.remittance.place.byte_offset
            place = self.place(segment)
            self.out += [finding(note, place, self.loop_name, owner) for note in self.notes]
            if self.remittance is not None:
                self.remittance.finding_count += len(self.notes)
        self.notes.clear()


def unwanted_beside(separators: Separators) -> re.Pattern[str]:
    """Some write with control characters as separators; only NUL, which no column takes, is never one."""
    kept = "".join(separators).replace("\x00", "")
    return re.compile(f"(?![{re.escape(kept)}]){UNWANTED.pattern}")


def control(elements: list[str], number: int) -> str:
    return UNWANTED.sub("", text(elements, number))[:LABEL_LENGTH]


def finding(note: Note, place: Place, loop: str, owner: int | None) -> Finding:
    level, code_set, code, message, number, component = note
    return Finding(level, code_set, code, message, place, loop, number, component, owner)


def keep_summary(header: dict[str, Any], elements: list[str], notes: list[Note]) -> None:
    header[elements[0].lower()] = [each.strip() for each in elements[1:]]


HEADER_SEGMENTS: dict[str, Read] = {"TS3": keep_summary, "TS2": keep_summary}
STRUCTURE: dict[str, Callable[[Reader, Segment], None]] = {
    "ISA": Reader.open_interchange,
    "GS": Reader.open_group,
    "ST": Reader.open_set,
    "LX": Reader.open_header,
    "CLP": Reader.open_remittance,
    "SVC": Reader.open_line,
    "PLB": Reader.read_provider_adjustments,
    "SE": Reader.close_set,
    "GE": Reader.close_set,
    "IEA": Reader.close_set,
}
BORDERS = frozenset(STRUCTURE)
