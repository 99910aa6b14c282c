"""Leases: who works on a chunk or a file, by PostgreSQL's clock alone.

Taking a lease raises lease_no and attempts by one; whatever is written later must prove that lease_no is still its own.
A lease that nobody renews runs out, and the next one to ask has it. A row that another transaction holds is passed
over, never waited for. What failed goes back with the reason (no PHI); after CHUNK_MOST_ATTEMPTS it is parked.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)


class ChunkLease(NamedTuple):
    """A chunk that is ours until the lease runs out. `today` is PostgreSQL's date."""

    chunk_id: int
    file_id: int
    lease_no: int
    attempts: int
    today: date


class FileLease(NamedTuple):
    """A file that is ours to split or to finish."""

    file_id: int
    practice_id: int
    lease_no: int
    attempts: int
    today: date


TAKE_CHUNK = """
UPDATE pipeline_chunk SET state = 'leased', lease_no = lease_no + 1, attempts = attempts + 1,
    lease_until = now() + make_interval(secs => %(seconds)s)
WHERE id = (
    SELECT id FROM pipeline_chunk
    WHERE {which} = ANY(%(ids)s) AND (state = 'waiting' OR (state = 'leased' AND lease_until < now()))
        AND NOT EXISTS (SELECT FROM pipeline_edifile f WHERE f.id = file_id AND f.hold <> '')
    ORDER BY file_id, seq LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, file_id, lease_no, attempts, CURRENT_DATE
"""
TAKE_FILE = """
UPDATE pipeline_edifile SET lease_no = lease_no + 1, attempts = attempts + 1,
    started_at = COALESCE(started_at, now()), lease_until = now() + make_interval(secs => %(seconds)s)
WHERE id = (
    SELECT id FROM pipeline_edifile f
    WHERE id = ANY(%(ids)s) AND status = %(status)s AND hold <> 'paused'
        AND (lease_until IS NULL OR lease_until < now())
        AND NOT EXISTS (SELECT FROM pipeline_chunk c WHERE c.file_id = f.id AND c.state IN ('waiting', 'leased'))
    ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
RETURNING id, practice_id, lease_no, attempts, CURRENT_DATE
"""


def take_chunk(chunk_id: int) -> ChunkLease | None:
    """Lease this chunk, if it waits or its lease has run out."""
    row = run(TAKE_CHUNK.format(which="id"), {"ids": [chunk_id]})
    return ChunkLease(*row) if row else None


def take_chunk_of(file_ids: Sequence[int]) -> ChunkLease | None:
    """Lease the first chunk of these files that is to be had."""
    row = run(TAKE_CHUNK.format(which="file_id"), {"ids": list(file_ids)})
    return ChunkLease(*row) if row else None


def take_received(file_ids: Sequence[int]) -> FileLease | None:
    """Lease one of these files for splitting: received, and nobody is at it."""
    row = run(TAKE_FILE, {"ids": list(file_ids), "status": "received"})
    return FileLease(*row) if row else None


def take_loaded(file_ids: Sequence[int]) -> FileLease | None:
    """Lease one of these files for its last steps: split, and every chunk done or parked."""
    row = run(TAKE_FILE, {"ids": list(file_ids), "status": "running"})
    return FileLease(*row) if row else None


def run(statement: str, values: dict[str, Any]) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values | {"seconds": settings.CHUNK_LEASE_SECONDS})
        return cursor.fetchone()


def change(statement: str, values: dict[str, Any]) -> bool:
    """Run an UPDATE of one row that names its lease_no; False where the lease is not ours any more."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount == 1


GIVE_BACK_CHUNK = """
UPDATE pipeline_chunk SET state = 'waiting', reason = %(reason)s,
    lease_until = now() + make_interval(secs => %(seconds)s)
WHERE id = %(id)s AND state = 'leased' AND lease_no = %(lease_no)s
"""
PARK_CHUNK = """
UPDATE pipeline_chunk SET state = 'parked', reason = %(reason)s, lease_until = NULL, finished_at = now()
WHERE id = %(id)s AND state = 'leased' AND lease_no = %(lease_no)s
"""
GIVE_BACK_FILE = """
UPDATE pipeline_edifile SET lease_until = now() + make_interval(secs => %(seconds)s)
WHERE id = %(id)s AND status IN ('received', 'running') AND lease_no = %(lease_no)s
"""


def give_back_chunk(lease: ChunkLease, reason: str) -> bool:
    """Put a failed chunk back; the reaper rings it again once the pause of its attempts is over."""
    values = {"id": lease.chunk_id, "lease_no": lease.lease_no, "reason": reason, "seconds": pause(lease.attempts)}
    return change(GIVE_BACK_CHUNK, values)


def park_chunk(lease: ChunkLease, reason: str) -> bool:
    """Set a chunk aside that keeps failing; its claims count as rejected until somebody retries it."""
    return change(PARK_CHUNK, {"id": lease.chunk_id, "lease_no": lease.lease_no, "reason": reason})


def give_back_file(lease: FileLease) -> bool:
    """Put a file back whose split or last steps failed; it is to be had again after the pause."""
    return change(GIVE_BACK_FILE, {"id": lease.file_id, "lease_no": lease.lease_no, "seconds": pause(lease.attempts)})


def pause(attempts: int) -> float:
    """Seconds between failing and trying again: 1, 2, 4, ... but never longer than a lease."""
    return min(2.0 ** (attempts - 1), settings.CHUNK_LEASE_SECONDS)


# a row that its own commit holds is passed over: to wait would renew the lease after that commit was broken off
RENEW_CHUNK = """
UPDATE pipeline_chunk SET lease_until = now() + make_interval(secs => %(seconds)s)
WHERE id = (SELECT id FROM pipeline_chunk WHERE id = %(id)s AND state = 'leased' AND lease_no = %(lease_no)s
    FOR NO KEY UPDATE SKIP LOCKED)
"""
RENEW_FILE = """
UPDATE pipeline_edifile SET lease_until = now() + make_interval(secs => %(seconds)s)
WHERE id = (SELECT id FROM pipeline_edifile
    WHERE id = %(id)s AND status IN ('received', 'running') AND lease_no = %(lease_no)s
    FOR NO KEY UPDATE SKIP LOCKED)
"""


def renew(lease: ChunkLease | FileLease) -> bool:
    """Lengthen a lease; False where it is not ours any more."""
    seconds = settings.CHUNK_LEASE_SECONDS
    if isinstance(lease, ChunkLease):
        return change(RENEW_CHUNK, {"id": lease.chunk_id, "lease_no": lease.lease_no, "seconds": seconds})
    return change(RENEW_FILE, {"id": lease.file_id, "lease_no": lease.lease_no, "seconds": seconds})


@contextmanager
def kept(lease: ChunkLease | FileLease) -> Iterator[None]:
    """Hold a lease for as long as the block runs: renewed at each third of it, on a connection of its own.

    It dies with the process, so a killed worker's lease still runs out; and it ends at HARD_LIMIT_SECONDS, so that
    work which hangs where Python cannot interrupt it passes to another all the same.
    """
    ended = threading.Event()
    keeper = threading.Thread(target=keep, args=(lease, ended), daemon=True, name="lease")
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()


def keep(lease: ChunkLease | FileLease, ended: threading.Event) -> None:
    until = time.monotonic() + settings.HARD_LIMIT_SECONDS
    while not ended.wait(settings.CHUNK_LEASE_SECONDS / 3) and time.monotonic() < until:
        try:
            renew(lease)
        except (OperationalError, InterfaceError):
            # PostgreSQL is away: it may be back before the lease runs out
            logger.warning("a lease could not be renewed")
        finally:
            connection.close()
