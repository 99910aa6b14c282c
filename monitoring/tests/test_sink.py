"""The sink: what is handed on twice counts once, and what is read is what was done."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from marb.core.measure.ledger import Run
from monitoring.models import Checkpoint, Process, Sample, ScheduledJob, Statement, Timing
from monitoring.plans import CANNOT, explain, numbered
from monitoring.reading import period, processes_alive, processes_lost, timings
from monitoring.tests.measures import hand_on, note, sample, this_minute, timing

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def test_a_batch_that_comes_twice_counts_once():
    for _ in range(2):
        hand_on(timings=[timing("GET x", [100, 200])], samples=[sample("claims", 5)], notes=[note(1), note(2)])
    assert (Timing.objects.get().count, Sample.objects.get().total, Checkpoint.objects.count()) == (2, 5, 2)


def test_a_newer_sum_of_the_minute_replaces_the_older():
    minute = this_minute()
    hand_on(timings=[timing("GET x", [100], at=minute)])
    hand_on(timings=[timing("GET x", [100, 300], at=minute)])
    row = Timing.objects.get()
    assert (row.count, row.total_us, row.most_us, sum(row.counts)) == (2, 400, 300, 2)


def test_processes_are_rows_of_their_own_and_are_read_together():
    hand_on(token="a", timings=[timing("GET x", [1_000] * 90)])
    hand_on(token="b", timings=[timing("GET x", [9_000] * 10, errors=3)])
    (work,) = timings("request", period(HOUR))
    assert (work.count, work.errors, work.most_ms) == (100, 3, 9.0)
    assert work.average_ms == pytest.approx(1.8)
    assert (work.p50_ms, work.p95_ms) == (pytest.approx(1.0, rel=0.01), pytest.approx(9.0, rel=0.01))


def test_keeping_a_batch_costs_the_same_few_statements_however_much_it_holds(django_assert_num_queries):
    many = [timing(f"GET {number}", [number + 1]) for number in range(200)]
    # savepoint, synchronous_commit, process, timings, samples, checkpoints, runs, release
    runs = [Run("reap", timezone.now(), 0.1, "")]
    with django_assert_num_queries(8):
        hand_on(timings=many, samples=[sample(f"s{n}", n) for n in range(100)], notes=[note(1), note(2)], runs=runs)


def test_each_batch_is_a_heartbeat_and_the_last_one_a_clean_stop():
    hand_on()
    assert [process.role for process in processes_alive()] == ["web"]
    hand_on(is_last=True)
    process = Process.objects.get()
    assert process.stopped_at == process.seen_at
    assert not processes_alive().exists()


def test_a_process_that_fell_silent_is_lost():
    hand_on(token="a", role="worker")
    hand_on(token="b", role="worker", is_last=True)
    Process.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
    assert [process.token for process in processes_lost()] == ["a"]


def test_the_last_run_of_a_schedule_stands():
    first = datetime(2026, 1, 1, tzinfo=UTC)
    hand_on(runs=[Run("reap", first, 0.5, "")])
    hand_on(runs=[Run("reap", first + HOUR, 0.25, "SQLSTATE 57014")])
    job = ScheduledJob.objects.get()
    assert (job.last_started_at, job.last_seconds, job.last_reason) == (first + HOUR, 0.25, "SQLSTATE 57014")


def test_a_slow_statement_is_kept_masked_with_a_plan_without_values():
    text = "SELECT id FROM access_practice WHERE name = %s AND code = 'Abernathy' AND id > 194 LIMIT %s"
    hand_on(statements={"f1": text})
    statement = Statement.objects.get()
    assert statement.plan
    assert statement.plan["Node Type"] == "Limit"
    assert "access_practice" in str(statement.plan)
    assert "Abernathy" not in f"{statement.text}{statement.plan}"
    assert "194" not in f"{statement.text}{statement.plan}"


def test_a_statement_is_explained_once(django_assert_max_num_queries):
    text = "SELECT id FROM access_practice WHERE name = %s"
    hand_on(statements={"f1": text})
    before = Statement.objects.get()
    with django_assert_max_num_queries(7):
        hand_on(statements={"f1": text})
    after = Statement.objects.get()
    assert after.seen_at > before.seen_at
    assert after.first_seen_at == before.first_seen_at


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SET LOCAL statement_timeout = 5", CANNOT),
        ("SELECT 1; DELETE FROM access_practice", CANNOT),
        ("SELECT * FROM nothing_here WHERE a = %s", "SQLSTATE 42P01"),
    ],
)
def test_what_cannot_be_explained_says_why_and_breaks_nothing(text, reason):
    hand_on(statements={"f1": text}, timings=[timing("GET x", [1])])
    assert Statement.objects.get().reason == reason
    assert Timing.objects.count() == 1


def test_explaining_runs_nothing(practice):
    plan, reason = explain("DELETE FROM access_practice WHERE id > %s")
    assert plan
    assert (plan["Operation"], reason) == ("Delete", "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM access_practice")
        assert cursor.fetchone() == (1,)


def test_placeholders_are_numbered_and_percent_signs_are_single():
    assert numbered("a = %s AND b LIKE 'x%%' AND c = %s") == "a = $1 AND b LIKE 'x%' AND c = $2"
