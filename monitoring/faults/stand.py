"""The stand: services of its own in a folder of its own, worker groups as a supervisor runs them, and a pump.

The pump is what time, the scheduler and a supervisor are in production: it rings for what is overdue, starts groups
that died, and measures how long nothing moved after a kill. Leases are short here, so that many faults fit in a
minute; the time of a real lease is measured by a case of its own.
"""

import contextlib
import io
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import redis
from django.apps import apps
from django.conf import settings
from django.core.management.base import OutputWrapper
from django.db import Error, connection, transaction
from django.db.models import Sum
from django.db.utils import InterfaceError, InternalError, OperationalError
from django_dramatiq.management.commands import rundramatiq

from marb.access.models import Practice
from marb.core.embedded import postgres, servers, valkey
from marb.core.embedded.addresses import Addresses
from marb.core.embedded.program import Program
from marb.core.embedded.supervisor import Running, Supervisor
from marb.pipeline import actors
from marb.pipeline.models import FINISHED, Chunk, ChunkState, EdiFile
from marb.pipeline.receive import receive

REAP_SECONDS = 0.5
LEASE_SECONDS = 3
REAL_LEASE_SECONDS = 60
LITTLE_BYTES = 2_000_000
OWN_APPS = ("access", "parties", "pipeline", "claims", "remits", "episodes", "risk")
AWAY = (OperationalError, InterfaceError, InternalError, redis.ConnectionError, redis.TimeoutError)


class Standstill(Exception):
    """The belt did not come to its end in time."""


class Group:
    """A worker group that is started again whenever it ends; `environ` is that of its next life."""

    def __init__(self, name: str, environ: dict[str, str], processes: int):
        self.name = name
        self.environ = environ
        self.processes = processes
        self.lives = 0


class Stand:
    """One stand for many runs; `clear` makes it empty again. Times are seconds."""

    def __init__(self, supervisor: Supervisor, folder: Path, chunk_claims: int):
        self.supervisor = supervisor
        self.folder = folder
        self.chunk_claims = chunk_claims
        self.found: Addresses = servers.start(supervisor, 128)
        self.groups: dict[str, Group] = {}
        self.lease_seconds = LEASE_SECONDS
        self.reap_seconds = REAP_SECONDS
        self.killed_at: float | None = None
        self.longest_recovery = 0.0
        self.done = 0
        self.leases = 0
        self.moved_at = 0.0

    # --- what there is to do

    def clear(self) -> None:
        """End all workers and forget all rows and messages."""
        for name in list(self.groups):
            self.end_group(name)
        forget_rows()
        with redis.Redis.from_url(settings.BROKER_URL) as broker:
            broker.flushdb()
        self.practice = Practice.objects.create(code="main", name="Fault tests")
        self.killed_at, self.longest_recovery, self.done, self.leases = None, 0.0, 0, 0

    def put(self, paths: Iterable[Path]) -> list[int]:
        """Receive files and ring for them."""
        file_ids = []
        for path in paths:
            with path.open("rb") as stream:
                received = receive(practice_id=self.practice.pk, name=path.name, stream=stream)
            actors.ring_file(received.file_id)
            file_ids.append(received.file_id)
        return file_ids

    @contextlib.contextmanager
    def real_lease(self) -> Iterator[None]:
        """Give the workers that are started in the block the lease of production, and the reaper its pace."""
        self.set_lease(REAL_LEASE_SECONDS, actors.REAP_SECONDS)
        try:
            yield
        finally:
            self.set_lease(LEASE_SECONDS, REAP_SECONDS)

    def set_lease(self, lease_seconds: int, reap_seconds: float) -> None:
        self.lease_seconds, self.reap_seconds = lease_seconds, reap_seconds
        settings.CHUNK_LEASE_SECONDS = lease_seconds

    # --- workers

    def start_group(self, name: str = "a", processes: int = 2, **environ: str) -> Group:
        group = self.groups[name] = Group(name, environ, processes)
        self.launch(group)
        return group

    def launch(self, group: Group) -> None:
        group.lives += 1
        shape = ["--processes", str(group.processes), "--threads", "1", "--worker-shutdown-timeout", "10000"]
        # what `manage.py rundramatiq` becomes: a group that dies a hundred times need not load Django twice each time
        modules = rundramatiq.Command(stdout=OutputWrapper(io.StringIO())).discover_tasks_modules()
        argv = [sys.executable, "-m", "dramatiq", "--skip-logging", *shape, *modules]
        own = {
            **servers.environ(self.found),
            "MARB_VAR": str(self.folder / f"machine-{group.name}"),
            "DJANGO_SETTINGS_MODULE": "monitoring.faults.settings",
            "CHUNK_LEASE_SECONDS": str(self.lease_seconds),
            "CHUNK_MOST_ATTEMPTS": "1000",
            "EDI_CHUNK_CLAIMS": str(self.chunk_claims),
            "dramatiq_queue_prefetch": "1",
            "LOG_LEVEL": "WARNING",
        }
        log, environ = self.log(group.name), {**own, **group.environ}
        program = Program(self.key(group.name), argv, settings.BASE_DIR, log, environ)
        self.supervisor.start(program)

    def log(self, name: str) -> Path:
        return self.folder / "log" / f"group-{name}.log"

    def key(self, name: str) -> str:
        return f"group-{name}"

    def running(self, name: str) -> Running:
        return self.supervisor.running[self.key(name)]

    def is_alive(self, name: str) -> bool:
        return self.running(name).process.poll() is None

    def signal_group(self, name: str, number: int) -> None:
        """Send a signal to every process of a group at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.running(name).process.pid, number)
        if number == signal.SIGKILL:
            self.note_kill()

    def note_kill(self) -> None:
        if self.killed_at is None:
            self.killed_at = time.monotonic()

    def end_group(self, name: str) -> None:
        self.signal_group(name, signal.SIGKILL)
        self.supervisor.forget(self.key(name))
        del self.groups[name]
        self.killed_at = None

    # --- services

    def kill_service(self, name: str, number: int) -> Program:
        """End a service by a signal, and wait for its end."""
        running = self.supervisor.running[name]
        os.kill(running.process.pid, number)
        running.process.wait()
        self.supervisor.forget(name)
        self.note_kill()
        return running.program

    def start_service(self, program: Program) -> None:
        running = self.supervisor.start(program)

        def is_alive() -> bool:
            return running.process.poll() is None

        if program.name == "postgres":
            postgres.wait_ready(program, self.found, is_alive)
        else:
            url = {"broker": self.found.broker_url, "cache": self.found.cache_url}[program.name]
            valkey.wait_ready(program, url, is_alive)

    def restart_postgres(self) -> None:
        """End PostgreSQL without a shutdown (`-m immediate`) and start it again."""
        self.start_service(self.kill_service("postgres", signal.SIGQUIT))

    def lose_broker(self) -> Program:
        """Kill the broker and its memory with it."""
        program = self.kill_service("broker", signal.SIGKILL)
        for path in program.folder.iterdir():
            if path.name.startswith("appendonly"):
                shutil.rmtree(path)
            elif path.suffix in (".rdb", ".aof", ".pid"):
                path.unlink()
        return program

    # --- the pump

    def pump(self, seconds: float, until: Callable[[], bool], step: Callable[[], object] = lambda: None) -> None:
        """Keep everything going until `until` holds; `step` is called all the time.

        Raises Standstill where nothing has come in for so many seconds.
        """
        self.moved_at = time.monotonic()
        reap_at = 0.0
        while True:
            with tolerant():
                if self.look() and until():
                    return
            if time.monotonic() > reap_at:
                reap_at = time.monotonic() + self.reap_seconds
                with tolerant():
                    actors.reap.fn()
            self.keep_alive()
            with tolerant():
                step()
            if time.monotonic() > self.moved_at + seconds:
                raise Standstill(self.describe())
            time.sleep(0.02)

    def finish(self, seconds: float = 300, step: Callable[[], object] = lambda: None) -> None:
        """Pump until every file is finished."""
        self.pump(seconds, self.is_finished, step)

    def is_finished(self) -> bool:
        return not EdiFile.objects.exclude(status__in=FINISHED).exists()

    def look(self) -> bool:
        """Count what is done; what moves after a kill ends the recovery."""
        done = self.count_done()
        self.leases = self.count_leases()
        if done != self.done:
            self.moved_at = time.monotonic()
        if self.killed_at is not None and done > self.done:
            self.longest_recovery = max(self.longest_recovery, time.monotonic() - self.killed_at)
            self.killed_at = None
        self.done = done
        return True

    def count_done(self) -> int:
        states = [ChunkState.DONE, ChunkState.PARKED]
        return Chunk.objects.filter(state__in=states).count() + EdiFile.objects.filter(status__in=FINISHED).count()

    def count_leases(self) -> int:
        """Count the leases of chunks that were ever taken."""
        return Chunk.objects.aggregate(leases=Sum("lease_no"))["leases"] or 0

    def keep_alive(self) -> None:
        for group in self.groups.values():
            if not self.is_alive(group.name):
                self.note_kill()
                self.supervisor.forget(self.key(group.name))
                self.launch(group)

    def describe(self) -> str:
        with contextlib.suppress(Error):
            files = EdiFile.objects.values_list("name", "status", "chunks_done", "chunk_count", "reason")
            return "; ".join(" ".join(map(str, row)) for row in files)
        return "PostgreSQL is away"


@contextlib.contextmanager
def tolerant() -> Iterator[None]:
    """Go on where a service is away; the next try begins with a new connection."""
    try:
        yield
    except AWAY:
        connection.close()


def forget_rows() -> None:
    """Empty every table that belongs to a practice; where they hold little, without making them anew."""
    tables = [model._meta.db_table for model in apps.get_models() if is_of_practice(model)]
    is_little = EdiFile.objects.aggregate(bytes=Sum("byte_count"))["bytes"] or 0
    with transaction.atomic(), connection.cursor() as cursor:
        if is_little < LITTLE_BYTES:
            # no triggers: everything goes, in whatever order
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("".join(f"DELETE FROM {table};" for table in tables))
        else:
            cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")


def is_of_practice(model: Any) -> bool:
    return model._meta.app_label in OWN_APPS and model._meta.managed and not model._meta.proxy
