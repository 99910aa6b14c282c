"""The envelopes of a stored file: its interchanges, their groups, and the sets that the split found in them.

The rows of the sets (TransactionSet) know where each set stands and hold its numbers; what the ISA and GS said besides
is read from the bytes between sets, of which at most STRETCH_BYTES are looked at. Memory grows with the number of
sets, never with their size.
"""

from collections.abc import Iterator
from typing import NamedTuple

from marb.edi.acks.received import Header, read_headers
from marb.edi.x12 import Separators
from marb.pipeline.models import EdiFile, TransactionSet
from marb.pipeline.reading import read

STRETCH_BYTES = 65_536
# what stands under no GS, or under one that could not be read
NO_GS = ["GS", "", "", "", "", "", "", "", ""]


class FileGroup(NamedTuple):
    """A GS by its place and elements (at least eight), and its sets. `byte_from` is 0 where sets stand under no GS."""

    byte_from: int
    gs: list[str]
    sets: list[TransactionSet]


class FileInterchange(NamedTuple):
    """An ISA by its place and elements (`isa[6]` is ISA06), its groups, and the TA1 segments that it holds."""

    byte_from: int
    separators: Separators
    isa: list[str]
    groups: list[FileGroup]
    answers: list[list[str]]


def read_interchanges(file: EdiFile) -> list[FileInterchange]:
    """Read a file's interchanges in order. Sets that stand before any readable ISA are in none."""
    found: list[FileInterchange] = []
    for item in walk(file):
        if isinstance(item, TransactionSet):
            add_set(found, item)
        elif item.elements[0] == "ISA":
            found.append(FileInterchange(item.offset, item.separators, item.elements, [], []))
        elif found and item.elements[0] == "GS":
            gs = [*item.elements, *NO_GS[len(item.elements) :]]
            found[-1].groups.append(FileGroup(item.offset, gs, []))
        elif found:
            found[-1].answers.append(item.elements)
    return found


def add_set(found: list[FileInterchange], item: TransactionSet) -> None:
    if found:
        groups = found[-1].groups
        if not groups:
            groups.append(FileGroup(0, NO_GS, []))
        groups[-1].sets.append(item)


def walk(file: EdiFile) -> Iterator[TransactionSet | Header]:
    """Yield the headers and sets of a file in the order of its bytes."""
    end, separators = 0, None
    for item in file.sets.order_by("byte_from"):
        for header in read_between(file, max(end, item.byte_from - STRETCH_BYTES), item.byte_from, separators):
            separators = header.separators
            yield header
        if item.set_code == "TA1":
            # the scan keeps one that stands outside of sets as a set of its own
            yield from read_between(file, item.byte_from, item.byte_to, separators)
        else:
            yield item
        end = max(end, item.byte_to)
    yield from read_between(file, end, min(file.byte_count, end + STRETCH_BYTES), separators)


def read_between(file: EdiFile, start: int, end: int, separators: Separators | None) -> Iterator[Header]:
    if start < end:
        yield from read_headers(start, read(file.pk, start, end), separators)
