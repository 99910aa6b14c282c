"""The control room's figures: every part as one JSON answer, whatever is away.

No statement may take longer than PART_SECONDS, and after ANSWER_SECONDS nothing more is asked. A part that PostgreSQL
is too slow for, or whose server is away, is named with a sentence; the others are answered.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import redis
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from monitoring.room import belt, machine, state, work
from monitoring.room.range import Range
from monitoring.room.reading import Reading

PART_SECONDS = 1.5
ANSWER_SECONDS = 4.0
CANCELLED = "57014"


class Part(Protocol):
    def as_json(self) -> dict[str, Any]: ...


Reader = Callable[[Reading], Part]
TILES: dict[str, tuple[str, Reader]] = {
    "ingest": ("Ingest", belt.ingest_tile),
    "files": ("Files in progress", belt.files_tile),
    "dead_letters": ("Dead letters", belt.dead_letters_tile),
    "requests": ("Requests", work.requests_tile),
    "errors": ("Requests failed", work.errors_tile),
    "cache": ("Cache hit rate", machine.cache_tile),
    "cpu": ("CPU", machine.cpu_tile),
    "memory": ("Memory", machine.memory_tile),
    "disk": ("Disk", machine.disk_tile),
}
CHARTS: dict[str, tuple[str, Reader]] = {
    "ingest": ("Ingest", belt.ingest_chart),
    "requests": ("Requests", work.requests_chart),
    "queues": ("Messages waiting", belt.queue_chart),
    "host": ("Machines", machine.host_chart),
}
TABLES: dict[str, tuple[str, Reader]] = {
    "alerts": ("Open alerts", state.alerts_table),
    "files": ("Files in progress", belt.files_table),
    "queues": ("Queues", belt.queues_table),
    "processes": ("Heartbeats", machine.processes_table),
    "actors": ("Workers, by actor", work.actors_table),
    "endpoints": ("Requests, by endpoint", work.endpoints_table),
    "cache": ("Cache, by kind", machine.cache_table),
    "pools": ("Connections and memory of the servers", machine.pools_table),
    "hosts": ("Machines and processes", machine.hosts_table),
    "schedules": ("Schedules", belt.schedules_table),
    "checkpoints": ("Memory checkpoints, highest changes", machine.checkpoints_table),
    "slow": ("Slow statements", work.slow_table),
    "statements": ("Statements, by table", work.statements_table),
}


class Answer:
    """One answer under way: what was read, and what is missing and why."""

    def __init__(self, asked: Range, savepoint: Any):
        self.reading = Reading(asked)
        self.savepoint = savepoint
        self.until = time.monotonic() + ANSWER_SECONDS
        self.missing: dict[str, str] = {}

    def attempt(self, title: str, read: Callable[[], Any]) -> Any:
        """Read one part, or note why it is missing and answer None."""
        if time.monotonic() > self.until:
            self.missing[title] = "not asked: what came before took too long"
            return None
        try:
            return read()
        except DatabaseError as error:
            self.missing[title] = database_words(error)
            self.recover()
        except (redis.RedisError, OSError):
            self.missing[title] = "its server does not answer"
        return None

    def recover(self) -> None:
        """Make the transaction usable again: nothing was written in it, and the savepoint outlasts going back to it."""
        transaction.set_rollback(False)
        try:
            transaction.savepoint_rollback(self.savepoint)
        except DatabaseError:
            # what follows is not sent, and each part says that PostgreSQL does not answer
            transaction.set_rollback(True)

    def part(self, title: str, read: Reader) -> dict[str, Any]:
        """Read one part as JSON: its title, and either what it shows or why that is missing."""
        found = self.attempt(title, lambda: read(self.reading).as_json())
        return {"title": title, **(found if found is not None else {"missing": self.missing[title]})}

    def ask(self, check: state.Check) -> list[state.Reason]:
        return list(check(self.reading))

    def reasons(self) -> list[state.Reason]:
        found: list[state.Reason] = []
        for name, check in state.CHECKS.items():
            found += self.attempt(f"State: {name}", partial(self.ask, check)) or []
        gone = [state.Reason(f"{title} cannot be shown: {reason}.", "warn") for title, reason in self.missing.items()]
        return [*found, *gone]


@contextmanager
def limited() -> Iterator[Any]:
    """Open a transaction none of whose statements takes longer than PART_SECONDS; yields a savepoint to go back to."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{PART_SECONDS * 1000:.0f}ms"])
        yield transaction.savepoint()


def database_words(error: DatabaseError) -> str:
    """Say why PostgreSQL did not answer, without what was asked."""
    cause = getattr(error.__cause__, "sqlstate", None)
    return "PostgreSQL is too slow now" if cause == CANCELLED else "PostgreSQL does not answer"


def figures(asked: Range) -> dict[str, Any]:
    """Read everything that the control room shows of a range, as JSON values."""
    with limited() as savepoint:
        answer = Answer(asked, savepoint)
        parts = {
            name: {key: answer.part(*part) for key, part in shown.items()}
            for name, shown in (("tiles", TILES), ("charts", CHARTS), ("tables", TABLES))
        }
        told = state.state_of(answer.reasons())
    return {"range": asked.key, "at": f"{timezone.now():%H:%M:%S} UTC", "state": told, **parts}
