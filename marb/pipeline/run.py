"""The runner: one step of the belt at a time, each safe to repeat, each by whoever holds the lease.

Split a file, run a chunk through its stages, finish a file. What fails is given back with a plain reason and parked
after CHUNK_MOST_ATTEMPTS; a bad claim or a bad file never fails here, it is a value. Stages are named in
settings.PIPELINE; the runner knows none of them. It rings no bells: actors and the ingest command do.
"""

import gc
import logging
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string
from dramatiq.middleware import Interrupt

from marb.core.cache import touching
from marb.core.failpoints import reach
from marb.core.logs import plain_reason
from marb.core.measure import checkpoint
from marb.core.measure.timing import timed
from marb.edi.values import dollars
from marb.pipeline import lease as leases
from marb.pipeline.acknowledge import acknowledge_file
from marb.pipeline.jobs import ChunkJob, FileJob, LeaseLost
from marb.pipeline.lease import ChunkLease, FileLease
from marb.pipeline.models import Chunk, ChunkState, EdiFile, Hold, SetStatus, TransactionSet
from marb.pipeline.split import read_excerpt, split_leased
from marb.pipeline.verdict import count_file, judge

logger = logging.getLogger(__name__)


class NothingCommitted(Exception):
    """The stages of a chunk ended and none of them committed it: a fault in settings.PIPELINE."""


def split_file(file_id: int) -> bool:
    """Split a received file, if nobody else does. True where it was this call that tried."""
    lease = leases.take_received([file_id])
    if lease is not None:
        split(lease)
    return lease is not None


def run_chunk(chunk_id: int) -> bool:
    """Load a chunk, if nobody else does. True where it was this call that tried."""
    lease = leases.take_chunk(chunk_id)
    if lease is not None:
        load(lease)
    return lease is not None


def finish_file(file_id: int) -> bool:
    """Run a file's last steps, if its chunks are all in and nobody else does. True where this call tried."""
    lease = leases.take_loaded([file_id])
    if lease is not None:
        finish(lease)
    return lease is not None


def step(file_ids: Sequence[int]) -> bool:
    """Do one thing that these files wait for: a chunk, else a last step, else a split. False where nothing waits."""
    if chunk := leases.take_chunk_of(file_ids):
        load(chunk)
    elif loaded := leases.take_loaded(file_ids):
        finish(loaded)
    elif received := leases.take_received(file_ids):
        split(received)
    else:
        return False
    return True


def split(lease: FileLease) -> None:
    if exhausted(lease.attempts):
        close(lease, "The file could not be split: each attempt ended without an answer.")
        return
    noted = checkpoint("split_file", file_id=lease.file_id)
    with given_back(lease, "The file could not be split"), timed("split_file", settings.SLOW_STEP_MS), noted:
        split_leased(lease)


def load(lease: ChunkLease) -> None:
    if exhausted(lease.attempts):
        leases.park_chunk(lease, "Each attempt ended without an answer: the worker was killed or ran out of memory.")
    else:
        started = time.monotonic()
        with given_back(lease, "It failed"), leases.kept(lease), calm_gc():
            run_stages(lease)
        logger.debug("chunk %s of file %s: %.3f s", lease.chunk_id, lease.file_id, time.monotonic() - started)
    note_progress(lease.file_id)


def run_stages(lease: ChunkLease) -> None:
    chunk = Chunk.objects.select_related("file").get(pk=lease.chunk_id)
    reach("read_chunk", chunk.seq)
    with timed(f"load_chunk {chunk.kind}", settings.SLOW_STEP_MS), watched(chunk):
        job = build_job(chunk, lease)
        for stage in stages(chunk.kind):
            stage(job)
    if Chunk.objects.filter(pk=chunk.pk, state=ChunkState.LEASED, lease_no=lease.lease_no).exists():
        raise NothingCommitted


def watched(chunk: Chunk) -> AbstractContextManager[None]:
    """Note a worker's memory round a chunk of a file that is large enough to ask."""
    return checkpoint(
        "process_edi_file",
        last="database_commit_complete",
        when=chunk.file.byte_count > settings.CHECKPOINT_BYTES,
        practice_id=chunk.practice_id,
        file_id=chunk.file_id,
        chunk_id=chunk.pk,
        kind=f"X12-{chunk.kind}",
    )


def build_job(chunk: Chunk, lease: ChunkLease) -> ChunkJob:
    """Read a leased chunk."""
    excerpt = read_excerpt(chunk)
    return ChunkJob(chunk.practice_id, chunk.file_id, lease.chunk_id, lease.lease_no, chunk.kind, excerpt, lease.today)


def stages(kind: str) -> list[Callable[[Any], Any]]:
    """Get the stages of a kind of work, in the order of the belt."""
    return [import_string(path) for path in settings.PIPELINE[kind]]


def finish(lease: FileLease) -> None:
    if exhausted(lease.attempts):
        close(lease, "Its last steps were broken off each time.")
        return
    job = FileJob(lease.practice_id, lease.file_id, lease.today)
    with given_back(lease, "Its last steps failed"):
        with leases.kept(lease):
            for stage in last_stages(lease.file_id):
                with timed(f"{stage.__module__}.{stage.__name__}", settings.SLOW_STEP_MS):
                    stage(job)
            acknowledge_file(lease.file_id)
        close(lease, said_of_hold(lease.file_id))


def last_stages(file_id: int) -> list[Callable[[Any], Any]]:
    """Get the stages of a file whose chunks are in; and those of what was kept, such as 999s, which have no chunk."""
    has_chunks = Chunk.objects.filter(file_id=file_id).exists()
    is_kept = not has_chunks or TransactionSet.objects.filter(file_id=file_id, status=SetStatus.KEPT).exists()
    return [*(stages("file") if has_chunks else []), *(stages("kept") if is_kept else [])]


def said_of_hold(file_id: int) -> str:
    """Get the sentence for a file that somebody cancelled; nothing for any other."""
    is_cancelled = EdiFile.objects.filter(pk=file_id, hold=Hold.CANCELLED).exists()
    return "It was cancelled; what had been loaded by then stays, the rest can be retried." if is_cancelled else ""


CLOSE = """
UPDATE pipeline_edifile SET status = %s, reason = %s, finished_at = now(), lease_until = NULL,
    claim_count = %s, claims_quarantined = %s, claims_rejected = %s,
    remittance_count = %s, remittances_quarantined = %s, remittances_rejected = %s,
    charge_amount = %s, paid_amount = %s, finding_count = %s, chunks_done = %s
WHERE id = %s AND status IN ('received', 'running') AND lease_no = %s
"""


def close(lease: FileLease, failure: str = "") -> None:
    """Write a file's counts, status and reason, in one fenced statement. A lost lease changes nothing."""
    counts = count_file(lease.file_id)
    status, reason = judge(counts, failure)
    sums = (dollars(counts.charge_cents), dollars(counts.paid_cents), counts.findings, counts.chunks)
    values: list[Any] = [status.value, reason, *counts[2:8], *sums, lease.file_id, lease.lease_no]
    with touching(lease.practice_id, "file"), connection.cursor() as cursor:
        cursor.execute(CLOSE, values)


PROGRESS = """
UPDATE pipeline_edifile SET chunks_done = GREATEST(chunks_done,
    (SELECT count(*) FROM pipeline_chunk WHERE file_id = %s AND state IN ('done', 'parked')))
WHERE id = %s
"""


def note_progress(file_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(PROGRESS, [file_id, file_id])


def exhausted(attempts: int) -> bool:
    return attempts > settings.CHUNK_MOST_ATTEMPTS


@contextmanager
def given_back(lease: ChunkLease | FileLease, what: str) -> Iterator[None]:
    """Give the row back, or park it, when the work on it fails, whatever it was: the only place that catches all.

    `what` says what could not be done. A time limit, or a worker that is stopping, gives the row back too and goes on
    to Dramatiq, whose message it is.
    """
    try:
        yield
    except LeaseLost:
        logger.info("%s was done by another", named(lease))
    except Interrupt as interrupt:
        fail(lease, interrupt, what)
        raise
    except Exception as error:  # noqa: BLE001 the belt goes on, and the row says what happened
        fail(lease, error, what)


def fail(lease: ChunkLease | FileLease, error: BaseException, what: str) -> None:
    # where PostgreSQL went away, the next statement needs a new connection
    connection.close_if_unusable_or_obsolete()
    reason = plain_reason(error)
    logger.error("%s failed, attempt %s: %s in %s", named(lease), lease.attempts, reason, innermost(error))
    sentence = f"{what} {lease.attempts} times, last with {reason}."
    is_last = lease.attempts >= settings.CHUNK_MOST_ATTEMPTS
    match lease:
        case ChunkLease():
            leases.park_chunk(lease, sentence) if is_last else leases.give_back_chunk(lease, reason)
        case FileLease():
            close(lease, sentence) if is_last else leases.give_back_file(lease)


def named(lease: ChunkLease | FileLease) -> str:
    return f"chunk {lease.chunk_id}" if isinstance(lease, ChunkLease) else f"file {lease.file_id}"


def innermost(error: BaseException) -> str:
    """Name the place an error came from; its text may hold a patient's data and is not logged."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].name}, line {frames[-1].lineno} of {frames[-1].filename}" if frames else "no frame"


@contextmanager
def calm_gc() -> Iterator[None]:
    """Keep the cycle collector from walking a chunk's rows over and over: they have no cycles and end with it."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
