"""What a stage of the belt is given, and what it answers.

A chunk stage: `load_chunk(job: ChunkJob) -> None` reads `job.excerpt`, and writes inside `with job.commit(outcome) as
cursor:`, the chunk's one transaction. Its first statement is the fence: an UPDATE that must change exactly one row
(state and lease_no are still ours), else LeaseLost is raised, everything rolls back and the chunk is somebody else's.
Reference rows (payers, providers, payments) are made before it, in statements of their own that are safe to repeat.

A file stage: `link_file(job: FileJob) -> dict[str, int]` runs when every chunk is done or parked; set-based SQL, safe
to run twice, answers counts for the log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from marb.core.copy import copy_rows
from marb.core.failpoints import reach
from marb.core.measure import count, mark
from marb.edi.findings import Finding, Quarantined
from marb.edi.values import dollars
from marb.edi.x12 import Excerpt
from marb.pipeline import models


class LeaseLost(Exception):
    """The chunk was leased to somebody else in the meantime; nothing of ours was written."""


class Outcome(NamedTuple):
    """What a chunk came to. Every CLM or CLP of its body is either a row (counted here) or in `quarantined`."""

    claim_count: int
    remittance_count: int
    charge_cents: int
    paid_cents: int
    findings: list[Finding]
    quarantined: list[Quarantined]


class FileJob(NamedTuple):
    """A file whose chunks are all in. `today` is PostgreSQL's date at the start of the job."""

    practice_id: int
    file_id: int
    today: date


class ChunkJob(NamedTuple):
    """A leased chunk and the bytes to read. `today` is PostgreSQL's date at the time of the lease."""

    practice_id: int
    file_id: int
    chunk_id: int
    lease_no: int
    kind: str
    excerpt: Excerpt
    today: date

    @contextmanager
    def commit(self, outcome: Outcome) -> Iterator[CursorWrapper]:
        """Open the chunk's transaction, prove the lease, keep findings and quarantine; commit at the end.

        From the fence on it holds the chunk's row, so it is impatient: where this process is paused or cut off,
        PostgreSQL ends the session and the row is free for the next holder of the lease.
        """
        mark("parsing_complete", claims=outcome.claim_count, remittances=outcome.remittance_count)
        with transaction.atomic(), connection.cursor() as cursor:
            be_impatient(cursor)
            fence(cursor, self, outcome)
            owner = (self.practice_id, self.file_id, self.chunk_id)
            copy_rows(cursor, models.Finding, FINDING_COLUMNS, (finding_row(owner, f) for f in outcome.findings))
            quarantined = (quarantine_row(owner, q) for q in outcome.quarantined)
            copy_rows(cursor, models.Quarantine, QUARANTINE_COLUMNS, quarantined)
            yield cursor
            reach("before_commit")
        count_loaded(outcome)
        reach("after_commit")


def count_loaded(outcome: Outcome) -> None:
    """Count what this process committed, for the rate of ingest."""
    for name, number in (("claims", outcome.claim_count), ("remittances", outcome.remittance_count)):
        if number:
            count(name, number)


IMPATIENCE = """
SELECT set_config('idle_in_transaction_session_timeout', %s, true), set_config('lock_timeout', %s, true),
    set_config('statement_timeout', %s, true)
"""


def be_impatient(cursor: CursorWrapper) -> None:
    """Bound this transaction's silence, its waiting for locks and each of its statements."""
    seconds = (settings.CHUNK_LEASE_SECONDS, settings.CHUNK_LOCK_SECONDS, settings.CHUNK_STATEMENT_SECONDS)
    cursor.execute(IMPATIENCE, [f"{limit}s" for limit in seconds])


FENCE = """
UPDATE pipeline_chunk SET state = 'done', finished_at = now(), lease_until = NULL, reason = '',
    claim_count = %s, remittance_count = %s, claims_quarantined = %s, remittances_quarantined = %s,
    charge_amount = %s, paid_amount = %s, finding_count = %s
WHERE id = %s AND state = 'leased' AND lease_no = %s
"""


def fence(cursor: CursorWrapper, job: ChunkJob, outcome: Outcome) -> None:
    quarantined = len(outcome.quarantined)
    cursor.execute(
        FENCE,
        [
            outcome.claim_count,
            outcome.remittance_count,
            quarantined if job.kind == "837" else 0,
            quarantined if job.kind == "835" else 0,
            dollars(outcome.charge_cents),
            dollars(outcome.paid_cents),
            len(outcome.findings),
            job.chunk_id,
            job.lease_no,
        ],
    )
    if cursor.rowcount != 1:
        raise LeaseLost


FINDING_COLUMNS = (
    *("practice_id", "file_id", "chunk_id", "level", "code_set", "code", "message", "byte_offset"),
    *("segment_position", "segment_id", "interchange_control", "group_control", "set_control"),
    *("loop", "element", "component", "claim_offset"),
)
QUARANTINE_COLUMNS = (
    *("practice_id", "file_id", "chunk_id", "byte_from", "byte_to", "segment_position", "set_control"),
    *("control_number", "charge_amount"),
)


def finding_row(owner: tuple[int, int, int | None], finding: Finding) -> tuple[object, ...]:
    """A finding's values in the order of FINDING_COLUMNS. `owner` is (practice id, file id, chunk id or None)."""
    place, coded = finding.place, (finding.level, finding.code_set, finding.code, finding.message)
    controls = (plain(text, 20) for text in place[3:])
    stood = (place.byte_offset, place.segment_position, plain(place.segment_id, 10), *controls)
    return (*owner, *coded, *stood, finding.loop, finding.element, finding.component, finding.claim_offset)


def quarantine_row(owner: tuple[int, int, int | None], found: Quarantined) -> tuple[object, ...]:
    charge = None if found.charge_cents is None else dollars(found.charge_cents)
    return (*owner, *found[:3], plain(found.set_control, 20), plain(found.control_number, 60), charge)


def plain(text: str, width: int) -> str:
    """Cut a sender's text to its column, without the NUL that PostgreSQL text refuses."""
    return text.replace("\0", "")[:width]
