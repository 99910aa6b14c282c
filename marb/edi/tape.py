"""A file's bytes as they come, with the places of things in them: the ground that the scan stands on.

The buffer is filled by about a megabyte, and what has been read is let go, so that memory does not grow with the
file. `at` is the place of the terminator before the next segment; places are indexes into the buffer, and
`offset()` turns one into the offset in the file.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from marb.edi.x12 import BLANKS, Separators

BLOCK_BYTES: Final = 1 << 20


class Tape:
    """Blocks of bytes of any size, joined and let go again; counts the segments that pass."""

    def __init__(self, blocks: Iterable[bytes]):
        self.blocks = iter(blocks)
        self.buffer = b""
        self.base = 0
        self.at = 0
        self.ended = False
        self.passed = 0
        self.marked = 0
        self.empties: list[int] = []
        self.empties_seen = 0
        self.empty_first: tuple[int, int] | None = None
        self.empty_count = 0
        self.terminator = b""

    def fill(self) -> None:
        """Let go of what stands before `at`, and take in about a megabyte more."""
        parts, taken = [self.buffer[self.at :]], 0
        while taken < BLOCK_BYTES and not self.ended:
            block = next(self.blocks, None)
            if block is None:
                self.ended = True
            else:
                parts.append(bytes(block))
                taken += len(block)
        self.settle()
        self.base += self.at
        self.buffer, self.at, self.marked = b"".join(parts), 0, 0
        self.find_empties()

    def replace(self, buffer: bytes) -> None:
        """Put another text of the same extent in place of the buffer (an end closed, a long segment blotted out)."""
        self.settle()
        self.base += self.at
        self.buffer, self.at, self.marked = buffer, 0, 0
        self.find_empties()

    def settle(self) -> None:
        """Count what lies before `at`, before it is let go. Where `at` went back nothing is counted twice."""
        if self.terminator and self.at > self.marked:
            self.ordinal(self.at)

    def use(self, separators: Separators) -> None:
        """From `at` on, segments end with this terminator."""
        terminator = separators.segment.encode("latin-1")
        if terminator != self.terminator:
            self.terminator = terminator
            self.find_empties()
        self.skip_to(self.at)

    def skip_to(self, place: int) -> None:
        """Take up counting at `place`; what lies before it is in no set."""
        self.marked = place
        while self.empties_seen < len(self.empties) and self.empties[self.empties_seen] < place:
            self.empties_seen += 1

    def find_empties(self) -> None:
        self.empties, self.empties_seen = [], 0
        if self.terminator:
            self.empties = [found.start() for found in empty_pattern(self.terminator).finditer(self.buffer)]

    def blot(self, place: int, filler: bytes) -> None:
        """Let go of a long segment up to this place; what follows is what it ends with."""
        self.at = place
        self.replace(self.terminator + filler * (len(self.buffer) - place - 1))
        self.passed -= 1

    def offset(self, place: int) -> int:
        return self.base + place

    def ordinal(self, place: int) -> int:
        """Count the segments up to the one that starts at `place`. Places must not go back."""
        while self.empties_seen < len(self.empties) and self.empties[self.empties_seen] < place:
            self.pass_empty(self.empties[self.empties_seen])
            self.empties_seen += 1
        self.passed += self.buffer.count(self.terminator, self.marked, place)
        self.marked = max(self.marked, place)
        return self.passed

    def pass_empty(self, place: int) -> None:
        """An empty segment follows the terminator at `place`: it is noted and not counted."""
        self.passed += self.buffer.count(self.terminator, self.marked, place)
        self.marked = place + 1
        self.empty_first = self.empty_first or (self.offset(place + 1), self.passed)
        self.empty_count += 1

    def forget_empties(self) -> None:
        self.empty_first, self.empty_count = None, 0


@lru_cache(maxsize=64)
def empty_pattern(terminator: bytes) -> re.Pattern[bytes]:
    """A terminator with nothing but blanks up to the next: an empty segment."""
    return re.compile(re.escape(terminator) + blanks(terminator) + b"*(?=" + re.escape(terminator) + b")")


def blanks(terminator: bytes) -> bytes:
    """The class of bytes that are layout between segments ending with this terminator."""
    layout = BLANKS.encode("latin-1").replace(terminator, b"")
    return b"[" + re.escape(layout) + b"]"
