"""Acknowledging a received file: a TA1 for each of its interchanges, and a 999 for each group of claims or payments.

What the split and the loaders found says what was wrong (marb.edi.acks.write says how it is told). The answer to a
file is one row, made when the file is finished and made anew when it is finished again; made twice from the same
findings it is the same bytes: it is numbered by the file and dated by its receipt. Acknowledgements are themselves not
acknowledged, nor is a file of which no ISA can be read.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from marb.edi.acks.received import ReceivedGroup, ReceivedInterchange, ReceivedSet, share_findings
from marb.edi.acks.write import is_refused, write_acknowledgement
from marb.edi.findings import AK905, IK304, IK403, IK502, TA105, WARNING, Finding, Place
from marb.edi.guides import GROUP_CODES
from marb.pipeline import models
from marb.pipeline.envelopes import FileGroup, FileInterchange, read_interchanges
from marb.pipeline.models import Acknowledgement, EdiFile, SetStatus, TransactionSet, Verdict

# of segments and elements in error; what is wrong with envelopes is told in full
MOST_FINDINGS = 10_000
# the numbers (ISA13) of one file's answers begin here apart from those of the next
NUMBERS = 1_000
# that an interchange says it is a test (ISA15) is noted for people, and no fault of it
TEST_DATA = "020"
SYNTAX = (IK304, IK403)
ENVELOPE = (IK502, AK905, TA105)


def acknowledge_file(file_id: int) -> bool:
    """Write the answer to a file's interchanges. False where there is nothing to answer."""
    file = EdiFile.objects.get(pk=file_id)
    received = list(read_received(file))
    if not received:
        return False
    texts = (
        write_acknowledgement(each, file.pk * NUMBERS + number, file.received_at)
        for number, each in enumerate(received)
    )
    content = "".join(texts).encode("latin-1", "replace")
    values = {"practice_id": file.practice_id, "verdict": judge(received), "content": content}
    Acknowledgement.objects.update_or_create(file=file, defaults=values)
    return True


def judge(received: list[ReceivedInterchange]) -> Verdict:
    """Say how a file as a whole was taken: refused, in part, with errors, or as it is."""
    sets = [each for interchange in received for group in interchange.groups for each in group.sets]
    if all(map(is_refused, received)) or (sets and not any(each.is_accepted for each in sets)):
        return Verdict.REJECTED
    if any(map(is_refused, received)) or not all(each.is_accepted for each in sets):
        return Verdict.PARTLY
    groups = [group for interchange in received for group in interchange.groups]
    found = [*(each.findings for each in received), *(each.findings for each in groups), *(s.findings for s in sets)]
    return Verdict.WITH_ERRORS if any(found) else Verdict.ACCEPTED


def read_received(file: EdiFile) -> Iterator[ReceivedInterchange]:
    """Read what is to be acknowledged: the interchanges that hold claims, payments, or nothing at all."""
    interchanges = read_interchanges(file)
    lost = list(file.quarantined.order_by("byte_from").values_list("byte_from", flat=True))
    shares = share([0, *(each.byte_from for each in interchanges[1:])], sorted(read_findings(file), key=offset_of))
    for interchange, own in zip(interchanges, shares, strict=False):
        if is_answered(interchange):
            yield receive(interchange, own, lost)


def offset_of(finding: Finding) -> int:
    return finding.place.byte_offset


def share(starts: Sequence[int], findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Yield the findings that stand from each of these places to the next; both are in order."""
    places = [bisect_left(findings, start, key=offset_of) for start in starts]
    for first, last in pairwise([*places, len(findings)]):
        yield list(findings[first:last])


def is_answered(interchange: FileInterchange) -> bool:
    if interchange.answers:
        return False
    return not interchange.groups or any(map(is_claims_or_payments, interchange.groups))


def is_claims_or_payments(group: FileGroup) -> bool:
    codes = {item.set_code for item in group.sets}
    return bool(codes & GROUP_CODES.keys()) or group.gs[1:2] in (["HC"], ["HP"])


def receive(interchange: FileInterchange, findings: list[Finding], lost: list[int]) -> ReceivedInterchange:
    """Give each finding of an interchange to what it is about. Findings and `lost` are in the order of the file."""
    sets = [[received_set(item, lost) for item in group.sets if item.set_code] for group in interchange.groups]
    rest = share_findings(list(chain.from_iterable(sets)), findings)
    shares = share([group.byte_from for group in interchange.groups], [each for each in rest if each.code_set == AK905])
    groups = [
        ReceivedGroup(group.gs, own, found)
        for group, own, found in zip(interchange.groups, sets, shares, strict=True)
        if is_claims_or_payments(group)
    ]
    return ReceivedInterchange(interchange.isa, groups, [each for each in rest if each.code_set == TA105])


def received_set(item: TransactionSet, lost: list[int]) -> ReceivedSet:
    """Make the value of a set. One whose claims are all in quarantine (`lost`, by their offsets) was not taken in."""
    count = bisect_left(lost, item.byte_to) - bisect_left(lost, item.byte_from)
    is_lost = 0 < item.claim_count + item.remittance_count <= count
    numbers = (item.set_code, item.set_control, item.guide)
    is_accepted = item.status != SetStatus.REJECTED and not is_lost
    return ReceivedSet(item.byte_from, item.byte_to, *numbers, is_accepted, [])


def read_findings(file: EdiFile) -> Iterator[Finding]:
    """Read the findings that an acknowledgement tells of, envelopes first; the house's own edits are none of them."""
    found = file.findings.order_by("byte_offset", "id")
    envelope = found.filter(code_set__in=ENVELOPE).exclude(level=WARNING, code_set=TA105, code=TEST_DATA)
    syntax = found.filter(code_set__in=SYNTAX)[:MOST_FINDINGS]
    yield from map(finding_of, chain(envelope.iterator(), syntax.iterator()))


def finding_of(row: models.Finding) -> Finding:
    """Make the value that a row was made from."""
    place = Place(row.byte_offset, row.segment_position, row.segment_id)
    coded = (row.level, row.code_set, row.code, row.message)
    return Finding(*coded, place, row.loop, row.element, row.component, row.claim_offset)
