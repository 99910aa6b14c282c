"""What GS08 and ST03 make of a set."""

import pytest

from marb.edi.guides import read_guide


@pytest.mark.parametrize(
    ("code", "text", "kind", "release"),
    [
        ("837", "005010X222A1", "837P", "005010"),
        ("837", "005010X223A3", "837I", "005010"),
        ("837", "005010X224A2", "837D", "005010"),
        ("837", "004010X098A1", "837P", "004010"),
        ("837", "004010X096", "837I", "004010"),
        ("837", "005010X298", "837P", "005010"),
        ("837", "005010", "837", "005010"),
        ("837", "005010X221A1", "837", "005010"),
        ("835", "005010X221A1", "835", "005010"),
        ("835", "", "835", ""),
        ("277", "005010X214", "277CA", "005010"),
        ("277", "005010X212", "277", "005010"),
        ("999", "005010X231A1", "999", "005010"),
        ("", "", "", ""),
    ],
)
def test_a_guide_says_what_a_set_carries(code, text, kind, release):
    guide = read_guide(code, text)
    assert (guide.kind, guide.release) == (kind, release)
