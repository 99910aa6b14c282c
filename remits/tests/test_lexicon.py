"""What is said again is read as if it were said for the first time."""

from hypothesis import given
from hypothesis import strategies as st

from marb.edi.x12 import Excerpt
from remits.edi835 import Payment, Remittance, RemittanceLine, Result, parse_payments
from remits.tests.x12 import HEADING, cut, whole, wrap

SAID = [
    *("DTM*472*20250102", "DTM*472*20250103", "DTM*472*2025", "DTM*472*20250102*1", "DTM*150*20250101", "DTM*472"),
    *("REF*6R*1", "REF*6R*A-2", "REF*6R*", "REF*6R*1*X", "REF*6R* 3", "REF*LU*5"),
    *("CAS*CO*45*15", "CAS*PR*1*5", "CAS*CO*45*x", "CAS*CR*45*15", "AMT*B6*85", "AMT*B6*x", "LQ*HE*N130", "ZZ*1"),
]
CLAIM_LEVEL = [
    *("NM1*QC*1*DOE*JANE", "NM1*82*1*ROTH*EMIL****XX*2302001856", "NM1*TT*2*SECOND", "NM1", "MOA***MA01", "MOA***"),
    *("DTM*232*20250102", "DTM*233*20250103", "DTM*050*x", "DTM*036*20251231", "AMT*AU*90", "AMT*AU*x", "REF*EA*1"),
]
LINES = st.lists(st.tuples(st.lists(st.sampled_from(CLAIM_LEVEL), max_size=4), st.lists(st.sampled_from(SAID))))


def claim(heads: list[str], segments: list[str]) -> str:
    stood = ["CLP*PCN1*1*100*80*5*12*ICN1*11*1", *heads, "SVC*HC:99213:25*100*80**1", *segments]
    return "".join(f"{each}~" for each in stood)


def parse(excerpts: list[Excerpt]) -> list[Result]:
    found = [each for excerpt in excerpts for each in parse_payments(excerpt)]
    return [each for each in found if not isinstance(each, Payment)]


def lines_of(*segments: list[str]) -> list[RemittanceLine]:
    results = parse([whole(wrap(HEADING + "".join(claim([], each) for each in segments)))])
    return [each.lines[0] for each in results if isinstance(each, Remittance)]


@given(LINES)
def test_a_file_says_the_same_as_its_claim_payments_one_by_one(said: list[tuple[list[str], list[str]]]):
    data = wrap(HEADING + "".join(claim(*each) for each in [*said, *said, *said]))
    assert parse([whole(data)]) == parse(cut(data, 1))


def test_lines_that_differ_in_date_and_number_share_what_they_say():
    first, second, third = lines_of(
        ["DTM*472*20250102", "CAS*CO*45*15", "REF*6R*1"],
        ["DTM*472*20250103", "CAS*CO*45*15", "REF*6R*2"],
        ["DTM*472*20250102", "CAS*CO*45*15", "REF*6R*2"],
    )
    assert first.alike == third.alike != 0
    assert third.adjustments is first.adjustments
    assert (third.line_control_number, third.service_from_date) == ("2", "2025-01-02")
    assert (second.line_control_number, second.service_from_date) == ("2", "2025-01-03")


def test_a_line_without_a_number_does_not_get_another_s():
    numbered, bare = lines_of(["DTM*472*20250102", "REF*6R*1"], ["DTM*472*20250102"])
    assert (numbered.line_control_number, bare.line_control_number) == ("1", "")
    assert numbered.alike != bare.alike
