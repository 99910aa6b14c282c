"""Laws of plain lines and subscribers, and of blocks: read whole or segment by segment, the claims are the same."""

import json

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from claims.edi837 import ParsedClaim, QuarantinedClaim, parse_claims
from claims.edi837.plain import PlainLines, PlainSubscribers
from claims.tests.envelope import (
    BILLING,
    CLAIM,
    INSTITUTIONAL,
    LINE,
    PROFESSIONAL,
    SUBSCRIBER,
    excerpt,
    file_text,
    parsed,
)

SERVICES = (
    *(
        "SV1*HC:99213*100*UN*1***1",
        "SV1*HC:99213:25*100*UN*1***1*9",
        "SV1*HC:99213*1OO*UN*1***1",
        "SV2*0450*HC:99283*9",
    ),
    *("SV1*HC:99213:LONG*100*UN*1***1:X", f"SV1*HC:{'9' * 60}*1*UN*1***1", "SV3*AD:D0120*5", "SV1", "NTE*ADD*X"),
)
DAYS = (
    "DTP*472*D8*20240110",
    "DTP*472*RD8*20240110-20240112",
    "DTP*472*RD8*20240110",
    "DTP*573*D8*20240110",
    "DTP*472",
)
REFERENCES = ("REF*6R*A1", "REF*6R* A1 ", "REF*6R*A*B", f"REF*6R*{'A' * 90}", "REF*6R*\xc3\xa9", "REF*6R*", "REF*G1*X")
MORE = ("", "", "", "NTE*ADD*NOTE", "SVD*1*90", "LIN**N4*1", "NM1*82*1*ROE", "REF*6R*B2")
lines = st.tuples(
    *(st.sampled_from(("LX*1", "LX*2", "LX*3", "LX*01", "LX", "LX*1*X", "")), st.sampled_from(SERVICES)),
    *(st.sampled_from(DAYS), st.sampled_from(("", *REFERENCES)), st.sampled_from(MORE)),
)
CUTS = SUBSCRIBER.split("~")[:-1]
NAMES = (
    *("NM1*IL*1*ROE*\xc3\xa9VA****MI*W2", "NM1*QC*1*DOE", "N3*1 ST**B ", "N3", "N4*T", "DMG*D8*19700230*F"),
    *("DMG*D8*19700102*F*M", "DMG*D8*19700102", "SBR*S", "REF*SY*1", "NM1*PR*2*OTHER*****PI*2", "PAT*19", "DMG*D9*1*M"),
)


def read(text: str) -> list[ParsedClaim | QuarantinedClaim]:
    return list(parse_claims(excerpt(text)))


def read_singly(text: str) -> list[ParsedClaim | QuarantinedClaim]:
    """Read segment by segment, with nothing recognised whole."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PlainLines, "read", lambda self, draft, place: place)
        patch.setattr(PlainSubscribers, "read", lambda self, block: None)
        return read(text)


def joined(*parts: str) -> str:
    return "".join(f"{part}~" for part in parts if part)


@given(given_lines=st.lists(lines, max_size=5), guide=st.sampled_from((PROFESSIONAL, INSTITUTIONAL, "")))
@limits(max_examples=400, deadline=None)
def test_lines_read_whole_are_the_lines_read_singly(given_lines, guide):
    claim = CLAIM + "".join(joined(*line) for line in given_lines)
    text = file_text(BILLING, SUBSCRIBER, claim, CLAIM, LINE, guide=guide)
    assert read(text) == read_singly(text)


@given(
    place=st.integers(0, len(CUTS)), end=st.integers(0, len(CUTS)), names=st.lists(st.sampled_from(NAMES), max_size=2)
)
@limits(max_examples=400, deadline=None)
def test_subscribers_read_whole_are_those_read_singly(place, end, names):
    subscriber = joined(*CUTS[:place], *names, *CUTS[end:])
    text = file_text(BILLING, subscriber, CLAIM, LINE, SUBSCRIBER, CLAIM, LINE)
    assert read(text) == read_singly(text)


def test_layout_between_segments_moves_places_and_nothing_else():
    text = file_text(BILLING, SUBSCRIBER, CLAIM, LINE, SUBSCRIBER, CLAIM, LINE)
    for wide in (text.replace("~", "~\n"), text.replace("~", "~\r\n"), text.replace("~LX", "~\n LX"), text + "\n\n"):
        found, plain = parsed(read(wide)), parsed(read(text))
        assert [claim.segment_position for claim in found] == [claim.segment_position for claim in plain]
        assert [json.dumps(claim.detail) for claim in found] == [json.dumps(claim.detail) for claim in plain]
        for claim in found:
            assert wide[claim.byte_offset :].startswith("CLM*")
            assert wide[: claim.byte_end].endswith("~")
            assert all(wide[line.byte_offset :].startswith("LX*") for line in claim.lines)


def test_a_plain_claim_is_read_whole(monkeypatch):
    def refuse(*given: object) -> None:
        raise AssertionError("read singly")

    monkeypatch.setattr("claims.edi837.lines.open_line", refuse)
    monkeypatch.setattr("claims.edi837.parties.owner", refuse)
    text = file_text("HL*1**20*1~NM1*85*2*CLINIC~", SUBSCRIBER, CLAIM, LINE, LINE.replace("LX*1", "LX*2"))
    (claim,) = parsed(read(text))
    assert [line.line_number for line in claim.lines] == [1, 2]
    assert claim.subscriber_birth_date == "1970-01-02"
