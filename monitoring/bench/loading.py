"""Loading: files on disk to committed rows, through receive, split and the chunks, by processes of the crew.

The clock runs from the first byte read of the first file until no chunk of any is left to do; what the file stages do
then (linking, settling) is waited for and not timed here. Processes are started and have worked before the clock runs.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
from django.db import connection

from marb.pipeline.crew import Processes
from marb.pipeline.receive import receive
from monitoring.bench.house import empty

POLL_SECONDS = 0.01


class Load(NamedTuple):
    """One run: seconds to receive, to split, to the last chunk's commit (`seconds`) and until linked and settled
    (`finished`); most megabytes of one process."""

    received: float
    split: float
    seconds: float
    finished: float
    most_megabytes: float


class Team:
    """Worker processes and the practice whose files they load."""

    def __init__(self, crew: Processes, practice_id: int):
        self.crew = crew
        self.practice_id = practice_id

    def load(self, paths: Sequence[Path]) -> Load:
        """Load files at once, and wait until their last steps are done too."""
        started = time.monotonic()
        ids = [self.receive(path) for path in paths]
        received = time.monotonic() - started
        split, seconds, most = self.wait_loaded(ids, started)
        while count(UNFINISHED, ids):
            time.sleep(POLL_SECONDS)
        return Load(received, split, seconds, time.monotonic() - started, most)

    def receive(self, path: Path) -> int:
        with path.open("rb") as stream:
            received = receive(practice_id=self.practice_id, name=path.name, stream=stream)
        self.crew.add(received.file_id)
        return received.file_id

    def wait_loaded(self, ids: list[int], started: float) -> tuple[float, float, float]:
        """Poll until every chunk is in; answers seconds until split and until loaded, and the most memory seen."""
        split = most = 0.0
        while True:
            unsplit, waiting = count(UNSPLIT, ids), count(WAITING, ids)
            now = time.monotonic() - started
            split = split or (0.0 if unsplit else now)
            most = max(most, self.megabytes())
            if not unsplit and not waiting:
                return split, now, most
            self.crew.check()
            time.sleep(POLL_SECONDS)

    def megabytes(self) -> float:
        """The resident memory of the largest process."""
        return max(psutil.Process(process.pid).memory_info().rss for process in self.crew.processes) / 2**20


UNSPLIT = "SELECT count(*) FROM pipeline_edifile WHERE id = ANY(%s) AND status = 'received'"
WAITING = "SELECT count(*) FROM pipeline_chunk WHERE file_id = ANY(%s) AND state IN ('waiting', 'leased')"
UNFINISHED = "SELECT count(*) FROM pipeline_edifile WHERE id = ANY(%s) AND status IN ('received', 'running')"


def count(statement: str, ids: list[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, [ids])
        return int(cursor.fetchone()[0])


@contextmanager
def team(practice_id: int, jobs: int, warm: Sequence[Path]) -> Iterator[Team]:
    """Start so many processes and let them load the `warm` files, so that modules, plans and payers are known."""
    crew = Processes(jobs)
    try:
        together = Team(crew, practice_id)
        together.load(warm)
        yield together
    finally:
        crew.close()
        empty()
