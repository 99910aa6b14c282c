"""The doctor names what is wrong with a set-up and what to do about it, and ends with 1 where it is bad."""

import io
import json
import time
from collections import namedtuple
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import dramatiq
import pytest
import redis
from django.conf import settings as project
from django.core.management import call_command
from django.db import DatabaseError, OperationalError
from django.utils import timezone

from marb.core.preparation import static_digest
from monitoring import statements
from monitoring.doctor import clock, database, machine, runner, servers
from monitoring.doctor.finding import Finding, State
from monitoring.models import Alert, Process
from monitoring.tests.measures import STARTED as NOW
from monitoring.tests.measures import fire_alert, hand_on

pytestmark = pytest.mark.django_db
NOWHERE = "redis://127.0.0.1:9/0"
BROKER = {"maxmemory_policy": "noeviction", "aof_enabled": 1, "run_id": "a", "maxmemory": 100, "used_memory": 10}
CACHE = {"maxmemory_policy": "allkeys-lru", "run_id": "b", "maxmemory": 100}
GOOD_SETTINGS = {**dict.fromkeys(database.DURABLE, "on"), **database.SILENT, "max_connections": "100"}


def states(found: Iterable[Finding]) -> list[tuple[State, str]]:
    """What is not good, by state and subject; each says what to do."""
    wrong = [each for each in found if each.state is not State.GOOD]
    assert all(each.mend and each.said for each in wrong)
    return [(each.state, each.subject) for each in wrong]


def live() -> None:
    """Let a process live for longer than any test."""
    hand_on()
    Process.objects.update(seen_at=timezone.now() + timedelta(hours=1))


def ask(**options: Any) -> tuple[int, str]:
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", stdout=out, **options)
    return int(str(ended.value.code)), out.getvalue()


def test_a_set_up_without_workers_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "ask", lambda url: BROKER if url == project.BROKER_URL else CACHE)
    monkeypatch.setattr(servers, "client_of", lambda url: Client(0, 0))
    monkeypatch.setattr(servers, "read_clock", time.time)
    status, said = ask()
    assert status == 1
    assert "BAD  Workers" in said
    assert "BAD  Scheduler" in said
    assert "ok   PostgreSQL" in said
    assert "ok   Tables" in said


def test_what_is_good_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "CHECKS", {"Clock": lambda: iter([clock.judge("it", 5.0, 6.0, 7.0)])})
    assert ask() == (0, "ok   Clock        agrees with that of it.\n")
    assert ask(quiet=True) == (0, "")
    status, said = ask(json=True)
    assert (status, json.loads(said)["state"]) == (0, "good")


def test_a_check_that_fails_does_not_keep_the_others_from_being_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        raise OperationalError("Rosalind Abernathy")

    checks = {"Broken": fail, "Clock": lambda: iter([clock.judge("it", 5.0, 6.0, 7.0)])}
    monkeypatch.setattr(runner, "CHECKS", checks)
    status, said = ask()
    assert status == 1
    assert said.splitlines()[0].startswith("BAD  Broken       cannot be examined further (OperationalError).")
    assert len(said.splitlines()) == 2


def test_a_database_that_is_away_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> int:
        raise OperationalError

    monkeypatch.setattr(database, "find_version", away)
    assert states(database.check()) == [(State.BAD, "PostgreSQL")]
    assert not runner.is_database_up()


def test_a_database_is_found_beside_the_pool() -> None:
    assert database.find_version() >= 140_000


@pytest.mark.parametrize(
    ("version", "state"), [(130_005, State.BAD), (150_001, State.WARN), (160_000, State.GOOD), (180_003, State.GOOD)]
)
def test_an_old_version_is_told(version: int, state: State) -> None:
    assert database.judge_version(version).state is state


@pytest.mark.parametrize(
    ("name", "value", "check", "state"),
    [
        ("fsync", "off", database.check_durable, State.BAD),
        ("full_page_writes", "off", database.check_durable, State.BAD),
        ("synchronous_commit", "local", database.check_durable, State.BAD),
        ("log_parameter_max_length_on_error", "-1", database.check_silent, State.WARN),
        ("log_error_verbosity", "verbose", database.check_silent, State.WARN),
        ("max_connections", "3", database.check_room, State.WARN),
    ],
)
def test_a_setting_that_is_not_safe_is_told(
    name: str, value: str, check: Any, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    live()
    monkeypatch.setattr(database, "setting", lambda *names: GOOD_SETTINGS)
    assert states(check()) == []
    monkeypatch.setattr(database, "setting", lambda *names: {**GOOD_SETTINGS, name: value})
    assert states(check()) == [(state, "PostgreSQL")]


def test_settings_are_read_from_the_server() -> None:
    assert set(database.setting("fsync", "max_connections")) == {"fsync", "max_connections"}


def test_statements_that_are_not_counted_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "why_not", lambda: statements.NOT_CREATED)
    assert states(database.check_counting()) == [(State.WARN, "PostgreSQL")]


def test_missing_migrations_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert states(database.check_migrations()) == []
    monkeypatch.setattr(database.MigrationExecutor, "migration_plan", lambda self, targets: ["one"])
    assert states(database.check_migrations()) == [(State.BAD, "Tables")]


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, None),
        ({"maxmemory_policy": "allkeys-lru"}, State.BAD),
        ({"aof_enabled": 0}, State.WARN),
        ({"used_memory": 95}, State.BAD),
    ],
)
def test_a_broker_that_forgets_is_told(change: dict[str, Any], state: State | None) -> None:
    assert states(servers.check_broker(BROKER | change)) == ([(state, "Broker")] if state else [])


def test_a_broker_that_is_slow_to_bring_back_is_told(settings: Any) -> None:
    settings.DRAMATIQ_BROKER = {"OPTIONS": {"heartbeat_timeout": 3_600_000, "maintenance_chance": 1_000}}
    assert states(servers.check_broker(BROKER)) == [(State.BAD, "Broker")]


@pytest.mark.parametrize(
    ("change", "state"), [({}, None), ({"maxmemory_policy": "noeviction"}, State.BAD), ({"maxmemory": 0}, State.WARN)]
)
def test_a_cache_that_does_not_forget_is_told(change: dict[str, Any], state: State | None) -> None:
    assert states(servers.check_cache(CACHE | change)) == ([(state, "Cache")] if state else [])


def test_servers_that_are_away_or_one_are_told(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "PATIENCE_SECONDS", 60)
    settings.BROKER_URL, settings.CACHES = NOWHERE, {"default": {"LOCATION": NOWHERE}}
    assert states(servers.check()) == [(State.BAD, "Broker"), (State.BAD, "Cache")]
    monkeypatch.setattr(servers, "ask", lambda url: BROKER | {"maxmemory_policy": "noeviction"})
    monkeypatch.setattr(servers, "check_workers", lambda: iter(()))
    monkeypatch.setattr(servers, "read_clock", time.time)
    assert states(servers.check()) == [(State.BAD, "Cache"), (State.BAD, "Cache")]


class Client:
    """A broker with these workers, and a scheduler or none."""

    def __init__(self, workers: int, scheduler: int) -> None:
        self.found = (workers, scheduler)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def zcount(self, *_: object) -> int:
        return self.found[0]

    def exists(self, _: str) -> int:
        return self.found[1]


@pytest.mark.parametrize(("workers", "scheduler"), [(2, 1), (0, 1), (2, 0), (0, 0)])
def test_who_works_is_told(workers: int, scheduler: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "client_of", lambda url: Client(workers, scheduler))
    wanted = [(State.BAD, "Workers")] * (not workers) + [(State.BAD, "Scheduler")] * (not scheduler)
    assert states(servers.check_workers()) == wanted


def test_the_names_of_heartbeats_and_lock_are_dramatiqs_own() -> None:
    from dramatiq_crontab import utils

    assert utils.lock.name == servers.SCHEDULER_LOCK
    broker: Any = dramatiq.get_broker()
    assert f"{broker.namespace}:__heartbeats__" == servers.HEARTBEATS


def test_the_brokers_clock_is_read(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "PATIENCE_SECONDS", 60)
    assert abs(servers.read_clock() - database.read_clock()) < 3_600
    settings.BROKER_URL = NOWHERE
    with pytest.raises(redis.RedisError):
        servers.read_clock()


@pytest.mark.parametrize(
    ("there", "state"),
    [(100.5, State.GOOD), (99.0, State.GOOD), (104.0, State.WARN), (50.0, State.BAD), (140.0, State.BAD)],
)
def test_a_clock_that_is_off_is_told(there: float, state: State) -> None:
    assert clock.judge("it", 100.0, there, 101.0).state is state


def test_measures_that_are_off_and_alerts_that_are_open_are_told(settings: Any) -> None:
    live()
    assert states(servers.check_measures()) == []
    Alert.objects.create(rule=fire_alert().rule, fired_at=NOW, cleared_at=NOW, threshold=1, value=2, worst=2)
    assert states(servers.check_measures()) == [(State.WARN, "Alert")]
    settings.MONITORING = False
    assert states(servers.check_measures()) == [(State.WARN, "Measures")]


Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    ("free", "state"), [(machine.GIGABYTE - 1, State.BAD), (2 * machine.GIGABYTE, State.WARN), (2**39, State.GOOD)]
)
def test_a_full_disk_is_told(free: int, state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: Usage(2**40, 2**40 - free, free))
    assert next(machine.check_disk()).state is state


def test_secrets_that_others_may_read_are_told(tmp_path: Path, settings: Any) -> None:
    settings.VAR_DIR = tmp_path
    secrets = tmp_path / "addresses.json"
    secrets.touch(0o600)
    assert states(machine.check_files()) == []
    secrets.chmod(0o640)
    tmp_path.chmod(0o777)
    assert states(machine.check_files()) == [(State.BAD, "Files")] * 2
    assert next(machine.check_files()).mend == f"chmod 600 {secrets}"


def test_static_files_that_are_missing_or_old_are_told(tmp_path: Path, settings: Any) -> None:
    settings.STATIC_ROOT = tmp_path
    assert states(machine.check_static()) == [(State.BAD, "Static files")]
    (tmp_path / "staticfiles.json").touch()
    (tmp_path / ".collected").write_text("other")
    assert states(machine.check_static()) == [(State.WARN, "Static files")]
    (tmp_path / ".collected").write_text(static_digest())
    assert states(machine.check_static()) == []


def test_what_the_system_checks_say_is_told(settings: Any) -> None:
    settings.DEBUG = settings.HTTPS = True
    found = list(machine.check_settings())
    assert any("core.E003" in each.said and each.state is State.BAD for each in found)
    assert states(found)
    settings.DEBUG = settings.HTTPS = False
    settings.SECRET_KEY = "short"
    assert (State.WARN, "Settings") in states(machine.check_settings())


def test_no_password_is_told(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    def away() -> int:
        raise DatabaseError

    monkeypatch.setattr(database, "find_version", away)
    settings.BROKER_URL = "redis://:SECRETWORD@127.0.0.1:9/0"
    settings.SECRET_KEY = "SECRETWORD"
    monkeypatch.setitem(database.connection.settings_dict, "PASSWORD", "SECRETWORD")
    assert "SECRETWORD" not in ask()[1]
