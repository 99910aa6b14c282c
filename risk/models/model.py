"""Trained models of denial, what activated or retired them, and what people decided about claims they saw scored.

A model is text: the booster as xgboost's JSON, its calibration and its card as JSON; nothing is pickled. One model of a
practice is in use at most. Rows of models come from risk.model.training; states change in risk.model.steering only.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from claims.models import Claim
from marb.access.models import Scoped
from risk.models.score import RiskScore


class ModelState(models.TextChoices):
    CANDIDATE = "candidate", "Candidate"
    ACTIVE = "active", "In use"
    RETIRED = "retired", "Retired"
    REFUSED = "refused", "Refused"


class RiskModel(Scoped):
    """One training: what it learnt, how good that is on later claims (`card`), and whether it is in use."""

    version = models.CharField(max_length=40)
    # of the features that the booster was trained on; another digest's model is not loaded (risk.features.DIGEST)
    schema_digest = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=ModelState.choices, default=ModelState.CANDIDATE)
    # why it was refused or not put to use; empty else
    reason = models.TextField(blank=True)
    booster = models.TextField()
    # {kind, knots: [], values: []}
    calibration = models.JSONField()
    # {window, sizes, metrics, baselines, curves, importance}: risk.model.card
    card = models.JSONField()
    trained_at = models.DateTimeField(db_default=Now())
    trained_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    activated_at = models.DateTimeField(null=True)
    activated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = "model"
        constraints = [
            # also a practice's models
            models.UniqueConstraint(fields=["practice", "version"], name="riskmodel_version_once"),
            models.UniqueConstraint(fields=["practice"], condition=Q(state="active"), name="riskmodel_one_active"),
            models.CheckConstraint(condition=Q(state__in=ModelState.values), name="riskmodel_state_known"),
        ]

    def __str__(self) -> str:
        return f"Model {self.version}"


class ModelStep(models.TextChoices):
    ACTIVATED = "activated", "Put to use"
    RETIRED = "retired", "Retired"
    REFUSED = "refused", "Refused"
    ROLLED_BACK = "rolled_back", "Put to use again"


class RiskModelChange(Scoped):
    """One change of a model's state: by whom (null: by training itself), when and why. Only added to."""

    risk_model = models.ForeignKey(RiskModel, models.CASCADE, related_name="changes", db_index=False)
    step = models.CharField(max_length=12, choices=ModelStep.choices)
    reason = models.TextField(blank=True)
    changed_at = models.DateTimeField(db_default=Now())
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = "model change"
        constraints = [
            models.CheckConstraint(condition=Q(step__in=ModelStep.values), name="riskmodelchange_step_known"),
        ]
        indexes = [
            # a model's history, and which one was in use before
            models.Index(fields=["risk_model", "-id"], name="riskmodelchange_of_model"),
            models.Index(fields=["practice", "-id"], name="riskmodelchange_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_step_display()}: model {self.risk_model_id}"


class Decision(models.TextChoices):
    HELD = "held", "Held back"
    SENT = "sent", "Sent as it was"
    CORRECTED = "corrected", "Corrected"


class RiskDecision(Scoped):
    """What a person did with a claim, the score that she saw, and why. Only added to; the last one counts."""

    claim = models.ForeignKey(Claim, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    score = models.ForeignKey(RiskScore, models.SET_NULL, null=True, related_name="+", db_index=False)
    # of the score as it was: scores may be made anew
    risk_level = models.CharField(max_length=10, blank=True)
    model_version = models.CharField(max_length=40, blank=True)
    decision = models.CharField(max_length=10, choices=Decision.choices)
    reason = models.CharField(max_length=300)
    decided_at = models.DateTimeField(db_default=Now())
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = "decision"
        constraints = [
            models.CheckConstraint(condition=Q(decision__in=Decision.values), name="riskdecision_known"),
        ]
        indexes = [
            # a claim's decisions, the last first
            models.Index(fields=["claim", "-id"], name="riskdecision_of_claim"),
            models.Index(fields=["practice", "-id"], name="riskdecision_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_decision_display()}: claim {self.claim_id}"
