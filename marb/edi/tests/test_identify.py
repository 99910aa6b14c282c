"""What a file is, named from its first bytes."""

import pytest

from marb.edi.identify import identify, infer_separators
from marb.edi.tests.text import GOOD_HEAD, isa


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "empty"),
        (b" \r\n\x00\x1a", "blank"),
        (b"\xef\xbb\xbf\r\n", "blank"),
        (b"%PDF-1.4\n%\xe2", "pdf"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "image"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image"),
        (b"PK\x03\x04\x14\x00\x00\x00 claims.edi", "zip"),
        (b"PK\x03\x04\x14\x00\x06\x00 word/document.xml", "office"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"MZ\x90\x00\x03\x00\x00\x00", "program"),
        (b"UNA:+.? 'UNB+UNOC:3+1+2'", "edifact"),
        (b"UNB+UNOC:3+1+2'", "edifact"),
        (b"\x0bMSH|^~\\&|A|B", "hl7"),
        (b"MSH|^~\\&|A|B", "hl7"),
        (b"610097D0B1PCN       1011234567893", "ncpdp"),
        (b"<?xml version='1.0'?><a/>", "xml"),
        (b"<claims><claim/></claims>", "xml"),
        (b"\n<!DOCTYPE html><html>", "html"),
        (b"<HTML><body>404", "html"),
        (b'{"resourceType": "Claim"}', "json"),
        (b"[1, 2]", "json"),
        (b"claim,charge,date\n1,2,3\n4,5,6\n", "csv"),
        (b"claim\tcharge\n1\t2\n", "csv"),
        ("ISA*00*".encode("utf-16"), "utf-16"),
        ("ISA*00*          ".encode("utf-16-le"), "utf-16"),
        ("ISA*00*          ".encode("utf-16-be"), "utf-16"),
        (b"Dear Sir, here is our ISA for you.\n", "text"),
        (bytes(range(1, 9)) * 40, "binary"),
        (b"GS*HC*A*B*20260101*1200*1*X*005010X222A1~ST*837*1~", "x12-part"),
        (b"isa*00*          *00*", "x12-part"),
    ],
)
def test_a_file_is_named(head, kind):
    identity = identify(head)
    assert identity.kind == kind
    assert identity.sentence.endswith(".")


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"  \n", b"Example 1, ISA and more\r\n\r\n", b"a,b\nc,d\n"])
def test_an_interchange_is_found_behind_what_stands_before_it(before):
    identity = identify(before + isa().encode())
    assert (identity.kind, identity.offset) == ("x12", len(before))


def test_a_pdf_that_shows_an_interchange_is_still_a_pdf():
    assert identify(b"%PDF-1.4 " + isa().encode()).kind == "pdf"


def test_a_name_that_is_isa_is_no_header():
    assert identify(b"NM1*IL*1*ISAAC*JO~N3*1 ISA ST~").kind != "x12"


def test_no_sentence_repeats_what_the_file_says():
    assert "SECRET" not in identify(b"SECRET NAME\n").sentence


@pytest.mark.parametrize("layout", ["~", "~\n", "~\r\n", "\n", " ~\n"])
def test_separators_are_inferred_from_a_heading_without_isa(layout):
    inferred = infer_separators(GOOD_HEAD.replace("~", layout).encode())
    assert inferred is not None
    assert inferred == ("*", ":", "", layout.strip(" \r\n") or "\n")


def test_separators_that_composites_disagree_on_are_not_inferred():
    assert infer_separators((GOOD_HEAD + "SV1*HC>1*1~").encode()) is None
    assert infer_separators(b"GS*HC*A*B") is None
