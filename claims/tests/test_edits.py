"""Claim edits: each with a claim that passes and one that does not."""

import pytest

from claims.edits import check_claim, repeated_control_numbers
from claims.tests.envelope import BILLING, CLAIM, DENTAL, INSTITUTIONAL, LINE, SUBSCRIBER, parsed, read, read_claim

TODAY = "2024-02-01"
INPATIENT = (
    "CLM*I1*100***11:A:1**A*Y*Y~DTP*434*RD8*20240101-20240105~DTP*435*D8*20240101~HI*ABK:I10~"
    "LX*1~SV2*0450*HC:99284*100*UN*1~DTP*472*D8*20240101~"
)


def codes(claim, **given):
    """List (level, code) of a claim's findings."""
    return [(f.level, f.code) for f in check_claim(read_claim(claim, **given), TODAY)]


def test_a_claim_that_passes_has_no_findings_of_any_kind():
    assert codes(CLAIM + LINE) == []
    assert codes(INPATIENT, guide=INSTITUTIONAL) == []


def test_nothing_is_made_for_a_claim_that_passes():
    claim = read_claim(CLAIM + LINE)
    assert check_claim(claim, TODAY) is check_claim(claim, TODAY)


def test_a_charge_that_is_not_the_sum_of_its_lines_says_both_to_the_cent():
    claim = read_claim(CLAIM.replace("*100*", "*100.01*") + LINE)
    (finding,) = check_claim(claim, TODAY)
    assert (finding.level, finding.code_set, finding.code, finding.element) == ("C", "EDIT", "charge_sum", 2)
    assert "100.01" in finding.message
    assert "100.00" in finding.message
    assert finding.claim_offset == finding.place.byte_offset == claim.byte_offset


def test_a_claim_for_payment_of_nothing():
    zero = CLAIM.replace("*100*", "*0*") + LINE.replace("*100*", "*0*")
    assert codes(zero) == [("C", "charge_not_positive")]
    (encounter,) = parsed(read(BILLING, SUBSCRIBER, zero, purpose="RP"))
    assert check_claim(encounter, TODAY) == ()


BAD = [
    (CLAIM.replace("PCN1", "P" * 21) + LINE, ("W", "control_number_cut")),
    (CLAIM.replace("PCN1", "P" * 39) + LINE, ("C", "control_number_long")),
    (CLAIM.replace("11:B:1", "11:B:2") + LINE, ("C", "frequency_code")),
    (CLAIM.replace("11:B:1", "11:B") + LINE, ("C", "frequency_code")),
    (CLAIM.replace("11:B:1", "11:B:7") + LINE, ("C", "payer_number_missing")),
    (CLAIM.replace("11:B:1", "36:B:1") + LINE, ("C", "place_of_service")),
    (CLAIM, ("C", "line_missing")),
    (CLAIM + "NM1*82*1*ROE*JO****XX*1234567890~" + LINE, ("C", "npi")),
    (CLAIM + LINE + "NM1*82*1*ROE*JO****XX*1234567890~", ("C", "npi")),
    (CLAIM.replace("E119", "4660") + LINE, ("C", "diagnosis_code")),
    (CLAIM + LINE.replace("99213", "9921"), ("C", "procedure_code")),
    (CLAIM + LINE.replace("HC:99213", ""), ("C", "procedure_missing")),
    (CLAIM + LINE.replace("99213", "99213:2"), ("C", "modifier")),
    (CLAIM + LINE.replace("***1~", "***3~"), ("C", "pointer_unknown")),
    (CLAIM + LINE.replace("***1~", "***0~"), ("C", "pointer_unknown")),
    (CLAIM + LINE.replace("***1~", "~"), ("C", "pointer_missing")),
    (CLAIM + LINE.replace("***1~", "*98**1~"), ("C", "place_of_service")),
    (CLAIM + LINE.replace("UN*1", "UN*0"), ("C", "units_not_positive")),
    (CLAIM + LINE.replace("UN*1", "UN*-1"), ("C", "units_not_positive")),
    (CLAIM + LINE.replace("UN*1", "UN*"), ("C", "units_missing")),
    (CLAIM + LINE.replace("20240110", "20240202"), ("C", "service_date_future")),
    (CLAIM + LINE.replace("20240110", "19691231"), ("C", "service_before_birth")),
]


@pytest.mark.parametrize(("claim", "finding"), BAD)
def test_a_professional_claim_that_breaks_one_edit_has_one_finding(claim, finding):
    assert codes(claim) == [finding]


def test_a_professional_line_without_a_date_is_found_on_the_line():
    undated = LINE.replace("DTP*472*D8*20240110~", "")
    assert codes(CLAIM + undated) == [("C", "service_date_missing")]
    half = CLAIM.replace("*100*", "*200*") + LINE + undated.replace("LX*1", "LX*2")
    assert codes(half) == [("C", "service_date_missing")]


def test_a_replacement_with_the_payers_number_passes_and_an_original_may_have_one():
    assert codes(CLAIM.replace("11:B:1", "11:B:7") + "REF*F8*ICN~" + LINE) == []
    assert codes(CLAIM + "REF*F8*ICN~" + LINE) == []


def test_more_than_twelve_diagnoses():
    many = "HI*ABK:J209*" + "*".join(["ABF:E119"] * 11) + "~"
    assert codes(CLAIM.replace("HI*ABK:J209*ABF:E119~", many) + LINE) == []
    assert codes(CLAIM.replace("HI*ABK:J209*ABF:E119~", many + "HI*ABF:I10~") + LINE) == [("C", "diagnosis_count")]


def test_more_than_fifty_lines():
    lines = "".join(LINE.replace("LX*1", f"LX*{n}").replace("*100*", "*2*") for n in range(1, 52))
    assert codes(CLAIM.replace("*100*", "*102*") + lines) == [("C", "line_count")]


def test_a_negative_charge_is_stored_and_not_clean():
    assert set(codes(CLAIM.replace("*100*", "*-100*") + LINE.replace("*100*", "*-100*"))) == {("C", "charge_negative")}


def test_an_institutional_claim_asks_for_revenue_codes_and_a_bill_type():
    assert codes(INPATIENT.replace("0450", "450"), guide=INSTITUTIONAL) == [("C", "revenue_code")]
    assert codes(INPATIENT.replace("11:A:1", "1:A:1"), guide=INSTITUTIONAL) == [("C", "place_of_service")]
    assert codes(INPATIENT.replace("11:A:1", "11:A:4"), guide=INSTITUTIONAL) == []
    assert codes(INPATIENT + "DTP*472*D8*20240110~", guide=INSTITUTIONAL) == []


def test_discharge_before_admission():
    claim = INPATIENT.replace("DTP*435*D8*20240101", "DTP*435*D8*20240105~DTP*096*D8*20240104")
    assert codes(claim, guide=INSTITUTIONAL) == [("C", "discharge_order")]


def test_a_predetermination_needs_no_date():
    dental = "CLM*D1*80***11:B:1*Y*A*Y*Y**********PB~LX*1~SV3*AD:D2150*80~"
    assert codes(dental, guide=DENTAL) == []
    assert codes(dental.replace("**********PB", ""), guide=DENTAL) == [("C", "service_date_missing")]


def test_a_claim_without_payer_or_subscriber_name():
    assert codes(CLAIM + LINE, above=BILLING + "HL*2*1*22*0~SBR*P*18~NM1*IL*1*DOE~") == [("C", "payer_missing")]
    assert codes(CLAIM + LINE, above=BILLING + "HL*2*1*22*0~SBR*P*18~NM1*PR*2*ACME~") == [("C", "subscriber_missing")]


def test_a_claim_without_billing_provider():
    above = BILLING.replace("NM1*85*2*NORTH CLINIC*****XX*1234567893", "NM1*99*2*X") + SUBSCRIBER
    assert codes(CLAIM + LINE, above=above) == [("C", "provider_missing")]


def test_a_prior_payers_line_must_come_to_the_charge():
    other = "SBR*S*18~NM1*IL*1*DOE~NM1*PR*2*MEDICARE*****PI*1~"
    good = LINE + "SVD*1*70*HC:99213**1~CAS*CO*45*20**253*5~CAS*PR*2*5~"
    assert codes(CLAIM + other + good) == []
    assert codes(CLAIM + other + good.replace("*253*5", "*253*5.01")) == [("C", "coordination_sum")]


def test_a_service_that_passed_is_looked_at_again_where_it_means_something_else():
    second = LINE.replace("***1~", "***2~")
    fewer = CLAIM.replace("*ABF:E119", "")
    assert codes(CLAIM + second) == []
    assert codes(fewer + second) == [("C", "pointer_unknown")]
    assert codes(CLAIM + second) == []
    assert codes(CLAIM.replace("*100*", "*99*") + second) == [("C", "charge_sum")]


def test_the_second_of_two_equal_control_numbers_gets_a_note():
    claims = parsed(read(BILLING, SUBSCRIBER, CLAIM, LINE, CLAIM, LINE, CLAIM.replace("PCN1", "PCN2"), LINE))
    (note,) = repeated_control_numbers(claims)
    assert (note.level, note.code, note.claim_offset) == ("W", "control_number_twice", claims[1].byte_offset)


def test_codes_fit_their_column_and_sentences_say_no_value_of_a_person():
    found = [f for claim, _ in BAD for f in check_claim(read_claim(claim), TODAY)]
    assert max(len(f.code) for f in found) <= 20
    assert not any(name in f.message for f in found for name in ("DOE", "ANN", "PCN1", "W1", "1970"))
