"""Settling anew what a changed meaning reaches: the episodes in which a reason occurs, a block at a time.

What is still to be done stands in DenialRecheck, one row a practice and reason: a bell that is lost loses nothing. A
row goes when its last block is settled; a meaning that changes meanwhile asks again, and its row, which is newer than
what was read, stays. Each block is a transaction of its own under the practice's lock, as a file's settling is.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from episodes.models.denial import DenialReason, DenialRecheck
from episodes.scope import CLEAR, LOCK, LOCK_CLASS, ROOM
from episodes.status import settle_touched
from marb.access.models import Practice
from marb.core.cache import touch

BLOCK_EPISODES = 20_000

# the next episodes with the reason, by id
NEXT = """
CREATE TEMP TABLE settling_episode ON COMMIT DROP AS
SELECT DISTINCT l.episode_id AS id
FROM remits_adjustment a JOIN episodes_episoderemittance l ON l.remittance_id = a.remittance_id
WHERE a.practice_id = %(practice)s AND a.carc = ANY(%(carcs)s) AND l.episode_id > %(after)s
ORDER BY id LIMIT %(most)s
"""


def ask(reason: DenialReason, *, also: Iterable[str] = ()) -> list[int]:
    """Note that a meaning was changed (and the reasons that its row spoke of before); answers the practices it meets.

    To be called in the transaction that changes it.
    """
    everyone = Practice.objects.values_list("pk", flat=True)
    practices = list(everyone) if reason.practice_id is None else [reason.practice_id]
    rows = [DenialRecheck(practice_id=each, carc=carc) for each in practices for carc in {reason.carc, *also}]
    unique = {"unique_fields": ["practice", "carc"], "update_conflicts": True, "update_fields": ["asked_at"]}
    for row in rows:
        row.asked_at = Now()
    DenialRecheck.objects.bulk_create(rows, **unique)
    return practices


def resettle(practice_id: int) -> int:
    """Settle all that waits in a practice; answers how many episodes changed."""
    waiting = dict(DenialRecheck.objects.filter(practice_id=practice_id).values_list("carc", "asked_at"))
    if not waiting:
        return 0
    changed, after = 0, 0
    while True:
        written, last = resettle_block(practice_id, sorted(waiting), after)
        changed += written
        if last is None:
            break
        after = last
    forget(practice_id, waiting)
    return changed


def resettle_block(practice_id: int, carcs: list[str], after: int) -> tuple[int, int | None]:
    """Settle the next block after an episode; answers what changed and the block's last episode, None for none left."""
    values: dict[str, Any] = {
        "lock": LOCK_CLASS,
        "practice": practice_id,
        "carcs": carcs,
        "after": after,
        "most": BLOCK_EPISODES,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ROOM)
        cursor.execute(LOCK, values)
        cursor.execute(CLEAR)
        cursor.execute(NEXT, values)
        cursor.execute("SELECT max(id) FROM settling_episode")
        last = cursor.fetchone()[0]
        changed = settle_touched(cursor, practice_id) if last else 0
        if changed:
            touch(practice_id, "episode")
        return changed, last


def forget(practice_id: int, done: dict[str, datetime]) -> None:
    for carc, asked_at in done.items():
        DenialRecheck.objects.filter(practice_id=practice_id, carc=carc, asked_at=asked_at).delete()


def find_waiting() -> list[int]:
    """Find the practices in which something waits to be settled anew."""
    return list(DenialRecheck.objects.order_by("practice_id").values_list("practice_id", flat=True).distinct())
