"""Pausing, resuming and cancelling a file that is not finished.

A paused file gives no lease: what is at work ends its chunk, then it rests until it is resumed. A cancelled file has
its open chunks parked at once, those at work by a raised lease_no, so that their commit finds nothing; what is
committed stays, the file comes to its end with the reason, and marb.pipeline.retry can put it on the belt again.
"""

from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from marb.core.cache import touch
from marb.pipeline.actors import ring_file, ring_next
from marb.pipeline.models import FileStatus, Hold

LOCK_SECONDS = 5
UNFINISHED = (FileStatus.RECEIVED.value, FileStatus.RUNNING.value)


class FileBusy(Exception):
    """The file is being split, or closed, at this very moment."""


HOLD = """
UPDATE pipeline_edifile SET hold = %s
WHERE id = %s AND status = ANY(%s) AND hold = %s
RETURNING status, practice_id
"""
# the reaper gives the bells that are rung now a lease's time
RUNG = """
UPDATE pipeline_chunk SET lease_until = now() + make_interval(secs => %s) WHERE file_id = %s AND state = 'waiting'
"""
PARK = """
UPDATE pipeline_chunk SET state = 'parked', reason = 'It was cancelled.', lease_no = lease_no + 1, lease_until = NULL,
    finished_at = now()
WHERE file_id = %s AND state IN ('waiting', 'leased')
"""
LOOK = "SELECT status, hold, practice_id FROM pipeline_edifile WHERE id = %s FOR NO KEY UPDATE"
DROP = """
UPDATE pipeline_edifile SET status = 'rejected', hold = 'cancelled', reason = 'It was cancelled before it was read.',
    finished_at = now(), lease_no = lease_no + 1, lease_until = NULL
WHERE id = %s
"""
CANCEL = "UPDATE pipeline_edifile SET hold = 'cancelled', attempts = 0 WHERE id = %s"


def pause_file(file_id: int) -> bool:
    """Let a file rest after the chunks in hand. False where it is finished or on hold. Raises FileBusy."""
    return change(file_id, Hold.NONE, Hold.PAUSED) is not None


def resume_file(file_id: int) -> bool:
    """Let a paused file go on. False where it is not paused. Raises FileBusy."""
    with transaction.atomic():
        status = change(file_id, Hold.PAUSED, Hold.NONE)
        if status == FileStatus.RECEIVED:
            ring_file(file_id)
        elif status:
            ring_again(file_id)
    return status is not None


def change(file_id: int, before: Hold, after: Hold) -> str | None:
    """Change a file's hold and answer its status; None where it was not as it should be."""
    with transaction.atomic(), connection.cursor() as cursor:
        lock_briefly(cursor, HOLD, [after.value, file_id, list(UNFINISHED), before.value])
        found = cursor.fetchone()
        if found:
            touch(found[1], "file")
    return found[0] if found else None


def ring_again(file_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(RUNG, [settings.CHUNK_LEASE_SECONDS, file_id])
    ring_next(file_id)


def cancel_file(file_id: int) -> bool:
    """Give up what is open of a file. False where nothing is. Raises FileBusy."""
    with transaction.atomic(), connection.cursor() as cursor:
        lock_briefly(cursor, LOOK, [file_id])
        status, hold, practice_id = cursor.fetchone() or ("", "", 0)
        if status == FileStatus.RECEIVED:
            cursor.execute(DROP, [file_id])
            touch(practice_id, "file")
            return True
        if status != FileStatus.RUNNING or hold == Hold.CANCELLED:
            return False
        cursor.execute(PARK, [file_id])
        if cursor.rowcount:
            cursor.execute(CANCEL, [file_id])
            touch(practice_id, "file")
            ring_next(file_id)
        return cursor.rowcount > 0


def lock_briefly(cursor: CursorWrapper, statement: str, values: list[Any]) -> None:
    """Run a statement that locks a file's row; a split that holds it for longer makes it FileBusy."""
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_SECONDS}s"])
    try:
        cursor.execute(statement, values)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == "55P03":
            raise FileBusy from error
        raise
