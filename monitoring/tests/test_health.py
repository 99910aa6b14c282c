"""What strangers learn: ok or down."""

import logging

import pytest
from django.test import Client

from monitoring import api

URL = "/api/v1/health/"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answers late is down for strangers; here the machine may be slow."""
    monkeypatch.setattr(api, "PATIENCE_SECONDS", 60.0)


def test_strangers_learn_that_all_is_well(client: Client, db: None) -> None:
    answer = client.get(URL)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("part", ["database", "broker", "cache"])
def test_which_part_is_down_is_for_the_log(
    part: str, client: Client, db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(api.PARTS, part, lambda: False)
    with caplog.at_level(logging.ERROR, "monitoring.api"):
        answer = client.get(URL)
    assert (answer.status_code, answer.json()) == (503, {"status": "down"})
    ours = [record.getMessage() for record in caplog.records if record.name == "monitoring.api"]
    assert ours == [f"health: {part} down"]


def test_a_server_that_is_not_there_is_down() -> None:
    assert not api.answers_ping("redis://127.0.0.1:9/0")


def test_health_asks_the_database_once(client: Client, db: None, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        client.get(URL)


def test_members_learn_which_part_is_down(client: Client, biller, monkeypatch: pytest.MonkeyPatch) -> None:
    client.force_login(biller)
    monkeypatch.setattr(api, "CREW", {"workers": lambda: True, "scheduler": lambda: True})
    found = client.get(f"{URL}detailed/").json()
    assert found["status"] == "healthy"
    assert set(found["components"]) == {"database", "broker", "cache", "workers", "scheduler"}
    assert all(part["response_time_ms"] >= 0 for part in found["components"].values())
    for name in ("workers", "scheduler"):
        monkeypatch.setitem(api.CREW, name, lambda: False)
        found = client.get(f"{URL}detailed/").json()
        assert (found["status"], found["components"][name]["status"]) == ("degraded", "down")


def test_strangers_learn_no_more_than_that(client: Client, db: None) -> None:
    assert client.get(f"{URL}detailed/").status_code == 401


def test_without_a_broker_nobody_works(settings) -> None:
    settings.BROKER_URL = "redis://127.0.0.1:9/0"
    assert not any(is_up() for is_up in api.CREW.values())
