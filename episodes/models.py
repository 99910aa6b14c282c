"""Episodes: one claim's chain of submissions (original, replacements, void) with all of its remittances.

The links are rows of their own that point down; a claim is in one episode and a remittance in at most one. How a
remittance was linked, how sure that is and by whom, stands on the link. Totals are signed sums over the links.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from claims.models import Claim
from marb.access.models import Loaded, Scoped
from remits.models import Remittance


class EpisodeStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    LINKED = "linked", "Linked"
    COMPLETE = "complete", "Complete"
    DENIED = "denied", "Denied"


class Episode(Scoped):
    """The chain that begins with `claim`. Amounts follow DOMAIN 2.5: the sum over all remittances, in their sign."""

    cached_as = ("episode",)
    claim = models.OneToOneField(Claim, models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=EpisodeStatus.choices, default=EpisodeStatus.PENDING)
    charge_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    paid_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    adjustment_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    patient_responsibility_amount = models.DecimalField(max_digits=18, decimal_places=2, default=0)
    claim_count = models.PositiveIntegerField(default=1)
    remittance_count = models.PositiveIntegerField(default=0)
    denial_count = models.PositiveIntegerField(default=0)
    adjustment_count = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    linked_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=EpisodeStatus.values), name="episode_status_known"),
            models.CheckConstraint(
                condition=Q(status=EpisodeStatus.PENDING) | Q(remittance_count__gt=0) | Q(claim_count__gt=0),
                name="episode_not_empty",
            ),
        ]
        indexes = [
            # the episode list by status, newest first ([001] created_at)
            models.Index(fields=["practice", "status", "-created_at"], name="episode_by_status"),
            models.Index(fields=["practice", "-created_at", "-id"], name="episode_newest"),
        ]

    def __str__(self) -> str:
        return f"Episode {self.pk}"


class EpisodeClaim(Loaded):
    """A claim's place in its chain."""

    cached_as = ("episode",)
    episode = models.ForeignKey(
        Episode, models.CASCADE, related_name="claim_links", db_index=False, db_constraint=False
    )
    # unique: a claim is in one episode ([001] episodes.claim_id)
    claim = models.OneToOneField(Claim, models.PROTECT, related_name="+", db_constraint=False)

    class Meta:
        ordering = ["episode_id", "claim_id"]
        indexes = [
            # an episode's chain
            models.Index(fields=["episode", "claim"], name="episodeclaim_of_episode"),
        ]

    def __str__(self) -> str:
        return f"Claim {self.claim_id} in episode {self.episode_id}"


class LinkMethod(models.TextChoices):
    CONTROL_NUMBER = "control_number", "Control number"
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
            # linking: which of a file's claims somebody has linked by hand; few are
            models.Index(fields=["claim"], condition=Q(method="manual"), name="episoderemit_by_hand"),
        ]

    def __str__(self) -> str:
        return f"Remittance {self.remittance_id} in episode {self.episode_id}"
