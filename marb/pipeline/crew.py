"""Who carries received files to their end: this process alone, processes of its own, or the workers behind the broker.

Each has `add(file_id)`, `check()` (raises CrewLost where nobody is left to work) and `close()`. The rows are the
queue, so any of them may die and another goes on. Processes are spawned, never forked: each has its own connections.
"""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Protocol

IDLE_SECONDS = 0.05
# how long a process waits for a PostgreSQL that is away before it gives up
AWAY_SECONDS = 120
PATIENCE_SECONDS = 15


class CrewLost(Exception):
    """Every process of the crew has ended before the work was done."""


class Crew(Protocol):
    def add(self, file_id: int) -> None: ...
    def check(self) -> None: ...
    def close(self) -> None: ...


class Alone:
    """This process: a file is carried to its end as soon as it is added. `note` is called after each step."""

    def __init__(self, note: Callable[[], None] = lambda: None):
        self.note = note

    def add(self, file_id: int) -> None:
        from marb.pipeline.patience import Patience
        from marb.pipeline.run import step

        patience, is_open = Patience(AWAY_SECONDS), True
        while is_open:
            with patience:
                is_open = is_unfinished(file_id)
                if is_open and not step([file_id]):
                    time.sleep(IDLE_SECONDS)
                self.note()

    def check(self) -> None: ...

    def close(self) -> None: ...


class Workers:
    """The Dramatiq workers: a file's bell is rung, the rest is theirs. `warn` is told once where none has answered."""

    def __init__(self, warn: Callable[[str], None]):
        self.warn = warn
        self.asked: list[int] = []
        self.silent_after = time.monotonic() + PATIENCE_SECONDS

    def add(self, file_id: int) -> None:
        from marb.pipeline.actors import ring_file

        self.asked.append(file_id)
        ring_file(file_id)

    def check(self) -> None:
        if self.asked and time.monotonic() > self.silent_after:
            if not any_started(self.asked):
                self.warn("No worker has taken a file yet. Is one running? (manage.py rundramatiq)")
            self.asked.clear()

    def close(self) -> None: ...


class Processes:
    """Processes of our own that share the chunks of all files. They end with their parent, however it ends."""

    def __init__(self, count: int):
        context = multiprocessing.get_context("spawn")
        self.pipes: list[Connection] = []
        self.processes: list[BaseProcess] = []
        for number in range(count):
            theirs, ours = context.Pipe(duplex=False)
            process = context.Process(target=work, args=(theirs,), name=f"ingest-{number}", daemon=True)
            process.start()
            theirs.close()
            self.pipes.append(ours)
            self.processes.append(process)

    def add(self, file_id: int) -> None:
        for pipe, process in zip(self.pipes, self.processes, strict=True):
            if process.is_alive():
                pipe.send(file_id)

    def check(self) -> None:
        if not any(process.is_alive() for process in self.processes):
            codes = ", ".join(str(process.exitcode) for process in self.processes)
            raise CrewLost(f"Every process has ended (exit codes {codes}); run the command again to go on.")

    def close(self) -> None:
        for pipe in self.pipes:
            pipe.close()
        for process in self.processes:
            process.join()


def work(orders: Connection) -> None:
    """The life of one process: take steps for the files it was told of, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare()
    from marb.core import measure
    from marb.pipeline.patience import Patience
    from marb.pipeline.run import step

    measure.start("ingest")
    patience, file_ids = Patience(AWAY_SECONDS), list[int]()
    while True:
        try:
            while orders.poll(0 if file_ids else None):
                file_ids.append(orders.recv())
        except (EOFError, OSError):
            return
        with patience:
            if not step(file_ids):
                file_ids = [file_id for file_id in file_ids if is_unfinished(file_id)]
                orders.poll(IDLE_SECONDS)


def prepare() -> None:
    """Make Django ready in a process that has just been spawned."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marb.settings")
    django.setup()


def any_started(file_ids: list[int]) -> bool:
    from marb.pipeline.models import EdiFile

    return EdiFile.objects.filter(pk__in=file_ids, started_at__isnull=False).exists()


def is_unfinished(file_id: int) -> bool:
    from marb.pipeline.models import FINISHED, EdiFile

    return EdiFile.objects.filter(pk=file_id).exclude(status__in=FINISHED).exists()
