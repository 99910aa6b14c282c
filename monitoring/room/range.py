"""The time ranges of the control room, and the rows that each is read from.

Lines are read finer than sums: a histogram of an hour costs as much to merge as one of a day, and a week has 168 hours.
"""

from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone

from monitoring.models import Span
from monitoring.reading import MINUTES_UP_TO, Period, floor, period

SUMMED_BY_HOURS_UP_TO = timedelta(days=2)
# what is called "now": the last minutes that every living process has flushed into
NOW = timedelta(minutes=2)


class Range(NamedTuple):
    """`fresh_seconds` is how old its dearest figures may be: hours and days are rolled up every five minutes."""

    key: str
    title: str
    length: timedelta
    fresh_seconds: int


RANGES = {
    each.key: each
    for each in (
        Range("15m", "15 min", timedelta(minutes=15), 10),
        Range("1h", "1 hour", timedelta(hours=1), 10),
        Range("24h", "24 hours", timedelta(hours=24), 60),
        Range("7d", "7 days", timedelta(days=7), 60),
        Range("30d", "30 days", timedelta(days=30), 60),
    )
}
FIRST = RANGES["1h"]


def chosen(key: str | None) -> Range:
    """Get the range that an address names, the first where it names none that there is."""
    return RANGES.get(key or "", FIRST)


def line_period(given: Range) -> Period:
    """Make the period that lines and gauges are read over."""
    return period(given.length)


def sum_period(given: Range) -> Period:
    """Make the period that timings are summed over: by minutes, hours or days."""
    now = timezone.now()
    is_short = given.length <= MINUTES_UP_TO
    span = Span.MINUTE if is_short else Span.HOUR if given.length <= SUMMED_BY_HOURS_UP_TO else Span.DAY
    return Period(floor(now - given.length, span), now, span)


def now_period() -> Period:
    return period(NOW)
