"""Pricing by RVUs: the formula worked by hand, each modifier's rule, ranking, caps, and what has no price."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims.rvu import Cap, Gpci, Line, Own, Price, Rvu, Schedule

D = Decimal
FLAT = Gpci(D(1), D(1), D(1))
VISIT = Rvu(
    D("1.30"), D("1.26"), D("0.55"), D("0.10"), D("32.3465"), "A", *("0", "0", "1", "0", "0", ""), D(0), D(0), D(0)
)
SURGERY = VISIT._replace(
    work=D("10.00"),
    multiple_procedure="2",
    bilateral="1",
    assistant="2",
    cosurgeon="1",
    preoperative=D("0.10"),
    intraoperative=D("0.70"),
    postoperative=D("0.20"),
)
SMALLER = SURGERY._replace(work=D("5.00"))
ROWS = {
    ("V0001", ""): VISIT,
    ("S0001", ""): SURGERY,
    ("S0002", ""): SMALLER,
    ("X0001", ""): VISIT._replace(work=D("0.20")),
    ("X0001", "26"): VISIT._replace(work=D("0.20"), nonfacility_pe=D("0.10")),
    ("X0001", "TC"): VISIT._replace(work=D(0), nonfacility_pe=D("1.16")),
    ("S0003", ""): SURGERY._replace(bilateral="9"),
    ("S0004", ""): SURGERY._replace(bilateral="3"),
    ("S0005", ""): SURGERY._replace(bilateral="2"),
    ("N0001", ""): VISIT._replace(status_code="N"),
    ("R0001", ""): VISIT._replace(status_code="R", work=D(0), nonfacility_pe=D(0), facility_pe=D(0), malpractice=D(0)),
    ("J0001", ""): VISIT._replace(status_code="J", work=D(0), nonfacility_pe=D(0), facility_pe=D(0)),
}


def schedule(**options):
    return Schedule(ROWS, FLAT, **options)


def one(code: str, *modifiers: str, place: str = "11", units: str = "1", table=None) -> Price:
    return (table or schedule()).price_claim([Line(code, modifiers, place, units)])[0]


def test_the_formula_worked_by_hand():
    # (1.30 + 1.26 + 0.10) x 32.3465 = 2.66 x 32.3465 = 86.04169
    assert one("V0001") == Price(8604, "")


def test_a_facility_takes_the_facility_expense():
    # (1.30 + 0.55 + 0.10) x 32.3465 = 63.075675
    assert one("V0001", place="22") == Price(6308, "")


def test_the_locality_weighs_each_part():
    table = Schedule(ROWS, Gpci(D("1.5"), D("1.081"), D("0.592")))
    # (1.95 + 1.36206 + 0.0592) x 32.3465 = 3.37126 x 32.3465 = 109.04846
    assert one("V0001", table=table) == Price(10905, "")


def test_units_multiply_the_rounded_unit_price():
    assert one("V0001", units="3") == Price(3 * 8604, "")


@pytest.mark.parametrize(
    ("modifier", "percent"),
    [("50", "150"), ("52", "50"), ("62", "62.5"), ("80", "16"), ("81", "16"), ("82", "16"), ("AS", "13.6")],
)
def test_a_percent_modifier_takes_its_share(modifier, percent):
    # (10.00 + 1.26 + 0.10) x 32.3465 = 367.45624 -> 367.46
    expected = (D("367.46") * D(percent)).quantize(D(1), "ROUND_HALF_UP")
    assert one("S0001", modifier) == Price(int(expected), "")


@pytest.mark.parametrize(("modifier", "share"), [("54", "0.80"), ("55", "0.20"), ("56", "0.10"), ("78", "0.70")])
def test_a_part_of_the_package_pays_its_portion(modifier, share):
    assert one("S0001", modifier).cents == int((D(36746) * D(share)).quantize(D(1), "ROUND_HALF_UP"))


def test_professional_and_technical_parts_have_rows_of_their_own():
    # (0.20 + 0.10 + 0.10) x 32.3465 = 12.9386; (0 + 1.16 + 0.10) x 32.3465 = 40.75659
    assert (one("X0001", "26"), one("X0001", "TC")) == (Price(1294, ""), Price(4076, ""))


def test_a_discontinued_procedure_without_a_row_pays_half():
    assert one("S0001", "53") == Price(18373, "")


@pytest.mark.parametrize(
    ("code", "modifiers", "reason"),
    [
        ("ZZZZZ", (), "not in the fee schedule"),
        ("", (), "no HCPCS code"),
        ("N0001", (), "status N"),
        ("J0001", (), "anesthesia"),
        ("S0001", ("66",), "by report"),
        ("V0001", ("80",), "does not pay modifier 80"),
        ("V0001", ("26",), "no row for modifier 26"),
        ("X0001", ("26", "TC"), "exclude each other"),
        ("V0001", ("55",), "no share"),
        ("S0003", ("50",), "does not pay modifier 50"),
        ("R0001", (), "no RVUs"),
    ],
)
def test_what_has_no_price_has_a_reason(code, modifiers, reason):
    price = one(code, *modifiers)
    assert price.cents is None
    assert reason in price.reason


def test_multiple_procedures_are_ranked_by_rvus_and_not_by_order():
    lines = [Line("S0002", ("51",), "11", "1"), Line("S0001", (), "11", "1"), Line("V0001", (), "11", "1")]
    # S0002: (5.00 + 1.26 + 0.10) x 32.3465 = 205.72374 -> 205.72, halved; S0001 in full; the visit is not ranked
    assert [price.cents for price in schedule().price_claim(lines)] == [10286, 36746, 8604]


def test_a_contract_ranks_by_its_own_reductions():
    table = schedule(reductions={"2": (D(100), D(50), D(25))})
    prices = table.price_claim([Line("S0001", (), "11", "1")] * 3)
    assert [price.cents for price in prices] == [36746, 18373, 9187]


def test_a_bilateral_procedure_ranks_by_what_both_sides_cost():
    lines = [Line("S0002", ("50",), "11", "1"), Line("S0001", (), "11", "1")]
    # 205.72 x 1.5 = 308.58 is less than 367.46, and halved
    assert [price.cents for price in schedule().price_claim(lines)] == [15429, 36746]


@pytest.mark.parametrize(("code", "cents"), [("S0001", 55119), ("S0004", 73492), ("S0005", 36746), ("V0001", 8604)])
def test_both_sides_pay_by_the_bilateral_indicator(code, cents):
    # 1: 150 %; 3: each side in full; 2 (RVUs are of both sides) and 0: as one
    assert one(code, "50").cents == cents


def test_both_sides_with_two_units_could_mean_four_and_have_no_price():
    assert one("S0001", "50", units="2").reason == "modifier 50 stands with more than one unit"


def test_a_modifier_said_twice_or_two_of_one_kind_count_once():
    assert one("S0001", "52", "52").cents == one("S0001", "52").cents
    assert one("S0001", "80", "AS").cents == one("S0001", "AS").cents


def test_surgery_with_its_aftercare_is_the_whole_package():
    assert one("S0001", "54", "55").cents == 36746


def test_two_units_of_a_ranked_procedure_are_two_procedures():
    assert one("S0001", units="2").cents == 55119
    lines = [Line("S0001", (), "11", "2"), Line("S0002", (), "11", "1")]
    assert [price.cents for price in schedule().price_claim(lines)] == [55119, 10286]


def test_a_cap_lowers_the_technical_part_and_never_the_professional():
    caps = {("X0001", "26"): Cap(D(1), D(1)), ("X0001", "TC"): Cap(D("9.00"), D("30.00"))}
    table = schedule(caps=caps)
    assert one("X0001", "26", table=table).cents == 1294
    assert one("X0001", "TC", table=table).cents == 3000
    # (0.20 + 1.26 + 0.10) x 32.3465 = 50.46, of which 40.76 are technical
    assert one("X0001", table=table).cents == 5046 - (4076 - 3000)


def test_a_cap_of_the_whole_code_lowers_the_price_and_never_raises_it():
    caps = {("V0001", ""): Cap(D("10.00"), D("12.00")), ("S0001", ""): Cap(D("9999"), D("9999"))}
    table = schedule(caps=caps)
    assert one("V0001", table=table).cents == 1200
    assert one("V0001", place="22", table=table).cents == 1000
    assert one("S0001", table=table).cents == 36746


def test_a_contract_prices_a_status_that_medicare_does_not_pay_and_says_so():
    price = one("N0001", table=schedule(is_medicare=False))
    assert price == Price(8604, "status N: RVUs that Medicare does not pay")


def test_without_a_place_there_is_no_choice_of_expense():
    assert one("V0001", place="").reason == "the place of service is not known"


@pytest.mark.parametrize(
    ("units", "reason"),
    [
        ("", "has no units"),
        ("0", "has no units"),
        ("0.0", "has no units"),
        ("1.5", "not a whole number"),
        ("MJ", "not a count"),
        ("-1", "not a count"),
        ("10000", "more than 9,999"),
    ],
)
def test_what_is_no_count_of_units_has_no_price(units, reason):
    assert reason in one("V0001", units=units).reason
    assert one("V0001", units=units).cents is None


def test_a_percent_of_medicare_multiplies_the_price():
    assert one("V0001", table=schedule(factor=D("1.20"))).cents == 10325


def test_a_contract_with_its_own_fees_prices_by_them():
    table = Own({("V0001", ""): Cap(D("80.00"), D("100.00")), ("V0001", "25"): Cap(D("1"), D("2"))})
    assert one("V0001", table=table).cents == 10000
    assert one("V0001", "25", table=table).cents == 200
    assert one("V0001", "52", place="21", table=table).cents == 4000
    assert one("S0001", table=table).reason == "the code is not in the contract's fees"


def test_a_contract_with_its_own_fees_does_not_guess_a_part():
    table = Own({("V0001", ""): Cap(D("80.00"), D("100.00"))})
    for modifier in ("26", "TC", "54", "66"):
        assert one("V0001", modifier, table=table).cents is None


def test_a_unit_price_is_worked_out_once():
    table = schedule()
    for _ in range(100):
        one("V0001", table=table)
    assert (table.looked_up, table.worked_out) == (100, 1)


CODES = st.sampled_from([code for code, _ in ROWS] + ["ZZZZZ"])
MODIFIERS = st.lists(st.sampled_from(["26", "TC", "50", "51", "52", "62", "78", "80", "25"]), max_size=4).map(tuple)
UNITS = st.sampled_from(["1", "2", "7"])
LINES = st.lists(st.builds(Line, CODES, MODIFIERS, st.sampled_from(["11", "22"]), UNITS), max_size=6)


@given(LINES)
def test_a_line_has_a_price_or_a_reason_and_never_less_than_nothing(lines):
    for price in schedule().price_claim(lines):
        assert price.cents is not None or price.reason
        assert price.cents is None or price.cents >= 0


@given(LINES, st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_change_the_sum(lines, random):
    shuffled = list(lines)
    random.shuffle(shuffled)
    assert sum(p.cents or 0 for p in schedule().price_claim(lines)) == sum(
        p.cents or 0 for p in schedule().price_claim(shuffled)
    )
