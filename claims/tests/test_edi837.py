"""The 837 reader, loop by loop; EDI stands in each test."""

import json
import subprocess
import sys

import pytest

from claims.edi837 import ParsedClaim, Party, QuarantinedClaim, parse_claims
from claims.tests.envelope import (
    BILLING,
    CLAIM,
    DENTAL,
    INSTITUTIONAL,
    LINE,
    SUBSCRIBER,
    excerpt,
    file_text,
    parsed,
    read,
    read_claim,
    read_quarantined,
)


def test_a_professional_claim_fills_its_columns():
    claim = read_claim(CLAIM + "REF*G1*AUTH1~REF*9F*REFER1~REF*D9*CLEAR1~NM1*82*1*ROE*JO****XX*1992739999~" + LINE)
    assert claim.patient_control_number == "PCN1"
    assert claim.charge_cents == 10000
    assert (claim.place_of_service_code, claim.facility_code_qualifier, claim.frequency_code) == ("11", "B", "1")
    assert (claim.claim_type, claim.guide, claim.set_control) == ("P", "005010X222A1", "0009")
    assert claim.assignment_code == "A"
    assert (claim.prior_authorization_number, claim.referral_number) == ("AUTH1", "REFER1")
    assert (claim.payer_sequence_code, claim.filing_indicator_code, claim.group_number) == ("P", "CI", "GROUP1")
    assert (claim.subscriber_member_id, claim.subscriber_last_name, claim.subscriber_first_name) == ("W1", "DOE", "ANN")
    assert (claim.subscriber_birth_date, claim.subscriber_gender_code) == ("1970-01-02", "F")
    assert claim.payer == Party("60054", "ACME HEALTH")
    assert claim.billing_provider == Party("1234567893", "NORTH CLINIC", "207Q00000X", "123456789")
    assert claim.rendering_provider == Party("1992739999", "ROE, JO")
    assert (claim.service_from_date, claim.service_to_date) == ("2024-01-10", "2024-01-10")
    assert claim.submitted_date == "2024-01-15"
    assert (claim.principal_diagnosis_code, claim.diagnosis_codes) == ("J209", ["J209", "E119"])
    assert claim.findings == []


def test_a_claim_knows_its_place():
    text = file_text(BILLING, SUBSCRIBER, CLAIM, LINE)
    (claim,) = read(BILLING, SUBSCRIBER, CLAIM, LINE)
    assert isinstance(claim, ParsedClaim)
    assert text[claim.byte_offset : claim.byte_end] == CLAIM + LINE
    assert claim.segment_position == text[text.index("ST*") :].split("~").index("CLM*PCN1*100***11:B:1*Y*A*Y*Y") + 1
    assert (claim.heading.interchange_control, claim.heading.group_control) == ("000000007", "8")


def test_line_breaks_between_segments_change_nothing_but_places():
    text = file_text(BILLING, SUBSCRIBER, CLAIM, LINE, CLAIM, LINE).replace("~", "~\r\n")
    claims = parsed(parse_claims(excerpt(text)))
    assert [text[c.byte_offset : c.byte_end] for c in claims] == [(CLAIM + LINE).replace("~", "~\r\n").rstrip()] * 2


def test_the_rest_of_the_claim_is_kept_in_the_detail():
    claim = read_claim(
        "CLM*A*5***11:B:1*Y*A*Y*Y*P*AA:::PA~DTP*431*D8*20240101~DTP*439*D8*20231231~PWK*OZ*BM***AC*1~CN1*02*5~"
        "AMT*F5*3.50~REF*EA*MRN1~K3*FREE~NTE*ADD*A NOTE~CR1*LB*140*I*A*DH*12~CRC*07*Y*01~HI*ABK:J209~HCP*03*4~" + LINE
    )
    assert claim.detail["related_causes"] == "AA:::PA"
    assert claim.detail["dates"][0] == {"qualifier": "431", "format": "D8", "value": "20240101"}
    assert claim.detail["amounts"] == [{"qualifier": "F5", "amount": "3.50"}]
    assert claim.detail["references"] == [{"qualifier": "EA", "value": "MRN1"}]
    assert claim.detail["notes"] == [{"code": "ADD", "text": "A NOTE"}]
    assert [s[0] for s in claim.detail["segments"]] == ["PWK", "CN1", "K3", "CR1", "CRC", "HCP"]
    assert claim.findings == []


def test_an_unknown_segment_is_kept_with_a_warning():
    claim = read_claim(CLAIM + "XYZ*1*2~" + LINE)
    (finding,) = claim.findings
    assert (finding.level, finding.code_set, finding.code) == ("W", "IK304", "1")
    assert (finding.place.segment_id, finding.claim_offset) == ("XYZ", claim.byte_offset)
    assert claim.detail["segments"] == [["XYZ", "1", "2"]]


def test_a_separate_patient_stands_beside_the_subscriber():
    patient = "HL*3*2*23*0~PAT*19~NM1*QC*1*DOE*BEN~N3*2 OAK AVE~N4*TOWN*PA*19001~DMG*D8*20100203*M~REF*Y4*PCC~"
    claim = read_claim(CLAIM + LINE, above=BILLING + SUBSCRIBER.replace("*18*", "**") + patient)
    assert claim.patient_relationship_code == "19"
    assert (claim.patient_first_name, claim.patient_birth_date, claim.patient_gender_code) == ("BEN", "2010-02-03", "M")
    assert (claim.subscriber_first_name, claim.subscriber_gender_code) == ("ANN", "F")
    assert claim.detail["patient"]["names"][0]["references"] == [{"qualifier": "Y4", "value": "PCC"}]


def test_the_subscriber_is_the_patient_where_no_patient_level_stands():
    claim = read_claim(CLAIM + LINE, above=BILLING + SUBSCRIBER + "")
    assert (claim.patient_relationship_code, claim.patient_first_name) == ("18", "ANN")
    assert claim.patient_birth_date == claim.subscriber_birth_date


def test_a_patient_does_not_bleed_into_the_next_subscriber():
    patient = "HL*3*2*23*0~PAT*19~NM1*QC*1*DOE*BEN~DMG*D8*20100203*M~"
    second = "HL*4*1*22*0~SBR*S*18~NM1*IL*1*ROE*CY****MI*W2~NM1*PR*2*OTHER*****PI*77~"
    first, other = parsed(read(BILLING, SUBSCRIBER, patient, CLAIM, LINE, second, CLAIM, LINE))
    assert (first.patient_first_name, other.patient_first_name) == ("BEN", "CY")
    assert (other.patient_birth_date, other.group_number, other.filing_indicator_code) == (None, "", "")
    assert (other.payer, other.payer_sequence_code) == (Party("77", "OTHER"), "S")


def test_values_do_not_bleed_between_claims_and_lines():
    full = "LX*1~SV1*HC:99213:25:59*60*UN*1*22**1:2~DTP*472*D8*20240110~REF*6R*L1~NTE*ADD*X~LIN**N4*00002~CTP****2*ML~"
    bare = "LX*2~SV1*HC:36415*40*UN*1~"
    first, second = read(
        BILLING, SUBSCRIBER, CLAIM, "REF*F8*OLD~DTP*435*D8*20240105~NM1*DN*1*A~", full, bare, "CLM*B*1***11:B:1~", LINE
    )
    assert isinstance(first, ParsedClaim)
    assert isinstance(second, ParsedClaim)
    line, other = first.lines
    assert (line.modifiers, line.diagnosis_pointers, line.line_control_number) == (["25", "59"], [1, 2], "L1")
    assert (line.drug_code, line.drug_unit_count, line.drug_unit_code) == ("00002", "2", "ML")
    assert (other.modifiers, other.diagnosis_pointers, other.line_control_number, other.drug_code) == ([], [], "", "")
    assert (other.service_from_date, other.place_of_service_code, other.detail) == (None, "", {})
    assert (second.payer_claim_control_number, second.admission_date, second.diagnoses) == ("", None, [])
    assert [party["role"] for party in second.providers] == ["85"]


def test_what_is_said_twice_alike_is_not_one_thing():
    name = "NM1*82*1*ROE*JO****XX*1992739999~"
    odd = LINE.replace("***1~", "***X~")
    first, second = parsed(
        read(BILLING, SUBSCRIBER, CLAIM, name, "PRV*PE*PXC*207R00000X~REF*G2*7~", odd, CLAIM, name, odd)
    )
    assert (first.providers[1]["taxonomy_code"], "taxonomy_code" in second.providers[1]) == ("207R00000X", False)
    assert "references" not in second.providers[1]
    assert first.lines[0].service_key == second.lines[0].service_key
    for claim in (first, second):
        (finding,) = claim.findings
        assert (finding.code, finding.element, finding.claim_offset) == ("6", 7, claim.byte_offset)
        assert finding.place.byte_offset > claim.byte_offset


def test_a_second_set_does_not_see_the_first_ones_levels():
    text = file_text(BILLING, SUBSCRIBER, CLAIM, LINE, "SE*1*0009~ST*837*0010*005010X222A1~", CLAIM, LINE)
    first, second = parse_claims(excerpt(text))
    assert isinstance(first, ParsedClaim)
    assert isinstance(second, QuarantinedClaim)
    assert second.quarantined.set_control == "0010"


def test_an_institutional_claim_has_admission_period_and_codes():
    claim = read_claim(
        "CLM*I1*150***11:A:1**A*Y*Y~DTP*434*RD8*20240101-20240105~DTP*435*DT*202401011230~DTP*096*TM*1130~CL1*1*7*30~"
        "HI*ABK:I10:::::::Y~HI*ABJ:R079~HI*BBR:0DTJ4ZZ:D8:20240102~HI*BH:11:D8:20231230~HI*BE:80:::4~HI*BG:09~HI*DR:470~"
        "NM1*71*1*HOUSE*G****XX*1234567893~PRV*AT*PXC*208D00000X~NM1*72*1*CUT*R****XX*1992739999~"
        "LX*1~SV2*0450*HC:99284:25*100*UN*1~DTP*472*D8*20240101~LX*2~SV2*0250**50*UN*2**5~",
        guide=INSTITUTIONAL,
    )
    assert (claim.claim_type, claim.findings) == ("I", [])
    assert (claim.service_from_date, claim.service_to_date) == ("2024-01-01", "2024-01-05")
    assert (claim.admission_date, claim.discharge_date) == ("2024-01-01", None)
    assert (claim.attending_npi, claim.operating_npi) == ("1234567893", "1992739999")
    assert claim.detail["patient_status_code"] == "30"
    assert {"qualifier": "096", "format": "TM", "value": "1130"} in claim.detail["dates"]
    assert claim.diagnosis_codes == ["I10"]
    assert claim.diagnoses[0] == {"qualifier": "ABK", "code": "I10", "present_on_admission": "Y"}
    assert claim.diagnoses[2]["date"] == "20240102"
    assert claim.diagnoses[4] == {"qualifier": "BE", "code": "80", "amount": "4"}
    first, second = claim.lines
    assert (first.revenue_code, first.procedure_code, first.modifiers) == ("0450", "99284", ["25"])
    assert (second.revenue_code, second.procedure_code, second.unit_count) == ("0250", "", "2")
    assert second.detail["service"][7] == "5"
    assert claim.providers[1]["loop"] == "2310A"


def test_a_dental_claim_has_teeth_and_a_place():
    claim = read_claim(
        "CLM*D1*80***11:B:1*Y*A*Y*Y~DTP*472*D8*20240110~DN2*1*E****JP~"
        "LX*1~SV3*AD:D2150*80*12*10*I*2~TOO*JP*12*L:O~REF*6R*7~",
        guide=DENTAL,
    )
    (line,) = claim.lines
    assert (claim.claim_type, line.procedure_qualifier, line.procedure_code) == ("D", "AD", "D2150")
    assert (line.charge_cents, line.unit_count, line.place_of_service_code) == (8000, "2", "12")
    assert line.detail["segments"] == [["TOO", "JP", "12", "L:O"]]
    assert line.detail["service"][4:6] == ["10", "I"]
    assert (claim.service_from_date, claim.findings) == ("2024-01-10", [])


def test_the_service_decides_the_claim_type_and_says_so():
    claim = read_claim("CLM*A*5***11:A:1~LX*1~SV2*0450**5*UN*1~")
    assert claim.claim_type == "I"
    assert [(f.level, f.code) for f in claim.findings] == [("W", "2")]


def test_a_4010_claim_reads_as_its_successor():
    above = BILLING.replace("PXC", "ZZ") + SUBSCRIBER
    claim = read_claim("CLM*A*100***11::1*Y*A*Y*Y~HI*BK:4660~" + LINE, above=above, guide="004010X098A1")
    assert (claim.claim_type, claim.principal_diagnosis_code, claim.findings) == ("P", "4660", [])
    assert claim.billing_provider.taxonomy_code == "207Q00000X"


def test_another_payer_is_no_new_subscriber():
    claim = read_claim(
        CLAIM + "SBR*S*01*GR2******MB~CAS*PR*1*10*1*2*5.5~AMT*D*70~AMT*EAF*15.50~OI***Y*P**Y~MOA***MA01~"
        "NM1*IL*1*DOE*ANN****MI*W9~N3*X~NM1*PR*2*MEDICARE*****PI*00123~DTP*573*D8*20240120~REF*F8*ICN7~"
        "NM1*82*1~REF*LU*9~"
        + LINE
        + "SVD*00123*70*HC:99213**1~CAS*CO*45*20~CAS*PR*2*10~DTP*573*D8*20240120~AMT*EAF*10~"
    )
    assert claim.payer == Party("60054", "ACME HEALTH")
    assert (claim.payer_sequence_code, claim.subscriber_member_id) == ("P", "W1")
    (other,) = claim.other_payers
    assert (other["sequence"], other["paid_amount"], other["filing_indicator_code"]) == ("S", "70.00", "MB")
    assert other["adjustments"] == [
        {"group_code": "PR", "carc": "1", "amount": "10.00", "quantity": "1"},
        {"group_code": "PR", "carc": "2", "amount": "5.50"},
    ]
    assert other["payer"]["references"] == [{"qualifier": "F8", "value": "ICN7"}]
    assert other["subscriber"]["id_code"] == "W9"
    assert other["dates"] == [{"qualifier": "573", "format": "D8", "value": "20240120"}]
    assert (other["providers"][0]["loop"], other["providers"][0]["references"][0]["value"]) == ("2330D", "9")
    assert [s[0] for s in other["segments"]] == ["OI", "MOA"]
    assert claim.payer_claim_control_number == ""
    (adjudication,) = claim.lines[0].adjudications
    assert (adjudication["payer_code"], adjudication["paid_amount"], adjudication["date"]) == (
        "00123",
        "70.00",
        "2024-01-20",
    )
    assert [a["amount"] for a in adjudication["adjustments"]] == ["20.00", "10.00"]
    assert adjudication["amounts"] == [{"qualifier": "EAF", "amount": "10.00"}]
    assert claim.findings == []


def test_a_line_keeps_its_providers_forms_and_measures():
    claim = read_claim(
        CLAIM
        + LINE
        + "MEA*TR*R1*12~REF*G1*L-AUTH~NTE*DCP*TEXT~NM1*DK*1*ORDER*O****XX*1234567893~N3*S~PER*IC*X*TE*1~"
        + "LQ*UT*01.03~FRM*1*Y~"
    )
    (line,) = claim.lines
    assert [s[0] for s in line.detail["segments"]] == ["MEA", "LQ", "FRM"]
    assert line.detail["references"] == [{"qualifier": "G1", "value": "L-AUTH"}]
    (provider,) = line.detail["providers"]
    assert (provider["loop"], provider["npi"], provider["address"]) == ("2420E", "1234567893", {"lines": ["S"]})
    assert claim.prior_authorization_number == ""
    assert len(claim.providers) == 1


def test_lines_are_numbered_by_their_order():
    claim = read_claim(CLAIM + LINE.replace("LX*1", "LX*3") + LINE.replace("LX*1", "LX*3"))
    assert [line.line_number for line in claim.lines] == [1, 2]
    assert claim.lines[0].detail["assigned_number"] == "3"
    assert {(f.level, f.place.segment_id) for f in claim.findings} == {("W", "LX")}


def test_a_second_service_under_one_lx_is_a_line_of_its_own():
    claim = read_claim(CLAIM + LINE + "SV1*HC:36415*5*UN*1~")
    assert [line.charge_cents for line in claim.lines] == [10000, 500]


def test_a_text_longer_than_its_column_is_kept_whole_in_the_detail():
    claim = read_claim(CLAIM.replace("PCN1", "P" * 90) + LINE)
    assert claim.patient_control_number == "P" * 60
    assert claim.detail["long"] == {"patient_control_number": "P" * 90}
    (finding,) = claim.findings
    assert (finding.level, finding.code, finding.place.segment_id, finding.element) == ("C", "5", "CLM", 1)
    line = read_claim(CLAIM + LINE.replace("HC:99213", "HC:" + "9" * 60)).lines[0]
    assert (line.procedure_code, line.detail["long"]) == ("9" * 48, {"procedure_code": "9" * 60})


def test_a_period_of_one_date_is_that_day():
    claim = read_claim(CLAIM + "DTP*434*RD8*20240103~" + LINE)
    assert (claim.service_from_date, claim.service_to_date) == ("2024-01-03", "2024-01-03")
    assert [f.level for f in claim.findings] == ["W"]


@pytest.mark.parametrize(
    ("claim", "code", "element"),
    [
        (CLAIM.replace("*Y*Y~", "*Y*Y" + "*" * 12 + "X~") + LINE, "3", 21),
        (CLAIM.replace("11:B:1", "11:B:1:X") + LINE, "13", 5),
        (CLAIM + LINE.replace("99213", "99213:1:2:3:4:TEXT:99214:X"), "13", 1),
        (CLAIM.replace("ABF:E119", "ABF:E119:::::::Y:X") + LINE, "13", 0),
        (CLAIM + LINE.replace("***1~", "***1" + "*" * 14 + "X*X~"), "3", 22),
    ],
)
def test_more_elements_or_components_than_can_be_cost_the_claim_its_cleanness(claim, code, element):
    (finding,) = read_claim(claim).findings
    assert (finding.level, finding.code_set, finding.code, finding.element) == ("C", "IK403", code, element)


def test_a_4010_provider_may_go_by_tax_number():
    above = BILLING.replace("XX*1234567893", "24*123456789").replace("REF*EI*123456789~", "") + SUBSCRIBER
    claim = read_claim(CLAIM + LINE, above=above, guide="004010X098A1")
    assert claim.billing_provider == Party("", "NORTH CLINIC", "207Q00000X", "123456789")


def test_a_bad_date_without_a_column_is_a_warning():
    claim = read_claim(CLAIM + "DTP*439*D8*20240230~" + LINE)
    assert [(f.level, f.code) for f in claim.findings] == [("W", "8")]
    assert claim.detail["dates"] == [{"qualifier": "439", "format": "D8", "value": "20240230"}]


@pytest.mark.parametrize(
    ("claim", "code_set", "code", "segment_id", "element"),
    [
        (CLAIM.replace("*100*", "*1OO*") + LINE, "IK403", "6", "CLM", 2),
        (CLAIM.replace("*100*", "*1E2*") + LINE, "IK403", "6", "CLM", 2),
        (CLAIM.replace("*100*", "**") + LINE, "IK403", "1", "CLM", 2),
        (CLAIM.replace("*100*", "*100.005*") + LINE, "IK403", "I12", "CLM", 2),
        (CLAIM.replace("*100*", "*1234567890123456789*") + LINE, "IK403", "5", "CLM", 2),
        (CLAIM.replace("*100*", "*123456789012345678*") + LINE, "IK403", "5", "CLM", 2),
        (CLAIM.replace("PCN1", "") + LINE, "IK403", "1", "CLM", 1),
        (CLAIM + LINE.replace("*100*", "*NaN*"), "IK403", "6", "SV1", 2),
        (CLAIM + LINE.replace("*UN*1*", "*UN*one*"), "IK403", "6", "SV1", 4),
        (CLAIM + LINE.replace("20240110", "20240230"), "IK403", "8", "DTP", 3),
        (CLAIM + LINE.replace("D8*20240110", "RD8*20240110-20240109"), "IK403", "8", "DTP", 3),
        (CLAIM + "DTP*435*D8*00000000~" + LINE, "IK403", "8", "DTP", 3),
        (CLAIM + "LX*1~LX*2~SV1*HC:99213*100~", "IK304", "3", "LX", 0),
        (CLAIM + "LX*1~DTP*472*D8*20240110~", "IK304", "3", "DTP", 0),
        (CLAIM + LINE + "SVD*1*x~", "IK403", "6", "SVD", 2),
        (CLAIM + "SBR*S~CAS*PR*1~" + LINE, "IK403", "1", "CAS", 3),
        (CLAIM + "SBR*S~CAS*PR**5~" + LINE, "IK403", "1", "CAS", 2),
        (CLAIM + "AMT*F5*five~" + LINE, "IK403", "6", "AMT", 2),
        (CLAIM + "NTE*ADD*A\x00B~" + LINE, "IK403", "6", "NTE", 2),
        (CLAIM + "NTE*ADD*\x1b[2J~" + LINE, "IK403", "6", "NTE", 2),
    ],
)
def test_what_cannot_become_true_rows_is_quarantined(claim, code_set, code, segment_id, element):
    (good, bad, after) = read(BILLING, SUBSCRIBER, CLAIM, LINE, claim, CLAIM, LINE)
    assert isinstance(good, ParsedClaim)
    assert isinstance(after, ParsedClaim)
    assert isinstance(bad, QuarantinedClaim)
    (finding,) = bad.findings
    assert (finding.level, finding.code_set, finding.code) == ("C", code_set, code)
    assert (finding.place.segment_id, finding.element) == (segment_id, element)
    assert bad.quarantined.byte_from == good.byte_end == finding.claim_offset
    assert bad.quarantined.byte_to == after.byte_offset


def test_a_quarantined_claim_keeps_number_and_charge_where_they_can_be_read():
    kept = read_quarantined(CLAIM + LINE.replace("20240110", "2024011")).quarantined
    assert (kept.control_number, kept.charge_cents, kept.set_control) == ("PCN1", 10000, "0009")
    assert read_quarantined(CLAIM.replace("*100*", "*x*") + LINE).quarantined.charge_cents is None


def test_a_claim_without_subscriber_or_billing_provider_is_a_broken_loop():
    for above in ("", BILLING, SUBSCRIBER):
        (finding,) = read_quarantined(CLAIM + LINE, above=above).findings
        assert (finding.code_set, finding.code, finding.place.segment_id) == ("IK304", "7", "CLM")


def test_a_birth_date_that_does_not_exist_costs_only_that_persons_claims():
    bad = SUBSCRIBER.replace("19700102", "19700231")
    results = read(BILLING, bad, CLAIM, LINE, CLAIM, LINE, SUBSCRIBER, CLAIM, LINE)
    assert [type(r) for r in results] == [QuarantinedClaim, QuarantinedClaim, ParsedClaim]
    (finding,) = results[0].findings
    assert (finding.place.segment_id, finding.loop, finding.element) == ("DMG", "2010BA", 2)


def test_a_finding_says_no_value_of_the_file():
    results = [read_quarantined(CLAIM.replace("*100*", "*SECRET*") + LINE)]
    results.append(read_quarantined(CLAIM + LINE.replace("20240110", "SECRET")))
    assert all("SECRET" not in finding.message for result in results for finding in result.findings)


def test_an_odd_writer_of_quotes_is_not_quarantined():
    assert read_claim(CLAIM + "NTE*ADD*IT\x92S\tFINE~" + LINE).detail["notes"][0]["text"] == "IT\x92S\tFINE"


def test_documents_are_plain_json():
    claim = read_claim(CLAIM + "SBR*S~AMT*D*1~" + LINE + "SVD*1*2~")
    documents = [claim.diagnoses, claim.providers, claim.other_payers, claim.detail, claim.lines[0].adjudications]
    assert json.loads(json.dumps(documents)) == documents


def test_the_reader_needs_no_django():
    program = "import sys, claims.edi837, claims.edits; sys.exit('django' in sys.modules or 'logging' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=280).returncode == 0


@pytest.mark.parametrize(("made", "day"), [("20240116", "2024-01-16"), ("", "2024-01-15"), ("20241301", "2024-01-15")])
def test_a_claim_is_submitted_on_the_day_of_its_set_else_of_its_group(made, day):
    text = file_text(BILLING, SUBSCRIBER, CLAIM, LINE).replace("*1*20240115*1200*", f"*1*{made}*1200*")
    (claim,) = parse_claims(excerpt(text))
    assert isinstance(claim, ParsedClaim)
    assert claim.submitted_date == day
