"""Hours and days are the sums of their minutes, however often they are rolled up; what is old goes."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from monitoring.models import Checkpoint, Process, Sample, Span, Statement, Timing
from monitoring.reading import Period, growth, histogram, levels, line, period, timing_line, timings
from monitoring.rollup import retain, roll, roll_up
from monitoring.tests.measures import hand_on, note, sample, timing

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
minutes = st.lists(
    st.tuples(st.integers(0, 119), st.sampled_from("ab"), st.lists(st.integers(0, 10**7), min_size=1, max_size=5)),
    max_size=12,
    unique_by=lambda row: row[:2],
)


def day(span: Span) -> Period:
    return Period(NOON.replace(hour=0), NOON.replace(hour=0) + timedelta(days=1), span)


@examples(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(minutes)
def test_hours_and_days_are_the_sum_of_their_minutes(parts):
    Timing.objects.all().delete()
    for minute, token, durations in parts:
        hand_on(token=token, timings=[timing("GET x", durations, at=NOON + timedelta(minutes=minute))])
    for _ in range(2):
        roll_up(NOON + timedelta(hours=2))
    for span in (Span.HOUR, Span.DAY):
        assert histogram("request", day(span)) == histogram("request", day(Span.MINUTE))
        assert [work[:4] for work in as_tuples(span)] == [work[:4] for work in as_tuples(Span.MINUTE)]


def as_tuples(span):
    return [(work.name, work.count, work.errors, work.most_ms) for work in timings("request", day(span))]


def test_a_minute_that_comes_late_is_in_the_next_roll_up():
    hand_on(timings=[timing("GET x", [5], at=NOON)])
    roll_up(NOON + timedelta(minutes=61))
    hand_on(token="b", timings=[timing("GET x", [5, 6], at=NOON)])
    roll_up(NOON + timedelta(minutes=119))
    assert [work.count for work in timings("request", day(Span.HOUR))] == [3]


def test_gauges_keep_average_least_most_and_last():
    for minute, value in enumerate((50, 90, 70)):
        hand_on(samples=[sample("cpu_percent", value, "host", at=NOON + timedelta(minutes=minute))])
    roll(Span.MINUTE, Span.HOUR, NOON, NOON)
    (level,) = levels(["cpu_percent"], day(Span.HOUR))
    assert (level.average, level.least, level.most, level.last, level.count) == (70, 50, 90, 70, 3)


def test_a_line_has_a_point_for_each_step_and_label():
    for minute, value in enumerate((50, 90)):
        for token in "ab":
            hand_on(token=token, samples=[sample("claims", value, at=NOON + timedelta(minutes=minute))])
    points = line("claims", day(Span.MINUTE))
    assert [(point.at, point.total) for point in points] == [(NOON, 100), (NOON + timedelta(minutes=1), 180)]


def test_a_line_of_timings_counts_every_step():
    for minute in range(3):
        hand_on(timings=[timing("GET x", [1000] * (minute + 1), at=NOON + timedelta(minutes=minute), errors=minute)])
    steps = timing_line("request", day(Span.MINUTE))
    assert [(step.count, step.errors, step.average_ms) for step in steps] == [(1, 0, 1.0), (2, 1, 1.0), (3, 2, 1.0)]


def test_growth_survives_a_restart_of_the_server_that_counts():
    for minute, value in enumerate((1_000, 1_300, 40, 100)):
        hand_on(samples=[sample("cache_hits", value, "claim", at=NOON + timedelta(minutes=minute))])
    within = Period(NOON + timedelta(minutes=1), NOON + timedelta(minutes=9), Span.MINUTE)
    assert growth(["cache_hits"], within) == {("cache_hits", "claim"): 300 + 40 + 60}


def test_long_periods_are_read_in_long_rows():
    assert [period(timedelta(hours=hours)).span for hours in (1, 24, 24 * 30)] == [Span.MINUTE, Span.HOUR, Span.DAY]


def test_what_is_older_than_its_retention_goes_and_the_rest_stays(monkeypatch):
    now = timezone.now()
    for age in (0, 500):
        at = now - timedelta(days=age)
        hand_on(token=str(age), timings=[timing("GET x", [5], at=at)], samples=[sample("claims", 1, at=at)])
        hand_on(token=str(age), notes=[note(1)._replace(at=at)], statements={str(age): "SELECT 1"})
    Statement.objects.filter(fingerprint="500").update(seen_at=now - timedelta(days=500))
    Process.objects.filter(token="500").update(seen_at=now - timedelta(days=500))
    deleted = retain(now)
    assert deleted == {"minute": 2, "hour": 0, "day": 0, "checkpoint": 1, "statement": 1, "process": 1, "alert": 0}
    left = (Timing, Sample, Checkpoint, Statement, Process)
    assert [model.objects.count() for model in left] == [1] * 5


def test_more_than_a_portion_is_deleted_in_portions(monkeypatch):
    monkeypatch.setattr("monitoring.rollup.MOST_DELETED", 3)
    old = timezone.now() - timedelta(days=settings.RETENTION_DAYS["minute"] + 1)
    hand_on(samples=[sample(f"s{number}", 1, at=old) for number in range(8)])
    assert retain()["minute"] == 8


def test_hours_without_a_scheduler_are_made_up_for():
    hand_on(timings=[timing("GET x", [5], at=NOON - timedelta(hours=9))])
    roll_up(NOON - timedelta(hours=9))
    hand_on(token="b", timings=[timing("GET x", [5], at=NOON - timedelta(hours=hours)) for hours in (8, 4, 0)])
    roll_up(NOON)
    assert [work.count for work in timings("request", day(Span.HOUR))] == [4]
    assert [work.count for work in timings("request", day(Span.DAY))] == [4]
