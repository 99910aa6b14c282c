"""The throttle: exact however many ask at once, told in headers, and never a reason to be shut out."""

import threading
import uuid
from collections import deque
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from marb.access import throttle
from marb.access.reader import Reader
from marb.access.throttle import Verdict
from marb.core.cache import server
from marb.core.cache.fill import Filled, fetch, read_hits
from marb.core.cache.keys import want_row

ME = "/api/v1/auth/me/"
DAY = 86_400_000


@pytest.fixture
def identity() -> str:
    """Somebody whom no other test counts."""
    return f"test:{uuid.uuid4().hex}"


@pytest.fixture
def away(no_cache: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache server that is not there, and nobody remembered here."""
    monkeypatch.setattr(throttle, "LOCAL", throttle.Local())


def ask_together(identity: str, count: int) -> list[Verdict]:
    """Count one request on each of so many threads, all let go at once."""
    gate, found = threading.Barrier(count), []

    def ask() -> None:
        gate.wait(30)
        # the hour's limit is as far away as a day is long: the minute's is the one that is met
        found.append(throttle.count(identity, [(60, DAY), (1_000, DAY)]))

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


def test_of_two_hundred_at_once_exactly_sixty_are_accepted(identity: str) -> None:
    found = ask_together(identity, 200)
    assert not server.BREAKER.is_open
    assert len(found) == 200
    assert sum(verdict.is_allowed for verdict in found) == 60
    assert sorted(verdict.remaining for verdict in found if verdict.is_allowed) == list(range(60))


@pytest.mark.parametrize("is_away", [False, True])
def test_those_who_read_the_cache_meanwhile_are_counted_as_exactly(
    is_away: bool, identity: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_away:
        request.getfixturevalue("away")
    monkeypatch.setattr(throttle, "person_windows", lambda: [(60, DAY), (1_000, DAY)])
    monkeypatch.setattr(throttle, "identity_of", lambda reader: identity)
    wanted = [want_row("claim", 17, 5, "full", ("claim",))]
    fetch(wanted, lambda: Filled(b"1", 5))
    found: list[tuple[bool, bool]] = []

    def read() -> None:
        asked, reader = HttpRequest(), Reader(User(pk=1), {}, None, 0.0)
        toll = throttle.Toll(asked, reader)
        answer = read_hits(wanted, toll.errand)
        toll.settle()
        # asked again, it is not taken again
        found.append((answer is not None, throttle.of_request(asked, reader).is_allowed))

    threads = [threading.Thread(target=read) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [is_met for is_met, _ in found] == [not is_away] * 200
    assert sum(is_allowed for _, is_allowed in found) == 60


def test_with_the_cache_away_this_process_counts_as_exactly(identity: str, away: None) -> None:
    found = ask_together(identity, 200)
    assert sum(verdict.is_allowed for verdict in found) == 60
    assert sorted(verdict.remaining for verdict in found if verdict.is_allowed) == list(range(60))


@pytest.mark.parametrize("is_away", [False, True])
def test_the_tightest_window_is_told(identity: str, is_away: bool, request: pytest.FixtureRequest) -> None:
    if is_away:
        request.getfixturevalue("away")
    windows = [(5, DAY), (3, 2 * DAY)]
    found = [throttle.count(identity, windows) for _ in range(4)]
    assert [(verdict.is_allowed, verdict.limit, verdict.remaining) for verdict in found] == [
        *((True, 3, 2), (True, 3, 1), (True, 3, 0)),
        (False, 3, 0),
    ]
    assert DAY * 2 // 1000 - 60 < found[-1].wait <= DAY * 2 // 1000


def test_looking_costs_nothing_and_forgetting_gives_back(identity: str) -> None:
    assert throttle.count(identity, [(1, DAY)], cost=0).is_allowed
    assert throttle.count(identity, [(1, DAY)]).is_allowed
    assert not throttle.count(identity, [(1, DAY)], cost=0).is_allowed
    throttle.forget(identity)
    assert throttle.count(identity, [(1, DAY)]).is_allowed


def test_a_refused_request_is_not_counted(identity: str) -> None:
    for _ in range(5):
        throttle.count(identity, [(2, DAY)])
    assert server.ask(lambda client: client.llen(throttle.key_of(identity)), None) == 2


def test_a_script_that_the_server_lost_is_sent_again(identity: str) -> None:
    throttle.count(identity, [(2, DAY)])
    server.ask(lambda client: client.script_flush(), None)
    assert throttle.count(identity, [(2, DAY)]).remaining == 0


def test_an_accepted_request_leaves_the_window_and_makes_room(identity: str) -> None:
    seconds, _ = server.ask(lambda client: client.time(), (0, 0))
    times = [seconds * 1000 - age for age in (70_000, 65_000, 30_000, 20_000)]
    server.ask(lambda client: client.lpush(throttle.key_of(identity), *times), None)
    verdict = throttle.count(identity, [(4, 60_000), (5, 3_600_000)], cost=0)
    assert (verdict.limit, verdict.remaining) == (5, 1)
    assert throttle.count(identity, [(3, 60_000), (9, 3_600_000)]).remaining == 0
    refused = throttle.count(identity, [(3, 60_000), (9, 3_600_000)])
    assert not refused.is_allowed
    assert 0 < refused.wait <= 30


def test_a_limit_of_nothing_is_no_limit(identity: str) -> None:
    verdict = throttle.count(identity, throttle.windows_of(0, 0))
    assert verdict == throttle.FREE
    assert verdict.headers == {}


@given(
    st.lists(st.integers(0, 4_000), min_size=1, max_size=80),
    st.integers(1, 6),
    st.integers(1, 12),
)
def test_no_stretch_of_a_windows_length_holds_more_than_its_limit(steps: list[int], minute: int, hour: int) -> None:
    windows = [(minute, 10_000), (hour, 60_000)]
    times: deque[int] = deque()
    accepted, now = [], 1_000_000
    for step in steps:
        now += step
        if throttle.judge(times, windows, now).is_allowed:
            times.appendleft(now)
            accepted.append(now)
    for limit, window in windows:
        for moment in accepted:
            assert sum(1 for other in accepted if moment - window < other <= moment) <= limit


def test_the_61st_request_is_429_with_headers_and_the_houses_body(settings: Any, client: Client, biller: Any) -> None:
    settings.API_RATE_MINUTE, settings.API_RATE_HOUR = 3, 1_000
    throttle.forget(f"user:{biller.pk}")
    client.force_login(biller)
    answers = [client.get(ME) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"3"}
    assert int(answers[0].headers["X-RateLimit-Reset"]) > 1_700_000_000
    assert "Retry-After" not in answers[2].headers
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 60
    told = answers[3].json()
    assert (told["code"], told["status_code"], told["details"]) == ("throttled", 429, {})


def test_each_person_has_an_allowance_of_their_own(settings: Any, client: Client, biller: Any, manager: Any) -> None:
    settings.API_RATE_MINUTE = settings.API_RATE_HOUR = 1
    for person in (biller, manager):
        throttle.forget(f"user:{person.pk}")
        client.force_login(person)
        assert [client.get(ME).status_code for _ in range(2)] == [200, 429]


def test_strangers_share_their_addresss_allowance_and_health_is_free(settings: Any, client: Client, db: None) -> None:
    settings.API_RATE_ADDRESS_MINUTE = 2
    address = "2001:db8:77::1"
    throttle.forget("address:2001:db8:77::")
    given: dict[str, Any] = {"REMOTE_ADDR": address}
    assert [client.get(ME, headers={"Authorization": "Token x"}, **given).status_code for _ in range(3)] == [
        401,
        401,
        429,
    ]
    assert client.get(ME, REMOTE_ADDR="2001:db8:77::2").status_code == 429
    assert client.get(ME, REMOTE_ADDR="2001:db8:78::1").status_code == 401
    assert "X-RateLimit-Limit" not in client.get("/api/v1/health/", **given).headers


def test_an_address_that_a_stranger_writes_is_not_believed(settings: Any, client: Client, db: None) -> None:
    settings.API_RATE_ADDRESS_MINUTE = 1
    throttle.forget("address:192.0.2.7")
    found = [
        client.get(ME, REMOTE_ADDR="192.0.2.7", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code
        for n in range(2)
    ]
    assert found == [401, 429]
