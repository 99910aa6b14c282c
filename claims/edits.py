"""Claim edits: what a payer would refuse a claim for, found before it is sent to work.

Each edit is a function of a ParsedClaim and today's date (ISO text) that answers the findings it has, mostly none. A
finding of level C makes the claim not clean: it is stored, and staff must work on it. Level W is a note. Codes are of
the house's list (code set EDIT) and stable; sentences name lines by number and say no identifier of a person.
What makes a claim unreadable is found earlier, by claims.edi837.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from claims.codes import (
    BILL_FACILITY,
    FREQUENCIES,
    MODIFIER,
    PLACES,
    REPLACES,
    REVENUE,
    is_diagnosis,
    is_npi,
    is_procedure,
)
from claims.edi837.guides import INSTITUTIONAL, PREDETERMINATION, PROFESSIONAL
from claims.edi837.records import Document, ParsedClaim, ParsedLine
from marb.edi.findings import CLAIM, EDIT, WARNING, Finding
from marb.edi.values import dollars, parse_cents

MOST_LINES = {"P": 50, "I": 999, "D": 50}
MOST_DIAGNOSES = 12
CONTROL_NUMBER_KEPT, CONTROL_NUMBER_LENGTH = 20, 38
NOTHING: tuple[Finding, ...] = ()
Findings = Sequence[Finding]


def check_claim(claim: ParsedClaim, today: str) -> Findings:
    """Run every edit over a claim. `today` is ISO text. Answers an empty sequence for a claim that passes."""
    faultless = FAULTLESS[claim.claim_type, len(claim.diagnosis_codes)]
    services = [line.service_key for line in claim.lines]
    is_known = faultless.issuperset(services)
    found: list[Finding] = []
    for edit in CLAIM_EDITS if is_known else EDITS:
        if findings := edit(claim, today):
            found += findings
    if not is_known and not found:
        remember(faultless, services)
    return found or NOTHING


# services that passed, by all that their edits look at beside them: the claim's type and how many diagnoses it has
FAULTLESS: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
MOST_REMEMBERED = 50_000


def remember(faultless: set[str], services: list[str]) -> None:
    """Keep the services of a claim that passed every edit: no edit of a service need look at them again."""
    if len(faultless) > MOST_REMEMBERED:
        faultless.clear()
    faultless.update(services)


def on_claim(
    claim: ParsedClaim, code: str, message: str, element: int = 0, *, level: str = CLAIM, segment_id: str = "CLM"
) -> tuple[Finding]:
    """Make a finding at the CLM. `segment_id` says which segment of the claim it is about."""
    place = claim.place()._replace(segment_id=segment_id)
    return (Finding(level, EDIT, code, message, place, "2300", element, 0, claim.byte_offset),)


def on_line(claim: ParsedClaim, line: ParsedLine, code: str, message: str, element: int = 0) -> Finding:
    place = claim.heading.place(line.byte_offset, line.segment_position, line.service_id)
    sentence = f"Line {line.line_number}: {message}"
    return Finding(CLAIM, EDIT, code, sentence, place, "2400", element, 0, claim.byte_offset)


def check_charge(claim: ParsedClaim, today: str) -> Findings:
    """CLM02 is the sum of the lines' charges; the claim's charge is more than nothing where it asks to be paid."""
    total = 0
    for line in claim.lines:
        total += line.charge_cents
    if total != claim.charge_cents and claim.lines:
        both = f"The claim's charge is {dollars(claim.charge_cents)}, its lines come to {dollars(total)}."
        return on_claim(claim, "charge_sum", both, 2)
    if claim.charge_cents < 0:
        return on_claim(claim, "charge_negative", "The claim's charge is negative.", 2)
    if not claim.charge_cents and claim.heading.purpose_code == "CH":
        return on_claim(claim, "charge_not_positive", "The claim asks for payment and its charge is zero.", 2)
    return NOTHING


def check_lines(claim: ParsedClaim, today: str) -> Findings:
    if not claim.lines:
        return on_claim(claim, "line_missing", "The claim has no service line.")
    if claim.line_count > MOST_LINES[claim.claim_type]:
        most = MOST_LINES[claim.claim_type]
        return on_claim(claim, "line_count", f"The claim has {claim.line_count} lines; at most {most} are allowed.")
    return NOTHING


def check_control_number(claim: ParsedClaim, today: str) -> Findings:
    length = len(claim.patient_control_number)
    if length <= CONTROL_NUMBER_KEPT:
        return NOTHING
    if length > CONTROL_NUMBER_LENGTH:
        return on_claim(claim, "control_number_long", "The control number (CLM01) has more than 38 characters.", 1)
    message = "The control number (CLM01) has more than 20 characters; some payers will cut it."
    return on_claim(claim, "control_number_cut", message, 1, level=WARNING)


def check_frequency(claim: ParsedClaim, today: str) -> Findings:
    """CLM05-3 is of the claim type's list; a replacement or void names the payer's number of the claim (REF F8)."""
    code = claim.frequency_code
    if code not in FREQUENCIES[claim.claim_type]:
        message = "The frequency code (CLM05-3) is missing." if not code else "The frequency code is not a known one."
        return on_claim(claim, "frequency_code", message, 5)
    if code in REPLACES and not claim.payer_claim_control_number:
        message = "A replacement or void must carry the payer's claim control number (REF F8)."
        return on_claim(claim, "payer_number_missing", message, 2, segment_id="REF")
    return NOTHING


def check_parties(claim: ParsedClaim, today: str) -> Findings:
    """The claim names its billing provider, its payer and its subscriber."""
    if not claim.billing_provider.code and not claim.billing_provider.name:
        message = "The claim names no billing provider (2010AA NM1 85)."
        return on_claim(claim, "provider_missing", message, segment_id="NM1")
    if not claim.payer.code and not claim.payer.name:
        return on_claim(claim, "payer_missing", "The claim names no payer (2010BB NM1 PR).", segment_id="NM1")
    if not claim.subscriber_last_name and not claim.subscriber_member_id:
        return on_claim(claim, "subscriber_missing", "The claim names no subscriber (2010BA NM1 IL).", segment_id="NM1")
    return NOTHING


def check_npis(claim: ParsedClaim, today: str) -> Findings:
    """Every NPI given (NM108 XX) has ten digits and the right check digit."""
    found: list[Finding] = []
    for party in claim.providers:
        if "npi" in party and not is_npi(party["npi"]):
            found += bad_npi(claim, party)
    for line in claim.lines:
        for party in line.detail.get("providers", ()) if line.detail else ():
            if "npi" in party and not is_npi(party["npi"]):
                found += bad_npi(claim, party, f"Line {line.line_number}: ")
    return found


def bad_npi(claim: ParsedClaim, party: Document, where: str = "") -> Findings:
    role = ROLE_NAMES.get(party.get("role", ""), "provider")
    message = f"{where}The NPI of the {role} is not valid: ten digits with a check digit are asked for."
    return tuple(f._replace(loop=party["loop"]) for f in on_claim(claim, "npi", message, 9, segment_id="NM1"))


ROLE_NAMES = {
    "85": "billing provider",
    "87": "pay-to provider",
    "82": "rendering provider",
    "71": "attending provider",
    "72": "operating physician",
    "ZZ": "other operating physician",
    "DN": "referring provider",
    "P3": "primary care provider",
    "DK": "ordering provider",
    "DQ": "supervising provider",
    "77": "service facility",
    "QB": "purchased service provider",
    "DD": "assistant surgeon",
}


def check_diagnoses(claim: ParsedClaim, today: str) -> Findings:
    """Codes of HI have the shape of their code set; a professional claim has at most twelve diagnoses."""
    found: list[Finding] = []
    for number, entry in enumerate(claim.diagnoses, 1):
        if not is_diagnosis(entry["qualifier"], entry["code"]):
            name = "procedure" if entry["qualifier"] in ("BBR", "BBQ", "BR", "BQ") else "diagnosis"
            message = f"Code {number} of the claim's codes (HI) is not shaped like a {name} code of its set."
            found += on_claim(claim, "diagnosis_code", message, segment_id="HI")
    if claim.claim_type == PROFESSIONAL and len(claim.diagnosis_codes) > MOST_DIAGNOSES:
        message = f"The claim has {len(claim.diagnosis_codes)} diagnoses; at most {MOST_DIAGNOSES} are allowed."
        found += on_claim(claim, "diagnosis_count", message, segment_id="HI")
    return found


def check_pointers(claim: ParsedClaim, today: str) -> Findings:
    """Pointers point to a diagnosis that the claim has; a professional line with diagnoses to choose from has one."""
    if claim.claim_type == INSTITUTIONAL:
        return NOTHING
    count = len(claim.diagnosis_codes)
    found: list[Finding] = []
    for line in claim.lines:
        pointers = line.diagnosis_pointers
        if pointers and (max(pointers) > count or min(pointers) < 1):
            found.append(on_line(claim, line, "pointer_unknown", "a pointer names a diagnosis the claim has not.", 7))
        elif count and not pointers and line.service_id == "SV1":
            found.append(on_line(claim, line, "pointer_missing", "no pointer to a diagnosis of the claim.", 7))
    return found


def check_procedures(claim: ParsedClaim, today: str) -> Findings:
    """Procedure, modifiers and revenue code have the shapes of their code sets."""
    found: list[Finding] = []
    institutional = claim.claim_type == INSTITUTIONAL
    for line in claim.lines:
        if line.procedure_code:
            if not is_procedure(line.procedure_qualifier, line.procedure_code):
                message = "the procedure code is not shaped like one of its set."
                found.append(on_line(claim, line, "procedure_code", message, 2 if institutional else 1))
        elif not institutional:
            found.append(on_line(claim, line, "procedure_missing", "no procedure code.", 1))
        for modifier in line.modifiers:
            if MODIFIER.fullmatch(modifier) is None:
                found.append(on_line(claim, line, "modifier", "a modifier is not two letters or digits.", 1))
        if institutional and REVENUE.fullmatch(line.revenue_code) is None:
            found.append(on_line(claim, line, "revenue_code", "the revenue code is not four digits.", 1))
    return found


def check_place(claim: ParsedClaim, today: str) -> Findings:
    """Place of service is of CMS's list (professional, dental); a type of bill has two digits (institutional)."""
    code = claim.place_of_service_code
    if claim.claim_type == INSTITUTIONAL:
        if BILL_FACILITY.fullmatch(code) is None:
            return on_claim(claim, "place_of_service", "The type of bill (CLM05-1) is not two digits.", 5)
        return NOTHING
    if code not in PLACES:
        return on_claim(claim, "place_of_service", "The place of service (CLM05-1) is not a known one.", 5)
    return NOTHING


def check_line_places(claim: ParsedClaim, today: str) -> Findings:
    if claim.claim_type == INSTITUTIONAL:
        return NOTHING
    found: list[Finding] = []
    for line in claim.lines:
        if line.place_of_service_code and line.place_of_service_code not in PLACES:
            found.append(on_line(claim, line, "place_of_service", "the place of service is not a known one.", 5))
    return found


def check_units(claim: ParsedClaim, today: str) -> Findings:
    found: list[Finding] = []
    for line in claim.lines:
        count = line.unit_count
        if count is None:
            if line.service_id != "SV3":
                found.append(on_line(claim, line, "units_missing", "no quantity of units.", 4))
        elif count == "0" or count[0] == "-":
            found.append(on_line(claim, line, "units_not_positive", "the quantity of units is not more than zero.", 4))
        if line.charge_cents < 0:
            found.append(on_line(claim, line, "charge_negative", "the charge is negative.", 2))
    return found


def check_dates(claim: ParsedClaim, today: str) -> Findings:
    """Service has a date, is not in the future, and not before birth; discharge is not before admission."""
    start, end, birth = claim.service_from_date, claim.service_to_date, claim.patient_birth_date
    if start is None or end is None:
        # a professional claim's dates are its lines', where a missing one is found
        if claim.claim_type == PROFESSIONAL or not claim.lines or is_predetermination(claim):
            return NOTHING
        return on_claim(claim, "service_date_missing", "The claim has no date of service.", segment_id="DTP")
    if end > today:
        return on_claim(claim, "service_date_future", "The date of service is in the future.", segment_id="DTP")
    if birth is not None and (birth > start or birth > today):
        message = "The patient's date of birth is after the date of service."
        return on_claim(claim, "service_before_birth", message, segment_id="DMG")
    if claim.admission_date and claim.discharge_date and claim.discharge_date < claim.admission_date:
        return on_claim(claim, "discharge_order", "The discharge is before the admission.", segment_id="DTP")
    return NOTHING


def is_predetermination(claim: ParsedClaim) -> bool:
    """Say whether the claim asks what would be paid for a service that is still to come (CLM19 PB for dental)."""
    return claim.guide[6:10] in PREDETERMINATION or claim.detail.get("submission_reason_code") == "PB"


def check_line_dates(claim: ParsedClaim, today: str) -> Findings:
    found: list[Finding] = []
    institutional = claim.claim_type == INSTITUTIONAL
    for line in claim.lines:
        if line.service_to_date is None:
            if claim.claim_type == PROFESSIONAL and not is_predetermination(claim):
                found.append(on_line(claim, line, "service_date_missing", "no date of service (DTP 472).", 3))
        elif institutional and line.service_to_date > today:
            found.append(on_line(claim, line, "service_date_future", "the date of service is in the future.", 3))
    return found


def check_coordination(claim: ParsedClaim, today: str) -> Findings:
    """A prior payer's payment and adjustments of a line come to its charge (2430: SVD02 + CAS = charge)."""
    if not claim.other_payers:
        return NOTHING
    found: list[Finding] = []
    for line in claim.lines:
        for adjudication in line.adjudications:
            paid = parse_cents(adjudication["paid_amount"])
            adjusted = sum(parse_cents(item["amount"]) for item in adjudication.get("adjustments", ()))
            if paid + adjusted != line.charge_cents and "bundled_line" not in adjudication:
                both = f"{dollars(paid)} paid and {dollars(adjusted)} adjusted by a prior payer do not come to"
                message = f"{both} the charge of {dollars(line.charge_cents)}."
                found.append(on_line(claim, line, "coordination_sum", message))
    return found


def repeated_control_numbers(claims: Iterable[ParsedClaim]) -> list[Finding]:
    """Note claims of one transaction set that share a control number; only their places tell them apart."""
    seen: set[tuple[str, str, str]] = set()
    found: list[Finding] = []
    for claim in claims:
        key = (claim.heading.interchange_control, claim.set_control, claim.patient_control_number)
        if key in seen:
            message = "The control number (CLM01) stands on an earlier claim of this transaction set too."
            found += on_claim(claim, "control_number_twice", message, 1, level=WARNING)
        seen.add(key)
    return found


EDITS: tuple[Callable[[ParsedClaim, str], Findings], ...] = (
    check_charge,
    check_lines,
    check_control_number,
    check_frequency,
    check_parties,
    check_npis,
    check_diagnoses,
    check_pointers,
    check_procedures,
    check_place,
    check_line_places,
    check_units,
    check_dates,
    check_line_dates,
    check_coordination,
)
# these look at nothing but what the services say, and at what FAULTLESS is kept by
SERVICE_EDITS = frozenset((check_pointers, check_procedures, check_line_places, check_units))
CLAIM_EDITS = tuple(edit for edit in EDITS if edit not in SERVICE_EDITS)
