"""What people make of a pattern: confirmed, dismissed, resolved, or new again, with an owner and a reason."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from marb.access.roles import Action, may
from risk.models import DenialPattern, PatternChange, PatternStatus
from risk.models.pattern import MOST_REASON


class Refused(Exception):
    """What was asked for cannot be done; `sentence` says why, and nothing was changed."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


def change_status(user: Any, pattern: DenialPattern, status: str, reason: str, owner_name: str = "") -> None:
    """Change a pattern's status and owner, and keep who did it and why. Raises Refused."""
    if not reason.strip() or len(reason) > MOST_REASON:
        raise Refused(f"Say why, in at most {MOST_REASON} characters.")
    if status not in PatternStatus.values:
        raise Refused("There is no such status.")
    owner = find_owner(pattern, owner_name)
    with transaction.atomic():
        held = DenialPattern.objects.select_for_update().get(pk=pattern.pk)
        before, held.status = held.status, status
        held.dismissed_count = held.occurrence_count if status == PatternStatus.DISMISSED else None
        if before != status:
            held.status_changed_at, held.effect = timezone.now(), {}
        held.owner = owner or held.owner
        held.save(update_fields=["status", "dismissed_count", "status_changed_at", "effect", "owner"])
        PatternChange.objects.create(
            practice_id=held.practice_id, pattern=held, previous_status=before, status=status,
            reason=reason.strip(), changed_by=user,
        )  # fmt: skip


def find_owner(pattern: DenialPattern, name: str) -> Any:
    """Find the person of that name, who must be able to reach the pattern; None for no name."""
    if not name.strip():
        return None
    person = get_user_model().objects.filter(username=name.strip()).first()
    if person is None or not may(person, pattern.practice_id, Action.READ):
        raise Refused("There is no member of the practice by that name.")
    return person
