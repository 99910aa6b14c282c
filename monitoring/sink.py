"""Keeps what the processes measure: settings.MEASURE_SINK. One transaction per batch, on the caller's connection.

A minute's row of a process is replaced by its newer sum, and checkpoints are numbered within their process, so a batch
that comes twice, or whose commit was in doubt, counts once. Slow statements are explained once, after the commit.
"""

from typing import Any

from django.db import connection, transaction

from marb.core.measure.ledger import Batch, Note, Origin
from marb.core.measure.ledger import Sample as Sampled
from marb.core.measure.ledger import Timing as Timed
from monitoring.models import Checkpoint, Sample, ScheduledJob, Span, Timing
from monitoring.plans import explain_new

TIMED = ("count", "errors", "retries", "total_us", "most_us", "buckets", "counts")
SAMPLED = ("count", "total", "least", "most", "last")
TIMING_KEY = ("span", "kind", "at", "name", "process")
SAMPLE_KEY = ("span", "name", "at", "label", "process")


def keep(batch: Batch) -> None:
    """Keep a batch of one process, and that the process is alive. Raises django.db.Error where it cannot."""
    with transaction.atomic():
        # losing the newest seconds of figures in a crash of PostgreSQL is worth not waiting for its disk
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
        process_id = greet(batch)
        keep_timings([timing_row(process_id, timing) for timing in batch.timings])
        keep_samples([sample_row(process_id, sample) for sample in batch.samples])
        Checkpoint.objects.bulk_create(
            (checkpoint_row(process_id, note) for note in batch.notes), ignore_conflicts=True
        )
        keep_runs(batch)
    explain_new(batch.statements)


GREET = """
INSERT INTO monitoring_process (token, host, pid, role, started_at, seen_at, stopped_at, dropped)
VALUES (%s, %s, %s, %s, %s, now(), CASE WHEN %s THEN now() END, %s)
ON CONFLICT (token) DO UPDATE SET seen_at = EXCLUDED.seen_at, stopped_at = EXCLUDED.stopped_at,
    role = EXCLUDED.role, dropped = EXCLUDED.dropped
RETURNING id
"""


def greet(batch: Batch) -> int:
    """Note that a process is alive, and answer its id."""
    origin: Origin = batch.origin
    named: list[Any] = [origin.token, origin.host, origin.pid, origin.role, origin.started_at]
    with connection.cursor() as cursor:
        cursor.execute(GREET, [*named, batch.is_last, batch.dropped])
        return int(cursor.fetchone()[0])


def keep_timings(rows: list[Timing]) -> None:
    Timing.objects.bulk_create(rows, update_conflicts=True, unique_fields=TIMING_KEY, update_fields=TIMED)


def keep_samples(rows: list[Sample]) -> None:
    Sample.objects.bulk_create(rows, update_conflicts=True, unique_fields=SAMPLE_KEY, update_fields=SAMPLED)


def timing_row(process_id: int | None, timing: Timed) -> Timing:
    buckets = sorted(timing.buckets)
    counted: dict[str, Any] = {name: getattr(timing, name) for name in TIMED[:5]}
    histogram = {"buckets": buckets, "counts": [timing.buckets[bucket] for bucket in buckets]}
    key = {"span": Span.MINUTE, "at": timing.at, "process_id": process_id, "kind": timing.kind, "name": timing.name}
    return Timing(**key, **counted, **histogram)


def sample_row(process_id: int | None, sample: Sampled) -> Sample:
    counted: dict[str, Any] = {name: getattr(sample, name) for name in SAMPLED}
    key = {"span": Span.MINUTE, "at": sample.at, "process_id": process_id, "name": sample.name, "label": sample.label}
    return Sample(**key, **counted)


def checkpoint_row(process_id: int, note: Note) -> Checkpoint:
    return Checkpoint(
        process_id=process_id,
        number=note.number,
        at=note.at,
        operation=note.operation,
        checkpoint=note.checkpoint,
        process_memory_mb=note.process_mb,
        process_memory_delta_mb=note.delta_mb,
        peak_memory_mb=note.peak_mb,
        system_memory_total_mb=note.system_total_mb,
        system_memory_available_mb=note.system_available_mb,
        system_memory_percent=note.system_percent,
        seconds=note.seconds,
        metadata=note.metadata,
        thresholds_exceeded=note.thresholds_exceeded,
    )


def keep_runs(batch: Batch) -> None:
    """Keep the last run of each scheduled actor."""
    rows = [
        ScheduledJob(
            name=run.name[:100],
            last_started_at=run.started_at,
            last_seconds=run.seconds,
            last_reason=run.reason,
        )
        for run in batch.runs
    ]
    last = ("last_started_at", "last_seconds", "last_reason")
    ScheduledJob.objects.bulk_create(rows, update_conflicts=True, unique_fields=("name",), update_fields=last)
