"""Facts of claims that are not stored: parsed, edited and priced as a load would, and written nowhere.

Payers and providers are looked up and never made: one that is not known is 0. What is a matter of other claims, such as
whether the same was sent before, is asked of the rows and of the claims before it in the same batch.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from django.db import connection

from claims.edi837 import ParsedClaim
from claims.edits import check_claim
from claims.expected import expect_claims
from claims.policies import read_policies
from claims.policy import judge as weigh
from marb.edi.findings import CLAIM, Finding
from marb.edi.values import parse_cents
from marb.parties.models import Payer
from marb.parties.resolve import find_providers, payer_code, provider_code
from risk.batch import NO_AMOUNT, NO_DATE, NO_LIMIT, Batch, Column, derived
from risk.facts import MEDICARE_DAYS

EPOCH = date(1970, 1, 1).toordinal()
ORIGINAL = ("", "1")
MEDICARE = ("MA", "MB")
Known = Mapping[str, Any]

RELATIVES = """
SELECT c.subscriber_member_id, c.patient_first_name, c.patient_birth_date::text, c.service_from_date::text,
    (c.charge_amount * 100)::bigint, c.frequency_code, coalesce(c.payer_id, 0), coalesce(c.billing_provider_id, 0),
    ARRAY(SELECT procedure_code || array_to_string(modifiers, ',') FROM claims_serviceline
        WHERE claim_id = c.id ORDER BY 1)
FROM unnest(%s::text[]) AS asked (member_id)
JOIN claims_claim c ON c.practice_id = %s AND c.subscriber_member_id = asked.member_id
ORDER BY c.id LIMIT 50000
"""


def find_findings(claims: Sequence[ParsedClaim], practice_id: int, today: date) -> list[list[Finding]]:
    """Edit parsed claims as a load would, and weigh what is found as each payer's rules do (claims.policy)."""
    payers = {code: row["id"] for code, row in known_payers(practice_id, claims).items()}
    policies = read_policies(practice_id, payers.values())
    found = []
    for claim in claims:
        policy = policies[payers.get(payer_code(claim.payer.code, claim.payer.name))]
        found.append(weigh(policy, claim, [*claim.findings, *check_claim(claim, today.isoformat())]))
    return found


def facts_of(
    claims: Sequence[ParsedClaim], practice_id: int, today: date, findings: Sequence[list[Finding]] | None = None
) -> Batch:
    """Make the facts of parsed claims, in their order; `claim_id` counts from 1. Reads a few rows, writes none."""
    found = find_findings(claims, practice_id, today) if findings is None else findings
    payers = known_payers(practice_id, claims)
    ids = {code: row["id"] for code, row in payers.items()}
    expected = expect_claims(practice_id, claims, ids)
    named = {provider_code(party.code, party.name) for claim in claims for party in parties_of(claim)} - {""}
    providers = find_providers(practice_id, sorted(named))
    rows = []
    for number, claim in enumerate(claims, start=1):
        payer = payers.get(payer_code(claim.payer.code, claim.payer.name))
        rows.append(claim_row(number, practice_id, claim, payer, providers, today))
        rows[-1]["expected_cents"] = cents_of(expected[number - 1].amount)
        rows[-1]["finding_count"] = len(found[number - 1])
        rows[-1]["is_incomplete"] = any(finding.level == CLAIM for finding in found[number - 1])
    compare(practice_id, claims, rows)
    lines = [line_row(place, claim, line) for place, claim in enumerate(claims) for line in claim.lines]
    columns = columns_of(rows, CLAIM_KINDS) | columns_of(lines, LINE_KINDS)
    return Batch(**(columns | derived(columns)))


def parties_of(claim: ParsedClaim) -> tuple[Any, Any]:
    return claim.billing_provider, claim.rendering_provider


def known_payers(practice_id: int, claims: Sequence[ParsedClaim]) -> dict[str, Known]:
    codes = {payer_code(claim.payer.code, claim.payer.name) for claim in claims} - {""}
    rows = Payer.objects.filter(practice_id=practice_id, payer_code__in=sorted(codes))
    columns = ("id", "payer_code", "payer_type", "timely_filing_days")
    return {row["payer_code"]: row for row in rows.values(*columns)}


def claim_row(
    number: int,
    practice_id: int,
    claim: ParsedClaim,
    payer: Known | None,
    providers: Mapping[str, int],
    today: date,
) -> dict[str, Any]:
    first, last = day_of(claim.service_from_date), day_of(claim.service_to_date or claim.service_from_date)
    submitted = day_of(claim.submitted_date) if claim.submitted_date else today.toordinal() - EPOCH
    code = payer_code(claim.payer.code, claim.payer.name)
    billing, rendering = (providers.get(provider_code(party.code, party.name), 0) for party in parties_of(claim))
    return {
        "claim_id": number,
        "practice_id": practice_id,
        # a payer that nobody knows yet is a payer all the same
        "payer_id": payer["id"] if payer else UNKNOWN_PAYER if code else 0,
        "payer_code": code,
        "payer_type": payer["payer_type"] if payer else "other" if code else "",
        **{name: getattr(claim, name) for name in COPIED},
        "principal": claim.principal_diagnosis_code,
        "billing_provider_id": billing,
        "rendering_provider_id": rendering,
        "line_count": len(claim.lines),
        "diagnosis_count": len(claim.diagnosis_codes),
        "has_authorization": bool(claim.prior_authorization_number),
        "has_referral": bool(claim.referral_number),
        "has_rendering": bool(provider_code(claim.rendering_provider.code, claim.rendering_provider.name)),
        "has_attending": bool(claim.attending_npi),
        "has_principal": bool(claim.principal_diagnosis_code),
        "has_assignment": bool(claim.assignment_code),
        "has_member_id": bool(claim.subscriber_member_id),
        "has_payer_number": bool(claim.payer_claim_control_number),
        "is_self": claim.patient_relationship_code == "18",
        "has_prior_payment": any("paid_amount" in other for other in claim.other_payers),
        "other_payer_count": len(claim.other_payers),
        "submitted_date": submitted,
        "service_from_date": first,
        "service_to_date": last,
        "filing_days_left": days_left(claim, payer, last, submitted),
    }


# no row's id, and not "names none"
UNKNOWN_PAYER = 2**62
COPIED = (
    *("claim_type", "filing_indicator_code", "frequency_code", "place_of_service_code", "payer_sequence_code"),
    "charge_cents",
)


def day_of(text: str | None) -> int:
    """Get days since 1970-01-01 of an ISO date."""
    return date.fromisoformat(text).toordinal() - EPOCH if text else NO_DATE


def days_left(claim: ParsedClaim, payer: Known | None, last: int, submitted: int) -> int:
    limit = payer["timely_filing_days"] if payer else None
    if limit is None and (claim.filing_indicator_code in MEDICARE or (payer and payer["payer_type"] == "medicare")):
        limit = MEDICARE_DAYS
    return NO_LIMIT if limit is None or last == NO_DATE else last + int(limit) - submitted


def cents_of(dollars: str | None) -> int:
    return NO_AMOUNT if dollars is None else parse_cents(dollars)


def line_row(place: int, claim: ParsedClaim, line: Any) -> dict[str, Any]:
    pointer = line.diagnosis_pointers[0] if line.diagnosis_pointers else 0
    codes = claim.diagnosis_codes
    return {
        "line_claim": place,
        "line_id": line.line_number,
        "line_procedure": line.procedure_code,
        "line_is_unnamed": not (line.procedure_code or line.revenue_code),
        "line_modifiers": ",".join(line.modifiers),
        "line_charge_cents": line.charge_cents,
        "line_units": float(line.unit_count or 0),
        "line_diagnosis": codes[pointer - 1] if 0 < pointer <= len(codes) else claim.principal_diagnosis_code,
        "line_place": line.place_of_service_code or claim.place_of_service_code,
    }


def compare(practice_id: int, claims: Sequence[ParsedClaim], rows: list[dict[str, Any]]) -> None:
    """Fill is_duplicate and is_new_patient by what is stored and by the claims before."""
    members = sorted({claim.subscriber_member_id for claim in claims if claim.subscriber_member_id})
    with connection.cursor() as cursor:
        cursor.execute(RELATIVES, [members, practice_id])
        relatives = cursor.fetchall()
    seen = {(*row[:5], row[6], row[7], tuple(sorted(row[8]))) for row in relatives if row[5] in ORIGINAL}
    first_days: dict[Any, str] = {}
    for row in relatives:
        note_first(first_days, row[:3], row[3])
    for claim, row in zip(claims, rows, strict=True):
        person = (claim.subscriber_member_id, claim.patient_first_name, claim.patient_birth_date)
        services = tuple(sorted(line.procedure_code + ",".join(line.modifiers) for line in claim.lines))
        same = (*person, claim.service_from_date, claim.charge_cents, row["payer_id"], row["billing_provider_id"])
        is_original = claim.frequency_code in ORIGINAL and bool(claim.subscriber_member_id)
        row["is_duplicate"] = is_original and (*same, services) in seen
        earliest = first_days.get(person)
        row["is_new_patient"] = not (earliest and claim.service_from_date and earliest < claim.service_from_date)
        if is_original:
            seen.add((*same, services))
        note_first(first_days, person, claim.service_from_date)


def note_first(first_days: dict[Any, str], person: Any, day: str | None) -> None:
    if day and (person not in first_days or day < first_days[person]):
        first_days[person] = day


NUMBERS = (
    *("claim_id", "practice_id", "payer_id", "billing_provider_id", "rendering_provider_id", "charge_cents"),
    *("expected_cents", "line_count", "diagnosis_count", "finding_count", "other_payer_count", "submitted_date"),
    *("service_from_date", "service_to_date", "filing_days_left"),
)
TEXTS = (
    *("payer_code", "payer_type", "claim_type", "filing_indicator_code", "frequency_code"),
    *("place_of_service_code", "payer_sequence_code", "principal"),
)
ANSWERS = (
    *("has_authorization", "has_referral", "has_rendering", "has_attending", "has_principal", "has_assignment"),
    *("has_member_id", "has_payer_number", "is_self", "is_incomplete", "is_duplicate", "has_prior_payment"),
    "is_new_patient",
)
CLAIM_KINDS: dict[str, Any] = {
    **dict.fromkeys(NUMBERS, np.int64),
    **dict.fromkeys(TEXTS, np.str_),
    **dict.fromkeys(ANSWERS, np.bool_),
}
LINE_KINDS: dict[str, Any] = {
    **dict.fromkeys(("line_claim", "line_id", "line_charge_cents"), np.int64),
    **dict.fromkeys(("line_procedure", "line_modifiers", "line_diagnosis", "line_place"), np.str_),
    "line_is_unnamed": np.bool_,
    "line_units": np.float64,
}


def columns_of(rows: Sequence[Known], kinds: Mapping[str, Any]) -> dict[str, Column]:
    return {name: np.array([row[name] for row in rows], dtype=kind) for name, kind in kinds.items()}
