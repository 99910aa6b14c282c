"""How far files are, from the rows that their chunks write anyway: nothing is written for it.

One indexed read of a file's chunks, by PostgreSQL's clock. The rate is what came in from the start of the file to the
last chunk; the time left is what remains of the bytes at that pace.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection


class Progress(NamedTuple):
    """`bytes_done` of `byte_count` are in committed or parked chunks; `claims` counts claims and remittances.

    `rate` is claims per second and `seconds_left` is None as long as nothing came in, or while it is paused.
    """

    bytes_done: int
    byte_count: int
    chunks_done: int
    chunk_count: int
    claims: int
    scan_claims: int
    findings: int
    seconds: float
    rate: float | None
    seconds_left: float | None
    percent: int


MEASURE = """
SELECT f.id, c.bytes_done, c.byte_count, c.chunks_done, c.chunks, c.claims,
    f.scan_claim_count + f.scan_remittance_count, c.findings,
    GREATEST(EXTRACT(EPOCH FROM COALESCE(f.finished_at, now()) - f.started_at), 0)::float8,
    f.status NOT IN ('received', 'running'), f.hold = 'paused'
FROM pipeline_edifile f,
LATERAL (SELECT COALESCE(sum(byte_to - byte_from) FILTER (WHERE state IN ('done', 'parked')), 0)::bigint AS bytes_done,
    COALESCE(sum(byte_to - byte_from), 0)::bigint AS byte_count,
    count(*) FILTER (WHERE state IN ('done', 'parked')) AS chunks_done, count(*) AS chunks,
    COALESCE(sum(claim_count + remittance_count), 0)::bigint AS claims,
    COALESCE(sum(finding_count), 0)::bigint AS findings
    FROM pipeline_chunk WHERE file_id = f.id) c
WHERE f.id = ANY(%s)
"""


def measure(file_ids: Iterable[int]) -> dict[int, Progress]:
    """Say of each file how far it is, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(MEASURE, [list(file_ids)])
        return {row[0]: pace(row[1:8], row[8] or 0.0, is_finished=row[9], is_paused=row[10]) for row in cursor}


def pace(counts: tuple[int, ...], seconds: float, *, is_finished: bool, is_paused: bool) -> Progress:
    bytes_done, byte_count, chunks_done, chunk_count, claims, scan_claims, findings = counts
    rate = round(claims / seconds, 1) if claims and seconds else None
    left = seconds * (byte_count - bytes_done) / bytes_done if bytes_done else None
    percent = 100 if is_finished else 100 * bytes_done // byte_count if byte_count else 0
    seconds_left = 0.0 if is_finished else None if is_paused or left is None else round(left, 3)
    measured = (claims, scan_claims, findings, round(seconds, 3), rate, seconds_left, percent)
    return Progress(bytes_done, byte_count, chunks_done, chunk_count, *measured)
