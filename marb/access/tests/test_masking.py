"""What is left of an identifier."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marb.access.masking import mask_birth_date, mask_document, mask_member_id, mask_ssn


@pytest.mark.parametrize(
    ("text", "shown"),
    [("123456789", "***-**-6789"), ("123-45-6789", "***-**-6789"), ("12345", "***"), ("", ""), (None, "")],
)
def test_an_ssn_shows_its_last_four(text: str | None, shown: str) -> None:
    assert mask_ssn(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [("W123456789", "***6789"), ("12345", "***45"), ("123", "***3"), ("1", "***"), ("", ""), (None, "")],
)
def test_a_member_id_shows_its_last_four_and_at_most_half(text: str | None, shown: str) -> None:
    assert mask_member_id(text) == shown


@pytest.mark.parametrize("day", [datetime.date(1971, 3, 4), "1971-03-04", "19710304"])
def test_a_birth_date_shows_its_year(day: datetime.date | str) -> None:
    assert mask_birth_date(day) == "1971"


def test_a_document_is_masked_by_its_keys_and_qualifiers() -> None:
    document = {
        "references": [{"qualifier": "SY", "value": "123456789"}, {"qualifier": "EA", "value": "MRN77"}],
        "patient": {"birth_date": "19710304", "last_name": "DOE"},
        "other": [{"member_id": "W123456789", "paid_amount": "5.00"}],
        "providers": [{"id_qualifier": "34", "id_code": "987654321"}, {"id_qualifier": "XX", "id_code": "1234567893"}],
        "notes": ["123456789 stays: free text has no qualifier"],
    }
    assert mask_document(document) == {
        "references": [{"qualifier": "SY", "value": "***-**-6789"}, {"qualifier": "EA", "value": "MRN77"}],
        "patient": {"birth_date": "1971", "last_name": "DOE"},
        "other": [{"member_id": "***6789", "paid_amount": "5.00"}],
        "providers": [
            {"id_qualifier": "34", "id_code": "***-**-4321"},
            {"id_qualifier": "XX", "id_code": "1234567893"},
        ],
        "notes": ["123456789 stays: free text has no qualifier"],
    }


@given(st.text())
def test_a_mask_never_shows_more_than_four_nor_more_than_half(text: str) -> None:
    for shown in (mask_ssn(text), mask_member_id(text)):
        left = shown.removeprefix("***-**-").removeprefix("***")
        assert len(left) <= min(4, len(text) / 2)


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_document_keeps_its_shape(document: object) -> None:
    assert type(mask_document(document)) is type(document)
