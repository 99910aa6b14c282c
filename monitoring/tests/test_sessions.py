"""How a session ends by itself: idle, old, or never begun; and that a page's own asking keeps none alive."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from marb.access import sessions
from marb.pipeline.tests.rows import create_file

CLAIMS, ME = "/claims/claim/", "/api/v1/auth/me/"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The clock of the sessions, turned on by minutes."""

    class Clock:
        now = 1_800_000_000.0

        def time(self) -> float:
            return self.now

        def turn(self, minutes: float) -> None:
            self.now += minutes * 60

    clock = Clock()
    monkeypatch.setattr(sessions, "time", clock)
    return clock


def is_in(client: Client, page: str = CLAIMS) -> bool:
    return client.get(page).status_code == 200


@pytest.mark.parametrize("page", [CLAIMS, "/api/v1/claims/"])
def test_fifteen_idle_minutes_end_a_session_on_the_server(client: Client, biller: Any, clock: Any, page: str) -> None:
    client.force_login(biller)
    clock.turn(14.9)
    assert is_in(client, page)
    clock.turn(15.1)
    assert not is_in(client, page)
    assert not Session.objects.exists()


def test_twelve_hours_end_a_session_however_busy(client: Client, biller: Any, clock: Any) -> None:
    client.force_login(biller)
    for _ in range(12 * 6 - 1):
        clock.turn(10)
        assert is_in(client, ME) or pytest.fail("ended early")
    clock.turn(10)
    assert not is_in(client, ME)


def test_a_page_that_asks_by_itself_keeps_no_session_alive(
    client: Client, biller: Any, practice: Any, clock: Any
) -> None:
    client.force_login(biller)
    progress = f"/pipeline/edifile/{create_file(practice, 'a.837', kind='837').pk}/progress/"
    for _ in range(15):
        assert is_in(client, progress)
        clock.turn(1)
    assert not is_in(client, progress)
    assert not is_in(client)


def test_the_stamp_is_written_once_a_minute_at_most(client: Client, biller: Any, clock: Any) -> None:
    client.force_login(biller)
    client.get(CLAIMS)
    stamped = client.session[sessions.SEEN]
    clock.turn(0.9)
    client.get(CLAIMS)
    assert client.session[sessions.SEEN] == stamped
    clock.turn(0.2)
    client.get(CLAIMS)
    assert client.session[sessions.SEEN] == stamped + 66


def test_a_session_that_no_login_made_does_not_stand(client: Client, biller: Any) -> None:
    client.force_login(biller)
    session = client.session
    del session[sessions.BEGAN]
    session.save()
    assert not is_in(client)


def test_a_person_switched_off_is_out_at_once(client: Client, biller: Any) -> None:
    client.force_login(biller)
    assert is_in(client)
    biller.is_active = False
    biller.save()
    assert not is_in(client)
    assert client.get("/api/v1/claims/").status_code == 401


def test_a_login_has_a_session_key_of_its_own(client: Client, biller: Any, password: str) -> None:
    client.get("/login/")
    before = client.session.session_key
    client.post("/login/", {"username": "biller", "password": password})
    assert is_in(client)
    assert client.session.session_key != before
