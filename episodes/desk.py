"""What people do about a denial: take it, give it to a colleague, write a note, end it, open it again.

Each is a DenialNote, with who and when, in the transaction of its change; the item's row is locked, so that two people
do not overwrite each other. Who may is asked by the caller (Action.WORK_DENIALS); what cannot be done raises Refused
with a sentence, and nothing was changed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from episodes.hand import Person, Refused
from episodes.models.denial import ClosedBy, DenialItem, DenialNote, DenialState, NoteKind, Resolution
from marb.access.models import Membership

MOST_NOTE = 2_000


def find_assignees(practice_id: int) -> QuerySet[Any]:
    """Find who may be given a practice's denials: its members that are active."""
    members = Membership.objects.filter(practice_id=practice_id).values("user_id")
    return get_user_model().objects.filter(pk__in=members, is_active=True).order_by("username")


def assign(item: DenialItem, author: Person, assignee: Any, text: str = "") -> DenialItem:
    """Give an item to a member of its practice, or to nobody (None). Raises Refused."""
    if assignee is not None and not find_assignees(item.practice_id).filter(pk=assignee.pk).exists():
        raise Refused("Only a member of the practice can be given its denials.")
    with changing(item) as row:
        if row.status == DenialState.RESOLVED:
            raise Refused("The denial is resolved: open it again before you assign it.")
        row.assignee = assignee
        whom = f"To {assignee.get_username()}" if assignee else "To nobody"
        tell(row, author, NoteKind.ASSIGN, f"{whom}. {text}".strip())
    return row


def start(item: DenialItem, author: Person, text: str = "") -> DenialItem:
    """Take up an open item; it is the author's unless it is somebody's. Raises Refused."""
    with changing(item) as row:
        if row.status != DenialState.OPEN:
            raise Refused("Only an open denial can be taken up.")
        row.status = DenialState.IN_PROGRESS
        row.assignee_id = row.assignee_id or author.pk
        tell(row, author, NoteKind.START, text)
    return row


def write_note(item: DenialItem, author: Person, text: str) -> DenialItem:
    """Add a note. Raises Refused where it says nothing."""
    if not text.strip():
        raise Refused("A note says something.")
    with changing(item) as row:
        tell(row, author, NoteKind.NOTE, text)
    return row


def resolve(item: DenialItem, author: Person, resolution: str, text: str = "") -> DenialItem:
    """End an item by what was done about it (Resolution). Raises Refused."""
    with changing(item) as row:
        if row.status == DenialState.RESOLVED:
            raise Refused("The denial is resolved already.")
        if resolution == Resolution.APPEAL and not row.is_appealable:
            raise Refused("This denial cannot be appealed (MA130): mend the claim and send it again.")
        row.status, row.resolution, row.resolved_at = DenialState.RESOLVED, resolution, timezone.now()
        tell(row, author, NoteKind.RESOLVE, f"{Resolution(resolution).label}. {text}".strip())
    return row


def reopen(item: DenialItem, author: Person, text: str = "") -> DenialItem:
    """Open again what a person ended. Raises Refused where the rows have ended it."""
    with changing(item) as row:
        if row.status != DenialState.RESOLVED:
            raise Refused("The denial is not resolved.")
        if row.closed_by:
            raise Refused(f"The denial is over: {ClosedBy(row.closed_by).label.lower()}.")
        row.status, row.resolution, row.resolved_at = DenialState.OPEN, "", None
        tell(row, author, NoteKind.REOPEN, text)
    return row


@contextmanager
def changing(item: DenialItem) -> Iterator[DenialItem]:
    """Lock an item's row for a change, and save it."""
    with transaction.atomic():
        row = DenialItem.objects.select_for_update().get(pk=item.pk)
        yield row
        row.updated_at = timezone.now()
        row.save(update_fields=["status", "resolution", "resolved_at", "assignee", "updated_at"])


def tell(item: DenialItem, author: Person, kind: NoteKind, text: str) -> None:
    said = text.strip()
    if len(said) > MOST_NOTE or "\x00" in said:
        raise Refused(f"A note has at most {MOST_NOTE} characters.")
    DenialNote.objects.create(practice_id=item.practice_id, item=item, kind=kind, text=said, author=author)
