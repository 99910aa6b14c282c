"""Ingesting paths: find the files, receive each, hand it to a crew, and report each as it comes to its end.

A path that cannot be read is a sentence, and the others go on. A file that was received before is a duplicate, unless
its first time never came to an end: then it is carried on and reported as itself. What is printed is the command's.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from marb.pipeline.crew import AWAY_SECONDS, Crew
from marb.pipeline.models import FINISHED, EdiFile
from marb.pipeline.patience import Patience
from marb.pipeline.progress import measure
from marb.pipeline.receive import NotReceived, Received, receive

POLL_SECONDS = 0.1
DUPLICATE = "duplicate"
REFUSED = "refused"


class Line(NamedTuple):
    """What one path came to. Amounts are integer cents of what was committed; a duplicate committed nothing."""

    path: str
    file_id: int | None
    status: str
    kind: str = ""
    claims: int = 0
    claims_quarantined: int = 0
    claims_rejected: int = 0
    remittances: int = 0
    remittances_quarantined: int = 0
    remittances_rejected: int = 0
    charge_cents: int = 0
    paid_cents: int = 0
    findings: int = 0
    seconds: float = 0.0
    reason: str = ""


class Pending(NamedTuple):
    """A received file on its way: the path it came by and the seconds that receiving took."""

    path: str
    seconds: float


class Unreadable(NamedTuple):
    """A path that could not be opened, and why."""

    path: str
    sentence: str


def find_files(paths: Iterable[str]) -> Iterator[Path]:
    """Yield each file named or below a folder, in order; hidden ones only where they are named themselves."""
    for name in paths:
        path = Path(name)
        if path.is_dir():
            yield from sorted(found for found in path.rglob("*") if found.is_file() and not is_hidden(found, path))
        else:
            yield path


def is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


class Enough(Exception):
    """As many claims as were asked for are in; the rest waits in its rows."""


class Sum(NamedTuple):
    """How far a run is: files and chunks done, claims and remittances committed by it, and seconds left, if known."""

    files: int
    chunks_done: int
    chunk_count: int
    claims: int
    seconds_left: float | None


class Ingest:
    """One run over many paths. `note` is called with a Sum as the work goes on.

    With `limit` it stops, at the border of a chunk, once that many claims and remittances are committed by this run;
    `stopped` then says so, and what is left goes on with a later run without paths.
    """

    def __init__(self, practice_id: int, crew: Crew, note: Callable[[Sum], None], limit: int | None = None):
        self.practice_id = practice_id
        self.crew = crew
        self.note = note
        self.limit = limit
        self.pending: dict[int, Pending] = {}
        self.before: dict[int, int] = {}
        self.claims_done = 0
        self.done = 0
        self.stopped = False

    def run(self, paths: Iterable[Path], file_ids: Iterable[int] = ()) -> Iterator[Line | Unreadable]:
        """Yield a line for each path, in the order in which they come to their end; first carry on `file_ids`."""
        try:
            self.carry_on(file_ids)
            yield from self.work(paths)
        except Enough:
            self.stopped = True
            yield from self.finished()

    def carry_on(self, file_ids: Iterable[int]) -> None:
        """Hand on files that were received before and are not finished."""
        for file_id, name in EdiFile.objects.filter(pk__in=list(file_ids)).order_by("pk").values_list("pk", "name"):
            self.wait_for(file_id, Pending(name, 0.0))
            self.crew.add(file_id)

    def wait_for(self, file_id: int, pending: Pending) -> None:
        self.pending[file_id] = pending
        self.before[file_id] = measure([file_id])[file_id].claims

    def work(self, paths: Iterable[Path]) -> Iterator[Line | Unreadable]:
        for path in paths:
            line = self.take(path)
            if line is not None:
                self.done += 1
                yield line
            yield from self.collect()
        patience = Patience(AWAY_SECONDS)
        while self.pending:
            self.crew.check()
            time.sleep(POLL_SECONDS)
            lines: list[Line] = []
            with patience:
                lines = list(self.finished())
            yield from lines
            with patience:
                self.show_progress()

    def take(self, path: Path) -> Line | Unreadable | None:
        """Receive one path and hand it on; answers its line where that is already known."""
        started = time.monotonic()
        try:
            with path.open("rb") as stream:
                received = receive(practice_id=self.practice_id, name=path.name, stream=stream)
        except OSError as error:
            return Unreadable(str(path), f"{error.strerror or 'It cannot be read'}.")
        except NotReceived as refusal:
            return Line(str(path), None, REFUSED, reason=refusal.sentence)
        return self.hand_on(str(path), received, time.monotonic() - started)

    def hand_on(self, path: str, received: Received, seconds: float) -> Line | None:
        again = not received.is_new and (received.status in FINISHED or received.file_id in self.pending)
        if again:
            reason = f"The same bytes are file {received.file_id}."
            return Line(path, received.file_id, DUPLICATE, seconds=round(seconds, 3), reason=reason)
        self.wait_for(received.file_id, Pending(path, seconds))
        if received.status not in FINISHED:
            self.crew.add(received.file_id)
        return None

    def collect(self) -> Iterator[Line]:
        """Yield the lines of the files that have come to their end. Raises Enough."""
        yield from self.finished()
        self.show_progress()

    def finished(self) -> Iterator[Line]:
        # fetched at once: nothing is taken note of where PostgreSQL goes away
        for file in list(EdiFile.objects.filter(pk__in=self.pending, status__in=FINISHED).order_by("pk")):
            self.done += 1
            self.claims_done += file.claim_count + file.remittance_count - self.before.pop(file.pk)
            yield describe(file, self.pending.pop(file.pk))

    def show_progress(self) -> None:
        """Tell how far the run is. Raises Enough where it is far enough."""
        found = measure(self.pending)
        claims = self.claims_done + sum(each.claims - self.before[file_id] for file_id, each in found.items())
        left = [each.seconds_left for each in found.values() if each.seconds_left is not None]
        chunks = (sum(each.chunks_done for each in found.values()), sum(each.chunk_count for each in found.values()))
        self.note(Sum(self.done, *chunks, claims, max(left, default=None)))
        if self.limit is not None and claims >= self.limit:
            raise Enough


def describe(file: EdiFile, pending: Pending) -> Line:
    """Say what a finished file came to."""
    worked = (file.finished_at - file.started_at).total_seconds() if file.finished_at and file.started_at else 0.0
    return Line(
        pending.path,
        file.pk,
        file.status,
        file.kind,
        file.claim_count,
        file.claims_quarantined,
        file.claims_rejected,
        file.remittance_count,
        file.remittances_quarantined,
        file.remittances_rejected,
        int(file.charge_amount * 100),
        int(file.paid_amount * 100),
        file.finding_count,
        round(pending.seconds + worked, 3),
        file.reason,
    )
