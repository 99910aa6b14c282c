"""docker-compose.yml without a Docker: each service of ours runs as a process, and its health check finds it alive."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import yaml
from django.conf import settings
from django.db import connection
from psycopg import sql

from marb.core.embedded import addresses, valkey
from marb.core.embedded.program import launch

BASE = Path(__file__).resolve().parents[3]
COMPOSE = yaml.safe_load((BASE / "docker-compose.yml").read_text())["services"]
OURS = {name: service for name, service in COMPOSE.items() if service.get("image") == "marb"}
LASTING = [name for name in OURS if name != "prepare"]
DATABASE = "compose_test"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of our own: on a shared one another's worker would give a sign of life."""
    var = tmp_path_factory.mktemp("broker")
    url = addresses.settle(var).broker_url
    program = valkey.program(var, "broker", url)
    process = launch(program)
    valkey.wait_ready(program, url, lambda: process.poll() is None)
    yield url
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def environ(django_db_blocker: Any, broker: str) -> Iterator[dict[str, str]]:
    """The environment of a container, at an empty database and a broker of its own."""
    server = connection.settings_dict
    place = f"{server['USER']}:{server['PASSWORD']}@{server['HOST']}:{server['PORT']}"
    with psycopg.connect(f"postgres://{place}/postgres", autocommit=True) as admin:
        name = sql.Identifier(f"{DATABASE}_{os.getpid()}")
        admin.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield {
            **os.environ,
            "SECRET_KEY": "k" * 60,
            "DATABASE_URL": f"postgres://{place}/{DATABASE}_{os.getpid()}",
            "BROKER_URL": broker,
            "CACHE_URL": str(settings.CACHES["default"]["LOCATION"]),
        }
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture(scope="module")
def prepared(environ: dict[str, str]) -> dict[str, str]:
    """The database after the `prepare` service ended well."""
    done = subprocess.run(here(OURS["prepare"]["command"], 0), cwd=BASE, env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert b"password:" in done.stdout
    return environ


def here(words: list[str], port: int) -> list[str]:
    """Translate a container's command: its Python and programs are ours, its port is a free one."""
    names = {"python": sys.executable, "granian": str(Path(sys.executable).with_name("granian"))}
    chosen = [word.replace("--port=8000", f"--port={port}").replace("0.0.0.0", "127.0.0.1") for word in words]
    return [names.get(chosen[0], chosen[0]), *chosen[1:]]


def check_words(service: dict[str, Any], port: int) -> list[str]:
    words = here(service["healthcheck"]["test"][1:], port)
    return [*words, f"--port={port}"] if words[-1] == "web" else words


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.workers
@pytest.mark.parametrize("name", LASTING)
def test_a_service_runs_and_its_health_check_finds_it(prepared: dict[str, str], tmp_path: Path, name: str):
    service, port = OURS[name], free_port()
    extra = {key: str(value) for key, value in service["environment"].items() if "$" not in str(value)}
    environ = {**prepared, **{key: value for key, value in extra.items() if key not in prepared}}
    check = check_words(service, port)
    assert subprocess.run(check, cwd=BASE, env=environ, capture_output=True, check=False).returncode == 1
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            here(service["command"], port), cwd=BASE, env=environ, stdout=log, stderr=log, start_new_session=True
        )
    try:
        assert wait_healthy(check, environ, process), (tmp_path / "log").read_text()
        process.send_signal(signal.SIGTERM)
        process.wait(180)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    with redis.Redis.from_url(prepared["BROKER_URL"]) as broker:
        broker.flushdb()


def wait_healthy(check: list[str], environ: dict[str, str], process: "subprocess.Popen[bytes]") -> bool:
    deadline = time.monotonic() + 180
    while process.poll() is None and time.monotonic() < deadline:
        if subprocess.run(check, cwd=BASE, env=environ, capture_output=True, check=False).returncode == 0:
            return True
    return False


def test_every_service_has_a_memory_limit_and_a_health_check():
    assert [name for name, service in COMPOSE.items() if "mem_limit" not in service] == []
    assert [name for name, service in COMPOSE.items() if "healthcheck" not in service] == ["prepare"]


def test_every_queue_has_a_worker_and_the_scheduler_is_one():
    words = [word for service in OURS.values() for word in service["command"]]
    assert {"interactive", "ingest", "link", "score", "maintenance"} <= set(words)
    assert words.count("crontab") == 1
    assert "deploy" not in OURS["scheduler"]
    # its library's own heartbeat would fill a queue that nobody hears
    assert "--no-heartbeat" in OURS["scheduler"]["command"]


def test_no_secret_stands_in_the_file():
    for service in COMPOSE.values():
        for key, value in service.get("environment", {}).items():
            if any(part in key for part in ("PASSWORD", "SECRET", "_URL")):
                assert "${" in str(value), key


def test_the_broker_keeps_and_the_cache_forgets():
    broker, cache = (" ".join(COMPOSE[name]["command"]) for name in ("broker", "cache"))
    assert "appendonly yes" in broker
    assert "noeviction" in broker
    assert "appendonly no" in cache
    assert "allkeys-lru" in cache
