"""What several parts of the control room stand on, each read once for an answer, and only when a part asks for it."""

from functools import cached_property

from django.db.models import QuerySet
from django.utils import timezone

from marb.pipeline.models import EdiFile, FileStatus
from marb.pipeline.progress import Progress, measure
from monitoring import reading
from monitoring.alerts import firing
from monitoring.models import Alert, AlertRule, Process
from monitoring.reading import SILENT_SECONDS, Level, Point, Work
from monitoring.room.range import Range, line_period, now_period, sum_period

MOST_FILES = 20
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

    @cached_property
    def requests(self) -> list[Work]:
        return reading.timings("request", self.sums_within)

    @cached_property
    def levels(self) -> Levels:
        """Gauges and counters over the range, by name and label."""
        return by_name(reading.levels([*LEVELS, *COUNTERS], self.lines_within))

    @cached_property
    def now(self) -> Levels:
        """Gauges and counters of the last minutes, by name and label."""
        return by_name(reading.levels([*LEVELS, *COUNTERS], now_period()))

    @cached_property
    def points(self) -> dict[str, list[Point]]:
        """The gauges and counters that are drawn, step by step."""
        return reading.lines(LINES, self.lines_within)

    @cached_property
    def growth(self) -> dict[tuple[str, str], float]:
        names = ["cache_hits", "cache_misses", "server_evictions", "server_expired"]
        return reading.growth(names, self.lines_within)

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
