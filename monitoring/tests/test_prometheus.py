"""/metrics: for whom it is, that Prometheus can read it, and that it says what the tables say."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from marb.core.measure.histogram import bucket_of, count_up_to
from monitoring.models import Severity
from monitoring.prometheus import families, page
from monitoring.prometheus.names import COUNTED, GAUGES, GROWING, LONG, QUICK, TIMED
from monitoring.rollup import roll_up
from monitoring.tests.measures import fire_alert, hand_on, sample, timing

URL = "/metrics"
TOKEN = "a-token-of-more-than-twenty-characters"
NOON = datetime(2026, 3, 4, 12, 30, 20, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def open_page(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.METRICS_TOKEN = TOKEN
    # however slow the machine, what was measured in a test is not old
    monkeypatch.setattr(families, "SILENT_SECONDS", 3_600)
    monkeypatch.setattr(families, "FRESH_SECONDS", 3_600)


def scrape(client: Client) -> dict[str, Metric]:
    answer = client.get(URL, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return {metric.name: metric for metric in text_string_to_metric_families(answer.content.decode())}


def values(metric: Metric, suffix: str = "") -> dict[str, float]:
    """A family's values by its one label."""
    name = metric.name + suffix
    return {next(iter(each.labels.values()), ""): each.value for each in metric.samples if each.name == name}


def told(now: datetime = NOON) -> dict[str, Metric]:
    return {metric.name: metric for metric in families.collect(now)}


def test_there_is_no_page_until_somebody_may_ask(client: Client, settings: Any, root: Any) -> None:
    assert (settings.METRICS_TOKEN, settings.METRICS_ADDRESSES) == ("", [])
    assert client.get(URL).status_code == 404
    client.force_login(root)
    assert client.get(URL).status_code == 404


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer wrong", f"Token {TOKEN}", f"Bearer {TOKEN}x", "Bearer \xe9"])
def test_only_the_whole_token_opens_it(shown: str, client: Client, db: None, open_page: None) -> None:
    answer = client.get(URL, headers={"Authorization": shown} if shown else {})
    assert (answer.status_code, answer.content) == (401, b"")


def test_only_the_networks_named_may_ask(client: Client, db: None, settings: Any) -> None:
    settings.METRICS_ADDRESSES = ["10.1.0.0/16", "fd00::/8"]
    asked = {address: client.get(URL, REMOTE_ADDR=address).status_code for address in ("10.2.0.1", "", "10.1.2.3")}
    assert asked == {"10.2.0.1": 404, "": 404, "10.1.2.3": 200}
    settings.METRICS_TOKEN = TOKEN
    assert client.get(URL, REMOTE_ADDR="10.1.2.3").status_code == 401


def test_nothing_can_be_sent_to_it(client: Client, db: None, open_page: None) -> None:
    assert client.post(URL, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


def test_prometheus_reads_every_family(client: Client, db: None, open_page: None) -> None:
    hand_on(
        timings=[timing("GET claim-list", [4_000, 40_000], errors=1), timing("load", [9], kind="actor")],
        samples=[sample("claims", 500), sample("cpu_percent", 40, "host"), sample("cache_hits", 7, "claim")],
    )
    found = scrape(client)
    expected = {shown.name for table in (COUNTED, GAUGES, GROWING) for shown in table.values()}
    expected |= {f"{timed.name}{suffix}" for timed in TIMED.values() for suffix in ("_seconds", "_errors")}
    expected |= {"marb_database_up", "marb_alerts_firing", "marb_names_left_out", "marb_measures_dropped"}
    assert set(found) == expected | {"marb_processes_alive", "marb_processes_lost"}
    assert values(found["marb_host_cpu_used_ratio"]) == {"host": 0.4}
    assert values(found["marb_database_up"]) == {"": 1}
    assert values(found["marb_processes_alive"]) == {"web": 1}


def test_openmetrics_is_answered_where_it_is_asked_for(client: Client, db: None, open_page: None) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/openmetrics-text; version=1.0.0"}
    answer = client.get(URL, headers=headers)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")


def test_what_was_counted_is_summed_over_processes_and_hours(db: None) -> None:
    for number, minutes in enumerate((0, 1, 61, 300)):
        at = NOON.replace(second=0) - minutes * MINUTE
        for token in ("a", "b"):
            timings = [timing("GET claim-list", [3_000, 700_000], at=at, errors=1)]
            hand_on(token=f"{token}{number}", timings=timings, samples=[sample("claims", 10, at=at)])
    before = told()
    roll_up(NOON)
    after = told()
    for found in (before, after):
        assert values(found["marb_request_seconds"], "_count") == {"GET claim-list": 16}
        assert values(found["marb_request_errors"], "_total") == {"GET claim-list": 8}
        assert values(found["marb_request_seconds"], "_sum") == {"GET claim-list": pytest.approx(8 * 0.703)}
        assert values(found["marb_claims_loaded"], "_total") == {"": 80}


def test_what_was_counted_yesterday_is_not_in_todays_sum(db: None) -> None:
    hand_on(samples=[sample("claims", 10, at=NOON - timedelta(days=1)), sample("claims", 5, at=NOON - MINUTE)])
    roll_up(NOON)
    assert values(told()["marb_claims_loaded"], "_total") == {"": 5}


def test_a_sum_only_grows_while_minutes_become_hours(db: None) -> None:
    seen = []
    for minute in range(0, 200, 20):
        now = NOON.replace(hour=9, minute=0) + minute * MINUTE
        hand_on(token=f"p{minute}", timings=[timing("GET x", [1_000] * 3, at=now.replace(second=0))])
        seen += [values(told(now)["marb_request_seconds"], "_count")["GET x"]]
        roll_up(now)
        seen += [values(told(now)["marb_request_seconds"], "_count")["GET x"]]
    assert seen == sorted(seen)
    assert seen[-1] == 30


def test_levels_are_the_newest_of_the_living(db: None) -> None:
    now = datetime.now(UTC)
    old, new = (
        sample("process_memory_mb", mb, "worker", at=now - ago) for mb, ago in ((900, MINUTE), (100, MINUTE / 2))
    )
    hand_on(token="a", role="worker", samples=[old, new])
    hand_on(token="b", role="worker", samples=[sample("process_memory_mb", 50, "worker", at=now)])
    gone = [sample("process_memory_mb", 7_000, "worker", at=now), sample("queue_ready", 12, "ingest", at=now)]
    hand_on(token="c", role="worker", samples=gone, is_last=True)
    found = told(now)
    assert values(found["marb_process_memory_bytes"]) == {"worker": 150 * 2**20}
    # nobody's own: it stands though the process that looked has stopped
    assert values(found["marb_queue_ready"]) == {"ingest": 12}
    assert values(found["marb_processes_alive"]) == {"worker": 2}


def test_alerts_are_counted_by_severity(db: None) -> None:
    fire_alert(severity=Severity.CRITICAL)
    assert values(told()["marb_alerts_firing"]) == {"critical": 1, "warning": 0}


def test_it_costs_the_same_whatever_there_is(client: Client, db: None, open_page: None) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            scrape(client)
        return len(captured)

    before = queries()
    for number in range(5):
        names = [timing(f"GET {number}-{name}", [name + 1]) for name in range(20)]
        hand_on(token=f"p{number}", timings=names, samples=[sample("queue_ready", 1, f"q{number}")])
    # and a savepoint, its release and the time limit
    assert queries() == before == 5 + 3


def test_names_without_end_are_cut_and_told(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "MOST_NAMES", 3)
    hand_on(timings=[timing(f"GET {name}", [1], at=NOON) for name in "abcde"])
    found = told()
    assert set(values(found["marb_request_seconds"], "_count")) == {"GET a", "GET b", "GET c"}
    assert values(found["marb_names_left_out"])["request"] == 2


def test_without_postgresql_it_says_so(
    client: Client, open_page: None, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    def fail() -> None:
        raise DatabaseError

    monkeypatch.setattr(page, "collect", fail)
    found = scrape(client)
    assert list(found) == ["marb_database_up"]
    assert values(found["marb_database_up"]) == {"": 0}


def test_a_label_is_never_a_persons_or_a_practices(client: Client, open_page: None, rows: Any, other_rows: Any) -> None:
    hand_on(timings=[timing("GET claim-list", [5])])
    found = scrape(client)
    labels = {key for metric in found.values() for each in metric.samples for key in each.labels}
    assert labels <= {"le", "route", "actor", "statement", "function", "host", "role", "queue"} | {
        *("kind", "status", "severity", "database")
    }


@given(st.lists(st.integers(0, 3_000_000_000), min_size=1, max_size=60), st.sampled_from([QUICK, LONG]))
def test_buckets_are_what_the_histogram_counts_up_to_a_bound(durations: list[int], bounds: tuple[float, ...]) -> None:
    counts: dict[int, int] = {}
    for duration in durations:
        counts[bucket_of(duration)] = counts.get(bucket_of(duration), 0) + 1
    buckets = sorted(counts)
    shown = families.cumulated(bounds, buckets, [counts[bucket] for bucket in buckets], len(durations))
    assert shown[-1] == ("+Inf", len(durations))
    for (bound, number), seconds in zip(shown, bounds, strict=False):
        assert (bound, number) == (str(seconds), count_up_to(counts, round(seconds * 1_000_000)))
