"""Closing a claim: from its draft and levels to the ParsedClaim, columns first.

What became a column is not repeated in the detail; everything else of the loops stays there. The patient is the
subscriber where no 2000C stands above the claim. Dates of service are those of the claim (DTP 434, or 472), else the
first and last of its lines.
"""

from functools import partial
from operator import lt
from typing import Any

from claims.edi837.draft import Draft, Line
from claims.edi837.guides import INSTITUTIONAL, PROFESSIONAL, TYPE_OF_SERVICE
from claims.edi837.parties import NOBODY, BillingLevel, Level, PatientLevel, SubscriberLevel, provider_party
from claims.edi837.records import (
    CLAIM_LENGTHS,
    CLAIM_TEXTS,
    DIAGNOSIS_LENGTH,
    LINE_LENGTHS,
    LINE_TEXTS,
    Document,
    Heading,
    ParsedClaim,
    ParsedLine,
    Party,
    Text,
)
from claims.edi837.values import Unreadable, cents
from marb.edi.findings import CLAIM, IK403, Finding
from marb.edi.values import parse_period
from marb.edi.x12 import element

NUMBER_LENGTH, DRUG_LENGTH, DRUG_UNIT_LENGTH = LINE_LENGTHS[-3:]
DIAGNOSES = frozenset(("ABK", "ABF", "BK", "BF"))
PRINCIPAL = frozenset(("ABK", "BK"))
NUMBERS = frozenset(("F8", "G1", "9F"))
NO_NUMBERS = ("", "", "")
Days = tuple[str | None, str | None, str | None, str | None]

# straight from a tuple in the order of the fields: a call by 50 names costs as much as reading a line
make_claim = partial(tuple.__new__, ParsedClaim)
make_line = partial(tuple.__new__, ParsedLine)


def close_claim(
    draft: Draft,
    billing: BillingLevel,
    subscriber: SubscriberLevel,
    patient: PatientLevel | None,
    byte_end: int,
) -> ParsedClaim:
    """Make the claim of a draft; Unreadable where CLM01 is missing or CLM02 is no amount (loop 2300)."""
    draft.at, draft.loop = 0, "2300"
    elements, detail, heading = draft.claim, draft.detail, draft.heading
    control_number = element(elements, 1)
    if not control_number:
        raise Unreadable(IK403, "1", "CLM01: the claim has no control number.", 1)
    charge_cents = cents(elements, 2)
    facility = close_facility(draft, element(elements, 5))
    lines = [
        line if isinstance(line, ParsedLine) else close_line(draft, number, line)
        for number, line in enumerate(draft.lines, 1)
    ]
    dates = take_dates(draft)
    numbers = take_numbers(detail) if "references" in detail else NO_NUMBERS
    roles = close_roles(draft)
    tell_people(detail, billing, subscriber, patient)
    codes, principal = diagnosis_codes(draft)
    person = patient or subscriber
    claim: tuple[Any, ...] = (
        heading.set_control,
        claim_type_of(draft.heading, lines, facility[1]),
        heading.guide,
        control_number,
        *facility,
        element(elements, 7),
        *numbers,
        *roles[:3],
        *subscriber.columns,
        relationship(subscriber, patient),
        *person.names,
        principal,
        *(draft.block.start, byte_end, draft.block.position, len(lines)),
        *(subscriber.person.get("birth_date"), person.person.get("birth_date")),
        *dates,
        heading.submitted_date,
        *(codes, draft.diagnoses),
        billing.parties + draft.parties if draft.parties else billing.parties,
        *(draft.other_payers, detail, charge_cents),
        *(subscriber.payer, billing.provider, roles[3]),
        *(heading, lines, draft.findings),
    )
    if any(map(lt, CLAIM_LENGTHS, map(len, claim))):
        return cut_claim(draft, make_claim(claim))
    return make_claim(claim)


def close_facility(draft: Draft, composite: str) -> tuple[str, str, str]:
    """Read CLM05: place of service or bill type, its qualifier, frequency code."""
    parts = composite.split(draft.separators.component)
    if len(parts) == 3:
        return parts[0].strip(), parts[1].strip(), parts[2].strip()
    if any(parts[3:]):
        draft.note(IK403, "13", "A composite has more than 3 components.", level=CLAIM, element=5)
    parts += ("", "")
    return parts[0].strip(), parts[1].strip(), parts[2].strip()


def close_roles(draft: Draft) -> tuple[str, str, str, Party]:
    """Get the attending, operating and referring provider's number, and the rendering provider (loop 2310)."""
    parties = draft.parties
    if len(parties) == 1 and parties[0].get("role") == "82":
        return "", "", "", provider_party(parties[0])
    roles = {party.get("role"): party for party in reversed(parties)}
    rendering = provider_party(roles["82"]) if "82" in roles else NOBODY
    return identifier(roles, "71"), identifier(roles, "72"), identifier(roles, "DN"), rendering


def close_line(draft: Draft, number: int, line: Line) -> ParsedLine:
    service, control_number = line.service, line.line_control_number
    drug_code, drug_unit_code = line.drug_code, line.drug_unit_code
    closed = make_line(
        (
            service.revenue_code,
            service.procedure_qualifier,
            service.procedure_code,
            service.unit_code,
            service.place_of_service_code,
            control_number,
            drug_code,
            drug_unit_code,
            number,
            line.offset,
            service.unit_count,
            line.drug_unit_count,
            line.service_from_date,
            line.service_to_date,
            service.modifiers,
            service.pointers,
            line.adjudications,
            line.detail,
            service.charge_cents,
            line.position,
            service.service_id,
            service.key,
        )
    )
    is_long = len(control_number) > NUMBER_LENGTH or len(drug_code) > DRUG_LENGTH
    if is_long or service.is_long or len(drug_unit_code) > DRUG_UNIT_LENGTH:
        return cut_line(draft, closed, line)
    return closed


def claim_type_of(heading: Heading, lines: list[ParsedLine], facility_qualifier: str) -> str:
    """Say P, I or D by the first service, else by the guide, else by CLM05-2 (A is a type of bill)."""
    if lines:
        return TYPE_OF_SERVICE[lines[0].service_id]
    return heading.claim_type or (INSTITUTIONAL if facility_qualifier == "A" else PROFESSIONAL)


def relationship(subscriber: Level, patient: Level | None) -> str:
    """Get the patient's relationship to the subscriber: PAT01 of 2000C, else SBR02."""
    told = (patient or subscriber).detail.get("patient")
    code = told.get("relationship_code", "") if told else ""
    return code or subscriber.detail.get("relationship_code", "")


def identifier(roles: dict[str | None, Document], role: str) -> str:
    party = roles.get(role)
    return "" if party is None else party.get("npi") or party.get("id_code", "")


def take_numbers(detail: Document) -> tuple[str, str, str]:
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
    return numbers.get("F8", ""), numbers.get("G1", ""), numbers.get("9F", "")


def take_dates(draft: Draft) -> Days:
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
    if service[0] is None:
        starts = [day for line in draft.lines if (day := line.service_from_date)]
        ends = [day for line in draft.lines if (day := line.service_to_date)]
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
    detail["subscriber"] = subscriber.document
    if patient is not None:
        detail["patient"] = patient.document
    if billing.detail:
        detail["billing"] = billing.detail


def cut_claim(draft: Draft, claim: ParsedClaim) -> ParsedClaim:
    """Cut texts to their columns; the whole ones stay in the detail, with a finding for each."""
    cut, whole = shortened(claim, CLAIM_TEXTS)
    claim.detail["long"] = whole
    draft.findings += too_long(draft, whole, CLAIM_TEXTS, claim.byte_offset, claim.segment_position)
    return claim._replace(**cut)


def cut_line(draft: Draft, closed: ParsedLine, line: Line) -> ParsedLine:
    """Cut texts to their columns, as cut_claim does."""
    cut, whole = shortened(closed, LINE_TEXTS)
    closed.detail["long"] = whole
    draft.findings += too_long(draft, whole, LINE_TEXTS, line.offset, line.position)
    return closed._replace(**cut)


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
