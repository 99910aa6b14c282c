"""Shapes of codes."""

import pytest

from claims.codes import PLACES, is_diagnosis, is_npi, is_procedure


def test_the_published_example_is_an_npi():
    assert is_npi("1234567893")


@pytest.mark.parametrize(
    "text", ["1234567890", "3234567893", "123456789", "12345678930", "123456789X", "١٢٣٤٥٦٧٨٩٣", ""]
)
def test_what_is_no_npi(text):
    assert not is_npi(text)


def test_every_digit_of_an_npi_counts():
    good = "1992739999"
    assert is_npi(good)
    for place in range(1, 10):
        for digit in "0123456789":
            changed = good[:place] + digit + good[place + 1 :]
            assert is_npi(changed) == (changed == good)


@pytest.mark.parametrize("code", ["J209", "J20.9", "U071", "Z3A01", "S31114D", "I10"])
def test_icd_10_diagnoses(code):
    assert is_diagnosis("ABK", code)


@pytest.mark.parametrize(
    ("qualifier", "code"), [("ABK", "4660"), ("ABF", "J2"), ("ABF", ""), ("BK", "J209"), ("BK", "")]
)
def test_codes_of_another_set_are_no_diagnoses(qualifier, code):
    assert not is_diagnosis(qualifier, code)


@pytest.mark.parametrize("code", ["4660", "466.0", "V7231", "E8888", "496"])
def test_icd_9_diagnoses(code):
    assert is_diagnosis("BK", code)


def test_other_qualifiers_are_not_judged():
    assert is_diagnosis("BG", "whatever")
    assert is_procedure("ZZ", "whatever")


def test_procedures_by_qualifier():
    assert all(is_procedure("HC", code) for code in ("99213", "0001U", "J1100", "1234F", "D2150"))
    assert not any(is_procedure("HC", code) for code in ("9921", "478331", "W1234", "99213 ", ""))
    assert is_procedure("AD", "D2150")
    assert not is_procedure("AD", "99213")


def test_places_of_service_are_two_digits():
    assert {"11", "02", "10", "27", "99"} <= PLACES
    assert not {"00", "28", "36", "1"} & PLACES
