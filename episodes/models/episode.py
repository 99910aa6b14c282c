"""Episodes: one claim's chain of submissions (original, replacements, void) with all of its remittances.

The links are rows of their own that point down; a claim is in one episode and a remittance in at most one. How a
remittance was linked, how sure that is and by whom, stands on the link. Totals are signed sums over the links. What no
control number links waits as an OpenRemittance; what people change is told by LinkChange.
"""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from claims.models import Claim, ServiceLine
from episodes import rollups, underpaid  # noqa: F401  (models of this app)
from marb.access.models import Loaded, Scoped
from marb.pipeline.models import EdiFile
from remits.models import Payment, ProviderAdjustment, Remittance, RemittanceLine


class EpisodeStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    LINKED = "linked", "Linked"
    COMPLETE = "complete", "Complete"
    DENIED = "denied", "Denied"


class EpisodeStage(models.TextChoices):
    """Where an episode stands, finer than its status, derived from its rows (episodes.status says how)."""

    SUBMITTED = "submitted", "Submitted"
    REJECTED = "rejected", "Rejected before adjudication"
    IN_ADJUDICATION = "in_adjudication", "In adjudication"
    PARTIALLY_PAID = "partially_paid", "Partially paid"
    PAID = "paid", "Paid"
    PATIENT_RESPONSIBILITY = "patient_responsibility", "Nothing paid, patient owes"
    DENIED = "denied", "Denied"
    PARTIALLY_DENIED = "partially_denied", "Partially denied"
    REVERSED = "reversed", "Reversed"
    VOIDED = "voided", "Voided"


class HandStage(models.TextChoices):
    """What a person says of an episode, whatever the payer says."""

    APPEALED = "appealed", "Appealed"
    CLOSED = "closed", "Closed"
    WRITTEN_OFF = "written_off", "Written off"


# what nobody works on any more: the status of the seeds is complete
ENDED = (HandStage.CLOSED, HandStage.WRITTEN_OFF)
STAGES = [*EpisodeStage.choices, *HandStage.choices]


class Episode(Scoped):
    """The chain that begins with `claim`. Amounts follow DOMAIN 2.5: the sum over all remittances, in their sign.

    What is held (Hold) counts for nothing. `stage` is derived and `hand_stage` is a person's, neither changes the
    other. Takebacks and interest (PLB) stand beside the amounts and are no part of them.
    """

    cached_as = ("episode",)
    claim = models.OneToOneField(Claim, models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=EpisodeStatus.choices, default=EpisodeStatus.PENDING)
    charge_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    paid_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    adjustment_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    patient_responsibility_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    stage = models.CharField(
        max_length=22, choices=EpisodeStage.choices, default=EpisodeStage.SUBMITTED, db_default=EpisodeStage.SUBMITTED
    )
    hand_stage = models.CharField(max_length=12, choices=HandStage.choices, blank=True, default="", db_default="")
    allowed_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0, db_default=0)
    # the parts of adjustment_amount: CO, PI, and all others (OA, and CR of 4010)
    contractual_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0, db_default=0)
    payer_reduction_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0, db_default=0)
    other_adjustment_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0, db_default=0)
    # charge - paid - adjusted - patient responsibility
    open_amount = models.GeneratedField(
        expression=F("charge_amount") - F("paid_amount") - F("adjustment_amount") - F("patient_responsibility_amount"),
        output_field=models.DecimalField(max_digits=18, decimal_places=2),
        db_persist=True,
    )
    # of the PLBs that name the episode: what was taken back of other payments, and the interest paid beside
    takeback_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0, db_default=0)
    interest_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0, db_default=0)
    is_secondary_due = models.BooleanField(default=False, db_default=False)
    claim_count = models.PositiveIntegerField(default=1)
    remittance_count = models.PositiveIntegerField(default=0)
    held_count = models.PositiveIntegerField(default=0, db_default=0)
    denial_count = models.PositiveIntegerField(default=0)
    adjustment_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    linked_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=EpisodeStatus.values), name="episode_status_known"),
            models.CheckConstraint(condition=Q(stage__in=EpisodeStage.values), name="episode_stage_known"),
            models.CheckConstraint(condition=Q(hand_stage__in=["", *HandStage.values]), name="episode_hand_known"),
            models.CheckConstraint(
                condition=Q(status=EpisodeStatus.PENDING) | Q(remittance_count__gt=0) | Q(claim_count__gt=0),
                name="episode_not_empty",
            ),
        ]
        indexes = [
            # the episode list by status, newest first ([001] created_at)
            models.Index(fields=["practice", "status", "-created_at"], name="episode_by_status"),
            models.Index(fields=["practice", "-created_at", "-id"], name="episode_newest"),
            # what people closed, wrote off and appealed; what the next payer is to be billed for
            models.Index(
                fields=["practice", "hand_stage", "-id"], condition=~Q(hand_stage=""), name="episode_by_hand_stage"
            ),
            models.Index(fields=["practice", "-id"], condition=Q(is_secondary_due=True), name="episode_secondary_due"),
        ]

    def __str__(self) -> str:
        return f"Episode {self.pk}"

    @property
    def net_paid_amount(self) -> Decimal:
        """What was paid less what was taken back of other payments; interest is no part of it."""
        return self.paid_amount - self.takeback_amount

    @property
    def stage_words(self) -> str:
        return self.get_hand_stage_display() if self.hand_stage else self.get_stage_display()


class EpisodeClaim(Loaded):
    """A claim's place in its chain."""

    cached_as = ("episode",)
    episode = models.ForeignKey(
        Episode, models.CASCADE, related_name="claim_links", db_index=False, db_constraint=False
    )
    # unique: a claim is in one episode ([001] episodes.claim_id)
    claim = models.OneToOneField(Claim, models.PROTECT, related_name="+", db_constraint=False)
    # CLM01 as episodes.match.normalise writes it, and the patient's name with the day of service (CCYYMMDD), in
    # the order of their bytes: a number cut short and the days around another are ranges of them
    number_key = models.CharField(max_length=60, db_default="", default="", db_collation="C")
    person_key = models.CharField(max_length=90, db_default="", default="", db_collation="C")

    class Meta:
        ordering = ["episode_id", "claim_id"]
        indexes = [
            # an episode's chain
            models.Index(fields=["episode", "claim"], name="episodeclaim_of_episode"),
            # candidates by a control number that is written otherwise, or cut short
            models.Index(fields=["practice", "number_key"], name="episodeclaim_by_number"),
            # candidates by name and day
            models.Index(fields=["practice", "person_key"], name="episodeclaim_by_person"),
        ]

    def __str__(self) -> str:
        return f"Claim {self.claim_id} in episode {self.episode_id}"


class LinkMethod(models.TextChoices):
    """How a link was made: by the number as it stands, by one piece of evidence above all, or by a person."""

    CONTROL_NUMBER = "control_number", "Control number"
    NUMBER_VARIANT = "number_variant", "Control number, written otherwise"
    PAYER_NUMBER = "payer_number", "Payer's number"
    MEMBER = "member", "Member, date and charge"
    LIKENESS = "likeness", "Likeness"
    MANUAL = "manual", "By hand"


class EpisodeRemittance(Loaded):
    """A remittance's link to the claim it answers, and so to the claim's episode."""

    cached_as = ("episode",)
    episode = models.ForeignKey(
        Episode, models.CASCADE, related_name="remittance_links", db_index=False, db_constraint=False
    )
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    # unique: never two claims for one CLP ([001] episodes.remittance_id)
    remittance = models.OneToOneField(Remittance, models.CASCADE, related_name="+", db_constraint=False)
    method = models.CharField(max_length=20, choices=LinkMethod.choices)
    confidence = models.DecimalField(max_digits=4, decimal_places=3)
    evidence = models.JSONField(default=dict)
    linked_at = models.DateTimeField(db_default=Now())
    linked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )

    class Meta:
        ordering = ["episode_id", "remittance_id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(confidence__gte=0) & Q(confidence__lte=1), name="episoderemittance_confidence_share"
            ),
            models.CheckConstraint(
                condition=~Q(method=LinkMethod.MANUAL) | Q(linked_by__isnull=False), name="episoderemittance_hand_named"
            ),
        ]
        indexes = [
            # an episode's remittances; a claim's remittances
            models.Index(fields=["episode", "remittance"], name="episoderemit_of_episode"),
            models.Index(fields=["claim"], name="episoderemit_of_claim"),
            # linking: which of a file's claims are linked by something else than their number; few are
            models.Index(fields=["claim"], condition=~Q(method="control_number"), name="episoderemit_unnumbered"),
        ]

    def __str__(self) -> str:
        return f"Remittance {self.remittance_id} in episode {self.episode_id}"


class OpenState(models.TextChoices):
    OPEN = "open", "To be linked"
    LINKED = "linked", "Linked by likeness"
    APART = "apart", "Kept apart by hand"


class OpenRemittance(Loaded):
    """A remittance that no claim's control number takes: what it is looked for by, and the claims that it may answer.

    Its columns are the remittance's as episodes.match compares them, so that a new claim finds it without the
    remittances. `candidates` are the best first: [{claim, score, weight, reasons: [[feature, finding, bits]]}].
    """

    cached_as = ("episode",)
    remittance = models.OneToOneField(
        Remittance, models.CASCADE, primary_key=True, related_name="open_place", db_constraint=False
    )
    state = models.CharField(max_length=10, choices=OpenState.choices, db_default=OpenState.OPEN)
    number_key = models.CharField(max_length=60)
    payer_number = models.CharField(max_length=80)
    member_id = models.CharField(max_length=80)
    name_key = models.CharField(max_length=82)
    service_from_date = models.DateField(null=True)
    service_to_date = models.DateField(null=True)
    candidates = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    candidate_count = models.PositiveIntegerField(default=0, db_default=0)
    best_score = models.DecimalField(max_digits=4, decimal_places=3, null=True)
    opened_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-remittance_id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=OpenState.values), name="openremittance_state_known"),
        ]
        indexes = [
            # the queue, newest first, and what a file of claims is looked up in
            models.Index(fields=["practice", "state", "-remittance"], name="openremittance_queue"),
        ]

    def __str__(self) -> str:
        return f"Open remittance {self.remittance_id}"


class LineMethod(models.TextChoices):
    CONTROL_NUMBER = "control_number", "Line control number"
    PROCEDURE = "procedure", "Procedure, modifiers, date and charge"
    WITHOUT_MODIFIERS = "without_modifiers", "Procedure, date and charge"
    CHARGE = "charge", "Procedure or revenue code, and charge"


class LineLink(Loaded):
    """A remittance's line and the claim's line that it answers; within one remittance each line stands once."""

    cached_as = ("episode",)
    remittance = models.ForeignKey(
        Remittance, models.CASCADE, related_name="line_links", db_index=False, db_constraint=False
    )
    claim = models.ForeignKey(Claim, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    remittance_line = models.OneToOneField(
        RemittanceLine, models.CASCADE, primary_key=True, related_name="claim_line_link", db_constraint=False
    )
    service_line = models.ForeignKey(
        ServiceLine, models.CASCADE, related_name="remittance_line_links", db_index=False, db_constraint=False
    )
    method = models.CharField(max_length=20, choices=LineMethod.choices)

    class Meta:
        ordering = ["remittance_line_id"]
        constraints = [
            # a remittance's lines, and each line of the claim once in it
            models.UniqueConstraint(fields=["remittance", "service_line"], name="linelink_once"),
        ]
        indexes = [
            # what became of a claim's line
            models.Index(fields=["service_line"], name="linelink_of_service_line"),
        ]

    def __str__(self) -> str:
        return f"Line {self.remittance_line_id} answers line {self.service_line_id}"


class LinkAction(models.TextChoices):
    LINK = "link", "Linked"
    UNLINK = "unlink", "Unlinked"
    RELEASE = "release", "Given back to automatic linking"


class LinkChange(Scoped):
    """What a person did to a remittance's link, when and why. Rows are only added."""

    cached_as = ("episode",)
    remittance = models.ForeignKey(Remittance, models.CASCADE, related_name="link_changes", db_index=False)
    action = models.CharField(max_length=10, choices=LinkAction.choices)
    claim = models.ForeignKey(Claim, models.PROTECT, null=True, related_name="+", db_index=False)
    previous_claim = models.ForeignKey(Claim, models.PROTECT, null=True, related_name="+", db_index=False)
    previous_method = models.CharField(max_length=20, choices=LinkMethod.choices, blank=True)
    reason = models.CharField(max_length=300)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(claim__isnull=False) | ~Q(action=LinkAction.LINK),
                name="linkchange_names_claim",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="linkchange_says_why"),
        ]
        indexes = [
            # a remittance's history; the practice's, newest first
            models.Index(fields=["remittance", "-id"], name="linkchange_of_remittance"),
            models.Index(fields=["practice", "-id"], name="linkchange_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()}: remittance {self.remittance_id}"


class QueuedRemittance(Remittance):
    """A remittance as the linking queue shows it: the same rows, pages of their own."""

    class Meta:
        proxy = True
        verbose_name = "remittance to link"
        verbose_name_plural = "remittances to link"

    def __str__(self) -> str:
        return f"Remittance {self.pk}"


class StageChange(Scoped):
    """A step of an episode from one stage to another: derived, with the file that brought it, or a person's own.

    The first answer to an episode is told by its link and is no row here, so a first load writes none. Rows are only
    added. `from_stage` and `to_stage` of a person's are hand stages, empty where there was or is none.
    """

    cached_as = ("episode",)
    episode = models.ForeignKey(Episode, models.CASCADE, related_name="stage_changes", db_index=False)
    from_stage = models.CharField(max_length=22, choices=STAGES, blank=True)
    to_stage = models.CharField(max_length=22, choices=STAGES, blank=True)
    file = models.ForeignKey(EdiFile, models.PROTECT, null=True, related_name="+", db_index=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    reason = models.CharField(max_length=300, blank=True)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(changed_by__isnull=True) | ~Q(reason=""), name="stagechange_person_says_why"
            ),
        ]
        indexes = [
            # an episode's history
            models.Index(fields=["episode", "-id"], name="stagechange_of_episode"),
        ]

    def __str__(self) -> str:
        return f"Episode {self.episode_id}: {self.to_stage or self.from_stage}"


class HoldReason(models.TextChoices):
    UNBALANCED = "unbalanced", "Does not balance"
    DUPLICATE = "duplicate", "Paid twice"
    REVERSAL = "reversal", "Reversal without original"
    CONTRADICTION = "contradiction", "Contradicts itself"


class HoldState(models.TextChoices):
    """`held`, `kept` and `discarded` are not posted; `cleared` and `released` are."""

    HELD = "held", "Held"
    KEPT = "kept", "Kept on hold"
    DISCARDED = "discarded", "Discarded"
    RELEASED = "released", "Released"
    CLEARED = "cleared", "Cleared by itself"


POSTED_STATES = (HoldState.RELEASED, HoldState.CLEARED)


class Hold(Scoped):
    """A payment, or one remittance of it, that is not posted to episodes until a person says so or its reason goes.

    The whole payment is held where anything in it does not balance, or where it was paid before; a single remittance
    where it takes back what was never given, or says two things at once. Rows are written by episodes.holds and
    episodes.status; what a person ruled stands until the reason becomes another.
    """

    cached_as = ("hold", "episode")
    payment = models.ForeignKey(Payment, models.CASCADE, related_name="holds", db_index=False)
    remittance = models.ForeignKey(Remittance, models.CASCADE, null=True, related_name="holds", db_index=False)
    reason = models.CharField(max_length=13, choices=HoldReason.choices)
    state = models.CharField(max_length=9, choices=HoldState.choices, db_default=HoldState.HELD)
    sentence = models.CharField(max_length=500)
    held_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["payment"], condition=Q(remittance__isnull=True), name="hold_of_payment"),
            models.UniqueConstraint(
                fields=["remittance"], condition=Q(remittance__isnull=False), name="hold_of_remittance"
            ),
            models.CheckConstraint(condition=Q(state__in=HoldState.values), name="hold_state_known"),
            models.CheckConstraint(condition=Q(reason__in=HoldReason.values), name="hold_reason_known"),
        ]
        indexes = [
            # the queue by state, newest first; a payment's own
            models.Index(fields=["practice", "state", "-id"], name="hold_queue"),
            models.Index(fields=["payment"], name="hold_by_payment"),
        ]

    def __str__(self) -> str:
        return f"Hold {self.pk}"

    @property
    def is_posted(self) -> bool:
        return self.state in POSTED_STATES


class HoldChange(Scoped):
    """What a person ruled on a hold, when and why. Rows are only added."""

    cached_as = ("hold",)
    hold = models.ForeignKey(Hold, models.CASCADE, related_name="changes", db_index=False)
    from_state = models.CharField(max_length=9, choices=HoldState.choices)
    to_state = models.CharField(max_length=9, choices=HoldState.choices)
    reason = models.CharField(max_length=300)
    # null: what was posted before there were holds
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="holdchange_says_why"),
        ]
        indexes = [
            # a hold's history
            models.Index(fields=["hold", "-id"], name="holdchange_of_hold"),
        ]

    def __str__(self) -> str:
        return f"Hold {self.hold_id}: {self.to_state}"


class Takeback(Scoped):
    """A provider adjustment (PLB) that names an episode in PLB03-2; one that fits several is given to none."""

    cached_as = ("episode", "payment")
    provider_adjustment = models.OneToOneField(
        ProviderAdjustment, models.CASCADE, primary_key=True, related_name="takeback"
    )
    episode = models.ForeignKey(Episode, models.CASCADE, related_name="takebacks", db_index=False, db_constraint=False)

    class Meta:
        ordering = ["provider_adjustment_id"]
        indexes = [
            # an episode's takebacks
            models.Index(fields=["episode"], name="takeback_of_episode"),
        ]

    def __str__(self) -> str:
        return f"Takeback {self.pk} of episode {self.episode_id}"
