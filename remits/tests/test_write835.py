"""A written 835 set is, segment for segment, the one that was read: by hand, by law, of the samples, from rows."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marb.edi.values import dollars
from marb.edi.x12 import read_segments
from remits.edi835 import Payment, ProviderAdjustment, Remittance, parse_payments
from remits.models import Payment as PaymentRow
from remits.rewrite import write_rows
from remits.tests.x12 import CLAIM, HEADING, whole, wrap
from remits.write835 import Segment, write_payment

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*-835.x12"))
# BPR06 to BPR15 but BPR10 are not kept
BANK_PLACES = (6, 7, 8, 9, 11, 12, 13, 14, 15)
AMOUNT = re.compile(r"(-?)0*([0-9]+)(?:\.([0-9]*))?")


def said(elements: Segment) -> Segment:
    """A segment as it is compared: amounts and counts by their value, no bank accounts, nothing idle at its end."""
    found = [element.strip().rstrip(":") if place else element for place, element in enumerate(elements)]
    if found[0] == "BPR":
        found = ["" if place in BANK_PLACES else element for place, element in enumerate(found)]
    while found[-1] == "":
        found.pop()
    return [number(element) for element in found]


def number(text: str) -> str:
    matched = AMOUNT.fullmatch(text)
    if matched is None:
        return text
    fraction = (matched[3] or "").rstrip("0")
    return f"{matched[1]}{matched[2]}{f'.{fraction}' if fraction else ''}"


def sets_of(data: bytes) -> list[list[Segment]]:
    """The sets of a file, each from its ST to before its SE, whose count some of these tests' own text has wrong."""
    found: list[list[Segment]] = []
    is_open = False
    for _, _, elements in read_segments(whole(data).body, whole(data).separators):
        is_open = elements[0] == "ST" or (is_open and elements[0] != "SE")
        if elements[0] == "ST":
            found.append([])
        if is_open:
            found[-1].append(said(elements))
    return found


def written(data: bytes) -> list[list[Segment]]:
    results = list(parse_payments(whole(data)))
    found = []
    for payment in (each for each in results if isinstance(each, Payment)):
        remittances = [each for each in results if isinstance(each, Remittance) and each.payment is payment]
        adjustments = [
            each
            for each in results
            if isinstance(each, ProviderAdjustment) and each.payment_offset == payment.byte_offset
        ]
        segments = write_payment(payment, remittances, adjustments, ":")
        assert segments[-1] == ["SE", str(len(segments)), payment.set_control]
        found.append([said(segment) for segment in segments[:-1]])
    return found


FULL = CLAIM.replace("DTM*232", "NM1*IL*1*DOE*SAM****MI*M2~MOA***MA01*N130~REF*1L*G1~DTM*232").replace(
    "SVC*", "AMT*AU*85~QTY*CA*3~SVC*"
)
BARE = (
    "CLP*PCN2*22*-100*-80**12*ICN2~CAS*CO*45*-20**94*5*2~NM1*QC*1*DOE*JANE~SVC*NU:0120*-100*-80~DTM*150*20250101~"
    "DTM*151*20250103~"
)
PLB = "PLB*1234567890*20251231*WO:X1*12.5*72:X2*-3~"


def test_a_set_with_everything_in_it_is_written_as_it_was_read():
    data = wrap(HEADING + FULL + BARE + PLB, HEADING + CLAIM)
    assert written(data) == sets_of(data)


def test_dates_that_a_claim_did_not_say_are_not_written():
    data = wrap(HEADING + CLAIM.replace("DTM*232*20250102~", ""))
    assert written(data) == sets_of(data)


amounts = st.integers(-(10**8), 10**8).map(dollars)
reasons = st.lists(st.tuples(st.sampled_from(["1", "2", "45", "97", "B7"]), amounts), min_size=1, max_size=6)
groups = st.lists(st.sampled_from(["CO", "PR", "OA"]), max_size=3, unique=True)


@given(st.lists(st.tuples(amounts, groups, reasons), max_size=4), amounts, groups, reasons)
def test_amounts_and_adjustments_come_back_to_the_cent(lines, paid, claim_groups, claim_reasons):
    def cas(names, triplets):
        return "".join(f"CAS*{name}*{'**'.join('*'.join(each) for each in triplets)}~" for name in names)

    loops = [f"SVC*HC:99213*{charge}*{charge}**2~DTM*472*20250102~{cas(*rest)}" for charge, *rest in lines]
    data = wrap(
        HEADING
        + f"CLP*PCN1*1*{paid}*{paid}*0*12*ICN1~{cas(claim_groups, claim_reasons)}DTM*232*20250102~"
        + "".join(loops)
    )
    assert written(data) == sets_of(data)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_products_samples_are_written_as_they_were_read(path: Path):
    data = path.read_bytes()
    assert written(data) == sets_of(data)


@pytest.mark.django_db
@pytest.mark.parametrize("data", [wrap(HEADING + FULL + BARE + PLB), SAMPLES[0].read_bytes()], ids=["full", "sample"])
def test_rows_say_the_same_set(load, data: bytes):
    load(data)
    rows = PaymentRow.objects.order_by("byte_offset")[:5]
    found = [[said(segment) for segment in write_rows(row)[:-1]] for row in rows]
    assert found == sets_of(data)[: len(found)]
    assert found
