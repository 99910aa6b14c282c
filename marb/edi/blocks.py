"""Blocks: a span cut before each segment that opens or closes what its reader asks for (an envelope, a level, a claim).

Most files are written without layout between segments, or with the same after each: such a span is searched for its
borders as text and split a block at a time, so that hardly anything is held. Any other is split first. Both ways
answer the same blocks. Invariant: every segment of the span is in one block, in order.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate, count
from typing import NamedTuple

from marb.edi.x12 import Piece, Separators, Span, framing, is_padded, strip_pieces


class Block(NamedTuple):
    """The segments (unsplit, see marb.edi.x12.split_piece) from a border to before the next; at least one.

    `name` is the border's id, empty before the first. `start` and `position` are the first segment's; `width` is what
    stands between segments, and `offsets` where each begins if that is not the same everywhere.
    """

    name: str
    texts: list[str]
    position: int
    start: int
    width: int
    offsets: list[int] | None = None

    def offset(self, place: int) -> int:
        """Say where the segment at a place of the block begins in the file."""
        if self.offsets is not None:
            return self.offsets[place]
        return self.start + sum(map(len, self.texts[:place])) + self.width * place

    def starts(self) -> list[int]:
        """Say where each segment of the block begins in the file."""
        if self.offsets is not None:
            return self.offsets
        return list(accumulate([len(text) + self.width for text in self.texts[:-1]], initial=self.start))

    def pieces(self) -> Iterable[Piece]:
        """Get the segments of the block as marb.edi.x12 gives them."""
        return zip(self.starts(), count(self.position), self.texts, strict=False)


def read_blocks(span: Span, separators: Separators, borders: frozenset[str]) -> Iterator[Block]:
    """Yield a span's blocks; `borders` are the ids of the segments that each begin one."""
    text = span.data.decode("latin-1")
    terminator, wrapped = framing(text, separators.segment)
    whole = text.removesuffix(terminator if text.endswith(terminator) else separators.segment)
    if wrapped or is_padded(text, [whole], terminator):
        pieces = strip_pieces(span, whole.split(terminator), separators, wrapped=wrapped, width=len(terminator))
        return group_pieces(pieces, separators.element, borders)
    first = border_of(whole.partition(terminator)[0], separators.element, borders)
    return cut_text(span, whole, terminator, first, border_pattern(separators.element, terminator, borders))


def cut_text(span: Span, text: str, terminator: str, name: str, pattern: re.Pattern[str]) -> Iterator[Block]:
    """Cut at the borders what has the same terminator behind each segment; `name` is that of the first block."""
    width, start, position = len(terminator), 0, span.position
    for hit in pattern.finditer(text):
        texts = text[start : hit.start()].split(terminator)
        if name == "ST":
            position = 1
        yield Block(name, texts, position, span.offset + start, width)
        name, start, position = hit[1], hit.start() + width, position + len(texts)
    yield Block(name, text[start:].split(terminator), 1 if name == "ST" else position, span.offset + start, width)


def group_pieces(pieces: Iterator[Piece], element: str, borders: frozenset[str]) -> Iterator[Block]:
    """Group segments that each have an offset of their own."""
    block: Block | None = None
    for offset, position, text in pieces:
        name = border_of(text, element, borders)
        if name and block is not None:
            yield block
            block = None
        if block is None:
            block = Block(name, [], position, offset, 0, offsets := [])
        block.texts.append(text)
        offsets.append(offset)
    if block is not None:
        yield block


def border_of(text: str, element: str, borders: frozenset[str]) -> str:
    """Get a border's id; empty for any other segment."""
    name = text.partition(element)[0]
    return name if name in borders else ""


@lru_cache(maxsize=64)
def border_pattern(element: str, terminator: str, borders: frozenset[str]) -> re.Pattern[str]:
    """A terminator with a border behind it."""
    mark, end = re.escape(element), re.escape(terminator)
    return re.compile(f"{end}(?=({'|'.join(sorted(borders))})(?:{mark}|{end}|\\Z))")
