"""Laws of the 837 reader: whatever the bytes, one result per CLM; wherever a file is cut, the same claims.

The corpus of real files lies beside the project and is not part of it; its tests skip where it is absent.
"""

import csv
import re
from typing import Any
from unittest.mock import Mock

import pytest
from django.conf import settings
from hypothesis import example, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from claims.edi837 import ParsedClaim, QuarantinedClaim, parse_claims
from claims.edits import check_claim
from claims.tests.envelope import BILLING, CLAIM, LINE, SUBSCRIBER, cut, excerpt, file_text
from marb.edi.blocks import Block
from marb.edi.x12 import BadInterchange, Excerpt, Span, read_segments, read_separators

CORPUS = settings.BASE_DIR.parent / "shared" / "edi"
PATIENT = "HL*3*2*23*0~PAT*19~NM1*QC*1*DOE*BEN~DMG*D8*20100203*M~"
COORDINATED = (
    CLAIM + "SBR*S*18~CAS*PR*1*10~AMT*D*90~NM1*IL*1*DOE~NM1*PR*2*MEDICARE*****PI*1~" + LINE + "SVD*1*90~CAS*PR*1*10~"
)
WHOLE = file_text(
    *(BILLING, SUBSCRIBER, CLAIM, LINE, COORDINATED, PATIENT, CLAIM, "NTE*ADD*NOTE~", LINE),
    *(BILLING.replace("HL*1*", "HL*4*"), SUBSCRIBER, CLAIM, LINE),
    "SE*1*0009~ST*837*0010*005010X222A1~BHT*0019*00*1*20240115*1200*CH~",
    *(BILLING, SUBSCRIBER, CLAIM, LINE),
)
HEAD = WHOLE.index("GS*")


def count_claims(given: Excerpt) -> int:
    return sum(elements[0] == "CLM" for _, _, elements in read_segments(given.body, given.separators))


def results(given: Excerpt) -> list[ParsedClaim | QuarantinedClaim]:
    """Read and edit an excerpt as the loader does."""
    found = list(parse_claims(given))
    for result in found:
        if isinstance(result, ParsedClaim):
            check_claim(result, "2026-01-01")
    return found


@given(at=st.integers(HEAD, len(WHOLE) - 1), byte=st.integers(0, 255))
@example(at=WHOLE.index("CLM*"), byte=0)
@example(at=WHOLE.index("~LX*"), byte=ord("*"))
@limits(max_examples=600, deadline=None)
def test_any_flipped_byte_still_gives_one_result_per_claim(at, byte):
    data = bytearray(WHOLE.encode())
    data[at] = byte
    given_excerpt = Excerpt(read_separators(bytes(data)), [], Span(0, 0, bytes(data)), "")
    found = results(given_excerpt)
    assert len(found) == count_claims(given_excerpt)
    for result in found:
        if isinstance(result, QuarantinedClaim):
            kept = result.quarantined
            assert result.findings[0].claim_offset == kept.byte_from < kept.byte_to <= len(data)


@given(body=st.binary(max_size=400))
@limits(max_examples=200, deadline=None)
def test_any_bytes_at_all_give_one_result_per_claim(body):
    given_excerpt = excerpt(WHOLE[: WHOLE.index("HL*")].encode() + body + b"~CLM*1*2~" + body)
    assert len(results(given_excerpt)) == count_claims(given_excerpt)


@given(
    pieces=st.lists(
        st.sampled_from(
            [*(BILLING + SUBSCRIBER + PATIENT + COORDINATED).split("~"), "SV2*1**x", "SV3*", "LX", "HL", "HI*:"]
        )
    )
)
@limits(max_examples=300, deadline=None)
def test_segments_in_any_order_give_one_result_per_claim(pieces):
    given_excerpt = excerpt(file_text(BILLING, SUBSCRIBER, "CLM*1*2~", "~".join([*pieces, ""])))
    assert len(results(given_excerpt)) == count_claims(given_excerpt)


def whole_borders() -> list[int]:
    return [found.start() for found in re.finditer(r"(?<=~)(?:HL|CLM|ST)\*", WHOLE)]


@pytest.mark.parametrize("at", whole_borders())
def test_a_file_cut_at_any_border_gives_the_same_claims(at):
    first, second = cut(WHOLE, at)
    assert results(first) + results(second) == results(excerpt(WHOLE))


def corpus_rows() -> list[dict[str, str]]:
    index = CORPUS / "INDEX.tsv"
    if not index.exists():
        return []
    with index.open() as rows:
        return [row for row in csv.DictReader(rows, delimiter="\t") if row["type (ST01 GS08)"].startswith("837")]


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of sample files is not here")
@pytest.mark.parametrize("row", corpus_rows(), ids=lambda row: row["path"].rsplit("/", 1)[-1])
def test_every_file_of_the_corpus_gives_all_its_claims_lines_and_charges(row):
    """Count claims, lines and cents by splitting the raw text, knowing nothing of loops."""
    data = (CORPUS / row["path"]).read_bytes()
    start = data.find(b"ISA")
    try:
        given_excerpt = excerpt(data[start:])
    except BadInterchange:
        assert row["path"].endswith("x12_no_isa_line.txt")
        return
    separators = given_excerpt.separators
    raw = [s.strip().split(separators.element) for s in data[start:].decode("latin-1").split(separators.segment)]
    found = results(given_excerpt)
    claims = [result for result in found if isinstance(result, ParsedClaim)]
    assert len(found) == len(claims) == int(row["CLM"])
    assert sum(len(claim.lines) for claim in claims) == sum(s[0] in ("SV1", "SV2", "SV3") for s in raw)
    assert sum(c.charge_cents for c in claims) == sum(round(float(s[2]) * 100) for s in raw if s[0] == "CLM")
    place = {"SV1": 2, "SV2": 3, "SV3": 2}
    charges = sum(round(float(s[place[s[0]]]) * 100) for s in raw if s[0] in place)
    assert sum(line.charge_cents for claim in claims for line in claim.lines) == charges


@pytest.mark.parametrize(("segment", "lines"), [("QQ*1~", 0), ("LX*0~SV1*HC:99213*1*UN*1~", 300)])
def test_where_segments_begin_is_worked_out_once_however_many_are_noted(segment, lines, monkeypatch):
    starts, offset = Mock(wraps=Block.starts), Mock(wraps=Block.offset)
    monkeypatch.setattr(Block, "starts", lambda block: starts(block))
    monkeypatch.setattr(Block, "offset", lambda block, place: offset(block, place))
    text = file_text(BILLING, SUBSCRIBER, CLAIM, segment * 300)
    claims: list[Any] = list(parse_claims(excerpt(text)))
    first = text.index(segment)
    assert [line.byte_offset for line in claims[0].lines] == [first + len(segment) * number for number in range(lines)]
    assert starts.call_count + offset.call_count == 1


def test_each_code_of_more_than_nine_components_is_noted_once():
    long = "HI*ABK:J209:::::::::1~"
    claims: list[Any] = list(parse_claims(excerpt(file_text(BILLING, SUBSCRIBER, CLAIM, long * 3, LINE))))
    assert [found.code for found in claims[0].findings] == ["13"] * 3
