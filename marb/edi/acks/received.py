"""What was received and is to be acknowledged: the envelope as it was sent, and what was found wrong in it.

A finding belongs to the set, group or interchange whose bytes it stands in. Findings of the house's own edits (EDIT)
are about claims and no part of an acknowledgement of syntax; a claim in quarantine is, by its IK304 or IK403 code.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from marb.edi.findings import AK905, IK304, IK403, IK502, TA105, Finding
from marb.edi.x12 import isa_fields, read_separators

ISA_ELEMENTS = 17


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


def read_envelope(before: bytes) -> Envelope | None:
    """Read the last ISA and GS of the bytes that stand before a set; None where they hold no ISA that can be read."""
    place = before.rfind(b"ISA")
    if place < 0 or len(before) < place + ISA_ELEMENTS:
        return None
    head = before[place:]
    separators = read_separators(head)
    fields = isa_fields(head.decode("latin-1"), separators.element)
    isa = [*(field.strip() for field in fields[:16]), separators.component]
    pieces = [piece.strip() for piece in head.decode("latin-1").split(separators.segment)]
    groups = [piece.split(separators.element) for piece in pieces if piece.startswith(f"GS{separators.element}")]
    return Envelope(isa, groups[-1] if groups else [])


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
