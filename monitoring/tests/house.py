"""One of everything in a practice, for tests of the whole: every text carries a word to search answers for."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from claims.tests.rows import create_claim, create_line
from episodes.tests.links import create_denial, create_episode, create_hold, create_link, create_open
from episodes.underpaid import UnderpaidLine
from marb.access.models import AuditEntry, Practice
from marb.access.trail import store
from marb.parties.tests.rows import create_payer, create_plan, create_provider
from marb.pipeline.models import Quarantine, Upload
from marb.pipeline.tests.rows import create_chunk, create_file, create_finding
from remits.tests.rows import (
    create_adjustment,
    create_payment,
    create_provider_adjustment,
    create_remittance,
    create_remittance_line,
)
from risk.models import DenialPattern, RiskModel, RiskScore


@dataclass
class House:
    """The objects by the basename of their addresses; `unlinked` is a claim without an episode."""

    objects: dict[str, Any]
    unlinked: Any
    # the value of an address's other arguments, by their name
    children: dict[str, Any]

    def arguments(self, name: str, names: Iterable[str]) -> dict[str, int]:
        """The arguments of an address, such as claim-detail; a kind or argument that is not known is a KeyError."""
        kind = name.split("-")[0]
        return {name: (self.objects[kind] if name == "pk" else self.children[name]).pk for name in names}


def build_house(practice: Practice, word: str) -> House:
    """Create one of everything. Every text that is shown carries the word."""
    payer = create_payer(practice, f"{word}1", name=f"{word} payer")
    provider = create_provider(practice, f"{word}2", name=f"{word} provider", npi="1234567893")
    plan = create_plan(payer, f"{word}3", plan_name=f"{word} plan")
    file, chunk = build_file(practice, word, "837")
    shown = {"payer": payer, "billing_provider": provider, "patient_last_name": word, "subscriber_last_name": word}
    claim = create_claim(chunk, 100, patient_control_number=f"{word}A", **shown)
    unlinked = create_claim(chunk, 300, patient_control_number=f"{word}B", **shown)
    create_line(claim, procedure_code=word)
    create_finding(file, claim.byte_offset, message=f"{word} finding")
    remittance = build_remittance(practice, word, payer)
    episode = create_episode(claim, remittance_count=1)
    create_link(episode, remittance)
    denial = create_denial(episode, remittance, payer=payer)
    create_open(build_remittance(practice, f"{word}U", payer), [claim])
    objects = {"payer": payer, "provider": provider, "plan": plan, "file": file, "claim": claim, "episode": episode}
    objects["denial"] = denial
    uploader, _ = get_user_model().objects.get_or_create(username=f"{word}-uploader")
    objects["upload"] = Upload.objects.create(
        practice=practice, user=uploader, name=word, byte_count=9, expires_at=timezone.now() + timedelta(hours=1)
    )
    objects["underpaid"] = build_underpaid(claim, remittance, word)
    objects |= {"payment": remittance.payment, "remittance": remittance, "audit": create_entry(practice, word)}
    objects["hold"] = create_hold(remittance.payment, word)
    objects["risk"] = claim
    objects["pattern"] = create_pattern(payer, word)
    objects["riskmodel"] = create_model(practice, word)
    create_score(claim, word)
    held = Quarantine.objects.create(practice=practice, file=file, byte_from=500, byte_to=600, control_number=word)
    return House(objects, unlinked, {"quarantine_id": held})


def create_model(practice: Practice, word: str) -> RiskModel:
    return RiskModel.objects.create(practice=practice, version=word, booster="{}", calibration={}, card={})


def create_pattern(payer: Any, word: str) -> DenialPattern:
    day = {"first_seen_date": "2026-01-05", "last_seen_date": "2026-02-05"}
    rates = {"occurrence_count": 5, "frequency": "0.5", "confidence_score": "0.4"}
    said = {"pattern_type": "procedure", "pattern_description": f"{word} pattern"}
    return DenialPattern.objects.create(practice=payer.practice, payer=payer, **said, **rates, **day)


def create_score(claim: Any, word: str) -> RiskScore:
    parts = dict.fromkeys(("coding_risk", "documentation_risk", "payer_risk", "historical_risk"), 20)
    reason = {"type": "payer", "severity": "low", "code": word, "message": f"{word} reason", "points": 5}
    return RiskScore.objects.create(
        practice=claim.practice,
        claim=claim,
        overall_score=20,
        risk_level="low",
        model_version=word,
        risk_factors=[reason],
        **parts,
    )


def create_entry(practice: Practice, word: str) -> AuditEntry:
    """Record, the only way there is, that somebody read something."""
    request_id = secrets.token_hex(8)
    words = ("claim", "read", f"{word}-detail", "GET")
    entry: list[Any] = [timezone.now(), practice.pk, None, f"{word}-reader", *words, [1], {}, 200, "", request_id]
    assert store([entry])
    return AuditEntry.objects.get(request_id=request_id)


def build_underpaid(claim: Any, remittance: Any, word: str) -> UnderpaidLine:
    amounts = {"charge_amount": 100, "expected_amount": 80, "allowed_amount": 60, "paid_amount": 60}
    place = {"practice": claim.practice, "payer": claim.payer, "claim": claim, "remittance": remittance}
    day = date(2026, 2, 1)
    return UnderpaidLine.objects.create(
        **place,
        **amounts,
        service_line=claim.lines.get(),
        procedure_code=word,
        paid_on=day,
        month=day,
        variance_amount=20,
    )


def build_file(practice: Practice, word: str, kind: str) -> tuple[Any, Any]:
    file = create_file(practice, f"{word}.{kind}", kind=kind)
    return file, create_chunk(file)


def build_remittance(practice: Practice, word: str, payer: Any) -> Any:
    file, chunk = build_file(practice, word, "835")
    payment = create_payment(chunk, payer=payer, payer_name=word, payee_name=word, trace_number=f"{word}T")
    create_provider_adjustment(payment, reference_number=word)
    shown = {"patient_control_number": f"{word}A", "patient_last_name": word, "member_id": f"{word}M"}
    remittance = create_remittance(payment, chunk, 100, payer=payer, **shown)
    create_adjustment(remittance, create_remittance_line(remittance, procedure_code=word))
    create_finding(file, remittance.byte_offset, message=f"{word} finding")
    return remittance
