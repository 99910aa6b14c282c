"""Splitting: one pass of the envelope scan over a file's bytes writes its sets, chunks, findings and oracle counts.

All in one transaction that holds the file's row and proves its lease, so a split happens once or not at all. A file
that cannot be read at all is rejected here, with the scan's own sentence. What the segments mean is for the stages.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from marb.core.cache import touch
from marb.core.copy import Json, copy_rows
from marb.edi.findings import INTERCHANGE, TA105, Finding, Place
from marb.edi.scan import ScannedChunk, ScannedSet, Totals, scan
from marb.edi.values import dollars
from marb.edi.x12 import BadInterchange, Excerpt, Separators, Span
from marb.pipeline import models
from marb.pipeline.acknowledge import acknowledge_file
from marb.pipeline.jobs import FINDING_COLUMNS, LeaseLost, finding_row, plain
from marb.pipeline.lease import FileLease
from marb.pipeline.reading import read, read_blocks

BATCH_ROWS = 2_000
SET_COLUMNS = (
    *("practice_id", "file_id", "byte_from", "byte_to", "set_code", "guide", "sender_code", "receiver_code"),
    *("interchange_control", "group_control", "set_control", "segment_count", "claim_count", "remittance_count"),
    *("status", "reason"),
)
CHUNK_COLUMNS = (
    *("practice_id", "file_id", "seq", "kind", "guide", "byte_from", "byte_to", "position", "context", "separators"),
    *("scan_claim_count", "state", "lease_no", "attempts", "reason", "claim_count", "claims_quarantined"),
    *("remittance_count", "remittances_quarantined", "charge_amount", "paid_amount", "finding_count"),
)
UNTOUCHED = ("waiting", 0, 0, "", 0, 0, 0, 0, 0, 0, 0)

HOLD = """
SELECT id FROM pipeline_edifile WHERE id = %s AND status = 'received' AND lease_no = %s FOR NO KEY UPDATE SKIP LOCKED
"""
# a paused or half-dead splitter must not hold the row for ever
IMPATIENCE = "SET LOCAL idle_in_transaction_session_timeout = '60s'"
SPLIT = """
UPDATE pipeline_edifile SET status = 'running', kind = %s, scan_claim_count = %s, scan_remittance_count = %s,
    scan_charge_amount = %s, scan_paid_amount = %s, chunk_count = %s, attempts = 0, lease_until = NULL
WHERE id = %s
"""
REJECT = """
UPDATE pipeline_edifile SET status = 'rejected', reason = %s, finding_count = %s, finished_at = now(),
    lease_until = NULL
WHERE id = %s
"""
# the bells are rung after the commit; the reaper waits a lease before it rings them again
RUNG = "UPDATE pipeline_chunk SET lease_until = now() + make_interval(secs => %s) WHERE file_id = %s"


class Written(NamedTuple):
    """What the scan of a file came to: its totals and how many chunks were written."""

    totals: Totals
    chunk_count: int


def split_leased(lease: FileLease) -> None:
    """Split a file whose lease is ours. Raises LeaseLost where it is somebody else's by now."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(IMPATIENCE)
        cursor.execute(HOLD, [lease.file_id, lease.lease_no])
        if cursor.fetchone() is None:
            raise LeaseLost
        try:
            with transaction.atomic():
                written = write_scan(cursor, lease)
        except BadInterchange as bad:
            reject(cursor, lease, bad)
        else:
            release(cursor, lease, written)
        touch(lease.practice_id, "file")


def release(cursor: CursorWrapper, lease: FileLease, written: Written) -> None:
    """Open the file's chunks to the runners."""
    kind, claims, remittances, charge, paid = written.totals
    sums: list[Any] = [claims, remittances, dollars(charge), dollars(paid), written.chunk_count]
    cursor.execute(SPLIT, [kind[:20], *sums, lease.file_id])
    cursor.execute(RUNG, [settings.CHUNK_LEASE_SECONDS, lease.file_id])


def reject(cursor: CursorWrapper, lease: FileLease, bad: BadInterchange) -> None:
    """Close a file of which nothing can be read."""
    finding = Finding(INTERCHANGE, TA105, bad.code, bad.sentence, Place(bad.offset))
    owner = (lease.practice_id, lease.file_id, None)
    copy_rows(cursor, models.Finding, FINDING_COLUMNS, [finding_row(owner, finding)])
    cursor.execute(REJECT, [bad.sentence, 1, lease.file_id])
    acknowledge_file(lease.file_id)


def write_scan(cursor: CursorWrapper, lease: FileLease) -> Written:
    """Write what the scan yields, a batch at a time, so that memory stays flat. Answers its totals."""
    batch = Batch(cursor, lease)
    found = scan(
        read_blocks(lease.file_id),
        chunk_claims=settings.EDI_CHUNK_CLAIMS,
        strict=settings.EDI_STRICT_ENVELOPE,
    )
    for item in found:
        batch.add(item)
    batch.flush()
    return Written(batch.totals, batch.seq)


class Batch:
    """Rows on their way to COPY: sets, chunks and findings of one file."""

    def __init__(self, cursor: CursorWrapper, lease: FileLease):
        self.cursor = cursor
        self.owner = (lease.practice_id, lease.file_id)
        self.seq = 0
        self.totals = Totals("", 0, 0, 0, 0)
        self.rows: dict[str, list[tuple[Any, ...]]] = {"set": [], "chunk": [], "finding": []}

    def add(self, item: Finding | ScannedSet | ScannedChunk | Totals) -> None:
        match item:
            case ScannedChunk():
                self.rows["chunk"].append((*self.owner, self.seq, *chunk_row(item)))
                self.seq += 1
            case ScannedSet():
                self.rows["set"].append((*self.owner, *set_row(item)))
            case Finding():
                self.rows["finding"].append(finding_row((*self.owner, None), item))
            case Totals():
                self.totals = item
        if sum(map(len, self.rows.values())) >= BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        self.write(models.TransactionSet, SET_COLUMNS, "set")
        self.write(models.Chunk, CHUNK_COLUMNS, "chunk")
        self.write(models.Finding, FINDING_COLUMNS, "finding")

    def write(self, model: type[models.models.Model], columns: Iterable[str], kind: str) -> None:
        if self.rows[kind]:
            copy_rows(self.cursor, model, tuple(columns), self.rows[kind])
            self.rows[kind] = []


def set_row(found: ScannedSet) -> tuple[Any, ...]:
    """A set's values in the order of SET_COLUMNS, cut to their columns: a sender may write anything."""
    widths = (6, 35, 80, 80, 20, 20, 20)
    codes = (plain(text, width) for text, width in zip(found[2:9], widths, strict=True))
    return (found.byte_from, found.byte_to, *codes, *found[9:12], found.status, found.reason)


def chunk_row(found: ScannedChunk) -> tuple[Any, ...]:
    context = Json([list(stretch) for stretch in found.context])
    place = (found.byte_from, found.byte_to, found.position, context, written_separators(found))
    return (found.kind, plain(found.guide, 35), *place, found.claim_count, *UNTOUCHED)


def written_separators(found: ScannedChunk) -> str:
    """The separators as the text of three or four characters that a chunk keeps (repetition before segment)."""
    text = "".join(found.separators)
    if "\0" in text:
        raise BadInterchange("027", found.byte_from, "A separator in the interchange header (ISA) is a NUL byte.")
    return text


def read_separators(text: str) -> Separators:
    """Read back what written_separators wrote."""
    repetition = text[2] if len(text) == 4 else ""
    return Separators(text[0], text[1], repetition, text[-1])


def read_excerpt(chunk: models.Chunk) -> Excerpt:
    """Read a chunk's bytes and the context before them."""
    context = [Span(start, position, read(chunk.file_id, start, end)) for start, end, position in chunk.context]
    body = Span(chunk.byte_from, chunk.position, read(chunk.file_id, chunk.byte_from, chunk.byte_to))
    return Excerpt(read_separators(chunk.separators), context, body, chunk.guide)
