"""What a denial is (DenialReason), and what is done about one (DenialItem, DenialNote).

A reason without a practice is shipped and holds for everybody; a practice's own comes before all of those. An item is
derived from an episode's rows (episodes.worklist): its amounts, reason, deadline and whether it is closed are functions
of those, whatever the order of arrival. Its status, resolution and assignee are people's, until the rows close it or
bring another denial.
"""

from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from episodes.models.episode import Episode
from marb.access.models import Practice, Scoped
from marb.parties.models import Payer
from remits.models import Remittance


class DenialCategory(models.TextChoices):
    AUTHORIZATION = "authorization", "Authorization"
    ELIGIBILITY = "eligibility", "Eligibility"
    COORDINATION = "coordination", "Coordination of benefits"
    TIMELY_FILING = "timely_filing", "Timely filing"
    DUPLICATE = "duplicate", "Duplicate"
    MEDICAL_NECESSITY = "medical_necessity", "Medical necessity"
    BUNDLING = "bundling", "Bundling"
    CODING = "coding", "Coding"
    NOT_COVERED = "not_covered", "Not covered"
    BENEFIT_MAXIMUM = "benefit_maximum", "Benefit maximum"
    WRONG_PAYER = "wrong_payer", "Wrong payer"
    PROVIDER = "provider", "Provider"
    DOCUMENTATION = "documentation", "Documentation"
    OTHER = "other", "Other denial"
    CAPITATION = "capitation", "Capitation"
    CONTRACTUAL = "contractual", "Contractual"
    PATIENT_SHARE = "patient_share", "Patient's share"
    PRIOR_PAYER = "prior_payer", "Prior payer"
    INFORMATIONAL = "informational", "Informational"


class Strategy(models.TextChoices):
    CORRECT_AND_RESUBMIT = "CORRECT_AND_RESUBMIT", "Correct and resubmit"
    APPEAL = "APPEAL", "Appeal"
    WRITE_OFF = "WRITE_OFF", "Write off"
    PATIENT_RESPONSIBILITY = "PATIENT_RESPONSIBILITY", "Bill the patient"


class DenialReasonQuerySet(models.QuerySet["DenialReason"]):
    def for_user(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Narrow to what is shipped and to a person's practices' own."""
        if getattr(user, "is_superuser", False) and user.is_active:
            return self
        return self.filter(Q(practice=None) | Q(practice__in=Practice.objects.for_user(user)))


class DenialReason(models.Model):
    """What an adjustment of this group, reason and remark means; an empty group or remark stands for any."""

    practice = models.ForeignKey(
        Practice, models.CASCADE, related_name="+", null=True, blank=True, db_index=False, db_constraint=True
    )
    group_code = models.CharField("group", max_length=2, blank=True)
    carc = models.CharField("reason code", max_length=5)
    rarc = models.CharField("remark code", max_length=10, blank=True)
    is_denial = models.BooleanField("is a denial", default=True)
    category = models.CharField(max_length=20, choices=DenialCategory.choices, default=DenialCategory.OTHER)
    is_correctable = models.BooleanField("can be corrected", default=False)
    strategy = models.CharField(max_length=25, choices=Strategy.choices, blank=True)

    objects = DenialReasonQuerySet.as_manager()

    class Meta:
        ordering = ["carc", "group_code", "rarc", "practice_id"]
        constraints = [
            # the table is read whole by practice (episodes.denials)
            models.UniqueConstraint(
                fields=["practice", "carc", "group_code", "rarc"], name="denialreason_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(is_denial=False) | ~Q(strategy=""), name="denialreason_denial_has_strategy"
            ),
            models.CheckConstraint(
                condition=Q(is_denial=False)
                | ~Q(category__in=["capitation", "contractual", "patient_share", "prior_payer", "informational"]),
                name="denialreason_category_fits",
            ),
        ]

    def __str__(self) -> str:
        code = f"{self.group_code}-{self.carc}" if self.group_code else self.carc
        return f"{code} with {self.rarc}" if self.rarc else code


class DenialRecheck(Scoped):
    """A reason code whose meaning was changed: the practice's episodes with it are still to be settled anew."""

    carc = models.CharField(max_length=5)
    asked_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["practice", "carc"], name="denialrecheck_once")]

    def __str__(self) -> str:
        return f"Reason {self.carc} of practice {self.practice_id}"


class DenialState(models.TextChoices):
    OPEN = "open", "Open"
    IN_PROGRESS = "in_progress", "In progress"
    RESOLVED = "resolved", "Resolved"


class Resolution(models.TextChoices):
    """How a person ends an item."""

    APPEAL = "appeal", "Appealed"
    WRITE_OFF = "write_off", "Written off"
    REBILL = "rebill", "Billed again"
    PATIENT_RESPONSIBILITY = "patient_responsibility", "Left to the patient"


class ClosedBy(models.TextChoices):
    """How the rows end an item."""

    PAID = "paid", "Paid since"
    RESUBMITTED = "resubmitted", "Submitted again"
    REVERSED = "reversed", "Reversed by the payer"
    MAPPED = "mapped", "No denial by the table"


# a whole number by which the list is ordered: the deadline's day, then the dollars, most first
PRIORITY = (
    "(coalesce(deadline_date, date '9999-12-31') - date '1970-01-01')::bigint * 100000000000"
    " + 99999999999 - least(greatest(denied_amount, 0) * 100, 99999999999)::bigint"
)


class DenialItem(Scoped):
    """An episode's denial: the last answer that denied it or part of it."""

    cached_as = ("denial",)
    episode = models.OneToOneField(Episode, models.CASCADE, related_name="denial", db_constraint=False)
    remittance = models.ForeignKey(Remittance, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    payer = models.ForeignKey(Payer, models.PROTECT, related_name="+", null=True, db_index=False, db_constraint=False)
    # of the reason that denied most; `reasons` are all of them, as CO-16
    group_code = models.CharField(max_length=2)
    carc = models.CharField("reason code", max_length=5)
    remark_codes = ArrayField(models.CharField(max_length=50), default=list)
    reasons = ArrayField(models.CharField(max_length=8), default=list)
    category = models.CharField(max_length=20, choices=DenialCategory.choices)
    strategy = models.CharField(max_length=25, choices=Strategy.choices)
    is_whole = models.BooleanField("the whole claim")
    is_correctable = models.BooleanField()
    is_appealable = models.BooleanField(default=True)
    denied_amount = models.DecimalField(max_digits=18, decimal_places=2)
    denied_date = models.DateField(null=True)
    deadline_date = models.DateField("deadline", null=True)
    # why that day: appeal_days, redetermination, timely_filing
    deadline_basis = models.CharField(max_length=20, blank=True)
    closed_by = models.CharField(max_length=12, choices=ClosedBy.choices, blank=True)
    status = models.CharField(max_length=12, choices=DenialState.choices, default=DenialState.OPEN)
    resolution = models.CharField(max_length=25, choices=Resolution.choices, blank=True)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False)
    resolved_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    priority: Any = models.GeneratedField(
        expression=RawSQL(PRIORITY, []), output_field=models.BigIntegerField(), db_persist=True
    )

    class Meta:
        ordering = ["priority", "id"]
        verbose_name = "denial"
        constraints = [
            models.CheckConstraint(
                condition=Q(status=DenialState.RESOLVED) | Q(resolution="", closed_by="", resolved_at=None),
                name="denialitem_resolution_ends",
            ),
        ]
        indexes = [
            # the work list: what is not resolved, soonest deadline first, most dollars first
            models.Index(
                fields=["practice", "priority", "id"],
                condition=~Q(status="resolved"),
                name="denialitem_work",
            ),
            # the same with what is resolved; the API's list
            models.Index(fields=["practice", "priority", "id"], name="denialitem_by_priority"),
            models.Index(fields=["payer"], name="denialitem_of_payer"),
        ]

    def __str__(self) -> str:
        return f"Denial {self.pk}"


class NoteKind(models.TextChoices):
    NOTE = "note", "Note"
    ASSIGN = "assign", "Assigned"
    START = "start", "Taken up"
    RESOLVE = "resolve", "Resolved"
    REOPEN = "reopen", "Opened again"


class DenialNote(Scoped):
    """What a person did or wrote about an item, and when. Rows are only added."""

    cached_as = ("denial",)
    item = models.ForeignKey(DenialItem, models.CASCADE, related_name="notes", db_index=False)
    kind = models.CharField(max_length=10, choices=NoteKind.choices, default=NoteKind.NOTE)
    text = models.CharField(max_length=2_000, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        # an item's history, the last first
        indexes = [models.Index(fields=["item", "-id"], name="denialnote_of_item")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on denial {self.item_id}"
