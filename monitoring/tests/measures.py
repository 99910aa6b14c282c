"""Batches of measures for tests, as a process would hand them on."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from marb.core.measure.histogram import bucket_of
from marb.core.measure.ledger import Batch, Note, Origin, Sample, Timing
from monitoring.models import Alert, AlertRule, Comparison, Severity
from monitoring.sink import keep

STARTED = datetime(2026, 1, 1, tzinfo=UTC)


def this_minute(minutes_ago: int = 0) -> datetime:
    return timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=minutes_ago)


def timing(name: str, durations_us: Iterable[int], *, kind: str = "request", at: Any = None, errors: int = 0) -> Timing:
    """A minute's timing of these durations, in microseconds."""
    values = list(durations_us)
    buckets: dict[int, int] = {}
    for value in values:
        buckets[bucket_of(value)] = buckets.get(bucket_of(value), 0) + 1
    return Timing(at or this_minute(), kind, name, len(values), errors, 0, sum(values), max(values), buckets)


def sample(name: str, value: float, label: str = "", *, at: Any = None, count: int = 1) -> Sample:
    return Sample(at or this_minute(), name, label, count, value * count, value, value, value)


def note(number: int = 1, *, delta: float = 1.0, operation: str = "process_edi_file") -> Note:
    memory = (100.0, delta, 120.0, 4_000.0, 2_000.0, 50.0)
    return Note(number, timezone.now(), operation, "task_started", *memory, {"file_id": 7}, {}, 0.5)


def batch(*, token: str = "a", role: str = "web", is_last: bool = False, **given: Any) -> Batch:
    """A batch of a process; `timings`, `samples`, `notes`, `statements` and `runs` by name."""
    origin = Origin(token, "host", 7, role, given.pop("started_at", STARTED))
    empty: dict[str, Any] = {"timings": [], "samples": [], "notes": [], "statements": {}, "runs": [], "dropped": 0}
    return Batch(origin, **{**empty, **given}, is_last=is_last)


def hand_on(**given: Any) -> None:
    keep(batch(**given))


def fire_alert(name: str = "Heron high", severity: Severity = Severity.WARNING) -> Alert:
    """An open alert of a rule of its own: a flushed test database has none of the migration's rules."""
    given = {"metric": "cpu", "comparison": Comparison.ABOVE, "threshold": 1, "severity": severity}
    rule = AlertRule.objects.create(name=name, **given)
    return Alert.objects.create(rule=rule, fired_at=STARTED, threshold=1, value=2, worst=2)
