"""The control room answers what was measured, whatever is away, at a fixed cost, and to superusers only."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marb.core.cache import server
from marb.core.cache.breaker import Breaker
from marb.pipeline.models import DeadLetter, EdiFile
from monitoring import api, snapshot
from monitoring.alerts import fire
from monitoring.models import AlertRule, Process, ScheduledJob, Span
from monitoring.room import belt, figures, machine, state
from monitoring.room import range as range_
from monitoring.room.range import RANGES, chosen, line_period, sum_period
from monitoring.tests.measures import hand_on, note, sample, this_minute, timing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("default_rules")]
PLACE = "admin:monitoring_process_figures"


@pytest.fixture
def operator(client: Client, root: Any) -> Client:
    client.force_login(root)
    return client


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test fails because a machine is slow."""
    monkeypatch.setattr(figures, "PART_SECONDS", 600.0)
    monkeypatch.setattr(figures, "ANSWER_SECONDS", 600.0)
    monkeypatch.setattr(range_, "NOW", timedelta(hours=1))
    monkeypatch.setattr(snapshot, "PATIENCE_SECONDS", 60.0)
    monkeypatch.setattr(api, "PATIENCE_SECONDS", 60.0)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, each in RANGES.items():
        monkeypatch.setitem(RANGES, key, each._replace(fresh_seconds=0))


@pytest.fixture
def well() -> None:
    """A product that works: a worker, a scheduler, and rules that were judged just now."""
    for role in ("worker", "scheduler"):
        hand_on(token=role, role=role)
    soon = timezone.now() + timedelta(minutes=10)
    Process.objects.update(seen_at=soon)
    AlertRule.objects.update(evaluated_at=soon)


def ask(client: Client, key: str = "1h") -> dict[str, Any]:
    answer = client.get(reverse(PLACE), {"range": key})
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


def texts(told: dict[str, Any], table: str) -> list[list[str]]:
    return [[cell["text"] for cell in row] for row in told["tables"][table]["rows"]]


def reasons(told: dict[str, Any]) -> list[str]:
    return [reason["text"] for reason in told["state"]["reasons"]]


@pytest.mark.parametrize("role", ["administrator", "manager", "biller", "auditor"])
def test_only_a_superuser_sees_it(role: str, request: pytest.FixtureRequest, client: Client) -> None:
    client.force_login(request.getfixturevalue(role))
    for name in (PLACE, "admin:monitoring_process_room"):
        assert client.get(reverse(name)).status_code == 403
    assert "Control room" not in client.get(reverse("admin:index")).content.decode()


def test_a_stranger_is_sent_to_the_login(client: Client) -> None:
    assert client.get(reverse(PLACE)).status_code == 302


def test_the_page_has_a_place_for_every_part(operator: Client) -> None:
    text = operator.get(reverse("admin:monitoring_process_room"), {"range": "7d"}).content.decode()
    parts = (("tile", figures.TILES), ("chart", figures.CHARTS), ("table", figures.TABLES))
    for kind, shown in parts:
        for key in shown:
            assert f'data-{kind}="{key}"' in text
    assert 'data-range="7d"' in text


@pytest.mark.parametrize("key", ["", "99d", "1h'--", "\u0000"])
def test_a_range_that_there_is_not_is_the_first(key: str, operator: Client) -> None:
    assert chosen(key).key == "1h"
    assert ask(operator, key)["range"] == "1h"


@pytest.mark.parametrize("key", RANGES)
def test_an_empty_product_is_answered_in_words(key: str, operator: Client) -> None:
    told = ask(operator, key)
    assert told["range"] == key
    for table in told["tables"].values():
        assert "missing" not in table
        assert table["rows"] or table["empty"]


def test_it_is_healthy_when_everything_works(operator: Client, well: None) -> None:
    told = ask(operator)
    assert (told["state"]["word"], reasons(told)) == ("Healthy", [])


def test_nobody_at_work_is_a_reason(operator: Client) -> None:
    told = ask(operator)
    assert told["state"]["word"] == "Degraded"
    assert reasons(told) == [
        "No worker is alive: files wait.",
        "No scheduler is alive: nothing runs on schedule.",
        "Alert rules have not been judged.",
    ]


def test_an_open_alert_is_a_reason_and_a_row(operator: Client, well: None) -> None:
    with_alert()
    told = ask(operator)
    assert reasons(told) == ["Dead letters: 3 messages, above 0 messages."]
    assert texts(told, "alerts")[0][:5] == ["Dead letters", "Warning", "3 messages", "3 messages", "0 messages"]


def with_alert() -> Any:
    return fire(AlertRule.objects.get(metric="dead_letters"), 3.0, timezone.now())


def test_a_process_that_fell_silent_is_lost(operator: Client, well: None) -> None:
    Process.objects.filter(role="worker").update(seen_at=timezone.now() - timedelta(minutes=5))
    told = ask(operator)
    assert [(row[0], row[2]) for row in texts(told, "processes")] == [("Scheduler", "Alive"), ("Worker", "Lost")]
    assert "No worker is alive: files wait." in reasons(told)


def test_requests_are_shown_by_endpoint_with_percentiles_and_errors(operator: Client) -> None:
    hand_on(timings=[timing("GET claim-list", [10_000] * 90 + [900_000] * 10, errors=4)])
    hand_on(token="b", timings=[timing("GET payer-list", [2_000] * 4)])
    told = ask(operator)
    first, second = texts(told, "endpoints")
    assert first == ["GET claim-list", "100", "99 ms", "10 ms", "897 ms", "897 ms", "900 ms", "4"]
    assert second[:4] == ["GET payer-list", "4", "2 ms", "2 ms"]
    assert told["tiles"]["errors"]["value"] == "3.8 %"
    assert told["tables"]["endpoints"]["rows"][0][4]["tone"] == "bad"


def test_numbers_are_sorted_by_their_value_not_their_text(operator: Client) -> None:
    hand_on(timings=[timing("GET a", [900_000]), timing("GET b", [1_100_000])])
    sorts = {row[0]["text"]: row[2]["sort"] for row in ask(operator)["tables"]["endpoints"]["rows"]}
    assert sorts == {"GET a": 900.0, "GET b": 1100.0}


def test_actors_show_their_work_and_how_long_their_messages_waited(operator: Client) -> None:
    work = timing("run_chunk", [2_000_000] * 6, kind="actor", errors=1)
    hand_on(role="worker", timings=[work, timing("run_chunk", [50_000] * 6, kind="wait")])
    (row,) = texts(ask(operator), "actors")
    assert row[:2] + row[3:] == ["Run chunk", "6", "2 s", "2 s", "2 s", "50 ms", "50 ms", "0", "1"]


def test_a_file_in_progress_has_a_bar_a_pace_and_no_name(operator: Client, practice: Any) -> None:
    started = timezone.now() - timedelta(seconds=10)
    given = {"practice": practice, "byte_count": 400, "kind": "837", "scan_claim_count": 40, "started_at": started}
    file = EdiFile.objects.create(sha256="a", name="okonkwo.837", status="running", chunk_count=2, **given)
    for number, state_of_chunk in enumerate(("done", "waiting")):
        file.chunks.create(
            practice=practice,
            seq=number,
            kind="837",
            byte_from=200 * number,
            byte_to=200 * number + 200,
            state=state_of_chunk,
            claim_count=20 if state_of_chunk == "done" else 0,
        )
    told = ask(operator)
    (row,) = told["tables"]["files"]["rows"]
    assert [cell["text"] for cell in row][:7] == [
        f"File {file.pk}",
        practice.name,
        "837",
        "Reading",
        "50 %",
        "20",
        "40",
    ]
    assert row[4]["bar"] == 50
    assert told["tiles"]["ingest"]["title"] == "Ingest, claims/s"
    assert "okonkwo" not in str(told)


def test_ingest_is_drawn_with_the_target_of_its_rule(operator: Client) -> None:
    hand_on(role="worker", samples=[sample("claims", 600, at=this_minute(2))])
    AlertRule.objects.filter(metric="throughput").update(threshold=5000)
    chart = ask(operator, "15m")["charts"]["ingest"]
    claims, remittances, target = chart["lines"]
    assert 10.0 in claims["values"]
    assert set(remittances["values"]) <= {0.0, None}
    assert set(target["values"]) == {5000.0}
    assert target["target"] is True
    assert len(chart["labels"]) == len(claims["values"]) >= 15


def test_the_cache_is_shown_by_kind_beside_its_target(operator: Client) -> None:
    for minute, (hits, misses) in ((2, (0, 0)), (1, (95, 5))):
        values = {"cache_hits": hits, "cache_misses": misses}
        hand_on(token=str(minute), samples=[sample(k, v, "payer", at=this_minute(minute)) for k, v in values.items()])
    told = ask(operator)
    assert texts(told, "cache") == [["payer", "95", "5", "95 %", "90 %"]]
    assert told["tiles"]["cache"]["value"] == "95 %"


def test_machines_are_shown_now_and_over_the_range(operator: Client) -> None:
    hand_on(samples=[sample("cpu_percent", 96, "box"), sample("load_average", 3.2, "box")])
    told = ask(operator)
    assert told["tiles"]["cpu"] == {
        "title": "CPU",
        "value": "96 %",
        "note": "of the busiest machine, high above 90 %",
        "tone": "bad",
        "url": "",
    }
    assert ["CPU", "box", "96 %", "96 %", "96 %"] in texts(told, "hosts")


def test_without_psutil_it_says_what_is_not_measured(operator: Client) -> None:
    hand_on(samples=[sample("load_average", 1, "box"), sample("disk_percent", 40, "box")])
    told = ask(operator)
    assert told["tiles"]["cpu"]["value"] == machine.UNMEASURED
    assert told["tables"]["hosts"]["note"] == machine.NO_PSUTIL
    assert told["tiles"]["disk"]["value"] == "40 %"


def test_the_highest_checkpoints_come_first_with_what_they_exceed(operator: Client) -> None:
    high = note(2, delta=600.0)._replace(thresholds_exceeded={"delta_warning": True, "delta_critical": True})
    hand_on(role="worker", notes=[note(1, delta=3.0), high])
    first, second = texts(ask(operator), "checkpoints")
    assert (first[2], first[6]) == ("600 MB", "delta critical")
    assert (second[2], second[6]) == ("3.0 MB", "none")


def test_a_slow_statement_has_its_text_and_a_link_to_its_plan(operator: Client) -> None:
    text = "SELECT 1 FROM pipeline_edifile WHERE id = 7700000123"
    hand_on(timings=[timing("f00d", [400_000], kind="slow_sql")], statements={"f00d": text})
    (row,) = ask(operator)["tables"]["slow"]["rows"]
    assert row[0]["text"] == "SELECT ? FROM pipeline_edifile WHERE id = ?"
    page = operator.get(row[-1]["url"]).content.decode()
    assert "Scan" in page
    assert "7700000123" not in page


def test_schedules_show_their_last_run(operator: Client) -> None:
    started = timezone.now()
    ScheduledJob.objects.create(name="reap", schedule="interval[0:00:10]", last_started_at=started, last_seconds=0.5)
    ScheduledJob.objects.create(name="clean", schedule="cron[x]", last_started_at=started, last_reason="OSError")
    rows = texts(ask(operator), "schedules")
    assert [(row[0], row[1], row[4]) for row in rows] == [
        ("Clean", "cron x", "OSError"),
        ("Reap", "every 10 s", "Went well"),
    ]


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        ("interval[0:05:00]", "every 5 min"),
        ("interval[1 day, 0:00:00]", "interval[1 day, 0:00:00]"),
        ("cron[month='*', day='*', day_of_week='*', hour='3', minute='17']", "daily at 03:17 UTC"),
        ("cron[month='*', day='1', day_of_week='*', hour='3', minute='17']", None),
    ],
)
def test_a_trigger_is_told_in_words(schedule: str, told: str | None) -> None:
    assert belt.when(schedule) == (told or f"cron {schedule[5:-1]}")


class TestSomethingIsAway:
    """The page answers, and says what is missing."""

    def test_the_broker(self, operator: Client, well: None, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(url: str) -> Any:
            raise redis.ConnectionError

        monkeypatch.setattr(snapshot, "client_of", refuse)
        monkeypatch.setattr(state, "is_broker_up", lambda: False)
        told = ask(operator)
        assert told["tables"]["queues"]["missing"] == "its server does not answer"
        assert reasons(told) == [
            "The broker does not answer: nothing new is worked on until it does.",
            "Queues cannot be shown: its server does not answer.",
        ]

    def test_the_cache(self, operator: Client, well: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
        def refuse(alias: str) -> Any:
            raise redis.ConnectionError

        monkeypatch.setitem(RANGES, "1h", RANGES["1h"]._replace(fresh_seconds=60))
        monkeypatch.setattr(server, "get_redis_connection", refuse)
        monkeypatch.setattr(server, "BREAKER", Breaker(server.time.monotonic))
        monkeypatch.setattr(state, "is_cache_up", lambda: False)
        hand_on(timings=[timing("GET claim-list", [10_000])])
        told = ask(operator)
        assert reasons(told) == ["The cache does not answer: everything is read from PostgreSQL."]
        assert texts(told, "endpoints")[0][0] == "GET claim-list"

    def test_postgresql_is_slow(self, operator: Client, well: None, monkeypatch: pytest.MonkeyPatch) -> None:
        def sleep(reading: Any) -> Any:
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 1")
                cursor.execute("SELECT pg_sleep(600)")

        monkeypatch.setitem(figures.TABLES, "slow", ("Slow statements", sleep))
        hand_on(timings=[timing("GET claim-list", [10_000])])
        told = ask(operator)
        assert told["tables"]["slow"]["missing"] == "PostgreSQL is too slow now"
        assert "Slow statements cannot be shown: PostgreSQL is too slow now." in reasons(told)
        assert texts(told, "schedules") == []

    def test_no_statement_may_take_longer_than_a_part_may(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(figures, "PART_SECONDS", 1.5)
        with figures.limited(), connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("1500ms",)

    def test_postgresql_does_not_answer_a_part(
        self, operator: Client, well: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(reading: Any) -> Any:
            raise OperationalError("the server closed the connection: secret")

        monkeypatch.setitem(figures.TILES, "requests", ("Requests", fail))
        told = ask(operator)
        assert told["tiles"]["requests"]["missing"] == "PostgreSQL does not answer"
        assert "secret" not in str(told)

    def test_time_is_over(self, operator: Client, well: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(figures, "ANSWER_SECONDS", -1.0)
        told = ask(operator)
        assert all(part["missing"] for part in told["tables"].values())
        assert told["state"]["word"] == "Degraded"

    def test_monitoring_is_off(self, operator: Client, settings: Any) -> None:
        settings.MONITORING = False
        assert reasons(ask(operator)) == ["MONITORING is off: nothing is measured."]


def count_queries(client: Client, key: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        ask(client, key)
    return len(captured)


def test_it_costs_a_fixed_number_of_statements(operator: Client, practice: Any) -> None:
    few = count_queries(operator, "1h")
    for number in range(12):
        named = f"{number}"
        timings = [timing(f"GET {named}", [1_000], kind=kind) for kind in ("request", "actor", "wait", "sql")]
        hand_on(token=named, timings=timings, samples=[sample("cpu_percent", 5, named)], notes=[note(number)])
        EdiFile.objects.create(practice=practice, sha256=named, name=named, byte_count=1)
        DeadLetter.objects.create(actor="a", queue="ingest", reason="x")
        ScheduledJob.objects.create(name=named)
    # slow statements and checkpoints are looked up once there are any, and so is how far files are
    assert count_queries(operator, "1h") <= few + 3
    # three of them are the transaction and its savepoint, however many parts there are
    assert few <= 25


def test_what_is_dear_is_kept_for_a_while(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RANGES, "1h", RANGES["1h"]._replace(fresh_seconds=600))
    hand_on(
        timings=[timing("GET claim-list", [10_000])],
        samples=[sample("cpu_percent", 5, "box"), sample("cache_hits", 1, "claim")],
        notes=[note(1)],
    )
    first = ask(operator)
    hand_on(token="b", timings=[timing("GET claim-list", [10_000])])
    again = ask(operator)
    for part in ("endpoints", "hosts", "cache", "checkpoints"):
        assert first["tables"][part] == again["tables"][part]
    for told in (first, again):
        # the steps go on with the clock
        (cpu,) = told["charts"]["host"]["lines"]
        assert set(cpu["values"]) == {None, 5.0}
    # three of them are the transaction and its savepoint
    assert count_queries(operator, "1h") <= 16


def test_long_ranges_are_summed_by_days_and_drawn_by_hours() -> None:
    assert [sum_period(each).span for each in RANGES.values()] == [
        *(Span.MINUTE, Span.MINUTE, Span.HOUR, Span.DAY, Span.DAY)
    ]
    assert [line_period(each).span for each in RANGES.values()] == [
        *(Span.MINUTE, Span.MINUTE, Span.HOUR, Span.HOUR, Span.DAY)
    ]


def test_looking_is_no_sign_that_anybody_is_there(settings: Any) -> None:
    assert "monitoring_process_figures" in settings.PASSIVE_PLACES
