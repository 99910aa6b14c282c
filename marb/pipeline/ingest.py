"""Ingesting paths: find the files, receive each, hand it to a crew, and report each as it comes to its end.

A path that cannot be read is a sentence, and the others go on. A file that was received before is a duplicate, unless
its first time never came to an end: then it is carried on and reported as itself. What is printed is the command's.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from marb.pipeline.crew import Crew
from marb.pipeline.models import FINISHED, EdiFile
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


class Ingest:
    """One run over many paths. `note` is called with (files done, chunks done, chunks) as the work goes on."""

    def __init__(self, practice_id: int, crew: Crew, note: Callable[[int, int, int], None]):
        self.practice_id = practice_id
        self.crew = crew
        self.note = note
        self.pending: dict[int, Pending] = {}
        self.done = 0

    def run(self, paths: Iterable[Path]) -> Iterator[Line | Unreadable]:
        """Yield a line for each path, in the order in which they come to their end."""
        for path in paths:
            line = self.take(path)
            if line is not None:
                self.done += 1
                yield line
            yield from self.collect()
        while self.pending:
            self.crew.check()
            time.sleep(POLL_SECONDS)
            yield from self.collect()

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
        self.pending[received.file_id] = Pending(path, seconds)
        if received.status not in FINISHED:
            self.crew.add(received.file_id)
        return None

    def collect(self) -> Iterator[Line]:
        """Yield the lines of the files that have come to their end."""
        for file in EdiFile.objects.filter(pk__in=self.pending, status__in=FINISHED).order_by("pk"):
            self.done += 1
            yield describe(file, self.pending.pop(file.pk))
        self.show_progress()

    def show_progress(self) -> None:
        chunks = EdiFile.objects.filter(pk__in=self.pending).values_list("chunks_done", "chunk_count")
        done = list(chunks)
        self.note(self.done, sum(row[0] for row in done), sum(row[1] for row in done))


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
