"""The values of /metrics, over all processes and machines, from the tables: a fixed number of statements.

What is counted is summed since midnight UTC: hours that are rolled up from their rows, the rest from the minutes. A
sum begins again at midnight, which Prometheus takes as a restart. It grows in between, for an hour's row holds at
least what its minutes held when it was written. At most MOST_NAMES of a kind are shown, and how many were left out.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.utils import timezone
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)

from marb.core.measure.histogram import EXACT, bounds_of, bucket_of
from monitoring.models import Span
from monitoring.prometheus.names import COUNTED, GAUGES, GROWING, TIMED, Fold, Shown, Timed
from monitoring.reading import SILENT_SECONDS, floor, rows

MOST_NAMES = 300
FRESH_SECONDS = 180
MILLION = 1_000_000

# rows of an hour stand for its minutes, up to the newest hour there is, which may not be whole
SINCE = """(span = 'hour' AND at >= %(day)s AND at < {cut}) OR (span = 'minute' AND at >= {cut})"""
CUT = "(SELECT COALESCE(max(at), %(day)s) FROM {table} WHERE span = 'hour' AND at >= %(day)s)"
TIMINGS = f"""
WITH chosen AS (
    SELECT kind, name, count, errors, total_us, CASE WHEN kind = ANY(%(bounded)s) THEN buckets END AS buckets, counts
    FROM monitoring_timing
    WHERE kind = ANY(%(kinds)s) AND ({SINCE.format(cut=CUT.format(table="monitoring_timing"))})),
merged AS (
    SELECT kind, name, array_agg(bucket ORDER BY bucket) AS buckets, array_agg(number ORDER BY bucket) AS counts
    FROM (SELECT kind, name, bucket, sum(number)::bigint AS number
        FROM chosen, unnest(buckets, counts) AS b (bucket, number) WHERE bucket IS NOT NULL
        GROUP BY kind, name, bucket) AS b
    GROUP BY kind, name),
summed AS (
    SELECT kind, name, sum(count)::bigint AS count, sum(errors)::bigint AS errors, sum(total_us)::bigint AS total_us,
        row_number() OVER (PARTITION BY kind ORDER BY name) AS place
    FROM chosen GROUP BY kind, name)
SELECT s.kind, s.name, s.count, s.errors, s.total_us, m.buckets, m.counts, s.place
FROM summed s LEFT JOIN merged m USING (kind, name) ORDER BY s.kind, s.name
"""
COUNTS = f"""
SELECT name, label, sum(total) FROM monitoring_sample
WHERE name = ANY(%(names)s) AND ({SINCE.format(cut=CUT.format(table="monitoring_sample"))})
GROUP BY name, label ORDER BY name, label
"""
# the newest value of each process; sums and the most are of the processes that live
LEVELS = """
SELECT name, label, COALESCE(sum(last) FILTER (WHERE lives), 0), COALESCE(max(last) FILTER (WHERE lives), 0),
    (array_agg(last ORDER BY at DESC, process_id))[1]
FROM (SELECT DISTINCT ON (s.name, s.label, s.process_id) s.name, s.label, s.process_id, s.at, s.last,
        p.stopped_at IS NULL AND p.seen_at >= %(alive)s AS lives
    FROM monitoring_sample s JOIN monitoring_process p ON p.id = s.process_id
    WHERE s.span = 'minute' AND s.name = ANY(%(names)s) AND s.at >= %(fresh)s
    ORDER BY s.name, s.label, s.process_id, s.at DESC) AS newest
GROUP BY name, label ORDER BY name, label
"""
PROCESSES = """
SELECT role, count(*) FILTER (WHERE seen_at >= %(alive)s), count(*) FILTER (WHERE seen_at < %(alive)s), sum(dropped)
FROM monitoring_process WHERE stopped_at IS NULL AND seen_at >= %(hour)s GROUP BY role ORDER BY role
"""
ALERTS = """
SELECT severity, count(a.id) FROM (VALUES ('warning'), ('critical')) AS each (severity)
LEFT JOIN monitoring_alertrule r USING (severity)
LEFT JOIN monitoring_alert a ON a.rule_id = r.id AND a.cleared_at IS NULL GROUP BY severity ORDER BY severity
"""


def collect(now: datetime | None = None) -> Iterator[Metric]:
    """Make every family of metrics: five statements."""
    now = now or timezone.now()
    yield from timed_families(now)
    yield from counted_families(now)
    yield from level_families(now)
    yield from process_families(now)
    yield labelled(GaugeMetricFamily, "marb_alerts_firing", "Alerts that are open.", "severity", rows(ALERTS, {}))


def timed_families(now: datetime) -> Iterator[Metric]:
    bounded = [kind for kind, timed in TIMED.items() if timed.bounds]
    given: dict[str, Any] = {"day": floor(now, Span.DAY), "kinds": list(TIMED), "bounded": bounded}
    found = list(rows(TIMINGS, given))
    for kind, timed in TIMED.items():
        yield from timed_family(timed, [row[1:7] for row in found if row[0] == kind and row[7] <= MOST_NAMES])
    left_out = [(kind, sum(row[0] == kind and row[7] > MOST_NAMES for row in found)) for kind in TIMED]
    yield labelled(GaugeMetricFamily, "marb_names_left_out", "Names that found no room here.", "kind", left_out)


def timed_family(timed: Timed, found: list[tuple[Any, ...]]) -> Iterator[Metric]:
    """Make a kind's histogram, or its counts and seconds alone, and its errors."""
    name = f"{timed.name}_seconds"
    errors = CounterMetricFamily(f"{timed.name}_errors", f"{timed.help}: how many failed.", labels=[timed.label])
    if timed.bounds:
        histogram = HistogramMetricFamily(name, f"{timed.help}.", labels=[timed.label])
        for told, count, _, total_us, buckets, counts in found:
            histogram.add_metric([told], cumulated(timed.bounds, buckets, counts, count), total_us / MILLION)
        yield histogram
    else:
        summary = SummaryMetricFamily(name, f"{timed.help}.", labels=[timed.label])
        for told, count, _, total_us, *_ in found:
            summary.add_metric([told], count, total_us / MILLION)
        yield summary
    for told, _, failed, *_ in found:
        errors.add_metric([told], failed)
    yield errors


def cumulated(bounds: Iterable[float], buckets: list[int], counts: list[int], count: int) -> list[tuple[str, float]]:
    """Count the durations up to each bound in seconds: those of the buckets that end at or before it."""
    shown, place, so_far = [], 0, 0
    for bound in bounds:
        last = last_bucket(round(bound * MILLION))
        while place < len(buckets) and buckets[place] <= last:
            so_far += counts[place]
            place += 1
        shown.append((str(bound), float(so_far)))
    return [*shown, ("+Inf", float(count))]


def last_bucket(microseconds: int) -> int:
    """Get the last bucket that ends at or before a duration."""
    bucket = bucket_of(microseconds)
    return bucket if microseconds < EXACT or bounds_of(bucket)[1] <= microseconds else bucket - 1


def counted_families(now: datetime) -> Iterator[Metric]:
    found = list(rows(COUNTS, {"day": floor(now, Span.DAY), "names": list(COUNTED)}))
    for name, shown in COUNTED.items():
        told = [(label, total * shown.factor) for given, label, total in found if given == name]
        # what has not happened yet today is 0, not unknown
        yield family(CounterMetricFamily, shown, told or ([] if shown.label else [("", 0)]))


def level_families(now: datetime) -> Iterator[Metric]:
    given = {"names": [*GAUGES, *GROWING], "fresh": ago(now, FRESH_SECONDS), "alive": ago(now, SILENT_SECONDS)}
    found = list(rows(LEVELS, given))
    for kinds, names in ((GaugeMetricFamily, GAUGES), (CounterMetricFamily, GROWING)):
        for name, shown in names.items():
            folded = [(row[1], row[place_of(shown.fold)] * shown.factor) for row in found if row[0] == name]
            yield family(kinds, shown, folded)


def place_of(fold: Fold) -> int:
    """Which column of LEVELS holds it."""
    return {Fold.SUM: 2, Fold.MOST: 3, Fold.NEWEST: 4}[fold]


def process_families(now: datetime) -> Iterator[Metric]:
    """Processes by role: heard of lately, silent without a clean stop in the last hour, and what they dropped."""
    found = list(rows(PROCESSES, {"alive": ago(now, SILENT_SECONDS), "hour": ago(now, 3600)}))
    told = {
        "marb_processes_alive": ("Processes that were heard of lately.", 1),
        "marb_processes_lost": ("Processes that fell silent in the last hour without a clean stop.", 2),
        "marb_measures_dropped": ("Measures that found no room in their process.", 3),
    }
    for name, (text, place) in told.items():
        yield labelled(GaugeMetricFamily, name, text, "role", [(row[0], row[place]) for row in found])


def family(kind: Any, shown: Shown, found: list[tuple[str, float]]) -> Metric:
    return labelled(kind, shown.name, shown.help, shown.label, found[:MOST_NAMES])


def labelled(kind: Any, name: str, text: str, label: str, found: Iterable[tuple[str, float]]) -> Metric:
    """Make a family of one label, or of none."""
    made: Metric = kind(name, text, labels=[label] if label else [])
    for value, number in found:
        made.add_metric([value] if label else [], float(number))  # type: ignore[attr-defined]
    return made


def ago(now: datetime, seconds: int) -> datetime:
    return datetime.fromtimestamp(now.timestamp() - seconds, now.tzinfo)
