"""What each role may do in its practice: one matrix, asked by `may`. Reading is every member's; a superuser may all.

A person's roles are read once per request and kept on the person.
"""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import models

from marb.access.models import KEPT_ROLES, Membership, Practice, Role


class Action(models.TextChoices):
    READ = "read", "Read claims, remittances and episodes"
    UPLOAD = "upload", "Upload files"
    CHANGE_PARTIES = "change_parties", "Change payers, plans and providers"
    LINK = "link", "Link remittances to claims"
    WORK_DENIALS = "work_denials", "Work on denials"
    MANAGE_MEMBERS = "manage_members", "Manage members"
    SEE_IDENTIFIERS = "see_identifiers", "See identifiers in full"
    SEE_AUDIT = "see_audit", "See who read what"


MATRIX: dict[Role, frozenset[Action]] = {
    Role.ADMINISTRATOR: frozenset(Action),
    Role.MANAGER: frozenset(Action) - {Action.MANAGE_MEMBERS, Action.SEE_AUDIT},
    Role.BILLER: frozenset({Action.READ, Action.UPLOAD, Action.LINK, Action.WORK_DENIALS, Action.SEE_IDENTIFIERS}),
    Role.AUDITOR: frozenset({Action.READ, Action.SEE_AUDIT}),
}

Person = AbstractBaseUser | AnonymousUser


def get_roles(user: Person) -> dict[int, Role]:
    """Get a person's role by the id of each active practice; one query, kept on the person."""
    if not user.is_authenticated or not user.is_active:
        return {}
    if not hasattr(user, KEPT_ROLES):
        rows = Membership.objects.in_force(user.pk).values_list("practice_id", "role")
        setattr(user, KEPT_ROLES, {practice_id: Role(role) for practice_id, role in rows})
    roles: dict[int, Role] = getattr(user, KEPT_ROLES)
    return roles


def is_superuser(user: Person) -> bool:
    return bool(user.is_active and getattr(user, "is_superuser", False))


def is_member(user: Person) -> bool:
    """Say whether a person may reach anything at all."""
    return is_superuser(user) or bool(get_roles(user))


def may(user: Person, practice_id: int, action: Action) -> bool:
    """Say whether a person may do this in that practice."""
    if is_superuser(user):
        return True
    role = get_roles(user).get(practice_id)
    return role is not None and action in MATRIX[role]


def may_anywhere(user: Person, action: Action) -> bool:
    """Say whether a person may do this in any practice."""
    return is_superuser(user) or any(action in MATRIX[role] for role in get_roles(user).values())


def find_practices(user: Person, action: Action) -> models.QuerySet[Practice]:
    """Find the practices where a person may do this."""
    practices = Practice.objects.for_user(user)
    if is_superuser(user):
        return practices
    return practices.filter(pk__in=[pk for pk, role in get_roles(user).items() if action in MATRIX[role]])
