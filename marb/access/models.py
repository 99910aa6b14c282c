"""Who may see what: practices, memberships with a role, and the scope that every person's queryset passes.

The invariant: a row belongs to one practice, and a person reaches a row only through `for_user`. A superuser reaches
all. A practice that is not active is no member's: its rows are as if they were not there, and no file is taken in for
it (marb.pipeline.receive). What a role may do beyond reading is in marb.access.roles.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.utils import timezone

from marb.core.cache.stamps import touch_everywhere


class PracticeQuerySet(models.QuerySet["Practice"]):
    def for_user(self, user: "AbstractBaseUser | AnonymousUser") -> Self:
        """Narrow to the active practices that a person is a member of; all of them for a superuser."""
        if not user.is_active or not user.is_authenticated:
            return self.none()
        if getattr(user, "is_superuser", False):
            return self
        return self.filter(memberships__user_id=user.pk, is_active=True)


class Practice(models.Model):
    """A billing practice, the owner of every row."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=40, default="America/New_York")
    segment_expectations = models.JSONField(default=dict, blank=True)
    payer_specific_rules = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PracticeQuerySet.as_manager()

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    ADMINISTRATOR = "administrator", "Administrator"
    MANAGER = "manager", "Manager"
    BILLER = "biller", "Biller"
    AUDITOR = "auditor", "Auditor"


class MembershipQuerySet(models.QuerySet["Membership"]):
    def in_force(self, user_id: int) -> Self:
        """Narrow to a person's memberships of practices that are active."""
        return self.filter(user_id=user_id, practice__is_active=True)


class Membership(models.Model):
    """One person's role in one practice."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.BILLER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["practice_id", "user_id"]
        constraints = [
            models.UniqueConstraint(fields=["practice", "user"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"


# Where marb.access.roles keeps a person's roles during a request: {practice id: role}.
KEPT_ROLES = "_practice_roles"


class ScopedQuerySet(models.QuerySet[Any]):
    def for_user(self, user: "AbstractBaseUser | AnonymousUser") -> Self:
        """Narrow to the rows of a person's practices; another practice's row is as if it were not there.

        Where the person's roles were read already in this request, the practices are named as constants: only then
        does PostgreSQL take the order from an index that begins with the practice.
        """
        if getattr(user, "is_superuser", False) and user.is_active:
            return self
        practices = list(getattr(user, KEPT_ROLES, ()))
        if len(practices) == 1 and user.is_active:
            return self.filter(practice_id=practices[0])
        return self.filter(practice__in=Practice.objects.for_user(user))

    def update(self, **values: Any) -> int:
        """Update as Django does, and say it to the cache: a bulk statement sends no signals."""
        with touching_model(self.model):
            return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        with touching_model(self.model):
            return super().delete()

    def bulk_create(self, *arguments: Any, **options: Any) -> list[Any]:
        with touching_model(self.model):
            return super().bulk_create(*arguments, **options)

    # as Django marks its own: not on a manager, and not from a template
    delete.queryset_only = True  # type: ignore[attr-defined]
    update.alters_data = delete.alters_data = bulk_create.alters_data = True  # type: ignore[attr-defined]


@contextmanager
def touching_model(model: Any) -> Iterator[None]:
    """Write rows of a model whose practice is not known: what it is cached as falls everywhere."""
    if not model.cached_as:
        yield
        return
    with transaction.atomic():
        yield
        touch_everywhere(*model.cached_as)


class Scoped(models.Model):
    """A row of one practice. Each subclass names its own indexes; the foreign key brings none of its own.

    `cached_as` are the kinds of cached answers that show its rows (marb.core.cache).
    """

    cached_as: ClassVar[tuple[str, ...]] = ()
    practice = models.ForeignKey(Practice, models.PROTECT, related_name="+", db_index=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True


class Loaded(Scoped):
    """A row written by COPY in a chunk's own transaction, which proves its lease on the chunk before it writes.

    That proof locks the chunk, and with it holds the file and the practice that the chunk points to; so what such a row
    says of its practice, file, chunk and parent row is true by construction. PostgreSQL is not asked again for every
    row (half of a load's time: docs/PERFORMANCE.md); `manage.py verify` asks.
    """

    practice = models.ForeignKey(Practice, models.PROTECT, related_name="+", db_index=False, db_constraint=False)

    class Meta:
        abstract = True


class AuditEntryQuerySet(ScopedQuerySet):
    def for_user(self, user: "AbstractBaseUser | AnonymousUser") -> Self:
        """Narrow to what was read in the practices where a person may see it; a superuser sees what has none too."""
        if getattr(user, "is_superuser", False) and user.is_active:
            return self
        if not user.is_active or not user.is_authenticated:
            return self.none()
        roles = getattr(user, KEPT_ROLES, None)
        if roles is None:
            watched = Membership.objects.in_force(user.pk).filter(role__in=AUDITING_ROLES)
            return self.filter(practice_id__in=watched.values("practice_id"))
        practices = [practice_id for practice_id, role in roles.items() if role in AUDITING_ROLES]
        # one practice as a constant: only then does the index (practice, id) give the order
        return self.filter(practice_id=practices[0]) if len(practices) == 1 else self.filter(practice_id__in=practices)


# who sees the audit of a practice; marb.access.roles says the same of Action.SEE_AUDIT
AUDITING_ROLES = (Role.ADMINISTRATOR, Role.AUDITOR)


class AuditEntry(models.Model):
    """One read, as marb.access.trail wrote it. The table is made and guarded by its migration, a partition a month.

    Nothing here points to a row by a constraint: an entry outlives what it tells of.
    """

    at = models.DateTimeField()
    stored_at = models.DateTimeField()
    practice = models.ForeignKey(
        Practice, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False, null=True
    )
    user_id = models.BigIntegerField(null=True)
    username = models.CharField(max_length=150)
    kind = models.CharField(max_length=40)
    action = models.CharField(max_length=20)
    place = models.CharField(max_length=100)
    method = models.CharField(max_length=10)
    object_ids = ArrayField(models.BigIntegerField())
    parameters = models.JSONField()
    status_code = models.SmallIntegerField()
    address = models.CharField(max_length=45)
    request_id = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "access_auditentry"
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.kind}"


class IdempotencyKey(models.Model):
    """A person's key for one request, and what it answered (marb.access.idempotency); without an answer, at work."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    # sha256 of the method and address, and of the body
    request = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    lock_no = models.PositiveIntegerField(default=1)
    locked_until = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotencykey_once")]
        # the sweep
        indexes = [models.Index(fields=["expires_at"], name="idempotencykey_expiry")]

    def __str__(self) -> str:
        return f"Key {self.pk}"
