"""Which model is in use: put to use, refused, rolled back; every change with who, when and why. One transaction each.

Under the practice's row locked, so that two who act at once leave one model in use and both changes told.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils import timezone

from marb.access.models import Practice
from marb.core.cache import touch
from risk.features import DIGEST
from risk.models import ModelState, ModelStep, RiskModel, RiskModelChange

# whoever has logged in, or None for training by schedule: the callers ask what she may do
Person = Any


class Refused(Exception):
    """What was asked for cannot be done; `sentence` says why, and nothing was changed."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


@contextmanager
def changing(practice_id: int) -> Iterator[None]:
    """Open the transaction of a change and say at its end what changed: every score may differ now."""
    with transaction.atomic():
        Practice.objects.select_for_update().get(pk=practice_id)
        yield
        touch(practice_id, "risk_model")


def activate(model: RiskModel, user: Person, reason: str = "", step: ModelStep = ModelStep.ACTIVATED) -> None:
    """Put a model to use and retire the one before it. Raises Refused."""
    with changing(model.practice_id):
        model.refresh_from_db(fields=["state", "schema_digest"])
        if model.state == ModelState.ACTIVE:
            raise Refused(f"Model {model.version} is in use already.")
        if model.schema_digest != DIGEST:
            raise Refused(
                f"Model {model.version} was trained on other features than this release has. Train a new one instead."
            )
        for before in RiskModel.objects.filter(practice_id=model.practice_id, state=ModelState.ACTIVE):
            set_state(before, ModelState.RETIRED, ModelStep.RETIRED, user, f"Model {model.version} took its place.")
        model.activated_at, model.activated_by = timezone.now(), user
        set_state(model, ModelState.ACTIVE, step, user, reason)


def refuse(model: RiskModel, reason: str) -> None:
    """Refuse a candidate that is no better than what is in use."""
    with changing(model.practice_id):
        model.reason = reason
        set_state(model, ModelState.REFUSED, ModelStep.REFUSED, None, reason)


def roll_back(practice_id: int, user: Person, reason: str = "") -> RiskModel:
    """Put the model to use that was in use before the present one. Raises Refused where there is none that fits."""
    with changing(practice_id):
        before = previous(practice_id)
        if before is None:
            raise Refused("There is no earlier model that fits this release, so nothing was changed.")
        activate(before, user, reason, ModelStep.ROLLED_BACK)
        return before


def previous(practice_id: int) -> RiskModel | None:
    """Find the newest model older than the one in use that was in use once and still fits.

    So rolling back twice goes two models back; forward again goes by putting one to use.
    """
    retired = RiskModel.objects.filter(practice_id=practice_id, state=ModelState.RETIRED, schema_digest=DIGEST)
    active = RiskModel.objects.filter(practice_id=practice_id, state=ModelState.ACTIVE).values_list("pk", flat=True)
    older = retired.filter(pk__lt=active[0]) if active else retired
    return older.defer("booster").order_by("-id").first()


def set_state(model: RiskModel, state: ModelState, step: ModelStep, user: Person, reason: str) -> None:
    model.state = state
    model.save(update_fields=["state", "reason", "activated_at", "activated_by"])
    RiskModelChange.objects.create(
        practice_id=model.practice_id, risk_model=model, step=step, reason=reason, changed_by=user
    )
