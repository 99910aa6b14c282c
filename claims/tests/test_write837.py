"""Written claims read back as the claims that were written: laws, the product's samples, and a claim's rows."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claims.edi837 import ParsedClaim, parse_claims
from claims.load import load_chunk
from claims.models import Claim
from claims.rewrite import read_rows, read_trading
from claims.tests.envelope import BILLING, CLAIM, INSTITUTIONAL, LINE, SUBSCRIBER, excerpt, file_text, read_claim
from claims.tests.test_load import make_job
from claims.write837 import Adjudication, LineAdjudication, Trading, Unwritable, bill_next, write_claims
from marb.edi.acks.received import read_envelope
from marb.edi.x12 import Separators
from marb.pipeline.receive import receive

NOW = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
SEPARATORS = Separators("*", ":", "^", "~")
SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*-837*.x12"))
# what is of a file, not of a claim
OF_THE_FILE = {
    *("byte_offset", "byte_end", "segment_position", "set_control", "heading", "findings", "guide", "submitted_date"),
    *("service_id", "service_key", "payer", "billing_provider", "rendering_provider"),
}


def trading() -> Trading:
    found = read_envelope(file_text().encode())
    assert found is not None
    return Trading(found.isa, found.gs, [["NM1", "41", "2", "SUBMITTER", "", "", "", "", "46", "1"]])


def values(claim: ParsedClaim) -> dict[str, Any]:
    """What a claim says, without its place."""
    said = {name: value for name, value in claim._asdict().items() if name not in OF_THE_FILE}
    lines = [{name: value for name, value in line._asdict().items() if name not in OF_THE_FILE} for line in claim.lines]
    return plain({**said, "lines": lines})


def plain(value: Any) -> Any:
    """Leave out what is empty: a list of no dates says as much as none."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items() if each not in ([], {}, "")}
    return [plain(each) for each in value] if isinstance(value, list) else value


def write_and_read(claim: ParsedClaim) -> ParsedClaim:
    text = write_claims([claim], trading(), SEPARATORS, 5, NOW)
    (back,) = parse_claims(excerpt(text.encode()))
    assert isinstance(back, ParsedClaim), back
    return back


texts = st.text("ABCDEFGHIJ0123456789 -", min_size=1, max_size=12).map(lambda text: f"X{text.strip()}")
days = st.dates(date(2000, 1, 1), date(2030, 1, 1)).map(lambda day: f"{day:%Y%m%d}")
dollars = st.integers(1, 10**7).map(lambda cents: f"{cents // 100}.{cents % 100:02d}")
references = st.tuples(st.sampled_from(["F8", "G1", "9F", "D9", "EA"]), texts).map(
    lambda pair: "REF*{}*{}~".format(*pair)
)
claim_dates = st.tuples(st.sampled_from(["431", "454", "439"]), days).map(lambda pair: "DTP*{}*D8*{}~".format(*pair))
providers = st.tuples(st.sampled_from(["82", "DN", "77"]), texts).map(
    lambda pair: "NM1*{}*2*{}*****XX*1346267893~N3*1 SIDE ST~N4*TOWN*PA*19001~REF*G2*A1~".format(*pair)
)
# in the order of the guides, in which they are written
KEPT = ["PWK*OZ*BM***AC*1~", "AMT*F5*12.5~", "K3*SOMETHING~", "NTE*ADD*CALL FIRST~", "CRC*07*Y*01~"]
kept = st.lists(st.sampled_from(KEPT), max_size=3).map(lambda chosen: sorted(chosen, key=KEPT.index))
others = st.tuples(st.sampled_from(["S", "T"]), dollars, texts).map(
    lambda said: (
        f"SBR*{said[0]}*18*{said[2]}******CI~CAS*CO*45*{said[1]}*2*50*1.5~CAS*PR*1*3~AMT*D*{said[1]}~OI***Y***Y~"
        f"NM1*IL*1*{said[2]}*ANN****MI*{said[2]}~N3*9 ELM~N4*TOWN*PA*19001~NM1*PR*2*OTHER*****PI*{said[2]}~"
        f"DTP*573*D8*20240105~REF*F8*{said[2]}~"
    )
)
services = st.tuples(texts, dollars, days, st.integers(1, 99), texts).map(
    lambda said: (
        f"SV1*HC:{said[0]}:25:59*{said[1]}*UN*{said[3]}*22**1:2~DTP*472*D8*{said[2]}~REF*6R*{said[4]}~NTE*ADD*{said[0]}~"
        f"LIN**N4*01234567891~CTP****{said[3]}*UN~NM1*82*1*{said[4]}*JO****XX*1346267893~PRV*PE*PXC*207Q00000X~"
        f"SVD*60054*{said[1]}*HC:{said[0]}**{said[3]}~CAS*CO*45*1~DTP*573*D8*{said[2]}~AMT*EAF*2~"
    )
)


@settings(max_examples=40)
@given(
    texts,
    st.lists(references, max_size=4),
    st.lists(claim_dates, max_size=3),
    kept,
    st.lists(providers, max_size=3),
    st.lists(others, max_size=2),
    st.lists(services, min_size=1, max_size=3),
    st.booleans(),
)
def test_what_is_written_reads_back(number, refs, dates, more, people, payers, lines, has_patient):
    patient = "HL*3*2*23*0~PAT*19~NM1*QC*1*DOE*KIM~N3*2 OAK AVE~N4*TOWN*PA*19001~DMG*D8*20100102*F~REF*Y4*1~"
    loops = [f"LX*{place}~{line}" for place, line in enumerate(lines, 1)]
    head = f"CLM*{number}*100***11:B:1*Y*A*Y*Y*P*AA:::PA~"
    codes = "HI*ABK:J209*ABF:E119~HI*BG:A1~"
    said = "".join([head, *dates, *more, *refs, codes, *people, *payers, *loops])
    claim = read_claim(said, above=BILLING + SUBSCRIBER + (patient if has_patient else ""))
    assert values(write_and_read(claim)) == values(claim)


def test_an_institutional_claim_reads_back():
    said = (
        "CLM*I1*300.5***11:A:1**A*Y*Y~DTP*096*TM*1130~DTP*434*RD8*20240101-20240104~DTP*435*DT*202401010830~CL1*1*7*01~"
        "HI*ABK:J209:::::::Y~HI*ABF:E119:::::::N*ABF:I10~HI*BR:0DTJ4ZZ:D8:20240102~HI*BE:01:::450~"
        "NM1*71*1*HAYES*JO****XX*1346267893~PRV*AT*PXC*207Q00000X~LX*1~SV2*0120**300.5*DA*3~"
    )
    claim = read_claim(said, guide=INSTITUTIONAL)
    assert values(write_and_read(claim)) == values(claim)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_the_products_samples_read_back(path: Path):
    claims = [claim for claim in parse_claims(excerpt(path.read_bytes())) if isinstance(claim, ParsedClaim)]
    assert claims
    text = write_claims(claims, trading(), SEPARATORS, 5, NOW)
    back = [claim for claim in parse_claims(excerpt(text.encode())) if isinstance(claim, ParsedClaim)]
    assert [values(claim) for claim in back] == [values(claim) for claim in claims]


def test_counts_and_numbers_of_the_envelope_are_its_own():
    claim = read_claim(CLAIM + LINE)
    text = write_claims([claim, claim], trading(), SEPARATORS, 77, NOW)
    segments = text.split("~\n")
    assert segments[-2] == "IEA*1*000000077"
    first, last = segments.index("ST*837*0001*005010X222A1"), next(i for i, s in enumerate(segments) if s[:3] == "SE*")
    assert segments[last] == f"SE*{last - first + 1}*0001"
    assert re.findall(r"HL\*\d+\*\d*\*\d\d", text) == ["HL*1**20", "HL*2*1*22", "HL*3**20", "HL*4*3*22"]


def test_the_separators_are_those_that_the_claim_came_with():
    claim = read_claim(CLAIM + LINE)
    text = write_claims([claim], trading(), Separators("|", ">", "^", "\n"), 5, NOW)
    assert "SV1|HC>99213|100|UN|1|||1\n" in text
    (back,) = parse_claims(excerpt(text.encode()))
    assert isinstance(back, ParsedClaim)
    assert values(back) == values(claim)


def test_what_5010_does_not_take_is_refused():
    claim = read_claim(CLAIM + LINE)._replace(guide="004010X098A1")
    with pytest.raises(Unwritable, match="4010"):
        write_claims([claim], trading(), SEPARATORS, 5, NOW)


def other_payer(relationship: str) -> str:
    return f"SBR*S*{relationship}*******CI~OI***Y***Y~NM1*IL*1*ROE*SAM****MI*W2~NM1*PR*2*SECOND*****PI*88888~"


def adjudication(paid: int = 7000, adjusted: str = "30") -> Adjudication:
    lines = {
        1: LineAdjudication(["HC", "99213"], "", paid, "1", [{"group_code": "CO", "carc": "45", "amount": adjusted}])
    }
    return Adjudication("ICN1", paid, 0, "2024-02-05", [], lines)


@pytest.mark.parametrize(("relationship", "last_name"), [("18", "ROE"), ("01", "DOE")])
def test_the_patient_stays_the_patient_of_the_next_payer(relationship: str, last_name: str):
    claim = read_claim(CLAIM + other_payer(relationship) + LINE)
    back = write_and_read(bill_next(claim, adjudication()))
    assert (back.patient_last_name, back.patient_birth_date) == (last_name, "1970-01-02")
    assert (back.subscriber_member_id, back.payer.code, back.patient_relationship_code) == ("W2", "88888", relationship)
    assert [other["sequence"] for other in back.other_payers] == ["P"]


def test_a_line_that_does_not_add_up_is_not_told_to_the_next_payer():
    claim = read_claim(CLAIM + other_payer("18") + LINE)
    with pytest.raises(Unwritable, match="line 1 is not its charge"):
        bill_next(claim, adjudication(adjusted="29"))


def test_an_adjustment_of_the_whole_claim_stands_in_the_other_payers_loop():
    claim = read_claim(CLAIM + other_payer("18") + LINE)
    whole = Adjudication("", 7000, 0, "2024-02-05", [{"group_code": "CO", "carc": "45", "amount": "30.00"}], {})
    (other,) = write_and_read(bill_next(claim, whole)).other_payers
    assert other["adjustments"] == [{"group_code": "CO", "carc": "45", "amount": "30.00"}]
    assert other["dates"] == [{"qualifier": "573", "format": "D8", "value": "20240205"}]


@pytest.mark.django_db
@pytest.mark.parametrize("path", SAMPLES[:2], ids=lambda path: path.stem)
def test_rows_say_what_the_reader_read(practice, path: Path):
    job = make_job(practice, path.read_bytes())
    load_chunk(job)
    read = {claim.byte_offset: claim for claim in parse_claims(job.excerpt) if isinstance(claim, ParsedClaim)}
    rows = Claim.objects.filter(file_id=job.file_id)
    assert {row.byte_offset for row in rows} == set(read)
    for row in rows[:25]:
        assert values(read_rows(row)) == values(read[row.byte_offset])


@pytest.mark.django_db
def test_trading_partners_are_those_of_the_claims_own_set(practice):
    text = file_text(BILLING + SUBSCRIBER + CLAIM + LINE)
    job = make_job(practice, text)
    load_chunk(job)
    received = receive(practice_id=practice.pk, name="b.837", stream=[text.encode()])
    claim = Claim.objects.get()
    claim.chunk.file_id = received.file_id
    claim.chunk.save()
    found, separators = read_trading(claim)
    assert (found.isa[6], found.gs[2:4], separators.element) == ("SENDER", ["S", "R"], "*")
    assert [party[1] for party in found.parties] == ["41", "40"]
