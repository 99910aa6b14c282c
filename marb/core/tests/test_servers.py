"""The embedded servers for real: in a folder with a space below a closed one, after kill -9, with ports taken."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from marb.core.embedded import addresses, folder, servers
from marb.core.embedded.addresses import LOOPBACK, port_of
from marb.core.embedded.servers import VARIABLES

BASE = Path(__file__).resolve().parents[3]


@pytest.fixture
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A var folder with a space and a long path in its name, below a folder that others may not enter."""
    closed = tmp_path / "closed to others"
    closed.mkdir(mode=0o700)
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    yield closed / ("a long name " * 9).strip() / "var"
    servers.stop_detached(closed / ("a long name " * 9).strip() / "var")


def start(var: Path) -> None:
    """Do what `manage.py services start` does, in this process."""
    lock = folder.hold(var)
    servers.start_detached(var, 32)
    os.close(lock)


def running(var: Path) -> int:
    return sum(state.pid > 0 for state in servers.states(var))


def environ(var: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in VARIABLES.values()}
    return {**kept, "MARB_VAR": str(var), "EMBEDDED_SHARED_BUFFERS_MB": "32"}


def manage(var: Path, *words: str, prefix: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    argv = [*prefix, sys.executable, str(BASE / "manage.py"), *words]
    return subprocess.run(argv, env=environ(var), capture_output=True, text=True, timeout=280, check=False)


def ask(var: Path, query: str) -> object:
    with psycopg.connect(addresses.read(var).database_url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None


def test_services_run_until_they_are_stopped(var: Path):
    started = manage(var, "services", "start")
    assert started.returncode == 0, started.stderr
    found = addresses.read(var)
    assert started.stdout.count("running, process") == 3
    assert not any(addresses.password_of(url) in started.stdout for url in found[:3])
    assert ask(var, "SHOW fsync") == ask(var, "SHOW synchronous_commit") == "on"
    assert ask(var, "SHOW log_error_verbosity") == "terse"
    assert ask(var, "SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'") == 1
    with redis.Redis.from_url(found.broker_url) as broker, redis.Redis.from_url(found.cache_url) as cache:
        assert broker.config_get("appendonly", "maxmemory-policy") == {
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
        }
        assert cache.config_get("appendonly", "maxmemory-policy") == {
            "appendonly": "no",
            "maxmemory-policy": "allkeys-lru",
        }
    assert manage(var, "services", "stop").stdout == "Stopped: postgres, broker, cache.\n"
    assert manage(var, "services", "status").stdout.count("not running") == 3
    assert running(var) == 0


def test_nobody_enters_without_a_password(var: Path):
    start(var)
    found = addresses.read(var)
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(host=LOOPBACK, port=port_of(found.database_url), user="marb", dbname="marb", passfile="/none")
    with redis.Redis(LOOPBACK, port_of(found.broker_url)) as broker, pytest.raises(redis.AuthenticationError):
        broker.ping()
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or [])
        assert not any(addresses.password_of(url) in words for url in found[:3])


def test_what_was_committed_survives_the_death_of_everything(var: Path):
    start(var)
    with psycopg.connect(addresses.read(var).database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    processes = [psutil.Process(state.pid) for state in servers.states(var)]
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=120)
    start(var)
    assert ask(var, "SELECT number FROM kept") == 7


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(var: Path):
    start(var)
    servers.stop_detached(var)
    pid_file = var / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{var / 'postgres'}\n")
    start(var)
    assert ask(var, "SELECT 1") == 1


def test_servers_that_were_forgotten_are_ended_before_new_ones_start(var: Path):
    start(var)
    before = int((var / "postgres/postmaster.pid").read_text().split()[0])
    (var / "detached.json").unlink()
    start(var)
    assert int((var / "postgres/postmaster.pid").read_text().split()[0]) != before
    assert ask(var, "SELECT 1") == 1


def test_ports_that_were_taken_in_the_meantime_are_chosen_again(var: Path):
    start(var)
    servers.stop_detached(var)
    before = addresses.read(var)
    with socket.socket() as first, socket.socket() as second:
        for taker, url in ((first, before.database_url), (second, before.cache_url)):
            taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taker.bind((LOOPBACK, port_of(url)))
            taker.listen()
        start(var)
    after = addresses.read(var)
    assert port_of(after.database_url) != port_of(before.database_url)
    assert port_of(after.broker_url) == port_of(before.broker_url)
    assert ask(var, "SELECT 1") == 1


def test_a_command_runs_with_services_up_and_they_end_with_it(var: Path):
    script = 'test -n "$DATABASE_URL" && test -n "$BROKER_URL" && test -n "$CACHE_URL" && exit 3'
    assert manage(var, "services", "run", "--", "sh", "-c", script).returncode == 3
    assert running(var) == 0


def test_a_killed_run_leaves_no_server(var: Path):
    argv = [sys.executable, str(BASE / "manage.py"), "services", "run", "--", "sh", "-c", "echo ready; sleep 600"]
    with subprocess.Popen(argv, env=environ(var), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert running(var) == 3
        process.kill()
    deadline = time.monotonic() + 120
    while (running(var) or folder.holder(var)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert running(var) == 0
    assert folder.holder(var) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_an_ordinary_user_runs_them_too():
    """As nobody: where the code and the interpreter are readable for all."""
    become = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    readable = subprocess.run(
        [*become, sys.executable, "-c", "import django, redis, psycopg"], cwd="/", capture_output=True, check=False
    )
    if readable.returncode:
        pytest.skip("the interpreter is not readable for other users")
    home = Path(tempfile.mkdtemp())
    try:
        os.chown(home, 65534, 65534)
        started = manage(home / "a var", "services", "start", prefix=become)
        assert started.returncode == 0, started.stderr
        assert ask(home / "a var", "SELECT 1") == 1
        assert manage(home / "a var", "services", "stop", prefix=become).returncode == 0
    finally:
        shutil.rmtree(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user cannot make a folder of another's")
def test_a_folder_of_another_user_is_refused_in_a_sentence(var: Path):
    var.mkdir(parents=True)
    os.chown(var, 65534, 65534)
    refused = manage(var, "services", "start")
    assert refused.returncode == 1
    assert "belongs to another user" in refused.stderr
