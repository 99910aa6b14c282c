"""A remittance and the claims that it may answer, side by side: what each says, and where they differ.

The findings are those of episodes.match on the rows as they are now. Who may not see identifiers gets them masked.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.http import HttpRequest

from claims.models import Claim
from claims.page import patient_name
from claims.words import FREQUENCY, PAYER_SEQUENCE
from episodes.candidates import weigh_claims
from episodes.match import LEAST_SCORE, Weighed
from episodes.models import EpisodeRemittance, OpenRemittance
from marb.access.masking import mask_member_id
from marb.access.roles import Action, Person, may
from marb.core.templatetags.marb import money
from remits.models import Remittance

MOST_CLAIMS = 4
MOST_SEARCHED = 5
# findings by how they are shown
TONES = {
    "good": {"same", "known"},
    "warn": {"cut", "near", "swapped", "initial", "part", "some", "quoted"},
    "bad": {"different"},
}
WORDS = {
    "cut": "cut short", "near": "nearly", "swapped": "names swapped", "initial": "initial only", "part": "a part",
    "some": "some of them", "known": "of a linked remittance", "quoted": "quoted as REF*F8", "different": "differs",
}  # fmt: skip


class Cell(NamedTuple):
    """What a claim says beside the remittance; `tone` is good, warn, bad or plain, `note` the difference in words."""

    text: str
    tone: str
    note: str


class Row(NamedTuple):
    """One feature: what the remittance says, and each candidate."""

    label: str
    said: str
    cells: list[Cell]


class Candidate(NamedTuple):
    """A claim beside the remittance; `percent` is its score in words."""

    claim: Claim
    percent: str
    is_likely: bool
    is_linked: bool
    is_answered: bool


class Comparison(NamedTuple):
    candidates: list[Candidate]
    rows: list[Row]


def compare(remittance: Remittance, request: HttpRequest, search: str = "") -> Comparison:
    """Compare a remittance with the claim it is linked to, its candidates, and what a person searches for."""
    claims, searched = find_claims(remittance, request.user, search)
    with connection.cursor() as cursor:
        weighed = {each.claim_id: each for each in weigh_claims(cursor, remittance.pk, claims)}
    link = EpisodeRemittance.objects.filter(remittance=remittance).first()
    linked_id = link.claim_id if link else None
    order = sorted(
        weighed.values(),
        key=lambda each: (each.claim_id != linked_id, each.claim_id not in searched, -each.bits, each.claim_id),
    )
    answered = answered_of([each.claim_id for each in order], remittance)
    candidates = [candidate_of(claims[each.claim_id], each, linked_id, answered) for each in order[:MOST_CLAIMS]]
    is_full = may(request.user, remittance.practice_id, Action.SEE_IDENTIFIERS)
    return Comparison(candidates, rows_of(remittance, candidates, weighed, is_full=is_full))


def find_claims(remittance: Remittance, user: Person, search: str) -> tuple[dict[int, Claim], set[int]]:
    """Find the claims to show: linked, weighed by the queue, and those that the search names; all in her scope.

    Answers them by id, and which of them were searched for.
    """
    place = OpenRemittance.objects.filter(remittance=remittance).first()
    ids = {candidate["claim"] for candidate in place.candidates} if place else set()
    ids |= set(EpisodeRemittance.objects.filter(remittance=remittance).values_list("claim_id", flat=True))
    mine = Claim.objects.for_user(user).filter(practice_id=remittance.practice_id)
    searched = set(search_claims(mine, search)) if search else set()
    rows = mine.filter(pk__in=ids | searched).select_related("payer", "rendering_provider", "billing_provider")
    return {claim.pk: claim for claim in rows.prefetch_related("lines")}, searched


def search_claims(mine: Any, search: str) -> Iterable[int]:
    """Find claims by control number, member id or the patient's last name; a few of each, by index."""
    for condition in (
        {"patient_control_number__startswith": search},
        {"subscriber_member_id": search},
        {"patient_last_name__istartswith": search},
    ):
        yield from mine.filter(**condition).order_by().values_list("pk", flat=True)[:MOST_SEARCHED]


def answered_of(claim_ids: Sequence[int], remittance: Remittance) -> set[int]:
    """Say which claims another remittance answers already."""
    links = EpisodeRemittance.objects.filter(claim_id__in=claim_ids).exclude(remittance=remittance)
    return set(links.values_list("claim_id", flat=True))


def candidate_of(claim: Claim, weighed: Weighed, linked_id: int | None, answered: set[int]) -> Candidate:
    likely = weighed.score >= LEAST_SCORE
    return Candidate(claim, percent_of(weighed.score), likely, claim.pk == linked_id, claim.pk in answered)


def percent_of(score: Any) -> str:
    """Write a score: "99%", "under 1%"."""
    return f"{round(100 * float(score))}%" if float(score) >= 0.01 else "under 1%"


def rows_of(
    remittance: Remittance, candidates: list[Candidate], weighed: dict[int, Weighed], *, is_full: bool
) -> list[Row]:
    said = texts_of_remittance(remittance, is_full)
    sent = [texts_of_claim(each.claim, is_full) for each in candidates]
    rows = []
    for feature, (label, text) in said.items():
        cells = [
            cell_of(feature, texts[feature], weighed[each.claim.pk])
            for each, texts in zip(candidates, sent, strict=True)
        ]
        rows.append(Row(label, text, cells))
    return rows


def cell_of(feature: str, text: str, weighed: Weighed) -> Cell:
    finding = next((reason.finding for reason in weighed.reasons if reason.feature == feature), "")
    tone = next((tone for tone, findings in TONES.items() if finding in findings), "plain")
    return Cell(text, tone, WORDS.get(finding, ""))


def texts_of_remittance(remittance: Remittance, is_full: bool) -> dict[str, tuple[str, str]]:
    name = ", ".join(part for part in (remittance.patient_last_name, remittance.patient_first_name) if part)
    lines = list(remittance.lines.all())
    payment = remittance.payment
    codes = (line.submitted_procedure_code or line.procedure_code or line.revenue_code for line in lines)
    return {
        "control_number": ("Control number", remittance.patient_control_number),
        "payer_number": ("Payer's number", remittance.payer_claim_control_number),
        "name": ("Patient", name),
        "member": ("Member id", shown(remittance.member_id, is_full)),
        "service_date": ("Service", days(remittance.service_from_date, remittance.service_to_date)),
        "charge": ("Charge", money(remittance.charge_amount)),
        "payer": ("Payer", remittance.payer.name if remittance.payer else ""),
        "provider": ("Provider", named(remittance.rendering_provider, payment.payee)),
        "frequency": ("Submission", FREQUENCY.get(remittance.frequency_code, remittance.frequency_code)),
        "procedures": ("Procedures", " ".join(codes)),
        "line_numbers": ("Line numbers", joined(line.line_control_number for line in lines)),
    }


def texts_of_claim(claim: Claim, is_full: bool) -> dict[str, str]:
    lines = list(claim.lines.all())
    order = PAYER_SEQUENCE.get(claim.payer_sequence_code, "")
    frequency = FREQUENCY.get(claim.frequency_code, claim.frequency_code)
    return {
        "control_number": claim.patient_control_number,
        "payer_number": claim.payer_claim_control_number,
        "name": patient_name(claim),
        "member": shown(claim.subscriber_member_id, is_full),
        "service_date": days(claim.service_from_date, claim.service_to_date),
        "charge": money(claim.charge_amount),
        "payer": claim.payer.name if claim.payer else "",
        "provider": named(claim.rendering_provider, claim.billing_provider),
        "frequency": ", ".join(part for part in (frequency, order) if part),
        "procedures": " ".join(line.procedure_code or line.revenue_code for line in lines),
        "line_numbers": joined(line.line_control_number for line in lines),
    }


def shown(member_id: str, is_full: bool) -> str:
    return member_id if is_full else mask_member_id(member_id)


def days(first: date | None, last: date | None) -> str:
    if first is None:
        return ""
    return f"{first:%m/%d/%Y}" if last in (None, first) else f"{first:%m/%d/%Y} to {last:%m/%d/%Y}"


def joined(texts: Iterable[str]) -> str:
    return " ".join(filter(None, texts))


def named(*providers: Any) -> str:
    return ", ".join(dict.fromkeys(provider.name for provider in providers if provider))
