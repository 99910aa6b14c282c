"""What the answers come to: counts, status codes, errors, and the spread of seconds, over all and per endpoint.

An answer of 400 and above and none at all are errors. Percentiles are by nearest rank, so each is a time that was seen.
Names are routes without ids, and errors are words of ours: nothing of an answer's body is kept.
"""

import csv
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from io import StringIO
from statistics import fmean, median, pstdev
from typing import Any, NamedTuple

NOBODY = 0
RULE = "=" * 80


class Outcome(NamedTuple):
    """One request: its route, the status (0: no answer), the seconds until the answer, what went wrong."""

    name: str
    status: int
    seconds: float
    error: str = ""

    @property
    def is_error(self) -> bool:
        return self.status == NOBODY or self.status >= 400


class Statistics(NamedTuple):
    """Seconds of some requests; all 0 where there was none."""

    requests: int = 0
    errors: int = 0
    mean: float = 0.0
    median: float = 0.0
    min: float = 0.0
    max: float = 0.0
    stddev: float = 0.0
    p95: float = 0.0
    p99: float = 0.0


class Summary(NamedTuple):
    """A run. `seconds` is from the first request to the last answer."""

    seconds: float
    overall: Statistics
    status_codes: dict[int, int]
    errors: dict[str, int]
    endpoints: dict[str, Statistics]

    @property
    def rate(self) -> float:
        """Answers per second that were no errors."""
        return (self.overall.requests - self.overall.errors) / self.seconds if self.seconds else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is not below `share` (0 to 1) of sorted values; 0.0 of none."""
    return values[max(0, math.ceil(share * len(values)) - 1)] if values else 0.0


def measure(outcomes: Sequence[Outcome]) -> Statistics:
    if not outcomes:
        return Statistics()
    seconds = sorted(outcome.seconds for outcome in outcomes)
    errors = sum(outcome.is_error for outcome in outcomes)
    spread = (fmean(seconds), median(seconds), seconds[0], seconds[-1], pstdev(seconds))
    return Statistics(len(seconds), errors, *spread, percentile(seconds, 0.95), percentile(seconds, 0.99))


def summarize(outcomes: Sequence[Outcome], seconds: float) -> Summary:
    by_name: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_name.setdefault(outcome.name, []).append(outcome)
    codes = Counter(outcome.status for outcome in outcomes if outcome.status != NOBODY)
    errors = Counter(outcome.error or f"status {outcome.status}" for outcome in outcomes if outcome.is_error)
    endpoints = {name: measure(found) for name, found in sorted(by_name.items())}
    return Summary(seconds, measure(outcomes), dict(sorted(codes.items())), dict(errors.most_common()), endpoints)


def as_document(summary: Summary) -> dict[str, Any]:
    """The run as JSON; seconds throughout."""
    return {
        "seconds": summary.seconds,
        "requests_per_second": summary.rate,
        "overall": summary.overall._asdict(),
        "status_codes": {str(code): count for code, count in summary.status_codes.items()},
        "errors": summary.errors,
        "endpoints": {name: found._asdict() for name, found in summary.endpoints.items()},
    }


def as_csv(summary: Summary) -> str:
    """One row per endpoint and one for all, below their names."""
    out = StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["endpoint", *Statistics._fields])
    for name, found in {**summary.endpoints, "all": summary.overall}.items():
        rows.writerow([name, *(f"{value:.6f}" if isinstance(value, float) else value for value in found)])
    return out.getvalue()


def as_text(summary: Summary) -> str:
    """The run for a person."""
    return "\n".join(lines(summary))


def lines(summary: Summary) -> Iterable[str]:
    overall = summary.overall
    good = 100 * (overall.requests - overall.errors) / overall.requests if overall.requests else 0.0
    yield from (RULE, "LOAD TEST SUMMARY", RULE)
    yield f"Total Requests: {overall.requests}"
    yield f"Total Errors: {overall.errors}"
    yield f"Success Rate: {good:.1f}%"
    yield f"Requests per second: {summary.rate:.1f}"
    yield from ("", "Overall Response Times (seconds):", *spread(overall, "  "))
    yield from ("", "Status Code Distribution:")
    yield from (f"  {code}: {count}" for code, count in summary.status_codes.items())
    if summary.errors:
        yield from ("", "Errors:", *(f"  {what}: {count}" for what, count in summary.errors.items()))
    yield from ("", "Performance by Endpoint:")
    for name, found in summary.endpoints.items():
        yield from (f"  {name}:", f"    {'Requests:':<9} {found.requests}", f"    {'Errors:':<9} {found.errors}")
        yield from spread(found, "    ")


def spread(found: Statistics, indent: str) -> Iterable[str]:
    names = {"Mean": "mean", "Median": "median", "Min": "min", "Max": "max", "StdDev": "stddev"}
    for label, name in {**names, "P95": "p95", "P99": "p99"}.items():
        yield f"{indent}{label + ':':<8}{getattr(found, name):.4f}s"
