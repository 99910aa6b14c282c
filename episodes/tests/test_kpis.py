"""Key figures from sums, without a database: what stands over what, and what is said where nothing does."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from episodes.kpis import BUCKETS, BY_KEY, DEFINITIONS, Basis, Open, months_between, shift, work_out, write
from episodes.roll import SUMS

JANUARY = date(2026, 1, 1)
EMPTY = dict.fromkeys(SUMS, Decimal(0))


def basis(first: date, last: date, days: int = 0, open: Open | None = None, **months: Any) -> Basis:
    """A basis of months like `m2={"claim_count": 4}`, of 2026."""
    series = {
        date(2026, int(name[1:]), 1): EMPTY | {key: Decimal(value) for key, value in sums.items()}
        for name, sums in months.items()
    }
    nothing = Open({name: Decimal(0) for name, _ in BUCKETS}, Decimal(0))
    return Basis(months_between(first, last), series, open or nothing, days)


def value(key: str, of: Basis) -> Decimal | None:
    return BY_KEY[key].work(of)


def test_every_figure_says_what_it_is_and_where_that_is_from() -> None:
    for each in DEFINITIONS:
        assert each.sentence.endswith(".")
        assert each.source
        assert each.goal


def test_nothing_divides_by_nothing() -> None:
    for figure in work_out(basis(JANUARY, JANUARY)):
        assert figure.value is None or figure.value == 0
        assert figure.is_met in (None, True)


def test_a_clean_claim_rate_is_a_share_of_what_was_submitted() -> None:
    of = basis(JANUARY, shift(JANUARY, 1), m1={"claim_count": 3, "clean_count": 3}, m2={"claim_count": 1})
    assert value("clean_claim_rate", of) == 75
    (figure,) = (each for each in work_out(of) if each.definition.key == "clean_claim_rate")
    assert figure.trend == [100, 0]
    assert (figure.text, figure.is_met) == ("75 %", False)


def test_first_denials_stand_over_the_average_of_three_months_before() -> None:
    months: Any = {f"m{number}": {"claim_count": number * 10, "first_denied_count": 2} for number in (1, 2, 3, 4)}
    assert value("initial_denial_rate", basis(date(2026, 4, 1), date(2026, 4, 1), **months)) == 10
    # rows that go back two months are averaged over two
    assert value("initial_denial_rate", basis(date(2026, 3, 1), date(2026, 3, 1), **months)) == Decimal("13.33")
    assert value("initial_denial_rate", basis(JANUARY, JANUARY, **months)) is None


def test_days_in_ar_stand_over_the_daily_net_revenue() -> None:
    of = basis(JANUARY, JANUARY, days=31, open=Open({}, Decimal(500)), m1={"net_amount": 3100})
    assert value("days_in_ar", of) == 5


def test_old_receivables_are_those_over_ninety_days() -> None:
    amounts = dict(zip((name for name, _ in BUCKETS), map(Decimal, (50, 20, 10, 15, 5)), strict=True))
    assert value("aged_ar", basis(JANUARY, JANUARY, open=Open(amounts, Decimal(0)))) == 20


@pytest.mark.parametrize(
    ("amount", "unit", "text"),
    [
        ("94.83", "percent", "94.8 %"),
        ("100", "percent", "100 %"),
        ("31.25", "days", "31.2 days"),
        ("-12.5", "dollars", "-$12.50"),
        ("1204", "count", "1,204"),
    ],
)
def test_a_figure_is_written_as_a_person_reads_it(amount: str, unit: str, text: str) -> None:
    assert write(Decimal(amount), unit) == text
    assert write(None, unit) == "–"


def test_months_go_over_the_year() -> None:
    assert months_between(date(2025, 11, 1), JANUARY) == [date(2025, 11, 1), date(2025, 12, 1), JANUARY]
    assert shift(JANUARY, -1) == date(2025, 12, 1)
