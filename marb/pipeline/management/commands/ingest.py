"""`manage.py ingest PATH...`: files or folders in, claims and remittances out, a line per file and a summary.

Without --queue this command runs the belt itself, with -j processes; with it the Dramatiq workers do. With --json it
prints one object per file and line and nothing else. The exit code is 1 when a file was rejected or not readable.
"""

import json
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from marb.access.models import Practice
from marb.edi.values import dollars
from marb.pipeline.crew import Alone, Crew, CrewLost, Processes, Workers
from marb.pipeline.ingest import Ingest, Line, Unreadable, find_files

BAD = ("rejected", "unreadable")


class Command(BaseCommand):
    help = "Ingest 837 and 835 files, or folders of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", nargs="+", help="a file, or a folder with all that is below it")
        parser.add_argument("--practice", metavar="CODE", help="whose files these are; by default the only practice")
        parser.add_argument("-j", "--jobs", type=int, default=1, metavar="N", help="processes (default 1: this one)")
        parser.add_argument("--queue", action="store_true", help="leave the work to the running Dramatiq workers")
        parser.add_argument("--json", action="store_true", help="print one JSON object per file and line")

    def handle(self, *args: Any, **options: Any) -> None:
        practice = get_practice(options["practice"])
        paths = list(find_files(options["path"]))
        statuses: Counter[str] = Counter()
        sums: Counter[str] = Counter()
        with progress_bar() as bar:
            task = bar.add_task("files", total=len(paths), chunks="")
            note = noter(bar, task)
            for line in ingest(practice, paths, note, self.warn, options):
                self.show(bar, line, as_json=options["json"])
                statuses[line.status if isinstance(line, Line) else "unreadable"] += 1
                sums.update(amounts(line))
        if not options["json"]:
            self.summarize(statuses, sums)
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


def ingest(
    practice: Practice,
    paths: list[Any],
    note: Callable[[int, int, int], None],
    warn: Callable[[str], None],
    options: dict[str, Any],
) -> Any:
    """Run the paths through the crew that the options ask for."""
    crew = pick_crew(options, warn)
    run = Ingest(practice.pk, crew, note)
    if isinstance(crew, Alone):
        crew.note = run.show_progress
    try:
        yield from run.run(paths)
    except CrewLost as lost:
        raise CommandError(str(lost)) from None
    finally:
        crew.close()


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


def noter(bar: Progress, task: Any) -> Callable[[int, int, int], None]:
    def note(files: int, chunks_done: int, chunks: int) -> None:
        bar.update(task, completed=files, chunks=f"chunk {chunks_done:,} of {chunks:,}" if chunks else "")

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
