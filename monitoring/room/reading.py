"""What several parts of the control room stand on, each read once for an answer, and only when a part asks for it."""

from collections.abc import Callable, Iterable
from dataclasses import astuple
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from marb.pipeline.models import EdiFile, FileStatus
from marb.pipeline.progress import Progress, measure
from monitoring import reading
from monitoring.alerts import firing
from monitoring.models import Alert, AlertRule, Checkpoint, Process
from monitoring.reading import SILENT_SECONDS, Level, Point, Step, Work
from monitoring.room.kept import kept
from monitoring.room.range import Range, line_period, now_period, sum_period

MOST_FILES = 20
MOST_CHECKPOINTS = 12
LEVELS = [
    *("cpu_percent", "memory_percent", "disk_percent", "load_average"),
    *("process_memory_mb", "process_cpu_percent"),
    *("pool_size", "pool_used_percent", "pool_waiting", "pool_requests", "pool_wait_ms", "pool_errors"),
    *("cache_memory_mb", "broker_memory_mb"),
    *("database_connections", "database_connections_percent", "database_mb"),
]
COUNTERS = ["claims", "remittances"]
LINES = [*COUNTERS, "cpu_percent", "memory_percent", "disk_percent", "queue_ready"]
Levels = dict[tuple[str, str], Level]


class Reading:
    """The rows of one answer; each is a fixed number of statements, however much was measured."""

    def __init__(self, asked: Range):
        self.asked = asked
        self.lines_within = line_period(asked)
        self.sums_within = sum_period(asked)

    def kept(self, name: str, read: Callable[[], Any]) -> Any:
        """Answer JSON values that were read for this range at most `fresh_seconds` ago."""
        return kept(f"{name}:{self.asked.key}", self.asked.fresh_seconds, read)

    def work(self, kind: str, most: int) -> list[Work]:
        """Read what was done of a kind over the range, by name, the most time first."""
        rows = self.kept(f"{kind}:{most}", lambda: as_rows(reading.timings(kind, self.sums_within, most=most)))
        return [Work(*row) for row in rows]

    @cached_property
    def steps(self) -> list[Step]:
        """All requests together, step by step."""
        rows = self.kept("steps", lambda: as_rows(reading.timing_line("request", self.lines_within)))
        return [Step(*dated(row)) for row in rows]

    @cached_property
    def levels(self) -> Levels:
        """Gauges and counters over the range, by name and label."""
        rows = self.kept("levels", lambda: as_rows(reading.levels([*LEVELS, *COUNTERS], self.lines_within)))
        return by_name([Level(*row) for row in rows])

    @cached_property
    def now(self) -> Levels:
        """Gauges and counters of the last minutes, by name and label."""
        return by_name(reading.levels([*LEVELS, *COUNTERS], now_period()))

    @cached_property
    def points(self) -> dict[str, list[Point]]:
        """The gauges and counters that are drawn, step by step."""
        found = self.kept("points", self.read_points)
        return {name: [Point(*dated(row)) for row in rows] for name, rows in found.items()}

    def read_points(self) -> dict[str, list[list[Any]]]:
        return {name: as_rows(points) for name, points in reading.lines(LINES, self.lines_within).items()}

    @cached_property
    def growth(self) -> dict[tuple[str, str], float]:
        rows = self.kept("growth", self.read_growth)
        return {(name, label): number for name, label, number in rows}

    def read_growth(self) -> list[list[Any]]:
        names = ["cache_hits", "cache_misses", "server_evictions", "server_expired"]
        found = reading.growth(names, self.lines_within)
        return [[name, label, number] for (name, label), number in found.items()]

    @cached_property
    def checkpoints(self) -> list[Checkpoint]:
        """The memory checkpoints with the highest change, highest first."""
        ids = self.kept("checkpoints", self.read_checkpoints)
        found = Checkpoint.objects.filter(pk__in=ids)
        return sorted(found, key=lambda each: -each.process_memory_delta_mb)

    def read_checkpoints(self) -> list[int]:
        found = reading.highest_deltas(self.lines_within, most=MOST_CHECKPOINTS)
        return list(found.select_related(None).values_list("pk", flat=True))

    @cached_property
    def processes(self) -> list[Process]:
        """The processes of the last hour that did not stop cleanly, the living first."""
        return sorted(
            reading.processes_lately(reading.LOST_WITHIN), key=lambda each: (is_silent(each), each.role, each.pid)
        )

    @cached_property
    def rules(self) -> list[AlertRule]:
        return list(AlertRule.objects.filter(is_enabled=True))

    @cached_property
    def alerts(self) -> list[Alert]:
        return firing()

    @cached_property
    def files(self) -> list[tuple[EdiFile, Progress]]:
        """The files that are being read or wait, oldest first, and how far each is. Two statements."""
        found = list(unfinished().select_related("practice")[:MOST_FILES])
        far = measure(file.pk for file in found)
        return [(file, far[file.pk]) for file in found]

    def total(self, name: str, levels: Levels) -> float:
        return sum(level.total for (known, _), level in levels.items() if known == name)

    def fullest(self, name: str) -> float | None:
        """A gauge's average of the last minutes, of the label where it is highest; None where nothing measured it."""
        return max((level.average for (known, _), level in self.now.items() if known == name), default=None)

    def target(self) -> float | None:
        """The claims per second that the rule for throughput asks for."""
        return next((rule.threshold for rule in self.rules if rule.metric == "throughput"), None)


def as_rows(found: Iterable[Any]) -> list[list[Any]]:
    """Write dataclasses as rows of JSON values; moments as text."""
    rows = [list(astuple(each)) for each in found]
    return [[value.isoformat() if isinstance(value, datetime) else value for value in row] for row in rows]


def dated(row: list[Any]) -> list[Any]:
    """Take back a row that begins with a moment."""
    return [datetime.fromisoformat(row[0]), *row[1:]]


def by_name(found: list[Level]) -> Levels:
    return {(level.name, level.label): level for level in found}


def unfinished() -> QuerySet[EdiFile]:
    """Find the files that are not finished and that nobody cancelled, the longest known first."""
    waiting = EdiFile.objects.filter(status__in=[FileStatus.RECEIVED, FileStatus.RUNNING])
    return waiting.defer("reason").order_by("received_at", "id")


def age_seconds(process: Process) -> float:
    return max(0.0, (timezone.now() - process.seen_at).total_seconds())


def is_silent(process: Process) -> bool:
    return age_seconds(process) > SILENT_SECONDS
