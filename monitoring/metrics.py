"""What alerts judge: each metric reads one number over the last `seconds`, or None where there is nothing to judge.

The measures are rows of whole minutes, so a window is at least one full minute. Nothing to judge is neither good nor
bad news: a rule takes it as good, for what is idle is not broken.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from marb.core.measure.histogram import percentile
from marb.pipeline.models import DeadLetter
from monitoring import reading
from monitoring.models import Process, Span
from monitoring.reading import Level, Period, floor, growth, histogram, levels, processes_lost, timings
from monitoring.snapshot import stalled

# shares of less than this many say nothing
LEAST_REQUESTS = 20
LEAST_LOOKUPS = 100
WORDS = ("hits", "misses")
READINGS = 1.0


class Metric(NamedTuple):
    """`read(seconds)` answers the number in `unit`."""

    title: str
    unit: str
    read: Callable[[int], float | None]


def window(seconds: int) -> Period:
    """The minutes that the last `seconds` touch."""
    now = timezone.now()
    return Period(floor(now - timedelta(seconds=seconds), Span.MINUTE), now, Span.MINUTE)


def highest(name: str) -> Callable[[int], float | None]:
    """Make a reader of a gauge's average, of the machine, process or pool where it is highest."""

    def read(seconds: int) -> float | None:
        return reading.highest(name, window(seconds))

    return read


def total(found: list[Level], name: str) -> float:
    return sum(level.total for level in found if level.name == name)


def throughput(seconds: int) -> float | None:
    """Claims and remittances a second while files waited for the whole time."""
    within = window(seconds)
    found = levels(["claims", "remittances", "files_unfinished"], within)
    waiting = [level for level in found if level.name == "files_unfinished"]
    if not waiting or min(level.least for level in waiting) < READINGS:
        return None
    return (total(found, "claims") + total(found, "remittances")) / within.seconds


def error_percent(seconds: int) -> float | None:
    done = timings("request", window(seconds))
    count, errors = sum(work.count for work in done), sum(work.errors for work in done)
    return 100 * errors / count if count >= LEAST_REQUESTS else None


def latency(kind: str, share: float) -> Callable[[int], float | None]:
    """Make a reader of a percentile of a kind of work, in milliseconds."""

    def read(seconds: int) -> float | None:
        merged = histogram(kind, window(seconds))
        found = percentile(merged, share) if sum(merged.values()) >= LEAST_REQUESTS else None
        return None if found is None else found / 1000

    return read


def hit_percent(seconds: int) -> float | None:
    """The product's own hit rate; the cache server's where the product counts none."""
    found = growth(["cache_hits", "cache_misses", "server_hits", "server_misses"], window(seconds))
    of = "cache" if any(name == "cache_hits" for name, _ in found) else "server"
    hits, misses = (sum(grown for (name, _), grown in found.items() if name == f"{of}_{word}") for word in WORDS)
    return 100 * hits / (hits + misses) if hits + misses >= LEAST_LOOKUPS else None


def failure_percent(seconds: int) -> float | None:
    """The share of actors' runs that failed, of those that were run."""
    done = timings("actor", window(seconds))
    count, errors = sum(work.count for work in done), sum(work.errors for work in done)
    return 100 * errors / count if count else None


def stalled_seconds(seconds: int) -> float | None:
    files, since = stalled()
    return since if files else None


def dead_letters(seconds: int) -> float:
    """Messages given up and not driven again, of any age."""
    return DeadLetter.objects.filter(redriven_at=None).count()


def lost_processes(seconds: int) -> float:
    """Processes that fell silent without a clean stop and were not replaced by another of their role since."""
    lost = list(processes_lost(timedelta(seconds=seconds)))
    return sum(not is_replaced(process) for process in lost)


def is_replaced(process: Process) -> bool:
    """Say whether a process of the same role began on the same machine since it was last heard of."""
    since = {"host": process.host, "role": process.role, "started_at__gte": process.seen_at}
    return Process.objects.filter(**since).exists()


METRICS: dict[str, Metric] = {
    "throughput": Metric("Throughput while files wait", "claims/s", throughput),
    "cpu": Metric("CPU of the busiest machine", "%", highest("cpu_percent")),
    "memory": Metric("Memory of the fullest machine", "%", highest("memory_percent")),
    "disk": Metric("Disk of the fullest machine", "%", highest("disk_percent")),
    "process_memory": Metric("Memory of the largest process", "MB", highest("process_memory_mb")),
    "pool": Metric("Fullest connection pool", "%", highest("pool_used_percent")),
    "connections": Metric("PostgreSQL connections in use", "%", highest("database_connections_percent")),
    "hit_rate": Metric("Cache hit rate", "%", hit_percent),
    "errors": Metric("Requests answered with 500 or above", "%", error_percent),
    "latency_p95": Metric("Requests, 95th percentile", "ms", latency("request", 0.95)),
    "latency_p99": Metric("Requests, 99th percentile", "ms", latency("request", 0.99)),
    "query_p95": Metric("Statements, 95th percentile", "ms", latency("sql", 0.95)),
    "failures": Metric("Runs of actors that failed", "%", failure_percent),
    "stalled": Metric("No progress while files wait", "s", stalled_seconds),
    "queue_wait": Metric("Oldest message waiting", "s", highest("queue_oldest_seconds")),
    "dead_letters": Metric("Dead letters", "messages", dead_letters),
    "lost_processes": Metric("Processes lost", "processes", lost_processes),
}
CHOICES = [(name, f"{metric.title} ({metric.unit})") for name, metric in METRICS.items()]
