import subprocess
import sys

import pytest

from marb.edi.findings import Finding, Quarantined
from marb.edi.x12 import Excerpt, Separators, Span
from remits.edi835 import Adjustment, Payment, ProviderAdjustment, Remittance, Result, parse_payments
from remits.tests.x12 import CLAIM, GS, HEADING, ISA, cut, whole, wrap


def parse(*sets: str, **envelope: str) -> list[Result]:
    return list(parse_payments(whole(wrap(*sets, **envelope))))


def only(kind: type, results: list[Result]) -> list:
    return [result for result in results if isinstance(result, kind)]


def claim_of(body: str) -> Remittance:
    """Read one claim payment with the given segments after its CLP."""
    return only(Remittance, parse(f"{HEADING}CLP*PCN1*1*100*80~{body}"))[0]


def test_the_heading_becomes_a_payment():
    payment = only(Payment, parse(HEADING))[0]
    assert (payment.payment_cents, payment.handling_code, payment.credit_debit_code) == (8000, "I", "C")
    assert (payment.method_code, payment.payment_date, payment.production_date) == ("ACH", "2025-01-10", "2025-01-09")
    assert (payment.trace_number, payment.originator_code) == ("TRACE1", "1512345678")
    assert (payment.payer_code, payment.payer_name) == ("H0001", "HARBOR HEALTH")
    assert (payment.payee_npi, payment.payee_name, payment.payee_tax_number) == (
        "1234567893",
        "ELM CLINIC",
        "123456789",
    )
    assert payment.guide == "005010X221A1"
    assert payment.byte_offset == wrap(HEADING).index(b"ST*")
    assert payment.detail["payer_address"] == {
        "lines": ["1 MAIN ST"],
        "city": "BOSTON",
        "state": "MA",
        "postal_code": "02110",
    }
    assert payment.detail["contacts"][0]["numbers"] == [{"qualifier": "TE", "value": "8005550100"}]


def test_bank_accounts_stay_in_the_file():
    assert "222" not in str(only(Payment, parse(HEADING))[0].detail)


def test_without_an_identifier_in_n1_the_payer_code_is_its_ref_2u():
    payment = only(Payment, parse("BPR*I*0*C*NON~TRN*1*1*1~N1*PR*HARBOR~REF*2U*P1~LX*1~"))[0]
    assert payment.payer_code == "P1"


def test_every_set_has_its_own_payer():
    payments = only(Payment, parse(HEADING + CLAIM, HEADING.replace("HARBOR", "LAKE").replace("H0001", "L2") + CLAIM))
    assert [payment.payer_code for payment in payments] == ["H0001", "L2"]


def test_a_second_payer_in_one_heading_is_noted_and_the_first_stands():
    results = parse(HEADING.replace("LX*1~", "N1*PR*OTHER*XV*O1~REF*2U*O2~LX*1~"))
    assert only(Payment, results)[0].payer_name == "HARBOR HEALTH"
    assert [(finding.level, finding.code_set, finding.code) for finding in only(Finding, results)] == [
        ("W", "IK304", "5")
    ]


def test_a_claim_payment_has_its_amounts_dates_patient_and_line():
    remittance = only(Remittance, parse(HEADING + CLAIM))[0]
    assert (remittance.patient_control_number, remittance.claim_status_code) == ("PCN1", "1")
    assert (remittance.charge_cents, remittance.paid_cents, remittance.patient_responsibility_cents) == (
        10000,
        8000,
        500,
    )
    assert (remittance.payer_claim_control_number, remittance.filing_indicator_code) == ("ICN1", "12")
    assert (remittance.facility_type_code, remittance.frequency_code) == ("11", "1")
    assert (remittance.patient_last_name, remittance.patient_first_name, remittance.member_id) == ("DOE", "JANE", "M1")
    line = remittance.lines[0]
    assert (line.procedure_qualifier, line.procedure_code, line.modifiers) == ("HC", "99213", ["25"])
    assert (line.charge_cents, line.paid_cents, line.coverage_cents, line.unit_count) == (10000, 8000, 8500, "1")
    assert (line.service_from_date, line.line_control_number, line.remark_codes) == ("2025-01-02", "1", ["N130"])
    assert line.adjustments == [Adjustment("CO", "45", 1500, None), Adjustment("PR", "1", 500, None)]
    assert remittance.adjustments == []


def test_the_extent_of_a_claim_payment_ends_before_the_next_segment():
    data = wrap(HEADING + CLAIM + CLAIM).replace(b"~CLP", b"~\r\n  CLP").replace(b"~SE", b"~\nSE")
    first, second = only(Remittance, list(parse_payments(whole(data))))
    assert data[first.place.byte_offset : first.byte_end] == CLAIM.encode()
    assert data[second.place.byte_offset : second.byte_end] == CLAIM.encode()


def test_six_adjustments_of_one_segment_are_all_read():
    remittance = claim_of("CAS*CO*1*1.01*1*2*2.02**3*3.03**4*4.04**5*5.05**6*6.06*2~")
    assert [each.cents for each in remittance.adjustments] == [101, 202, 303, 404, 505, 606]
    assert [each.quantity for each in remittance.adjustments] == ["1", None, None, None, None, "2"]
    assert {each.group_code for each in remittance.adjustments} == {"CO"}


def test_repeated_adjustment_segments_add_up():
    assert len(claim_of("CAS*CO*45*1~CAS*CO*45*2~CAS*OA*23*3~").adjustments) == 3


def test_a_seventh_adjustment_is_read_and_noted():
    results = parse(HEADING + "CLP*PCN1*1*100*80~CAS*CO" + "*45*1*" * 7 + "~")
    assert len(only(Remittance, results)[0].adjustments) == 7
    assert only(Finding, results)[0].code == "3"


def test_adjustments_of_a_line_stay_with_the_line():
    remittance = claim_of("CAS*OA*23*5~SVC*HC:99213*50*40~CAS*CO*45*10~SVC*HC:99214*50*50~")
    assert [each.carc for each in remittance.adjustments] == ["23"]
    assert [[each.carc for each in line.adjustments] for line in remittance.lines] == [["45"], []]


def test_values_do_not_pass_from_one_line_to_the_next():
    lines = claim_of(
        "SVC*HC:99213:25*60*40*0450*1**2~DTM*472*20250102~REF*6R*7~AMT*B6*50~LQ*HE*N1~SVC*HC:99214*40*40~"
    ).lines
    last = lines[1]
    assert (last.modifiers, last.revenue_code, last.unit_count, last.submitted_unit_count) == ([], "", None, None)
    assert (last.service_from_date, last.line_control_number, last.remark_codes) == (None, "", [])
    assert (last.coverage_cents, last.detail) == (None, {})


def test_values_do_not_pass_from_one_claim_payment_to_the_next():
    first, second = only(Remittance, parse(HEADING + CLAIM + "CLP*PCN2*1*10*10~"))
    assert first.lines
    assert (second.lines, second.adjustments, second.parties, second.member_id) == ([], [], [], "")
    assert (second.service_from_date, second.remark_codes) == (None, [])


def test_a_procedure_recoded_by_the_payer_keeps_what_was_billed():
    line = claim_of("SVC*HC:99213*100*80**1*HC:99214:25:::::LONG VISIT*2~").lines[0]
    assert (line.procedure_code, line.submitted_procedure_code) == ("99213", "99214")
    assert (line.unit_count, line.submitted_unit_count) == ("1", "2")
    assert line.detail["submitted_procedure"][2] == "25"


def test_a_revenue_code_line_is_known_by_its_revenue_code():
    line = claim_of("SVC*NU:0450*100*80~").lines[0]
    assert (line.procedure_qualifier, line.revenue_code) == ("NU", "0450")


def test_a_procedure_description_with_four_modifiers_is_kept():
    line = claim_of("SVC*HC:99213:25:59:LT:QW:OFFICE VISIT*100*80~").lines[0]
    assert line.modifiers == ["25", "59", "LT", "QW"]
    assert line.detail["procedure"][-1] == "OFFICE VISIT"


def test_line_dates_may_be_a_range_of_two_segments_or_one():
    two = claim_of("SVC*HC:99213*100*80~DTM*150*20250101~DTM*151*20250104~").lines[0]
    one = claim_of("SVC*HC:99213*100*80~DTM*472****RD8*20250101-20250104~").lines[0]
    assert (two.service_from_date, two.service_to_date) == ("2025-01-01", "2025-01-04")
    assert (one.service_from_date, one.service_to_date) == ("2025-01-01", "2025-01-04")


def test_a_claim_without_dates_has_the_first_and_last_of_its_lines():
    remittance = claim_of("SVC*HC:99213*50*40~DTM*472*20250105~SVC*HC:99214*50*40~DTM*472*20250102~")
    assert (remittance.service_from_date, remittance.service_to_date) == ("2025-01-02", "2025-01-05")


def test_claim_dates_of_their_own_stand():
    remittance = claim_of(
        "DTM*232*20250101~DTM*233*20250103~DTM*050*20250120~DTM*036*20251231~SVC*HC:1*1*1~DTM*472*20250102~"
    )
    assert (remittance.service_from_date, remittance.service_to_date) == ("2025-01-01", "2025-01-03")
    assert remittance.received_date == "2025-01-20"
    assert remittance.detail["dates"] == [{"qualifier": "036", "value": "20251231"}]


def test_without_clp05_the_patients_share_is_what_pr_adjustments_say():
    remittance = claim_of("CAS*PR*1*3~SVC*HC:99213*100*80~CAS*PR*2*4.50*1*3*2~CAS*CO*45*9~")
    assert remittance.patient_responsibility_cents == 950


def test_every_name_is_kept_and_those_with_columns_fill_them():
    remittance = claim_of(
        "NM1*QC*1*DOE*JANE~NM1*IL*1*DOE*JOHN****MI*M9~NM1*74*1*DOW*JANE~NM1*82*1*SMITH*ANN****XX*1234567893~"
        "NM1*TT*2*NEXT PAYER*****PI*N1~NM1*PR*2*OTHER*****PI*O1~NM1*GB*1*ROE*RICK~"
    )
    assert [party["role"] for party in remittance.parties] == ["QC", "IL", "74", "82", "TT", "PR", "GB"]
    assert (remittance.patient_last_name, remittance.member_id) == ("DOE", "M9")
    assert remittance.crossover_payer_name == "NEXT PAYER"
    assert remittance.rendering is not None
    assert remittance.rendering["npi"] == "1234567893"
    assert remittance.parties[1]["id_code"] == "M9"


def test_the_patients_own_member_id_goes_before_the_subscribers():
    assert claim_of("NM1*QC*1*DOE*JANE****MI*M1~NM1*IL*1*DOE*JOHN****MI*M9~").member_id == "M1"


def test_short_names_and_contacts_are_read():
    remittance = claim_of("NM1*QC~PER*CX~MOA~REF*EA~AMT*AU~")
    assert remittance.parties == [{"role": "QC"}]
    assert remittance.detail["contacts"] == [{"function": "CX", "name": "", "numbers": []}]


def test_inpatient_and_outpatient_adjudication_keep_amounts_and_remarks():
    remittance = claim_of("MIA*5***138.5*MA01***************N1~MOA*.5*10*MA130*N211~")
    assert remittance.remark_codes == ["MA01", "N1", "MA130", "N211"]
    assert remittance.detail["mia"] == {"covered_days": "5", "drg_amount": "138.5"}
    assert remittance.detail["moa"] == {"reimbursement_rate": ".5", "hcpcs_payable_amount": "10"}


def test_amounts_quantities_and_references_of_both_levels_are_kept():
    remittance = claim_of("AMT*AU*90~QTY*CA*3~REF*EA*X1~SVC*HC:1*1*1~AMT*T*2~QTY*ZK*1~REF*LU*11~REF*0K*P9~LQ*RX*75~")
    assert remittance.detail["amounts"] == [{"qualifier": "AU", "amount": "90"}]
    assert remittance.detail["quantities"] == [{"qualifier": "CA", "quantity": "3"}]
    assert remittance.detail["references"] == [{"qualifier": "EA", "value": "X1"}]
    line = remittance.lines[0]
    assert [each["qualifier"] for each in line.detail["references"]] == ["LU", "0K"]
    assert line.detail["remark_qualifiers"] == {"75": "RX"}


def test_a_drg_and_its_weight_are_kept():
    remittance = only(Remittance, parse(HEADING + "CLP*P*1*100*80*0*MA*ICN*11*1*02*470*1.5*.9~"))[0]
    assert remittance.drg_code == "470"
    assert (remittance.detail["drg_weight"], remittance.detail["patient_status_code"]) == ("1.5", "02")


def test_a_provider_summary_goes_with_the_claim_payments_of_its_header():
    body = HEADING.replace("LX*1~", "LX*110212~TS3*1234567893*11*20251231*2*300~TS2*9~") + CLAIM + "LX*2~" + CLAIM
    first, second = only(Remittance, parse(body))
    assert first.detail["header"]["ts3"][3] == "2"
    assert second.detail["header"] == {"number": "2"}


def test_plb_amounts_keep_their_sign():
    results = parse(HEADING + CLAIM + "PLB*1234567893*20251231*WO:REF 1*12.5*L6*-3~PLB*1234567893*20251231*FB*-7~")
    assert [(each.reason_code, each.reference_number, each.cents) for each in only(ProviderAdjustment, results)] == [
        ("WO", "REF 1", 1250),
        ("L6", "", -300),
        ("FB", "", -700),
    ]
    assert [each.seq for each in only(ProviderAdjustment, results)] == [1, 2, 1]


def test_a_plb_amount_that_is_no_number_is_noted_and_the_others_stand():
    results = parse(HEADING + CLAIM + "PLB*1*20251231*WO*X*CS*5~")
    assert [each.reason_code for each in only(ProviderAdjustment, results)] == ["CS"]
    finding = only(Finding, results)[0]
    assert (finding.level, finding.code, finding.element, finding.place.segment_id) == ("T", "6", 4, "PLB")


def test_a_reversal_keeps_its_negative_amounts():
    remittance = only(
        Remittance, parse(HEADING + "CLP*PCN1*22*-100*-80**12*ICN1~CAS*CO*45*-20~SVC*HC:99213*-100*-80~")
    )[0]
    assert (remittance.charge_cents, remittance.paid_cents) == (-10000, -8000)
    assert remittance.adjustments[0].cents == -2000


def test_4010_with_its_corrections_group_is_read():
    gs = GS.replace("005010X221A1", "004010X091A1")
    results = parse(HEADING + "CLP*PCN1*22*-100*-80*~CAS*CR*45*-20~", gs=gs)
    assert only(Payment, results)[0].is_4010
    assert only(Remittance, results)[0].adjustments[0].group_code == "CR"
    assert only(Finding, results) == []


def test_unknown_codes_are_kept_and_noted():
    results = parse(HEADING + "CLP*PCN1*99*100*100~CAS*CR*ABC*0~")
    remittance = only(Remittance, results)[0]
    assert (remittance.claim_status_code, remittance.adjustments[0].carc) == ("99", "ABC")
    assert [(f.level, f.code, f.place.segment_id, f.element) for f in only(Finding, results)] == [
        ("W", "7", "CLP", 2),
        ("W", "7", "CAS", 1),
        ("W", "7", "CAS", 2),
    ]
    assert remittance.finding_count == 3


QUARANTINED = {
    "CLP*P*1*X*80~": ("6", "CLP", 3),
    "CLP*P*1**80~": ("1", "CLP", 3),
    "CLP*P*1*100*1E2~": ("6", "CLP", 4),
    "CLP*P*1*100*80.005~": ("I12", "CLP", 4),
    "CLP*P*1*100*99999999999~": ("5", "CLP", 4),
    "CLP*P*1*100*80*NaN~": ("6", "CLP", 5),
    f"CLP*{'P' * 61}*1*100*80~": ("5", "CLP", 1),
    "CLP*P*123*100*80~": ("5", "CLP", 2),
    "CLP*P*1*100*80~CAS*CO*45*1,000~": ("6", "CAS", 3),
    "CLP*P*1*100*80~CAS*CO*45*1*X~": ("6", "CAS", 4),
    "CLP*P*1*100*80~CAS*CO*45~": ("1", "CAS", 3),
    "CLP*P*1*100*80~CAS*COX*45*1~": ("5", "CAS", 1),
    "CLP*P*1*100*80~CAS*CO*123456*1~": ("5", "CAS", 2),
    "CLP*P*1*100*80~DTM*232*20250230~": ("8", "DTM", 2),
    "CLP*P*1*100*80~SVC*HC:99213*$5*80~": ("6", "SVC", 2),
    "CLP*P*1*100*80~SVC*HC:99213*100~": ("1", "SVC", 3),
    "CLP*P*1*100*80~SVC*HC:99213*100*80**many~": ("6", "SVC", 5),
    "CLP*P*1*100*80~SVC*HC:99213*100*80~DTM*472*2025~": ("8", "DTM", 2),
    "CLP*P*1*100*80~NM1*QC*1*DO\x00E~": ("6", "NM1", 0),
    "CLP*P*1*100*80~NM1*QC*1*DO\x1bE~": ("6", "NM1", 0),
    "CLP*P*1*100*80~NM1*QC*1*DO\u202eE~": ("6", "NM1", 0),
}


@pytest.mark.parametrize(("claim", "expected"), QUARANTINED.items())
def test_what_cannot_become_rows_is_quarantined_and_the_rest_goes_on(claim: str, expected: tuple[str, str, int]):
    results = parse(HEADING + claim + CLAIM)
    found = only(Quarantined, results)[0]
    assert len(only(Remittance, results)) == 1
    data = wrap(HEADING + claim + CLAIM)
    assert data[found.byte_from : found.byte_to] == claim.encode()
    finding = only(Finding, results)[0]
    assert (finding.level, finding.code_set) == ("C", "IK403")
    assert (finding.code, finding.place.segment_id, finding.element) == expected
    assert finding.claim_offset == found.byte_from
    assert (finding.place.interchange_control, finding.place.set_control) == ("000000001", "0001")


def test_a_quarantined_claim_payment_says_what_of_it_can_be_read():
    found = only(Quarantined, parse(HEADING + "CLP*PCN7*1*100*X~"))[0]
    assert (found.control_number, found.charge_cents, found.set_control) == ("PCN7", 10000, "0001")
    assert found.segment_position == HEADING.count("~") + 2


def test_all_faults_of_a_claim_payment_are_found():
    results = parse(HEADING + "CLP*P*1*X*80~CAS*CO*45*Y~SVC*HC:1*Z*1~DTM*472*1~")
    assert [finding.place.segment_id for finding in only(Finding, results)] == ["CLP", "CAS", "SVC", "DTM"]
    assert len(only(Quarantined, results)) == 1


def test_without_a_control_number_a_claim_payment_is_stored_with_a_finding():
    results = parse(HEADING + "CLP**1*100*100~")
    assert only(Remittance, results)[0].patient_control_number == ""
    assert [(finding.level, finding.code) for finding in only(Finding, results)] == [("C", "1")]


def test_a_code_too_long_for_its_column_is_kept_beside():
    results = parse(HEADING + "CLP*P*1*100*100*0*LONG*" + "I" * 81 + "*12345~")
    remittance = only(Remittance, results)[0]
    assert (remittance.filing_indicator_code, remittance.payer_claim_control_number) == ("", "")
    assert remittance.detail["oversize"] == {"CLP06": "LONG", "CLP07": "I" * 81, "CLP08": "12345"}
    assert [finding.code for finding in only(Finding, results)] == ["5", "5", "5"]


def test_a_segment_nobody_knows_is_kept_with_its_claim_payment_and_noted():
    results = parse(HEADING + "CLP*P*1*100*100~ZZZ*A*B~")
    assert only(Remittance, results)[0].detail["other_segments"] == ["ZZZ*A*B"]
    assert only(Finding, results)[0].code_set == "IK304"


@pytest.mark.parametrize("heading", ["TRN*1*T*1~N1*PR*A~", "BPR*I*X*C*CHK~TRN*1*T*1~N1*PR*A~", ""])
def test_under_a_payment_without_an_amount_every_claim_payment_is_quarantined(heading: str):
    results = parse(heading + CLAIM + CLAIM, HEADING + CLAIM)
    assert (len(only(Payment, results)), len(only(Quarantined, results)), len(only(Remittance, results))) == (1, 2, 1)
    assert {finding.claim_offset for finding in only(Finding, results)} >= {
        q.byte_from for q in only(Quarantined, results)
    }


def test_a_claim_payment_outside_of_every_set_is_quarantined():
    data = wrap(HEADING + CLAIM).replace(b"GE*1", CLAIM.encode() + b"GE*1")
    results = list(parse_payments(whole(data)))
    assert (len(only(Remittance, results)), len(only(Quarantined, results))) == (1, 1)


@pytest.mark.parametrize(("name", "words"), [("TRN", "trace"), ("N1*PR", "payer")])
def test_a_heading_without_trace_number_or_payer_is_stored_with_a_finding(name: str, words: str):
    heading = "".join(f"{each}~" for each in HEADING.split("~")[:-1] if not each.startswith(name))
    results = parse(heading + CLAIM)
    assert len(only(Payment, results)) == len(only(Remittance, results)) == 1
    assert [(finding.level, finding.code) for finding in only(Finding, results)] == [("T", "3")]
    assert words in only(Finding, results)[0].message


def test_a_payment_date_that_does_not_exist_is_left_empty_and_noted():
    results = parse(HEADING.replace("20250110", "20251310"))
    assert only(Payment, results)[0].payment_date is None
    assert [(finding.level, finding.code, finding.element) for finding in only(Finding, results)] == [("W", "8", 16)]


def test_a_missing_payment_date_is_noted():
    results = parse("BPR*I*80*C*CHK~TRN*1*T*1~N1*PR*A~" + CLAIM)
    assert only(Payment, results)[0].payment_date is None
    assert [(finding.level, finding.code, finding.element) for finding in only(Finding, results)] == [("W", "1", 16)]


def test_a_procedure_without_its_component_separator_is_kept_and_noted():
    results = parse(HEADING + "CLP*P*1*100*80~SVC*HC>99213*100*80~")
    line = only(Remittance, results)[0].lines[0]
    assert (line.procedure_code, line.detail["procedure"]) == ("", ["HC>99213"])
    assert [(finding.level, finding.code) for finding in only(Finding, results)] == [("W", "1")]


def test_a_plb_reason_of_another_form_is_kept_and_noted():
    results = parse(HEADING + CLAIM + "PLB*1*20251231*CVCP*5~")
    assert only(ProviderAdjustment, results)[0].reason_code == "CVCP"
    assert [(finding.level, finding.code, finding.element) for finding in only(Finding, results)] == [("W", "7", 3)]


def test_a_negative_or_foreign_payment_is_stored_with_a_finding():
    results = parse(HEADING.replace("BPR*I*80", "BPR*I*-80").replace("TRN*", "CUR*PR*CAD~TRN*"))
    assert only(Payment, results)[0].payment_cents == -8000
    assert [finding.code for finding in only(Finding, results)] == ["payment_negative", "payment_currency"]


def test_control_characters_in_a_heading_are_taken_out_and_noted():
    results = parse(HEADING.replace("HARBOR", "HAR\x00BOR") + CLAIM)
    assert only(Payment, results)[0].payer_name == "HARBOR HEALTH"
    assert (len(only(Remittance, results)), only(Finding, results)[0].level) == (1, "W")


def test_other_separators_are_taken_as_they_come():
    data = wrap(HEADING + CLAIM).decode().replace("*", "|").replace(":", ">").replace("~", "\n").encode()
    remittance = only(Remittance, list(parse_payments(whole(data))))[0]
    assert remittance.lines[0].modifiers == ["25"]


def test_separators_that_are_control_characters_are_no_fault():
    data = wrap(HEADING + CLAIM).replace(b"*", b"\x1d").replace(b":", b"\x1f").replace(b"~", b"\x1c")
    excerpt = Excerpt(Separators("\x1d", "\x1f", "^", "\x1c"), [], Span(0, 0, data), "")
    results = list(parse_payments(excerpt))
    assert len(only(Remittance, results)) == 1
    assert only(Finding, results) == []


def test_a_heading_cut_off_in_the_context_is_the_same_payment():
    data = wrap(HEADING + CLAIM * 3)
    whole_payment = only(Payment, list(parse_payments(whole(data))))
    for piece in cut(data, 1):
        assert only(Payment, list(parse_payments(piece))) == whole_payment


def test_findings_of_a_heading_come_with_the_piece_that_has_it():
    data = wrap(HEADING.replace("TRN*1*TRACE1*1512345678~", "") + CLAIM * 3)
    assert [len(only(Finding, list(parse_payments(piece)))) for piece in cut(data, 1)] == [1, 0, 0]


def test_a_message_never_repeats_a_value():
    results = parse(HEADING + "CLP*SECRET1*SECRET2*SECRET3*1~CAS*SECRET4*1*2~DTM*232*SECRET5~ZZZ*SECRET6~")
    assert only(Finding, results)
    assert all("SECRET" not in finding.message for finding in only(Finding, results))


def test_the_reader_and_the_balance_import_no_django():
    code = (
        "import sys, remits.edi835, remits.balance;"
        "sys.exit(any(m.split('.')[0] in ('django', 'psycopg', 'logging') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_interchange_header_of_these_tests_is_padded():
    assert len(ISA) == 106
