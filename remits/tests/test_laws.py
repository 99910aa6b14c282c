"""Laws of the 835 reader: for any bytes, for any cut, and over the public sample files where they are at hand."""

import csv
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from marb.edi.findings import Finding, Quarantined
from marb.edi.x12 import BadInterchange, Excerpt, Span, read_segments, read_separators
from remits.balance import balance_remittance
from remits.edi835 import Payment, ProviderAdjustment, Remittance, Result, parse_payments
from remits.rows import money
from remits.tests.x12 import CLAIM, HEADING, cut, whole, wrap

REVERSAL = "CLP*PCN1*22*-100*-80**12*ICN1~CAS*CO*45*-15**253*-5~MOA***MA01~NM1*82*1*SMITH*ANN****XX*1234567893~"
FILE = wrap(
    HEADING
    + CLAIM
    + REVERSAL
    + "LX*2~TS3*1234567893*11*20251231*1*100~"
    + CLAIM
    + "PLB*1234567893*20251231*WO:A*5*L6*-1~",
    HEADING + CLAIM * 2,
)
SAMPLES = Path(settings.BASE_DIR).parent / "shared" / "edi"


def claim_count(excerpt: Excerpt) -> int:
    return sum(elements[0] == "CLP" for _, _, elements in read_segments(excerpt.body, excerpt.separators))


def of_claims(results: list[Result]) -> list[Remittance | Quarantined]:
    return [each for each in results if isinstance(each, Remittance | Quarantined)]


def check(excerpt: Excerpt) -> None:
    """Every claim payment comes out once; each quarantined one is explained by a finding that has a place in it."""
    results = list(parse_payments(excerpt))
    claims = of_claims(results)
    assert len(claims) == claim_count(excerpt)
    explained = {each.claim_offset for each in results if isinstance(each, Finding) and each.level == "C"}
    for each in claims:
        if isinstance(each, Quarantined):
            assert each.byte_from in explained
            assert each.byte_from < each.byte_to <= len(excerpt.body.data)
        else:
            balance_remittance(each)
            money(each.charge_cents or 0)


@given(st.integers(0, len(FILE) - 1), st.integers(0, 255))
def test_a_flipped_byte_never_loses_a_claim_payment_nor_raises(at: int, byte: int):
    data = FILE[:at] + bytes([byte]) + FILE[at + 1 :]
    try:
        excerpt = whole(data)
    except BadInterchange:
        assert at < 106
        return
    check(excerpt)


@given(st.lists(st.tuples(st.integers(0, len(FILE) - 1), st.binary(max_size=3)), max_size=8))
def test_any_number_of_wounds_behind_the_header_never_raises(wounds: list[tuple[int, bytes]]):
    data = FILE
    for at, piece in wounds:
        at = max(at, 110)
        data = data[:at] + piece + data[at + 1 :]
    check(whole(data))


@given(st.binary(max_size=300))
def test_any_bytes_at_all_are_read_without_an_exception(data: bytes):
    check(Excerpt(read_separators(FILE[:500]), [], Span(0, 0, data), ""))


@given(st.integers(0, len(FILE)))
def test_a_file_broken_off_anywhere_keeps_what_was_whole(end: int):
    check(Excerpt(read_separators(FILE[:500]), [], Span(0, 0, FILE[:end]), ""))


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_wherever_a_file_is_cut_the_results_are_the_same(size: int):
    def facts(excerpts: list[Excerpt]) -> list[Result]:
        results = [each for excerpt in excerpts for each in parse_payments(excerpt)]
        return [each for each in results if not isinstance(each, Payment)]

    def payments(excerpts: list[Excerpt]) -> dict[int, Payment]:
        results = [each for excerpt in excerpts for each in parse_payments(excerpt)]
        return {each.byte_offset: each for each in results if isinstance(each, Payment)}

    assert facts(cut(FILE, size)) == facts([whole(FILE)])
    assert payments(cut(FILE, size)) == payments([whole(FILE)])


# --- the public samples -----------------------------------------------------------------------------------------------


def samples() -> Iterator[tuple[str, int]]:
    index = SAMPLES / "INDEX.tsv"
    if index.exists():
        with index.open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                if int(row["CLP"]):
                    yield row["path"], int(row["CLP"])


def interchanges(data: bytes) -> Iterator[Excerpt]:
    """Cut a sample before each ISA that begins a segment."""
    starts = [found.start() for found in re.finditer(rb"(?:\A|(?<=[~\n\r^]))ISA[^A-Za-z0-9\s]", data)]
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        yield Excerpt(read_separators(data[start:end][:500]), [], Span(start, 0, data[start:end]), "")


def raw_sums(excerpt: Excerpt) -> tuple[Decimal, Decimal]:
    """Add CLP03 and CLP04 up without the reader, plain amounts only, from claim payments that have both."""
    text = excerpt.body.data.decode("latin-1")
    element, terminator = re.escape(excerpt.separators.element), re.escape(excerpt.separators.segment)
    amount = rf"{element}(-?[0-9]+(?:\.[0-9]+)?)"
    rows = re.findall(rf"(?:^|{terminator})\s*CLP{element}[^{element}]*{element}[^{element}]*{amount}{amount}", text)
    return sum((Decimal(charge) for charge, _ in rows), Decimal()), sum((Decimal(paid) for _, paid in rows), Decimal())


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public sample files are not beside the project")
@pytest.mark.parametrize(("path", "count"), list(samples()))
def test_every_sample_gives_all_its_claim_payments_and_their_sums(path: str, count: int):
    excerpts = list(interchanges((SAMPLES / path).read_bytes()))
    results = [each for excerpt in excerpts for each in parse_payments(excerpt)]
    assert len(of_claims(results)) == count
    remittances = [each for each in results if isinstance(each, Remittance)]
    sums = [raw_sums(excerpt) for excerpt in excerpts]
    assert sum((each.charge_cents or 0) for each in remittances) == sum(charge for charge, _ in sums) * 100
    assert sum(each.paid_cents for each in remittances) == sum(paid for _, paid in sums) * 100


# Claim payments of the samples that do not balance to the cent, and why: each is the sample's own arithmetic.
UNBALANCED = {
    "tertiary-payment.835": 1,  # SVC*HC*24599.00*...: the code stands as an element, so the line's charge is 24599.00
    "split.edi": 1,  # 1766.50 charged, 187.50 paid, and not one adjustment
    "sample-835.edi": 3,  # invented amounts: 375.00 less 25.00 adjusted for 350.00 with a line that says otherwise
    "edi835-demo-005010X221.edi": 1,  # the line's adjustment of 400.00 is left out of the claim's sum
    "sample2.txt": 1,  # 4199.68 less 1201.68 is 2998.00, and CLP04 says 4000.00
}
# No row at all: BPR02 is the word NOT and CLP04 is empty.
QUARANTINED = {"example835One.txt": 2, "example835SpecialCharsOne.txt": 2}


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public sample files are not beside the project")
@pytest.mark.parametrize("path", [path for path, _ in samples()])
def test_every_sample_balances_but_those_whose_own_sums_do_not(path: str):
    results = [each for excerpt in interchanges((SAMPLES / path).read_bytes()) for each in parse_payments(excerpt)]
    balances = [balance_remittance(each) for each in results if isinstance(each, Remittance)]
    name = Path(path).name
    assert sum(not balance.is_balanced for balance in balances) == UNBALANCED.get(name, 0)
    assert sum(isinstance(each, Quarantined) for each in results) == QUARANTINED.get(name, 0)


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public sample files are not beside the project")
@pytest.mark.parametrize("path", [path for path, _ in samples()])
def test_every_sample_cut_into_single_claim_payments_is_the_same(path: str):
    for excerpt in interchanges((SAMPLES / path).read_bytes()):
        data = excerpt.body.data
        pieces = [each for piece in cut(data, 1) for each in parse_payments(piece)]
        kinds = Remittance | Quarantined | ProviderAdjustment | Finding
        at_once = list(parse_payments(Excerpt(excerpt.separators, [], Span(0, 0, data), "005010X221A1")))
        assert [e for e in pieces if isinstance(e, kinds)] == [e for e in at_once if isinstance(e, kinds)]
