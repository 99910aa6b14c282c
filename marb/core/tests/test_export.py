"""Cells of an export: nothing that a spreadsheet would run, and numbers as numbers."""

from decimal import Decimal

import pytest

from marb.core.export import plain_cell


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\x00=1", " =1", "=", "-", "@x"]
)
def test_a_text_that_begins_like_a_formula_is_quoted(text: str) -> None:
    assert plain_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [Decimal("-12.50"), -3, 0, Decimal("1234.00")])
def test_a_number_stays_a_number(value: Decimal | int) -> None:
    assert plain_cell(value) == str(value)


def test_an_ordinary_text_stays_as_it_is_and_nothing_is_empty() -> None:
    assert plain_cell("O'Brien, R.") == "O'Brien, R."
    assert plain_cell(None) == ""
