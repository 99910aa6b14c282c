"""Closing a claim: from its draft and levels to the ParsedClaim, columns first.

What became a column is not repeated in the detail; everything else of the loops stays there. The patient is the
subscriber where no 2000C stands above the claim. Dates of service are those of the claim (DTP 434, or 472), else the
first and last of its lines.
"""

from operator import lt
from typing import Any

from claims.edi837.draft import Draft, Line, Unreadable, cents, check_components
from claims.edi837.guides import INSTITUTIONAL, PROFESSIONAL, TYPE_OF_SERVICE
from claims.edi837.parties import Level, provider_party
from claims.edi837.records import (
    CLAIM_TEXTS,
    DIAGNOSIS_LENGTH,
    LINE_TEXTS,
    Document,
    ParsedClaim,
    ParsedLine,
    Party,
    Text,
)
from marb.edi.findings import CLAIM, IK403, Finding
from marb.edi.values import parse_period
from marb.edi.x12 import Segment, element

CLAIM_LENGTHS = tuple(text.length for text in CLAIM_TEXTS)
LINE_LENGTHS = tuple(text.length for text in LINE_TEXTS)
DIAGNOSES = frozenset(("ABK", "ABF", "BK", "BF"))
PRINCIPAL = frozenset(("ABK", "BK"))
NUMBERS = frozenset(("F8", "G1", "9F"))
NOBODY = Party()
Days = tuple[str | None, str | None, str | None, str | None]


def close_claim(
    draft: Draft, billing: Level, subscriber: Level, patient: Level | None, first: Segment, byte_end: int
) -> ParsedClaim:
    """Make the claim of a draft; Unreadable where CLM01 is missing or CLM02 is no amount (loop 2300)."""
    draft.here, draft.loop = first, "2300"
    elements = draft.claim
    control_number = element(elements, 1)
    if not control_number:
        raise Unreadable(IK403, "1", "CLM01: the claim has no control number.", 1)
    charge_cents = cents(elements, 2)
    facility = [*element(elements, 5).split(draft.component), "", ""]
    check_components(draft, facility[:-2], 3, 5)
    lines = [close_line(draft, number, line) for number, line in enumerate(draft.lines, 1)]
    service_from, service_to, admission, discharge = take_dates(draft, lines)
    detail, heading = draft.detail, draft.heading
    numbers = take_numbers(detail) if "references" in detail else {}
    roles = {party.get("role"): party for party in reversed(draft.parties)}
    member, payer = subscriber.party("IL"), subscriber.party("PR")
    person = member if patient is None else patient.party("QC")
    tell_people(detail, billing, subscriber, patient)
    codes, principal = diagnosis_codes(draft)
    claim = ParsedClaim(
        set_control=heading.set_control,
        claim_type=claim_type_of(draft, facility[1]),
        guide=heading.guide,
        patient_control_number=control_number,
        place_of_service_code=facility[0].strip(),
        facility_code_qualifier=facility[1].strip(),
        frequency_code=facility[2].strip(),
        assignment_code=element(elements, 7),
        payer_claim_control_number=numbers.get("F8", ""),
        prior_authorization_number=numbers.get("G1", ""),
        referral_number=numbers.get("9F", ""),
        attending_npi=identifier(roles, "71"),
        operating_npi=identifier(roles, "72"),
        referring_npi=identifier(roles, "DN"),
        payer_sequence_code=subscriber.detail.get("sequence", ""),
        filing_indicator_code=subscriber.detail.get("filing_indicator_code", ""),
        group_number=subscriber.detail.get("group_number", ""),
        subscriber_member_id=member.get("id_code", ""),
        subscriber_last_name=member.get("last_name", ""),
        subscriber_first_name=member.get("first_name", ""),
        subscriber_gender_code=member.get("gender_code", ""),
        patient_relationship_code=relationship(subscriber, patient),
        patient_last_name=person.get("last_name", ""),
        patient_first_name=person.get("first_name", ""),
        patient_gender_code=person.get("gender_code", ""),
        principal_diagnosis_code=principal,
        byte_offset=first[0],
        byte_end=byte_end,
        segment_position=first[1],
        line_count=len(lines),
        subscriber_birth_date=member.get("birth_date"),
        patient_birth_date=person.get("birth_date"),
        service_from_date=service_from,
        service_to_date=service_to,
        admission_date=admission,
        discharge_date=discharge,
        diagnosis_codes=codes,
        diagnoses=draft.diagnoses,
        providers=billing.parties + draft.parties if draft.parties else billing.parties,
        other_payers=draft.other_payers,
        detail=detail,
        charge_cents=charge_cents,
        payer=Party(payer.get("id_code") or payer.get("npi", ""), payer.get("last_name", "")) if payer else NOBODY,
        billing_provider=billing.provider,
        rendering_provider=provider_party(roles["82"]) if "82" in roles else NOBODY,
        heading=heading,
        lines=lines,
        findings=draft.findings,
    )
    texts: tuple[Any, ...] = claim
    if any(map(lt, CLAIM_LENGTHS, map(len, texts))):
        return cut_claim(draft, claim)
    return claim


def close_line(draft: Draft, number: int, line: Line) -> ParsedLine:
    closed = ParsedLine(
        line.revenue_code,
        line.procedure_qualifier,
        line.procedure_code,
        line.unit_code,
        line.place_of_service_code,
        line.line_control_number,
        line.drug_code,
        line.drug_unit_code,
        number,
        line.offset,
        line.unit_count,
        line.drug_unit_count,
        line.service_from_date,
        line.service_to_date,
        line.modifiers,
        line.pointers,
        line.adjudications,
        line.detail,
        line.charge_cents,
        line.position,
        line.service_id,
    )
    texts: tuple[Any, ...] = closed
    if any(map(lt, LINE_LENGTHS, map(len, texts))):
        cut, whole = shortened(closed, LINE_TEXTS)
        closed.detail["long"] = whole
        draft.findings += too_long(draft, whole, LINE_TEXTS, line.offset, line.position)
        return closed._replace(**cut)
    return closed


def claim_type_of(draft: Draft, facility_qualifier: str) -> str:
    """Say P, I or D by the first service, else by the guide, else by CLM05-2 (A is a type of bill)."""
    if draft.lines:
        return TYPE_OF_SERVICE[draft.lines[0].service_id]
    return draft.heading.claim_type or (INSTITUTIONAL if facility_qualifier == "A" else PROFESSIONAL)


def relationship(subscriber: Level, patient: Level | None) -> str:
    """Get the patient's relationship to the subscriber: PAT01 of 2000C, else SBR02."""
    code: str = (patient or subscriber).detail.get("patient", {}).get("relationship_code", "")
    return code or subscriber.detail.get("relationship_code", "")


def identifier(roles: dict[str | None, Document], role: str) -> str:
    party = roles.get(role)
    return "" if party is None else party.get("npi") or party.get("id_code", "")


def take_numbers(detail: Document) -> dict[str, str]:
    """Take the first REF F8, G1 and 9F out of the claim's references."""
    numbers: dict[str, str] = {}
    kept = []
    for reference in detail["references"]:
        qualifier = reference.get("qualifier")
        if qualifier in NUMBERS and qualifier not in numbers and len(reference) == 2 and "value" in reference:
            numbers[qualifier] = reference["value"]
        else:
            kept.append(reference)
    if kept:
        detail["references"] = kept
    else:
        del detail["references"]
    return numbers


def take_dates(draft: Draft, lines: list[ParsedLine]) -> Days:
    """Take the dates with a column out of the claim's dates: (service from, to, admission, discharge)."""
    service: tuple[str | None, str | None] = (None, None)
    admission = discharge = None
    if dates := draft.detail.get("dates"):
        kept = []
        for date in dates:
            qualifier, form = date.get("qualifier"), date.get("format", "")
            if qualifier in ("434", "472") and service[0] is None:
                start, end = parse_period(form, date.get("value", ""))
                service = (start, end or start)
            elif qualifier == "435" and admission is None:
                admission = parse_period(form, date.get("value", ""))[0]
            elif qualifier == "096" and form != "TM" and discharge is None:
                discharge = parse_period(form, date.get("value", ""))[0]
            else:
                form = ""
            if form not in ("D8", "RD8"):
                kept.append(date)
        draft.detail["dates"] = kept
    if service[0] is None and lines:
        starts = [line.service_from_date for line in lines if line.service_from_date]
        ends = [line.service_to_date for line in lines if line.service_to_date]
        service = (min(starts), max(ends)) if starts and ends else service
    return (*service, admission, discharge)


def diagnosis_codes(draft: Draft) -> tuple[list[str], str]:
    """List principal and other diagnoses in the order that pointers count, without points; and the principal one."""
    codes, principal = [], ""
    for entry in draft.diagnoses:
        if entry["qualifier"] in DIAGNOSES:
            code = entry["code"].replace(".", "")
            codes.append(code)
            if not principal and entry["qualifier"] in PRINCIPAL:
                principal = code
    if codes and max(map(len, codes)) > DIAGNOSIS_LENGTH:
        draft.note(IK403, "5", "A diagnosis code is longer than 30 characters.", level=CLAIM)
        codes, principal = [code[:DIAGNOSIS_LENGTH] for code in codes], principal[:DIAGNOSIS_LENGTH]
    return codes, principal


def tell_people(detail: Document, billing: Level, subscriber: Level, patient: Level | None) -> None:
    """Put the levels above the claim into its detail: subscriber, patient, payer, and what the billing level adds."""
    detail["subscriber"] = {**subscriber.detail, "names": subscriber.parties}
    if patient is not None:
        detail["patient"] = {**patient.detail, "names": patient.parties}
    if billing.detail:
        detail["billing"] = billing.detail


def cut_claim(draft: Draft, claim: ParsedClaim) -> ParsedClaim:
    """Cut texts to their columns; the whole ones stay in the detail, with a finding for each."""
    cut, whole = shortened(claim, CLAIM_TEXTS)
    claim.detail["long"] = whole
    draft.findings += too_long(draft, whole, CLAIM_TEXTS, claim.byte_offset, claim.segment_position)
    return claim._replace(**cut)


def shortened(row: tuple[object, ...], texts: tuple[Text, ...]) -> tuple[Document, Document]:
    cut, whole = {}, {}
    for value, text in zip(row, texts, strict=False):
        if len(str(value)) > text.length:
            cut[text.column], whole[text.column] = str(value)[: text.length], value
    return cut, whole


def too_long(draft: Draft, whole: Document, texts: tuple[Text, ...], offset: int, position: int) -> list[Finding]:
    found = []
    for text in texts:
        if text.column in whole:
            place = draft.heading.place(offset, position, text.segment_id)
            message = f"{text.segment_id}{text.element:02d}: the text is longer than {text.length} characters."
            found.append(Finding(CLAIM, IK403, "5", message, place, text.loop, text.element))
    return found
