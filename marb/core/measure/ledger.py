"""What a process has measured and not yet handed on: sums by minute, in bounded memory.

A minute's cell holds the sum since the minute began, and what is handed on is that sum, not the change: a sink
replaces the row of (minute, process), so handing on twice counts once. A cell is forgotten once its minute is over
and the sink has it. What finds no room is dropped and the number of drops is told. Names and labels are ours (routes,
actors, tables), never a person's text.
"""

import os
import socket
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from marb.core.measure.histogram import bucket_of

MINUTE = 60
MOST_CELLS = 4_000
MOST_CHECKPOINTS = 2_000
MOST_STATEMENTS = 200
OTHER = "(other)"
MILLION = 1_000_000


class Origin(NamedTuple):
    """The process that measured. `token` is its own for life; `role` is web, worker, ingest, scheduler or command."""

    token: str
    host: str
    pid: int
    role: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Timing:
    """A minute of one kind of work: `kind` is request, sql, slow_sql, actor, wait or call; times in microseconds."""

    at: datetime
    kind: str
    name: str
    count: int
    errors: int
    retries: int
    total_us: int
    most_us: int
    buckets: dict[int, int]


@dataclass(frozen=True, slots=True)
class Sample:
    """A minute of a gauge or counter. For a counter `total` is how much was counted."""

    at: datetime
    name: str
    label: str
    count: int
    total: float
    least: float
    most: float
    last: float


class Note(NamedTuple):
    """A memory checkpoint (marb.core.measure.checkpoints); `number` is unique within its process. Megabytes."""

    number: int
    at: datetime
    operation: str
    checkpoint: str
    process_mb: float
    delta_mb: float
    peak_mb: float
    system_total_mb: float
    system_available_mb: float
    system_percent: float
    metadata: dict[str, Any]
    thresholds_exceeded: dict[str, bool]
    seconds: float


class Run(NamedTuple):
    """The last run of a scheduled actor. `reason` is empty where it went well."""

    name: str
    started_at: datetime
    seconds: float
    reason: str


class Batch(NamedTuple):
    """What a sink is given at a time. `statements` maps a slow statement's fingerprint to its text."""

    origin: Origin
    timings: list[Timing]
    samples: list[Sample]
    notes: list[Note]
    statements: dict[str, str]
    runs: list[Run]
    dropped: int
    is_last: bool


@dataclass(slots=True)
class TimingCell:
    count: int = 0
    errors: int = 0
    retries: int = 0
    total_us: int = 0
    most_us: int = 0
    is_dirty: bool = True
    buckets: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class SampleCell:
    count: int = 0
    total: float = 0.0
    least: float = 0.0
    most: float = 0.0
    last: float = 0.0
    is_dirty: bool = True


class Ledger:
    """The sums of one process; every method may be called by any thread."""

    def __init__(self, role: str = "command"):
        self.origin = Origin(uuid.uuid4().hex, socket.gethostname()[:100], os.getpid(), role, datetime.now(UTC))
        # a signal's handler may measure while its thread already does
        self.lock = threading.RLock()
        self.minute = self.until = self.full_at = 0
        self.timings: dict[tuple[int, str, str], TimingCell] = {}
        self.samples: dict[tuple[int, str, str], SampleCell] = {}
        self.notes: deque[Note] = deque()
        self.statements: dict[str, str] = {}
        self.runs: dict[str, Run] = {}
        self.number = 0
        self.dropped = 0

    def now(self) -> int:
        """Get the minute that counts are put down to. It never goes back, even where the clock does."""
        if (seconds := time.time()) >= self.until:
            self.minute = int(seconds) // MINUTE * MINUTE
            self.until = self.minute + MINUTE
        return self.minute

    def record(self, kind: str, name: str, seconds: float, *, is_error: bool = False, is_retry: bool = False) -> None:
        microseconds = int(seconds * MILLION)
        bucket = bucket_of(microseconds)
        with self.lock:
            # every request and statement comes here: no call that can be spared
            cell = self.timings.get((self.now(), kind, name)) or self.make_timing(kind, name)
            cell.count += 1
            if is_error:
                cell.errors += 1
            if is_retry:
                cell.retries += 1
            cell.total_us += microseconds
            if microseconds > cell.most_us:
                cell.most_us = microseconds
            cell.buckets[bucket] = cell.buckets.get(bucket, 0) + 1
            cell.is_dirty = True

    def make_timing(self, kind: str, name: str) -> TimingCell:
        return self.timings.setdefault((self.minute, kind, name if self.has_room() else OTHER), TimingCell())

    def sample(self, name: str, value: float, label: str = "") -> None:
        with self.lock:
            cell = self.samples.get((self.now(), name, label)) or self.make_sample(name, label)
            if not cell.count:
                cell.least = cell.most = value
            elif value < cell.least:
                cell.least = value
            elif value > cell.most:
                cell.most = value
            cell.count += 1
            cell.total += value
            cell.last = value
            cell.is_dirty = True

    def make_sample(self, name: str, label: str) -> SampleCell:
        return self.samples.setdefault((self.minute, name, label if self.has_room() else OTHER), SampleCell())

    def has_room(self) -> bool:
        """Say whether one more cell is taken; make room at the cost of the oldest minute where none is left."""
        if len(self.timings) + len(self.samples) < MOST_CELLS:
            return True
        if self.full_at == self.minute:
            return False
        self.full_at = self.minute
        self.drop_before(self.minute)
        return len(self.timings) + len(self.samples) < MOST_CELLS

    def cells(self) -> "tuple[dict[tuple[int, str, str], Any], dict[tuple[int, str, str], Any]]":
        return self.timings, self.samples

    def drop_before(self, minute: int) -> None:
        for cells in self.cells():
            for key in [key for key in cells if key[0] < minute]:
                self.dropped += cells.pop(key).is_dirty

    def note(self, note: Note) -> None:
        with self.lock:
            self.number += 1
            self.notes.append(note._replace(number=self.number))
            self.trim_notes()

    def trim_notes(self) -> None:
        while len(self.notes) > MOST_CHECKPOINTS:
            self.notes.popleft()
            self.dropped += 1

    def keep_statement(self, fingerprint: str, text: str) -> None:
        with self.lock:
            if len(self.statements) < MOST_STATEMENTS:
                self.statements[fingerprint] = text

    def keep_run(self, run: Run) -> None:
        with self.lock:
            self.runs[run.name] = run

    def take(self, *, is_last: bool = False) -> Batch:
        """Take what is new since the last time. Answer it to `settle` or, where the sink failed, to `put_back`."""
        with self.lock:
            timings = [as_timing(key, cell) for key, cell in self.timings.items() if cell.is_dirty]
            samples = [as_sample(key, cell) for key, cell in self.samples.items() if cell.is_dirty]
            for cell in (cell for cells in self.cells() for cell in cells.values()):
                cell.is_dirty = False
            given = (list(self.notes), dict(self.statements), list(self.runs.values()))
            self.notes.clear()
            self.statements.clear()
            self.runs.clear()
            return Batch(self.origin, timings, samples, *given, self.dropped, is_last)

    def settle(self, batch: Batch) -> None:
        """Forget the minutes that are over and handed on."""
        with self.lock:
            minute = self.now()
            for cells in self.cells():
                for key in [key for key, cell in cells.items() if key[0] < minute and not cell.is_dirty]:
                    del cells[key]

    def put_back(self, batch: Batch) -> None:
        """Take a batch back that no sink has; the next take holds it again."""
        with self.lock:
            timings = [self.timings.get((minute_of(each.at), each.kind, each.name)) for each in batch.timings]
            samples = [self.samples.get((minute_of(each.at), each.name, each.label)) for each in batch.samples]
            found: list[Any] = [*timings, *samples]
            for cell in found:
                if cell is None:
                    self.dropped += 1
                else:
                    cell.is_dirty = True
            self.notes.extendleft(reversed(batch.notes))
            self.trim_notes()
            self.statements = {**batch.statements, **self.statements}
            self.runs = {**{run.name: run for run in batch.runs}, **self.runs}


def minute_of(at: datetime) -> int:
    return int(at.timestamp())


def as_timing(key: tuple[int, str, str], cell: TimingCell) -> Timing:
    counted = (cell.count, cell.errors, cell.retries, cell.total_us, cell.most_us)
    return Timing(datetime.fromtimestamp(key[0], UTC), key[1], key[2], *counted, dict(cell.buckets))


def as_sample(key: tuple[int, str, str], cell: SampleCell) -> Sample:
    counted = (cell.count, cell.total, cell.least, cell.most, cell.last)
    return Sample(datetime.fromtimestamp(key[0], UTC), key[1], key[2], *counted)
