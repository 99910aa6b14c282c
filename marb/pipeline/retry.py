"""Trying again what the belt gave up: parked chunks, last steps that kept failing, a file that could not be split.

For when the fault was ours and is mended. Chunks that are done stay done; a file that was never split begins anew.
The counts are those of before until the belt has come to an end again.
"""

from django.conf import settings
from django.db import connection, transaction

from marb.core.cache import touch
from marb.pipeline.actors import ring_file, ring_next

# the file's row first: of two who retry at once, the second finds nothing to do
REOPEN = """
UPDATE pipeline_edifile f SET reason = '', hold = '', finished_at = NULL, attempts = 0, lease_until = NULL,
    status = CASE WHEN chunk_count > 0 THEN 'running' ELSE 'received' END,
    chunks_done = (SELECT count(*) FROM pipeline_chunk c WHERE c.file_id = f.id AND c.state = 'done')
WHERE id = %s AND status IN ('partial', 'rejected')
RETURNING status, practice_id
"""
UNPARK = """
UPDATE pipeline_chunk SET state = 'waiting', attempts = 0, reason = '', finished_at = NULL,
    lease_until = now() + make_interval(secs => %s)
WHERE file_id = %s AND state = 'parked' AND (%s::bigint IS NULL OR id = %s)
"""
FORGET = (
    "DELETE FROM pipeline_finding WHERE file_id = %s",
    "DELETE FROM pipeline_transactionset WHERE file_id = %s",
)


def retry_file(file_id: int, chunk_id: int | None = None) -> bool:
    """Put a partly accepted or rejected file on the belt again, all of it or one chunk. False where it is neither."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(REOPEN, [file_id])
        reopened = cursor.fetchone()
        if reopened is None:
            return False
        if reopened[0] == "running":
            cursor.execute(UNPARK, [settings.CHUNK_LEASE_SECONDS, file_id, chunk_id, chunk_id])
            ring_next(file_id)
        else:
            for statement in FORGET:
                cursor.execute(statement, [file_id])
            ring_file(file_id)
        touch(reopened[1], "file")
    return True
