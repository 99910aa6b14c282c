"""What was received and is to be acknowledged: the envelope as it was sent, and what was found wrong in it.

A finding belongs to the set, group or interchange whose bytes it stands in. Findings of the house's own edits (EDIT)
are about claims and no part of an acknowledgement of syntax; a claim in quarantine is, by its IK304 or IK403 code.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from marb.edi.findings import AK905, IK304, IK403, IK502, TA105, Finding
from marb.edi.identify import HEADER
from marb.edi.x12 import BadInterchange, Separators, Span, isa_fields, read_segments, read_separators

# of what stands between sets: ISA and GS open, a TA1 answers another interchange
HEADS = ("GS", "TA1")


class Header(NamedTuple):
    """An ISA, GS or TA1: the place of its first byte, what its interchange is written with, and its elements."""

    offset: int
    separators: Separators
    elements: list[str]


class Envelope(NamedTuple):
    """An ISA and the GS behind it, as elements: `isa[6]` is ISA06, `gs[8]` GS08. `gs` is empty where there is none."""

    isa: list[str]
    gs: list[str]


class ReceivedSet(NamedTuple):
    """A set from ST to SE: its extent in the file, ST01, ST02, ST03, and whether its claims were taken in."""

    byte_from: int
    byte_to: int
    code: str
    control: str
    guide: str
    is_accepted: bool
    findings: list[Finding]


class ReceivedGroup(NamedTuple):
    """A group by its GS, its sets, and what was found of the group itself (AK905)."""

    gs: list[str]
    sets: list[ReceivedSet]
    findings: list[Finding]


class ReceivedInterchange(NamedTuple):
    """An interchange by its ISA, its groups, and what was found of the interchange itself (TA105)."""

    isa: list[str]
    groups: list[ReceivedGroup]
    findings: list[Finding]


def read_headers(offset: int, data: bytes, separators: Separators | None = None) -> Iterator[Header]:
    """Yield the ISA, GS and TA1 segments of bytes that stand outside of sets, in order.

    `offset` is the place of the first byte, `separators` those of the interchange that is open there, if one is. An
    ISA whose separators cannot be read is passed over, and what stands behind it.
    """
    starts = [found.start() for found in HEADER.finditer(data)]
    for place, end in pairwise([0, *starts, len(data)]):
        stretch = data[place:end]
        if place in starts:
            try:
                separators = read_separators(stretch, offset + place)
            except BadInterchange:
                separators = None
                continue
            yield Header(offset + place, separators, isa_elements(stretch, separators))
        if separators is not None:
            for at, _, elements in read_segments(Span(offset + place, 0, stretch), separators):
                if elements[0] in HEADS:
                    yield Header(at, separators, [text.strip() for text in elements])


def isa_elements(head: bytes, separators: Separators) -> list[str]:
    """Split an ISA into its elements: [0] is `ISA`, [16] the component separator alone."""
    fields = isa_fields(head.decode("latin-1"), separators.element)
    return [*(field.strip() for field in fields[:16]), separators.component]


def read_envelope(before: bytes) -> Envelope | None:
    """Read the last ISA and GS of the bytes that stand before a set; None where they hold no ISA that can be read."""
    isa: list[str] = []
    gs: list[str] = []
    for header in read_headers(0, before):
        if header.elements[0] == "ISA":
            isa, gs = header.elements, []
        elif header.elements[0] == "GS":
            gs = header.elements
    return Envelope(isa, gs) if isa else None


def share_findings(sets: Sequence[ReceivedSet], findings: Iterable[Finding]) -> list[Finding]:
    """Give each finding of a set's bytes to that set; answers those of the envelopes round them."""
    starts = [each.byte_from for each in sets]
    rest = []
    for finding in findings:
        place = bisect_right(starts, finding.place.byte_offset) - 1
        if place >= 0 and finding.place.byte_offset < sets[place].byte_to and finding.code_set in (IK304, IK403, IK502):
            sets[place].findings.append(finding)
        elif finding.code_set in (TA105, AK905):
            rest.append(finding)
    return rest
