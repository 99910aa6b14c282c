"""Claim edits as data: what a practice or one of its payers makes of an edit, and CMS's NCCI tables.

NCCI rows are public and belong to no practice; they come from `manage.py load_ncci`, and old ones stay, by their dates.
"""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from claims.policy import DEMANDS, EDITS, LIMITED
from marb.access.models import Scoped
from marb.parties.models import Payer

EDIT_CHOICES = [(code, edit.sentence) for code, edit in sorted({**EDITS, **DEMANDS}.items())]


class EditLevel(models.TextChoices):
    OFF = "off", "Off"
    NOTE = "W", "A note"
    ERROR = "C", "Not clean until it is mended"


class EditRule(Scoped):
    """How much an edit weighs for claims to a payer; without payer, for all of the practice's."""

    payer = models.ForeignKey(Payer, models.CASCADE, null=True, blank=True, related_name="+", db_index=False)
    code = models.CharField("edit", max_length=20, choices=EDIT_CHOICES)
    level = models.CharField(max_length=3, choices=EditLevel.choices)
    limit = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Days of timely filing, or characters of a control number."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["code", "id"]
        constraints = [
            # also serves reading a practice's rules with each chunk
            models.UniqueConstraint(
                fields=["practice", "payer", "code"],
                name="editrule_once",
                nulls_distinct=False,
                violation_error_message="There is a rule for this edit and payer already.",
            ),
            models.CheckConstraint(condition=Q(level__in=EditLevel.values), name="editrule_level_known"),
            models.CheckConstraint(
                condition=Q(limit__isnull=True) | Q(code__in=LIMITED),
                name="editrule_limit_means_something",
                violation_error_message="Only timely filing and the length of the control number have a limit.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.get_level_display()}"

    def clean(self) -> None:
        if self.payer and self.practice_id and self.payer.practice_id != self.practice_id:
            raise ValidationError({"payer": "This payer belongs to another practice."})


class NcciTable(models.TextChoices):
    PRACTITIONER = "practitioner", "Practitioners"
    HOSPITAL = "hospital", "Outpatient hospitals"


class NcciPair(models.Model):
    """One procedure-to-procedure edit: the second code is part of the first, from a day to a day.

    `modifier_indicator`: 0 no modifier parts them, 1 one of NCCI's does, 9 the edit does not apply.
    """

    table = models.CharField(max_length=12, choices=NcciTable.choices)
    column_one_code = models.CharField(max_length=5)
    column_two_code = models.CharField(max_length=5)
    effective_from_date = models.DateField()
    effective_to_date = models.DateField(null=True)
    modifier_indicator = models.CharField(max_length=1)

    class Meta:
        verbose_name = "NCCI pair"
        constraints = [
            # also finds the edits of two codes
            models.UniqueConstraint(
                fields=["table", "column_one_code", "column_two_code", "effective_from_date"], name="nccipair_once"
            ),
            models.CheckConstraint(
                condition=Q(effective_to_date__isnull=True) | Q(effective_to_date__gte=F("effective_from_date")),
                name="nccipair_dates_in_order",
            ),
        ]
        indexes = [
            # the search by the second code
            models.Index(fields=["column_two_code"], name="nccipair_by_second"),
        ]

    def __str__(self) -> str:
        return f"{self.column_one_code} {self.column_two_code}"


class UnitLimit(models.Model):
    """One medically unlikely edit: the most units of a code, of a line (indicator 1) or of a day (2, 3)."""

    table = models.CharField(max_length=12, choices=NcciTable.choices)
    procedure_code = models.CharField(max_length=5)
    effective_from_date = models.DateField()
    unit_count = models.PositiveIntegerField()
    adjudication_indicator = models.CharField(max_length=1)

    class Meta:
        verbose_name = "limit of units"
        verbose_name_plural = "limits of units"
        constraints = [
            # also finds the limit of a code that holds on a day
            models.UniqueConstraint(fields=["table", "procedure_code", "effective_from_date"], name="unitlimit_once"),
        ]

    def __str__(self) -> str:
        return f"{self.procedure_code}: {self.unit_count}"
