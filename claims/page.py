"""What the page of one claim shows: amounts, people, payers, then the tables of claims.tables, findings and bytes.

Who may not see identifiers (marb.access.roles) gets them masked, and no raw segments.
"""

from typing import Any

from django.http import HttpRequest

from claims import sections, tables, words
from claims.models import Claim
from claims.words import word
from marb.access.masking import mask_birth_date, mask_member_id
from marb.access.roles import Action, may
from marb.core.pages import draw_sections
from marb.pipeline.pages import FindingRow, Raw, find_findings, read_raw

Fact = tuple[str, Any]


def claim_page(request: HttpRequest, claim: Claim) -> dict[str, Any]:
    """Get the context of claims/claim.html for one claim."""
    is_full = may(request.user, claim.practice_id, Action.SEE_IDENTIFIERS)
    findings = find_findings(claim.file_id, claim.byte_offset)
    cards = [
        ("Patient", person_facts(claim, is_full)),
        ("Insurance", insurance_facts(claim, is_full)),
        ("Claim", claim_facts(claim)),
    ]
    return {
        "title": f"Claim {claim.pk}",
        "claim": claim,
        "patient": patient_name(claim),
        "frequency": word(words.FREQUENCY, claim.frequency_code),
        "cards": cards,
        "diagnoses": tables.diagnosis_rows(claim),
        "lines": tables.line_rows(claim, is_full),
        "providers": tables.provider_rows(claim, is_full),
        "other_payers": tables.other_payer_cards(claim, is_full),
        "details": tables.detail_rows(claim.detail, is_full),
        "findings": findings,
        "answers": sections.answers_to_claim(claim),
        "raw": raw_of(claim, findings) if is_full else None,
        "sections": draw_sections("claim", claim, request),
    }


def patient_name(claim: Claim) -> str:
    patient = name_of(claim.patient_last_name, claim.patient_first_name)
    return patient or name_of(claim.subscriber_last_name, claim.subscriber_first_name)


def name_of(last: str, first: str) -> str:
    return ", ".join(part for part in (last, first) if part)


def person_facts(claim: Claim, is_full: bool) -> list[Fact]:
    is_self = not claim.patient_last_name or claim.patient_relationship_code == "18"
    subscriber = name_of(claim.subscriber_last_name, claim.subscriber_first_name)
    return [
        ("Patient", patient_name(claim)),
        ("Born", shown_day(claim.patient_birth_date or claim.subscriber_birth_date, is_full)),
        ("Gender", word(words.GENDER, claim.patient_gender_code or claim.subscriber_gender_code)),
        ("Relationship", word(words.RELATIONSHIP, claim.patient_relationship_code)),
        ("Subscriber", "" if is_self else subscriber),
        ("Subscriber born", "" if is_self else shown_day(claim.subscriber_birth_date, is_full)),
        ("Address", address(claim) if is_full else ""),
    ]


def address(claim: Claim) -> str:
    """Get the address of the patient, of the subscriber where the patient is the subscriber."""
    people = [(claim.detail.get(key) or {}).get("names") or [] for key in ("patient", "subscriber")]
    found = (tables.address_of(person.get("address")) for names in people for person in names)
    return next((text for text in found if text), "")


def shown_day(day: Any, is_full: bool) -> Any:
    return (f"{day:%m/%d/%Y}" if is_full else mask_birth_date(day)) if day else ""


def insurance_facts(claim: Claim, is_full: bool) -> list[Fact]:
    return [
        ("Payer", claim.payer and claim.payer.name),
        ("Payer id", claim.payer and claim.payer.payer_code),
        ("Order", word(words.PAYER_SEQUENCE, claim.payer_sequence_code)),
        ("Type", word(words.FILING_INDICATOR, claim.filing_indicator_code)),
        ("Member id", claim.subscriber_member_id if is_full else mask_member_id(claim.subscriber_member_id)),
        ("Group", claim.group_number),
        ("Plan", claim.plan and str(claim.plan)),
        ("Payer's number", claim.payer_claim_control_number),
        ("Authorization", claim.prior_authorization_number),
        ("Referral", claim.referral_number),
    ]


def claim_facts(claim: Claim) -> list[Fact]:
    return [
        ("Service", days(claim.service_from_date, claim.service_to_date)),
        ("Admitted", days(claim.admission_date, None)),
        ("Discharged", days(claim.discharge_date, None)),
        ("Submitted", days(claim.submitted_date, None)),
        ("Place", place_of_service(claim.place_of_service_code, claim.facility_code_qualifier)),
        ("Frequency", word(words.FREQUENCY, claim.frequency_code)),
        ("Assignment", word(words.ASSIGNMENT, claim.assignment_code)),
        ("Billing provider", claim.billing_provider and claim.billing_provider.name),
        ("Rendering provider", claim.rendering_provider and claim.rendering_provider.name),
        ("Received", f"{claim.created_at:%m/%d/%Y %H:%M} UTC"),
        ("Guide", claim.guide),
    ]


def place_of_service(code: str, qualifier: str) -> str:
    """Write a place of service; with qualifier A the code is the first digits of a bill type."""
    return f"Bill type {code}x" if qualifier == "A" else word(words.PLACE_OF_SERVICE, code)


def days(first: Any, last: Any) -> str:
    """Write a day or a span of days, in the American order."""
    if not first:
        return ""
    return f"{first:%m/%d/%Y} to {last:%m/%d/%Y}" if last and last != first else f"{first:%m/%d/%Y}"


def raw_of(claim: Claim, findings: list[FindingRow]) -> Raw:
    terminator = claim.chunk.separators[-1:]
    file, start, end = claim.file, claim.byte_offset, claim.byte_end
    return read_raw(file, start, end, terminator, position=claim.segment_position, found=findings)
