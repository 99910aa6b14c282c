"""What receivers answered to our claims: TA1, 999, 997 and 277CA, and the claims that each answer is about.

An answer names an interchange, a group, a set or a claim by its numbers; which of ours that is, is worked out anew
whenever a file comes in that it may name (claims.answers). Rejected is not denied: a claim that is rejected here never
reached adjudication. Rows come only from claims.answers.
"""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from claims.models.claim import Claim
from marb.access.models import Scoped
from marb.pipeline.models import EdiFile


class AnswerLevel(models.TextChoices):
    INTERCHANGE = "interchange", "Interchange (TA1)"
    GROUP = "group", "Group (999)"
    SET = "set", "Transaction set (999)"
    CLAIM = "claim", "Claim (277CA)"


class AnswerVerdict(models.TextChoices):
    ACCEPTED = "accepted", "Accepted"
    ERRORS = "errors", "Accepted, errors noted"
    REJECTED = "rejected", "Rejected"
    NOTED = "noted", "Answered, neither accepted nor rejected"


class Answer(Scoped):
    """One TA1, AK9, IK5 or claim of a 277CA: the `seq`-th of its file.

    `named_file` is the file of ours that it was found to be about, null while `reason` says why there is none.
    """

    cached_as = ("claim",)
    file = models.ForeignKey(EdiFile, models.CASCADE, related_name="+", db_index=False)
    seq = models.PositiveIntegerField()
    level = models.CharField(max_length=12, choices=AnswerLevel.choices)
    verdict = models.CharField(max_length=10, choices=AnswerVerdict.choices)
    # ISA09 and ISA10 of the answer, taken as UTC; when the file came in where they cannot be read
    said_at = models.DateTimeField()
    sender_code = models.CharField(max_length=80, blank=True)
    receiver_code = models.CharField(max_length=80, blank=True)
    interchange_control = models.CharField(max_length=20, blank=True)
    group_control = models.CharField(max_length=20, blank=True)
    set_control = models.CharField(max_length=20, blank=True)
    patient_control_number = models.CharField("control number", max_length=60, blank=True)
    payer_claim_control_number = models.CharField(max_length=80, blank=True)
    charge_amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    # [{code}, ...] of a set or envelope: {segment, position, loop, element, code}; of a claim: {category, status, ...}
    codes = models.JSONField(default=list)
    named_file = models.ForeignKey(EdiFile, models.SET_NULL, null=True, related_name="+", db_index=False)
    claim_count = models.PositiveIntegerField(default=0)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["file_id", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["file", "seq"], name="answer_once"),
            models.CheckConstraint(condition=Q(level__in=AnswerLevel.values), name="answer_level_known"),
            models.CheckConstraint(condition=Q(verdict__in=AnswerVerdict.values), name="answer_verdict_known"),
        ]
        indexes = [
            # what a file that comes in may be named by: its envelopes' numbers, and its claims'
            models.Index(
                fields=["practice", "group_control", "set_control"],
                condition=Q(level__in=("group", "set")),
                name="answer_by_set",
            ),
            models.Index(
                fields=["practice", "interchange_control"], condition=Q(level="interchange"), name="answer_by_isa"
            ),
            models.Index(
                fields=["practice", "patient_control_number"], condition=Q(level="claim"), name="answer_by_claim"
            ),
            # what was answered to a file
            models.Index(fields=["named_file"], condition=Q(named_file__isnull=False), name="answer_of_named_file"),
        ]

    def __str__(self) -> str:
        return f"Answer {self.seq} of file {self.file_id}"


class ClaimAnswer(Scoped):
    """An answer that is about a claim. `is_current` marks the latest word on it, of which there is one."""

    cached_as = ("claim",)
    claim = models.ForeignKey(Claim, models.CASCADE, related_name="answers", db_index=False, db_constraint=False)
    answer = models.ForeignKey(Answer, models.CASCADE, related_name="claims", db_index=False)
    verdict = models.CharField(max_length=10, choices=AnswerVerdict.choices)
    is_current = models.BooleanField(default=False)

    class Meta:
        ordering = ["claim_id", "answer_id"]
        constraints = [
            models.UniqueConstraint(fields=["claim", "answer"], name="claimanswer_once"),
            models.UniqueConstraint(fields=["claim"], condition=Q(is_current=True), name="claimanswer_one_current"),
        ]
        indexes = [
            # an answer's claims
            models.Index(fields=["answer"], name="claimanswer_of_answer"),
            # the claims that were rejected, newest first
            models.Index(
                fields=["practice", "verdict", "-claim"], condition=Q(is_current=True), name="claimanswer_current"
            ),
        ]

    def __str__(self) -> str:
        return f"Answer {self.answer_id} to claim {self.claim_id}"
