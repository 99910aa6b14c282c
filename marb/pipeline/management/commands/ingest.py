"""`manage.py ingest [PATH...]`: files or folders in, claims and remittances out, a line per file and a summary.

Without a path it carries on what is pending: every received file that is not finished, or the one that --batch names.
--limit N stops at the border of a chunk once N claims and remittances are committed; the same command goes on.

Without --queue this command runs the belt itself, with -j processes; with it the Dramatiq workers do. With --json it
prints one object per file and line and nothing else. The exit code is 1 when a file was rejected or not readable.
"""

import json
import logging
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from marb.access.models import Practice
from marb.core import measure
from marb.edi.values import dollars
from marb.pipeline.crew import Alone, Crew, CrewLost, Processes, Workers
from marb.pipeline.ingest import Ingest, Line, Sum, Unreadable, find_files
from marb.pipeline.models import FINISHED, EdiFile, Hold

BAD = ("rejected", "unreadable")


class Command(BaseCommand):
    help = "Ingest 837 and 835 files, or folders of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", nargs="*", help="a file, or a folder with all below it; none: what is pending")
        parser.add_argument("--batch", type=int, metavar="ID", help="carry on this one received file")
        parser.add_argument("--limit", type=int, metavar="N", help="stop once N claims are in, at a chunk's border")
        parser.add_argument("--verbose", action="store_true", help="a log line for every chunk")
        parser.add_argument("--practice", metavar="CODE", help="whose files these are; by default the only practice")
        parser.add_argument("-j", "--jobs", type=int, default=1, metavar="N", help="processes (default 1: this one)")
        parser.add_argument("--queue", action="store_true", help="leave the work to the running Dramatiq workers")
        parser.add_argument("--json", action="store_true", help="print one JSON object per file and line")

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_nonsense(options)
        practice = get_practice(options["practice"])
        paths = list(find_files(options["path"]))
        pending = [] if paths else find_pending(practice, options["batch"])
        if options["verbose"]:
            logging.getLogger("marb.pipeline").setLevel(logging.DEBUG)
        if options["jobs"] == 1 and not options["queue"]:
            measure.start("ingest")
        statuses: Counter[str] = Counter()
        sums: Counter[str] = Counter()
        with progress_bar() as bar:
            task = bar.add_task("files", total=len(paths) + len(pending), chunks="")
            run = Ingest(practice.pk, pick_crew(options, self.warn), noter(bar, task), options["limit"])
            for line in ingest(run, paths, pending):
                self.show(bar, line, as_json=options["json"])
                statuses[line.status if isinstance(line, Line) else "unreadable"] += 1
                sums.update(amounts(line))
        if not options["json"]:
            self.summarize(statuses, sums)
        if run.stopped:
            self.stderr.write(f"Stopped after {options['limit']:,} claims; `manage.py ingest` without a path goes on.")
        if any(statuses[status] for status in BAD):
            raise SystemExit(1)

    def warn(self, sentence: str) -> None:
        self.stderr.write(sentence)

    def show(self, bar: Progress, line: Line | Unreadable, *, as_json: bool) -> None:
        """Print one file's line; what could not be read goes to stderr."""
        if isinstance(line, Unreadable):
            self.stderr.write(f"{line.path}: {line.sentence}")
        else:
            text = as_object(line) if as_json else sentence(line)
            on_screen = not bar.disable and sys.stdout.isatty()
            # above the bar where both are on one screen
            bar.console.out(text, highlight=False) if on_screen else self.stdout.write(text)

    def summarize(self, statuses: Counter[str], sums: Counter[str]) -> None:
        told = ", ".join(f"{count:,} {status}" for status, count in sorted(statuses.items())) or "none"
        self.stdout.write(f"\n{statuses.total():,} files: {told}")
        self.stdout.write(f"{sums['claims']:,} claims, charges {dollars(sums['charge_cents'])}")
        self.stdout.write(f"{sums['remittances']:,} remittances, paid {dollars(sums['paid_cents'])}")


def ingest(run: Ingest, paths: list[Path], pending: list[int]) -> Iterator[Line | Unreadable]:
    """Run the paths, or what is pending, to the end."""
    if isinstance(run.crew, Alone):
        run.crew.note = run.show_progress
    try:
        yield from run.run(paths, pending)
    except CrewLost as lost:
        raise CommandError(str(lost)) from None
    finally:
        run.crew.close()


def refuse_nonsense(options: dict[str, Any]) -> None:
    if options["limit"] is not None and (options["queue"] or options["limit"] < 1):
        raise CommandError("--limit is 1 or more, and for this command's own processes: not with --queue.")
    if options["batch"] and options["path"]:
        raise CommandError("--batch carries on a file that was received before: it takes no path.")


def find_pending(practice: Practice, file_id: int | None) -> list[int]:
    """Find the practice's files that are not finished and not on hold, or the one asked for."""
    files = EdiFile.objects.filter(practice=practice).exclude(status__in=FINISHED).filter(hold=Hold.NONE)
    chosen = list((files.filter(pk=file_id) if file_id else files).order_by("pk").values_list("pk", flat=True))
    if file_id and not chosen:
        raise CommandError(f"File {file_id} is finished, on hold, or not of this practice; see `manage.py retry`.")
    return chosen


def pick_crew(options: dict[str, Any], warn: Callable[[str], None]) -> Crew:
    if options["queue"]:
        return Workers(warn)
    return Processes(options["jobs"]) if options["jobs"] > 1 else Alone()


def get_practice(code: str | None) -> Practice:
    """Get the practice by its code, or the only one there is. Raises CommandError with what to do."""
    practices = list(Practice.objects.filter(code=code) if code else Practice.objects.all()[:10])
    if len(practices) == 1:
        return practices[0]
    if code:
        raise CommandError(f"There is no practice with the code {code}.")
    if practices:
        codes = ", ".join(practice.code for practice in practices)
        raise CommandError(f"There are several practices: choose one with --practice CODE ({codes}).")
    raise CommandError("There is no practice yet: make one in the admin, or with `manage.py up`.")


def progress_bar() -> Progress:
    """A bar on stderr, only where a person looks at it."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[chunks]}"))
    return Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), disable=not sys.stderr.isatty())


def noter(bar: Progress, task: Any) -> Callable[[Sum], None]:
    began = time.monotonic()

    def note(done: Sum) -> None:
        rate = done.claims / max(time.monotonic() - began, 0.001)
        left = f", {done.seconds_left:,.0f} s left" if done.seconds_left else ""
        pace = f"chunk {done.chunks_done:,} of {done.chunk_count:,}, {rate:,.0f} claims/s{left}"
        bar.update(task, completed=done.files, chunks=pace if done.chunk_count else "")

    return note


def amounts(line: Line | Unreadable) -> dict[str, int]:
    if isinstance(line, Unreadable):
        return {}
    return {name: getattr(line, name) for name in ("claims", "remittances", "charge_cents", "paid_cents")}


def as_object(line: Line) -> str:
    return json.dumps({name: value for name, value in line._asdict().items() if name != "reason"})


def sentence(line: Line) -> str:
    """One file in one line: status, kind, what was committed, the path, and why where it is not accepted."""
    found = []
    if line.claims:
        found.append(f"{line.claims:,} claims {dollars(line.charge_cents)}")
    if line.remittances:
        found.append(f"{line.remittances:,} remittances {dollars(line.paid_cents)}")
    reason = f"  {line.reason}" if line.reason else ""
    return f"{line.status:<9} {line.kind:<5} {', '.join(found):<28} {line.seconds:>7.2f}s  {line.path}{reason}"
