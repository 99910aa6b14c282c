"""Writing the answer to an interchange: TA1 always, and a 999 (005010X231A1) for each of its groups.

TA104, AK901 and IK501 are A where nothing was found, E where something was and the work was taken in all the same,
R where it was refused, P for a group of which some sets were refused. A claim in quarantine leaves its set accepted
with errors, if the rest of the set has been loaded: a 999 has no word for that. An interchange is refused only where
nothing of it was taken in (what was loaded must not be sent again), and then has no 999. A TA1 is written whether ISA14
asks for it or not: who does not want it does not fetch it.
Copies of bad data (IK404) are never written: what is wrong may be PHI.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from marb.edi.acks.received import ReceivedGroup, ReceivedInterchange, ReceivedSet
from marb.edi.findings import GROUP, IK304, IK403, INTERCHANGE, Finding

GUIDE = "005010X231A1"
ACCEPTED, WITH_ERRORS, PARTLY, REJECTED = "A", "E", "P", "R"
# IK304 8: the segment has data element errors; IK502 5: one or more segments in error
ELEMENT_ERRORS, SEGMENT_ERRORS = "8", "5"
NO_ERROR = "000"
# AK905 to AK909, IK502 to IK506
MOST_CODES = 5
IK304_CODES = frozenset(("1", "2", "3", "4", "5", "6", "7", "8", "I4", "I6", "I7", "I8", "I9"))
IK502_CODES = frozenset(("1", "2", "3", "4", "5", "6", "7", "23", "I5", "I6"))
AK905_CODES = frozenset(("1", "2", "3", "4", "5", "6"))
# what a sender with other separators may have in a name or number that is repeated here
MARKS = dict.fromkeys((*range(32), *map(ord, "*~"), 127))
GS_ELEMENTS = 9
NUMBER_DIGITS = 9
Segment = tuple[str, ...]


def write_acknowledgement(received: ReceivedInterchange, control: int, now: datetime) -> str:
    """Write the interchange that answers `received`. `control` numbers it (ISA13, at most nine digits)."""
    number = f"{control % 10**9:09d}"
    groups = [] if is_refused(received) else received.groups
    segments: list[Segment] = [interchange_header(received.isa, number, now), acknowledge_interchange(received)]
    for place, group in enumerate(groups, 1):
        segments += functional_group(group, place, now)
    segments.append(("IEA", str(len(groups)), number))
    return "".join(map(written, segments))


def written(segment: Segment) -> str:
    """Write a segment; elements left empty at its end are left out, but for the ISA, whose places are fixed."""
    text = "*".join(element.translate(MARKS) for element in segment)
    return f"{text if segment[0] == 'ISA' else text.rstrip('*')}~\n"


def is_refused(received: ReceivedInterchange) -> bool:
    """Say whether nothing was taken in: a fault that costs the interchange, and no set that stands all the same."""
    is_taken = any(each.is_accepted for group in received.groups for each in group.sets)
    return not is_taken and any(finding.level == INTERCHANGE for finding in received.findings)


def interchange_header(isa: list[str], number: str, now: datetime) -> Segment:
    """Turn sender and receiver of the ISA round. ISA14 is 0: nobody acknowledges an acknowledgement."""
    blank = (" " * 10,)
    ours, theirs = (f"{isa[7]:2.2}", f"{isa[8]:15.15}"), (f"{isa[5]:2.2}", f"{isa[6]:15.15}")
    stamp = (f"{now:%y%m%d}", f"{now:%H%M}", "^", "00501", number, "0", isa[15] if isa[15] in ("P", "T") else "P", ":")
    return ("ISA", "00", *blank, "00", *blank, *ours, *theirs, *stamp)


def acknowledge_interchange(received: ReceivedInterchange) -> Segment:
    """TA1: 01 to 03 are ISA13, ISA09 and ISA10 as received, 04 the verdict, 05 the code of the worst that was found."""
    isa, found = received.isa, received.findings
    worst = next((each for each in found if each.level == INTERCHANGE), found[0] if found else None)
    named = ("TA1", isa[13][-NUMBER_DIGITS:], isa[9], isa[10])
    if worst is None:
        return (*named, ACCEPTED, NO_ERROR)
    return (*named, REJECTED if is_refused(received) else WITH_ERRORS, worst.code)


def functional_group(group: ReceivedGroup, place: int, now: datetime) -> list[Segment]:
    """GS to GE: one 999 that answers one group."""
    gs = [*group.gs, *[""] * GS_ELEMENTS][:GS_ELEMENTS]
    sender, receiver = gs[2], gs[3]
    number = str(place)
    body = [
        ("ST", "999", f"{place:04d}", GUIDE),
        ("AK1", gs[1], gs[6], gs[8]),
        *(segment for each in group.sets for segment in transaction_set(each)),
        verdict_on_group(group),
    ]
    header = ("GS", "FA", receiver, sender, f"{now:%Y%m%d}", f"{now:%H%M}", number, "X", GUIDE)
    return [header, *body, ("SE", str(len(body) + 1), f"{place:04d}"), ("GE", "1", number)]


def transaction_set(received: ReceivedSet) -> Iterator[Segment]:
    """AK2, an IK3 with its IK4 for each segment in error, IK5."""
    yield ("AK2", received.code, received.control, received.guide)
    inside = [each for each in received.findings if each.code_set in (IK304, IK403)]
    # a stable order: where they stand, then faults of the segment before those of its elements
    inside.sort(key=lambda each: (each.place.byte_offset, each.code_set))
    for (_, position, name, loop), found in groupby(inside, where):
        yield from segment_in_error(position, name, loop, list(found))
    yield verdict_on_set(received, has_errors=bool(inside))


def where(finding: Finding) -> tuple[int, int, str, str]:
    return finding.place.byte_offset, finding.place.segment_position, finding.place.segment_id, finding.loop


def segment_in_error(position: int, name: str, loop: str, found: Sequence[Finding]) -> Iterator[Segment]:
    faults = [each.code for each in found if each.code_set == IK304 and each.code in IK304_CODES]
    elements = [each for each in found if each.code_set == IK403]
    for code in dict.fromkeys(faults or [ELEMENT_ERRORS]):
        yield ("IK3", name[:3] or "ST", str(max(position, 1)), loop[:4], code)
    if not faults:
        for each in dict.fromkeys((each.element, each.component, each.code) for each in elements):
            yield element_in_error(*each)


def element_in_error(number: int, component: int, code: str) -> Segment:
    return ("IK4", f"{max(number, 1)}:{component}" if component else str(max(number, 1)), "", code)


def verdict_on_set(received: ReceivedSet, *, has_errors: bool) -> Segment:
    codes = [
        each.code for each in received.findings if each.code in IK502_CODES and each.code_set not in (IK304, IK403)
    ]
    if has_errors:
        codes.append(SEGMENT_ERRORS)
    if not received.is_accepted:
        return ("IK5", REJECTED, *list(dict.fromkeys(codes or [SEGMENT_ERRORS]))[:MOST_CODES])
    return ("IK5", WITH_ERRORS if codes else ACCEPTED, *list(dict.fromkeys(codes))[:MOST_CODES])


def verdict_on_group(group: ReceivedGroup) -> Segment:
    """AK9: 01 the verdict, 02 and 03 the sets of the group, 04 those accepted, 05 to 09 the group's faults."""
    total = len(group.sets)
    accepted = sum(each.is_accepted for each in group.sets)
    codes = list(dict.fromkeys(each.code for each in group.findings if each.code in AK905_CODES))[:MOST_CODES]
    counts = (str(total), str(total), str(accepted))
    return ("AK9", judge_group(group, accepted), *counts, *codes)


def judge_group(group: ReceivedGroup, accepted: int) -> str:
    if not accepted or any(each.level == GROUP for each in group.findings):
        return REJECTED
    if accepted < len(group.sets):
        return PARTLY
    has_errors = group.findings or any(each.findings for each in group.sets)
    return WITH_ERRORS if has_errors else ACCEPTED
