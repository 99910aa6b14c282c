"""Several procedures of one day, each rule worked by hand, and the laws that hold for all of them."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from claims.ranking import STANDARD_REDUCTIONS
from claims.rates import Cap, Gpci, Rvu
from claims.rvu import Line, Price, Schedule

D = Decimal
FLAT = Gpci(D(1), D(1), D(1))
# a conversion factor of 10 makes an RVU ten dollars
ROW = Rvu(D(0), D(0), D(0), D(0), D(10), "A", *("0", "0", "0", "0", "0", ""), D(0), D(0), D(0))


def worth(rvus: str, multiple: str, *, base: str = "", expense: str = "0") -> Rvu:
    pe = D(expense)
    work = D(rvus) - pe
    return ROW._replace(work=work, nonfacility_pe=pe, facility_pe=pe, multiple_procedure=multiple, endoscopy_base=base)


ROWS = {
    ("S0010", ""): worth("10", "2"),
    ("S0008", ""): worth("8", "2"),
    ("E0004", ""): worth("4", "2"),
    ("E0006", ""): worth("6", "3", base="E0004"),
    ("E0007", ""): worth("7", "3", base="E0004"),
    ("F0003", ""): worth("3", "2"),
    ("F0005", ""): worth("5", "3", base="F0003"),
    ("G0005", ""): worth("5", "3", base="G0000"),
    ("G0006", ""): worth("6", "3", base="G0000"),
    ("I0010", ""): worth("10", "4", expense="6"),
    ("I0010", "26"): worth("4", "4"),
    ("I0010", "TC"): worth("6", "4", expense="6"),
    ("I0005", ""): worth("5", "4", expense="4"),
    ("I0005", "26"): worth("1", "4"),
    ("I0005", "TC"): worth("4", "4", expense="4"),
    ("C0004", ""): worth("4", "6", expense="4"),
    ("C0002", ""): worth("2", "6", expense="2"),
    ("O0004", ""): worth("4", "7", expense="4"),
    ("O0002", ""): worth("2", "7", expense="2"),
    ("T0003", ""): worth("3", "5", expense="2"),
    ("T0002", ""): worth("2", "5", expense="1"),
    ("V0002", ""): worth("2", "0"),
}


def schedule(**options) -> Schedule:
    return Schedule(ROWS, FLAT, **options)


def cents(*codes: str, **options) -> list[int | None]:
    """Price lines together. A code may bear a modifier and units: `I0010:TC`, `T0003*3`."""
    return [price.cents for price in schedule(**options).price_claim([line(code) for code in codes])]


def line(text: str) -> Line:
    said, _, units = text.partition("*")
    code, _, modifier = said.partition(":")
    return Line(code, (modifier,) if modifier else (), "11", units or "1")


def test_the_highest_is_paid_in_full_and_the_others_half():
    assert cents("S0008", "S0010", "V0002") == [4000, 10000, 2000]


def test_endoscopies_of_a_family_are_paid_above_their_base():
    # the highest in full, then 6 - 4 = 2 RVUs
    assert cents("E0006", "E0007") == [2000, 7000]


def test_the_base_beside_another_of_its_family_is_paid_nothing():
    assert cents("E0004", "E0006") == [0, 6000]
    assert cents("E0004", "E0006", "E0007") == [0, 2000, 7000]
    assert cents("E0004") == [4000]


def test_two_families_rank_as_one_procedure_each():
    # E: 70 + 20 = 90 in full; F: 50, halved
    assert cents("E0006", "F0005", "E0007") == [2000, 2500, 7000]


def test_a_family_beside_surgery_is_reduced_as_a_whole():
    # S0010 (10 RVUs) is above the family (7 + 2 = 9)
    assert cents("E0006", "S0010", "E0007") == [1000, 10000, 3500]


def test_without_the_row_of_the_base_only_the_highest_has_a_price():
    (low, high) = schedule().price_claim([line("G0005"), line("G0006")])
    assert (low.cents, high) == (None, Price(6000, ""))
    assert "base of this endoscopy" in low.reason
    assert cents("G0005") == [5000]


def test_imaging_is_reduced_in_both_its_parts():
    # I0005: technical 40 x 50 %, professional 10 x 95 %
    assert cents("I0010", "I0005") == [10000, 2950]


def test_imaging_read_elsewhere_is_reduced_in_the_part_that_is_billed():
    assert cents("I0010:26", "I0005:26") == [4000, 950]
    assert cents("I0010:TC", "I0005:TC") == [6000, 2000]


def test_cardiology_and_ophthalmology_reduce_the_technical_part():
    assert cents("C0002", "C0004") == [1500, 4000]
    assert cents("O0002", "O0004") == [1600, 4000]


def test_therapy_pays_half_the_expense_after_the_first_unit():
    # T0003 has 2 RVUs of expense: 30 + 2 x (30 - 10); T0002: 20 - 5
    assert cents("T0003*3", "T0002") == [7000, 1500]
    assert cents("T0003*3") == [7000]


def test_rules_do_not_mix():
    assert cents("T0002", "S0008", "C0002", "V0002") == [2000, 8000, 2000, 2000]


def test_a_payer_may_reduce_by_its_own_percents():
    assert cents("S0010", "S0008", reductions={"2": (D(100),)}) == [10000, 8000]
    assert cents("I0010", "I0005", reductions={"4P": (D(100),)}) == [10000, 3000]


def test_a_capped_technical_part_is_what_is_reduced():
    caps = {("I0005", "TC"): Cap(D("20"), D("20"))}
    # technical 20 x 50 %, professional 10 x 95 %
    assert cents("I0010", "I0005", caps=caps) == [10000, 1950]


CODES = st.sampled_from(sorted(code for code, modifier in ROWS if not modifier and not code.startswith("G")))
CLAIMS = st.lists(CODES, min_size=1, max_size=6)


@given(CLAIMS)
def test_together_is_never_more_than_apart_and_never_less_than_nothing(codes):
    together = cents(*codes)
    apart = [cents(code)[0] for code in codes]
    assert all(0 <= (some or 0) <= (full or 0) for some, full in zip(together, apart, strict=True))
    assert sum(some or 0 for some in together) >= max(full or 0 for full in apart) // 2


@given(CLAIMS, st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(codes, random):
    shuffled = list(codes)
    random.shuffle(shuffled)
    assert sum(amount or 0 for amount in cents(*codes)) == sum(amount or 0 for amount in cents(*shuffled))


@given(CODES, st.integers(2, 9), CLAIMS)
def test_a_line_of_many_units_is_worth_as_many_lines(code, units, others):
    whole = sum(amount or 0 for amount in cents(f"{code}*{units}", *others))
    single = sum(amount or 0 for amount in cents(*[code] * units, *others))
    assert abs(whole - single) <= units


@given(st.lists(st.sampled_from(sorted(STANDARD_REDUCTIONS)), unique=True), CLAIMS)
def test_without_reductions_everything_but_a_family_is_paid_in_full(rules, codes):
    full = {rule: (D(100),) for rule in STANDARD_REDUCTIONS}
    plain = [code for code in codes if ROWS[code, ""].multiple_procedure != "3"]
    assert cents(*plain, reductions=full) == [cents(code)[0] for code in plain]
