"""How pages write amounts and quantities."""

from decimal import Decimal

import pytest

from marb.core.templatetags.marb import badge, counted, money, quantity


@pytest.mark.parametrize(
    ("amount", "text"),
    [("1234.5", "$1,234.50"), ("-12", "-$12.00"), ("0", "$0.00"), ("9999999999999999.99", "$9,999,999,999,999,999.99")],
)
def test_dollars_are_written_to_the_cent(amount: str, text: str) -> None:
    assert money(Decimal(amount)) == text


def test_no_amount_is_no_text() -> None:
    assert money(None) == ""


@pytest.mark.parametrize(("count", "text"), [("2.000000", "2"), ("0.500000", "0.5"), ("100", "100"), ("1E+2", "100")])
def test_a_quantity_has_no_idle_zeros(count: str, text: str) -> None:
    assert quantity(Decimal(count)) == text


def test_counts_have_commas() -> None:
    assert (counted(17000), counted(None)) == ("17,000", "0")


def test_a_badge_escapes_its_words() -> None:
    assert "<script>" not in badge("error", "<script>")
    assert 'class="m-badge m-bad"' in badge("error", "Error")
