"""Values: only what X12 calls an amount, a quantity, a date or a time is read as one."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marb.edi.values import BadValue, dollars, parse_cents, parse_date, parse_period, parse_quantity


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("12", 1200),
        ("12.5", 1250),
        (".5", 50),
        ("12.", 1200),
        ("-12.50", -1250),
        ("-.05", -5),
        ("0", 0),
        ("-0", 0),
        ("007", 700),
        ("100.500", 10050),
        ("9" * 12 + ".99", 99999999999999),
    ],
)
def test_an_amount_is_read_as_cents(text, cents):
    assert parse_cents(text) == cents


ODD = ["1E2", "1e2", "NaN", "Infinity", "+100", " 100", "100 ", "1_000", "1,000", "$100", "١٠٠", "１００", "--1", "1-"]
ODD += ["1.2.3", ".", "-", "-.", "abc", "1\x00", "1\n", "0x1", "½", "²"]


@pytest.mark.parametrize("parse", [parse_cents, parse_quantity])
@pytest.mark.parametrize("text", ODD)
def test_what_is_no_number_has_an_invalid_character(parse, text):
    with pytest.raises(BadValue) as bad:
        parse(text)
    assert bad.value.code == "6"


@pytest.mark.parametrize("parse", [parse_cents, parse_quantity, parse_date])
@pytest.mark.parametrize("text", ["", " ", "\t"])
def test_an_empty_value_is_missing(parse, text):
    with pytest.raises(BadValue) as bad:
        parse(text)
    assert bad.value.code == "1"


@pytest.mark.parametrize(
    ("parse", "text", "code"),
    [
        (parse_cents, "100.005", "I12"),
        (parse_cents, "1" * 19, "5"),
        (parse_quantity, "1" * 13, "5"),
        (parse_quantity, "0.1234567", "I12"),
        (parse_date, "20240230", "8"),
        (parse_date, "2024013", "8"),
        (parse_date, "00000101", "8"),
        (parse_date, "99991231", "8"),
        (parse_date, "2024ABCD", "8"),
        (parse_date, "٢٠٢٤٠١٠١", "8"),
        (parse_date, "20240101 ", "8"),
    ],
)
def test_a_bad_value_has_the_code_of_its_fault(parse, text, code):
    with pytest.raises(BadValue) as bad:
        parse(text)
    assert bad.value.code == code
    assert text not in bad.value.sentence


@pytest.mark.parametrize(
    ("qualifier", "text", "period"),
    [
        ("D8", "20260102", ("2026-01-02", None)),
        ("RD8", "20260102-20260105", ("2026-01-02", "2026-01-05")),
        ("D8", "20260102-20260105", ("2026-01-02", "2026-01-05")),
        ("DT", "202601021530", ("2026-01-02", None)),
    ],
)
def test_a_period_is_read(qualifier, text, period):
    assert parse_period(qualifier, text) == period


@pytest.mark.parametrize(
    ("qualifier", "text"),
    [("RD8", "20260105-20260102"), ("RD8", "20260105"), ("RD8", "20260105-"), ("DT", "202601022560"), ("D8", "0")],
)
def test_a_period_that_cannot_be_is_bad(qualifier, text):
    with pytest.raises(BadValue):
        parse_period(qualifier, text)


@given(st.integers(min_value=-(10**14) + 1, max_value=10**14 - 1))
def test_cents_written_as_dollars_are_read_as_the_same_cents(cents):
    assert parse_cents(dollars(cents)) == cents
    assert Decimal(dollars(cents)) * 100 == cents


@given(st.text(max_size=12))
def test_any_text_is_an_amount_exactly_or_a_bad_value(text):
    try:
        cents = parse_cents(text)
    except BadValue:
        return
    assert Decimal(cents) / 100 == Decimal(text)
    assert text.isascii()


@given(st.from_regex(r"-?[0-9]{0,12}(\.[0-9]{0,6})?", fullmatch=True).filter(lambda text: any(map(str.isdigit, text))))
def test_a_quantity_is_the_same_number_in_plain_form(text):
    assert Decimal(parse_quantity(text)) == Decimal(text)


@given(st.dates(date(1800, 1, 1), date(2199, 12, 31)))
def test_a_day_is_read_as_iso_text(day):
    assert parse_date(day.strftime("%Y%m%d").rjust(8, "0")) == day.isoformat()
