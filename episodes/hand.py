"""Links made by people: link, unlink and give back, each with who, when and why; the rows around it follow at once.

A link by hand is `manual` and stands whatever comes later; a remittance unlinked by hand is kept apart, and nothing but
a person links it again. To give it back forgets both. Every change is a LinkChange. All of it is one transaction under
the practice's lock, so it cannot interleave with a file that is being linked.

Who may do it is asked by the caller (Action.LINK); what cannot be done raises Refused with a sentence.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models.functions import Now

from claims.models import Claim
from episodes.candidates import KEEP_APART
from episodes.followers import tell_followers
from episodes.lines import link_lines_of
from episodes.link import link_rows
from episodes.models import (
    EpisodeClaim,
    EpisodeRemittance,
    LinkAction,
    LinkChange,
    LinkMethod,
    OpenRemittance,
    OpenState,
)
from episodes.roll import roll_start
from episodes.scope import LOCK, LOCK_CLASS, Start
from marb.core.cache import touch
from remits.models import Remittance

# whoever has logged in: the callers ask what she may do
Person = Any
MOST_REASON = 300


class Refused(Exception):
    """What was asked for cannot be done; `sentence` says why, and nothing was changed."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


def link_by_hand(user: Person, remittance: Remittance, claim: Claim, reason: str) -> None:
    """Link a remittance to a claim of its practice, or link it anew. Raises Refused."""
    if claim.practice_id != remittance.practice_id:
        raise Refused("The claim is of another practice.")
    with changing(remittance, reason) as (cursor, before):
        place = EpisodeClaim.objects.filter(claim=claim).first()
        if place is None:
            raise Refused("The claim's file is not finished yet: link it when the claim has its episode.")
        if before and before.method == LinkMethod.MANUAL and before.claim_id == claim.pk:
            raise Refused("The remittance is linked to this claim by hand already.")
        OpenRemittance.objects.filter(remittance=remittance).delete()
        EpisodeRemittance.objects.update_or_create(
            remittance=remittance,
            defaults={
                "practice_id": remittance.practice_id, "episode_id": place.episode_id, "claim": claim,
                "method": LinkMethod.MANUAL, "confidence": 1, "evidence": {}, "linked_by": user, "linked_at": Now(),
            },
        )  # fmt: skip
        tell(LinkAction.LINK, user, remittance, before, reason, claim)
        follow(cursor, remittance, before, claim)


def unlink_by_hand(user: Person, remittance: Remittance, reason: str) -> None:
    """Take a remittance from its claim and keep it apart until a person links it. Raises Refused."""
    with changing(remittance, reason) as (cursor, before):
        if before is None and OpenRemittance.objects.filter(remittance=remittance, state=OpenState.APART).exists():
            raise Refused("The remittance is kept apart by hand already.")
        EpisodeRemittance.objects.filter(remittance=remittance).delete()
        cursor.execute(KEEP_APART, [remittance.pk])
        tell(LinkAction.UNLINK, user, remittance, before, reason)
        follow(cursor, remittance, before)


def release(user: Person, remittance: Remittance, reason: str) -> None:
    """Forget what people said of a remittance: it is linked by its number or by likeness again. Raises Refused."""
    with changing(remittance, reason) as (cursor, before):
        is_manual = before is not None and before.method == LinkMethod.MANUAL
        apart = OpenRemittance.objects.filter(remittance=remittance, state=OpenState.APART)
        if not is_manual and not apart.exists():
            raise Refused("Nobody has linked or unlinked this remittance by hand.")
        apart.update(state=OpenState.OPEN)
        EpisodeRemittance.objects.filter(remittance=remittance, method=LinkMethod.MANUAL).delete()
        tell(LinkAction.RELEASE, user, remittance, before, reason)
        follow(cursor, remittance, before)


@contextmanager
def changing(remittance: Remittance, reason: str) -> Iterator[tuple[CursorWrapper, EpisodeRemittance | None]]:
    """Open the one transaction of a change under the practice's lock; yields its cursor and the link as it stands."""
    if not reason.strip() or len(reason) > MOST_REASON:
        raise Refused(f"Say why, in at most {MOST_REASON} characters.")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK, {"lock": LOCK_CLASS, "practice": remittance.practice_id})
        yield cursor, EpisodeRemittance.objects.filter(remittance=remittance).first()
        touch(remittance.practice_id, "episode")


def tell(
    action: LinkAction,
    user: Person,
    remittance: Remittance,
    before: EpisodeRemittance | None,
    reason: str,
    claim: Claim | None = None,
) -> None:
    LinkChange.objects.create(
        practice_id=remittance.practice_id,
        remittance=remittance,
        action=action,
        claim=claim,
        previous_claim_id=before.claim_id if before else None,
        previous_method=before.method if before else "",
        reason=reason.strip(),
        changed_by=user,
    )


def follow(
    cursor: CursorWrapper, remittance: Remittance, before: EpisodeRemittance | None, claim: Claim | None = None
) -> None:
    """Link, settle and count all rows that the change reaches: its remittance, the claim before and the claim now."""
    claims = [pk for pk in (before and before.claim_id, claim and claim.pk) if pk]
    start = Start(remittance.practice_id).also(claims, [remittance.pk])
    link_rows(cursor, start, is_settled=True)
    link_lines_of(cursor, [remittance.pk])
    roll_start(cursor, start)
    tell_followers(cursor, remittance.practice_id, claims, [remittance.pk])
