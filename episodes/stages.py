"""What a person says of an episode: appealed, written off, closed, or none of it any more; and its history.

Her word stands beside what is derived from the payers (episodes.status) and is changed by nobody else: a later payment
shows in the derived stage. A closed or written-off episode has the status `complete` until she takes it back.
"""

from django.db import connection, transaction

from episodes.hand import MOST_REASON, Person, Refused
from episodes.models import Episode, HandStage, StageChange
from episodes.scope import LOCK, LOCK_CLASS, Start, gather
from episodes.status import settle
from marb.core.cache import touch


def set_stage(user: Person, episode: Episode, stage: str, reason: str) -> bool:
    """Say an episode's hand stage, empty to take it back; False where it stands so already. Raises Refused."""
    if not reason.strip() or len(reason) > MOST_REASON:
        raise Refused(f"Say why, in at most {MOST_REASON} characters.")
    if stage and stage not in HandStage.values:
        raise Refused(f"A person says {', '.join(HandStage.values)}, or nothing; the rest is derived from the payers.")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK, {"lock": LOCK_CLASS, "practice": episode.practice_id})
        before = Episode.objects.get(pk=episode.pk)
        if before.hand_stage == stage:
            return False
        Episode.objects.filter(pk=episode.pk).update(hand_stage=stage)
        StageChange.objects.create(
            practice_id=before.practice_id, episode=before, from_stage=before.hand_stage, to_stage=stage,
            changed_by=user, reason=reason.strip(),
        )  # fmt: skip
        gather(cursor, Start(before.practice_id).also([before.claim_id], []))
        settle(cursor, before.practice_id)
        touch(before.practice_id, "episode")
    return True
