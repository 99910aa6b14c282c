"""The steps of a chart: each minute, hour or day of a period has its place, measured or not. Times are UTC."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from monitoring.models import Span
from monitoring.reading import STEPS, Period, Point

# a step that has just begun says little
LEAST_SECONDS = 20.0
DAY = timedelta(days=1)


class Steps(NamedTuple):
    """The starts of the steps, oldest first, and how each is written."""

    starts: list[datetime]
    labels: list[str]


def steps_of(within: Period) -> Steps:
    step = STEPS[within.span]
    count = -int((within.start - within.end) // step)
    starts = [within.start + number * step for number in range(count)]
    pattern = label_pattern(within)
    return Steps(starts, [start.strftime(pattern) for start in starts])


def label_pattern(within: Period) -> str:
    if within.span == Span.DAY:
        return "%m/%d"
    return "%m/%d %H:%M" if within.end - within.start > 2 * DAY else "%H:%M"


def rates(points: Iterable[Point], steps: Steps, within: Period) -> list[float | None]:
    """Get a counter's totals per second, 0 where nothing was counted; a step that has just begun is left open."""
    totals: dict[datetime, float] = {}
    for point in points:
        totals[point.at] = totals.get(point.at, 0.0) + point.total
    return [rate_of(totals.get(start, 0.0), start, within) for start in steps.starts]


def rate_of(total: float, start: datetime, within: Period) -> float | None:
    passed = min(STEPS[within.span], timezone.now() - start).total_seconds()
    return round(total / passed, 3) if passed >= LEAST_SECONDS else None


def values_at(points: Iterable[Point], steps: Steps) -> list[float | None]:
    """Get a gauge's averages, the highest of the labels at each step; None where nothing was measured."""
    highest: dict[datetime, float] = {}
    for point in points:
        highest[point.at] = max(point.average, highest.get(point.at, point.average))
    return [round(highest[start], 2) if start in highest else None for start in steps.starts]
