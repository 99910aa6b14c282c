"""What people do with underpaid lines: dispute, recover, accept, reopen, give to somebody; each with who, when and why.

Every change is an UnderpaidChange, and the sums that the line is in follow at once, under the practice's lock. Who may
do it is asked by the caller (Action.LINK); what cannot be done raises episodes.hand.Refused with a sentence.
"""

from typing import Any

from django.db import connection, transaction

from episodes.hand import MOST_REASON, Person, Refused
from episodes.roll import sum_month
from episodes.scope import LOCK, LOCK_CLASS
from episodes.underpaid import UnderpaidChange, UnderpaidLine, UnderpaidStatus
from marb.access.models import Membership
from marb.core.cache import touch


def change_line(
    user: Person, line: UnderpaidLine, status: str, reason: str, *, assigned_to: Any = None
) -> UnderpaidLine:
    """Give an underpaid line a status and an assignee (nobody where it is None). Raises Refused."""
    if status not in UnderpaidStatus.values:
        raise Refused("There is no such status.")
    if not reason.strip() or len(reason) > MOST_REASON:
        raise Refused(f"Say why, in at most {MOST_REASON} characters.")
    if assigned_to is not None and not is_member(assigned_to, line.practice_id):
        raise Refused("Only a member of the practice can take it up.")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK, {"lock": LOCK_CLASS, "practice": line.practice_id})
        kept = UnderpaidLine.objects.select_for_update().filter(pk=line.pk).first()
        if kept is None:
            raise Refused("The line is no longer underpaid: the payer has made it good.")
        if kept.status == status and kept.assigned_to_id == (assigned_to and assigned_to.pk):
            raise Refused("It stands so already.")
        tell(user, kept, status, reason, assigned_to)
        kept.status, kept.assigned_to = status, assigned_to
        kept.save(update_fields=["status", "assigned_to"])
        sum_month(cursor, kept.pk)
        touch(kept.practice_id, "kpi", "underpaid")
    return kept


def is_member(person: Any, practice_id: int) -> bool:
    return Membership.objects.in_force(person.pk).filter(practice_id=practice_id).exists()


def tell(user: Person, line: UnderpaidLine, status: str, reason: str, assigned_to: Any) -> None:
    UnderpaidChange.objects.create(
        practice_id=line.practice_id,
        line=line,
        status=status,
        previous_status=line.status,
        assigned_to=assigned_to,
        reason=reason.strip(),
        changed_by=user,
    )
