"""The measures agree with what is known from outside: durations, counted requests, counted hits."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from marb.access.models import Practice
from marb.core.cache import statistics
from marb.core.measure import middleware, process
from marb.core.measure.ledger import Ledger
from monitoring import snapshot
from monitoring.bench import agreeing
from monitoring.metrics import hit_percent
from monitoring.reading import period, timings
from monitoring.sink import keep
from monitoring.tests.measures import batch, hand_on, sample, this_minute, timing
from monitoring.tests.rows import Rows
from monitoring.traffic.drive import Run
from monitoring.traffic.summary import Outcome, summarize

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_measures")]
LENGTH = timedelta(minutes=15)
ROUNDS = 40
SHARES = {"mean": "average_ms", "median": "p50_ms", "p95": "p95_ms", "p99": "p99_ms"}


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    fresh = Ledger("web")
    monkeypatch.setattr(process.HELD, "ledger", fresh)
    return fresh


def test_percentiles_are_those_of_the_durations_within_a_hundredth(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, clock = random.Random(7), [0.0]
    durations = [chance.lognormvariate(-5, 1) for _ in range(3_000)]

    def answer(request: HttpRequest) -> HttpResponse:
        clock[0] += durations[request.number]  # type: ignore[attr-defined]
        return HttpResponse(status=500 if request.number % 100 == 0 else 200)  # type: ignore[attr-defined]

    monkeypatch.setattr(middleware.time, "perf_counter", lambda: clock[0])
    measuring = middleware.RequestMiddleware(answer)
    for number in range(len(durations)):
        request = RequestFactory().get("/")
        request.number = number  # type: ignore[attr-defined]
        middleware.name_route(request, "heron-list")
        measuring(request)
    keep(ledger.take())
    [work] = timings("request", period(LENGTH))
    outside = summarize([Outcome("GET heron-list", 200, seconds) for seconds in durations], 1.0).overall
    assert (work.name, work.count, work.errors) == ("GET heron-list", 3_000, 30)
    for share, name in SHARES.items():
        assert getattr(work, name) / 1_000 == pytest.approx(getattr(outside, share), rel=0.01), share
    assert work.most_ms / 1_000 == pytest.approx(outside.max, rel=0.01)


def test_requests_are_counted_by_route_and_class_as_they_were_made(
    ledger: Ledger, client: Client, biller: Any, rows: Rows
) -> None:
    client.force_login(biller)
    paths = ["/api/v1/claims/"] * 7 + [f"/api/v1/claims/{rows.claims[0].pk}/"] * 5 + ["/api/v1/claims/999999999/"] * 3
    codes = [client.get(path).status_code for path in paths]
    taken = ledger.take()
    requests = {each.name: each.count for each in taken.timings if each.kind == "request"}
    assert requests == {"GET claim-list": 7, "GET claim-detail": 8}
    classes = {each.label: each.total for each in taken.samples if each.name == "responses"}
    assert classes == {"2xx": codes.count(200), "4xx": codes.count(404)}


@pytest.mark.django_db(transaction=True)
def test_the_hit_rate_is_that_of_a_counted_script(
    ledger: Ledger, client: Client, biller: Any, practice: Practice, rows: Rows
) -> None:
    client.force_login(biller)
    paths = [f"/api/v1/claims/{claim.pk}/" for claim in rows.claims]
    for path in paths * (ROUNDS + 1):
        assert client.get(path).status_code == 200
    found = statistics.read_kinds()["claim"]
    # one count may be lost where the thread that hands them on meets a request
    assert found["hits"] == pytest.approx(ROUNDS * len(paths), abs=1)
    assert found["misses"] == pytest.approx(len(paths), abs=1)
    # and the snapshot hands on what stands there
    snapshot.sample_cache()
    told = {(each.name, each.label): each.last for each in ledger.take().samples}
    assert (told["cache_hits", "claim"], told["cache_misses", "claim"]) == (found["hits"], found["misses"])


def test_the_rate_of_hits_is_that_of_their_growth() -> None:
    for minutes_ago, hits, misses in ((3, 1_000, 500), (1, 1_900, 600)):
        at = this_minute(minutes_ago)
        samples = [sample("cache_hits", hits, "claim", at=at), sample("cache_misses", misses, "claim", at=at)]
        keep(batch(samples=samples))
    assert hit_percent(600) == 90


def test_the_bench_tells_how_far_both_are_apart() -> None:
    bare = timing("GET bench-constant", [1_000] * 100)
    hand_on(timings=[timing("GET bench-wait", [100_000] * 98 + [300_000] * 2), bare])
    # the way there and back takes 20 ms, which the server does not see
    seconds = [0.12] * 98 + [0.32] * 2
    run = Run([Outcome("bench-wait", 200, each) for each in seconds], 10.0, 1.0)
    run.outcomes.extend(Outcome("bench-constant", 200, 0.021) for _ in range(100))
    found, nothing = agreeing.request_work("bench-wait"), agreeing.request_work("bench-constant")
    count, times = agreeing.compare(run, found, nothing)
    assert (count.value, count.is_reached) == (0, True)
    assert times.value < 1
    assert times.details["way_there_and_back_ms"] == pytest.approx(20, abs=0.1)
    run.outcomes.extend(Outcome("bench-wait", 200, 0.2) for _ in range(100))
    count, times = agreeing.compare(run, found, nothing)
    assert (count.value, count.is_reached, times.is_reached) == (50, False, False)
    assert [figure.value for figure in agreeing.compare(run, None, None)] == [100, 100]
