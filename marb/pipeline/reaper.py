"""The reaper: finds what waits without a bell, or whose holder is gone, so that it can be rung again.

A broker that forgot everything, a killed worker, a bell lost between commit and send: all look the same from here, a
row that is overdue by PostgreSQL's clock. A bell too many costs one indexed read. It changes no state but the time
at which a chunk is overdue again.
"""

from typing import NamedTuple

from django.conf import settings
from django.db import connection

MOST_BELLS = 1_000


class Overdue(NamedTuple):
    """Ids to ring for: files to split, chunks to load, files to finish."""

    received: list[int]
    chunks: list[int]
    loaded: list[int]


CHUNKS = """
UPDATE pipeline_chunk c SET lease_until = CASE WHEN state = 'waiting'
    THEN now() + make_interval(secs => %(seconds)s) ELSE lease_until END
FROM (SELECT id FROM pipeline_chunk
    WHERE state IN ('waiting', 'leased') AND (lease_until IS NULL OR lease_until < now())
        AND (state = 'leased' OR %(has_room)s)
        AND NOT EXISTS (SELECT FROM pipeline_edifile f WHERE f.id = file_id AND f.hold <> '')
    ORDER BY lease_until NULLS FIRST LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED) overdue
WHERE c.id = overdue.id
RETURNING c.id
"""
# a new file's first bell gets a lease's time to be heard
RECEIVED = """
SELECT id FROM pipeline_edifile
WHERE status = 'received' AND hold = '' AND (lease_until IS NULL OR lease_until < now())
    AND (lease_no > 0 OR (%(has_room)s AND received_at < now() - make_interval(secs => %(seconds)s)))
ORDER BY id LIMIT %(most)s
"""
LOADED = """
SELECT id FROM pipeline_edifile f
WHERE status = 'running' AND hold <> 'paused' AND (lease_until IS NULL OR lease_until < now())
    AND NOT EXISTS (SELECT FROM pipeline_chunk c WHERE c.file_id = f.id AND c.state IN ('waiting', 'leased'))
ORDER BY id LIMIT %(most)s
"""


# a process that stands still in the middle of a COPY: no timeout of PostgreSQL's reaches it there
SILENT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND application_name = 'marb'
    AND pid <> pg_backend_pid() AND state = 'active' AND wait_event = 'ClientRead'
    AND state_change < now() - make_interval(secs => %(seconds)s)
"""


def find_overdue(*, has_room: bool = True) -> Overdue:
    """Find what to ring for, at most MOST_BELLS of each.

    Without `has_room` the queue is full of bells that nobody has heard yet: files and chunks that wait their turn are
    not rung again and again, those whose holder is gone are.
    """
    return Overdue(ids(RECEIVED, has_room=has_room), ids(CHUNKS, has_room=has_room), ids(LOADED))


def end_silent() -> int:
    """End sessions whose client has been silent in a COPY for a lease's time; they hold rows. Answers how many."""
    with connection.cursor() as cursor:
        cursor.execute(SILENT, {"seconds": settings.CHUNK_LEASE_SECONDS})
        return len(cursor.fetchall())


def ids(statement: str, **limits: bool) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"seconds": settings.CHUNK_LEASE_SECONDS, "most": MOST_BELLS, **limits})
        return [row[0] for row in cursor.fetchall()]
