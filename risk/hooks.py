"""What makes scores old: a saved rule, payer or claim, or a model put to use, rings an actor after the commit.

Bulk writers have the command. What files make (payers by their loaders, claims by COPY) sends no signals; a file's
claims are scored by the belt.
"""

from collections.abc import Callable
from typing import Any

from django.core.checks import register
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from claims.models import Claim
from marb.parties.models import Payer
from risk.actors import score_claim, score_waiting
from risk.models import ModelState, RiskModel, RiskRule
from risk.weights import check_risk_weights

OF_SCORES = frozenset(("payer_type", "rules", "timely_filing_days"))


def listen() -> None:
    """Connect, once a process."""
    register(check_risk_weights)
    post_save.connect(rule_changed, RiskRule, dispatch_uid="risk_rule_saved")
    post_delete.connect(rule_changed, RiskRule, dispatch_uid="risk_rule_deleted")
    post_save.connect(model_changed, RiskModel, dispatch_uid="risk_model_saved")
    post_save.connect(payer_changed, Payer, dispatch_uid="risk_payer_saved")
    post_save.connect(claim_changed, Claim, dispatch_uid="risk_claim_saved")


def ring(bell: Callable[..., Any], *ids: int | None) -> None:
    transaction.on_commit(lambda: bell(*ids), robust=True)


def rule_changed(instance: RiskRule, raw: bool = False, **_: Any) -> None:
    if not raw:
        ring(score_waiting.send, instance.practice_id, instance.payer_id)


def model_changed(instance: RiskModel, created: bool, raw: bool = False, **_: Any) -> None:
    if not (created or raw) and instance.state == ModelState.ACTIVE:
        ring(score_waiting.send, instance.practice_id, None)


def payer_changed(instance: Payer, created: bool, raw: bool, update_fields: Any = None, **_: Any) -> None:
    is_of_scores = update_fields is None or OF_SCORES & set(update_fields)
    if not (created or raw) and is_of_scores:
        ring(score_waiting.send, instance.practice_id, instance.pk)


def claim_changed(instance: Claim, created: bool, raw: bool, **_: Any) -> None:
    if not (created or raw):
        ring(score_claim.send, instance.practice_id, instance.pk)
