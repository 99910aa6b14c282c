"""`manage.py performance_dashboard`: the measures of all processes in a terminal, drawn anew until Ctrl-C.

`--report` prints everything once, `--export FILE.csv` writes it as CSV, `--statements` and `--indexes` add what
PostgreSQL itself counts to the report.
"""

import sys
import time
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from rich.console import Console, RenderableType
from rich.live import Live

from marb.core import pool
from marb.core.logs import plain_reason
from monitoring.board import drawing, table
from monitoring.board.read import Board, read
from monitoring.management.commands.loadtest import between
from monitoring.reading import period

MOST_MINUTES = 400 * 24 * 60
# as wide as a report is where nobody looks at it
WIDTH = 160


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--report", action="store_true", help="print everything once")
        parser.add_argument("--export", type=Path, metavar="FILE", help="write everything as CSV")
        parser.add_argument("--statements", action="store_true", help="report what took PostgreSQL most time")
        parser.add_argument("--indexes", action="store_true", help="report which indexes are used and which are not")
        parser.add_argument(
            "--minutes", type=between(1, MOST_MINUTES), default=15, metavar="N", help="how far back (default: 15)"
        )
        parser.add_argument(
            "--every", type=between(1, 3600), default=2, metavar="SECONDS", help="drawn anew after (default: 2)"
        )
        parser.add_argument("--most", type=between(1, 1_000), default=20, metavar="N", help="rows of a table")

    def handle(self, **options: Any) -> None:
        self.length = timedelta(minutes=options["minutes"])
        is_report = options["report"] or options["statements"] or options["indexes"]
        if options["export"]:
            self.export(options["export"])
        if is_report:
            self.report(options)
        elif not options["export"]:
            self.live(options["every"])

    def read(self) -> Board:
        return read(period(self.length))

    def export(self, path: Path) -> None:
        board = self.read()
        self.refuse_less(board)
        try:
            count = table.export(board, path)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        self.stderr.write(f"{count} rows are in {path}.")

    def report(self, options: dict[str, Any]) -> None:
        board = self.read()
        parts: list[RenderableType] = []
        if options["report"] or not (options["statements"] or options["indexes"]):
            parts.append(drawing.draw_report(board, options["most"]))
        try:
            if options["statements"]:
                parts.append(drawing.draw_statements(options["most"]))
            if options["indexes"]:
                parts.append(drawing.draw_indexes(options["most"]))
        except DatabaseError as error:
            board.missing.append(f"PostgreSQL's own counts cannot be read ({plain_reason(error)})")
        self.console().print(*parts, sep="\n")
        self.refuse_less(board)

    def refuse_less(self, board: Board) -> None:
        """End with 1 where something could not be read."""
        if board.missing:
            raise CommandError("; ".join(board.missing) + ".")

    def console(self) -> Console:
        stream: Any = self.stdout._out
        return Console(file=stream, width=None if stream.isatty() else WIDTH)

    def live(self, seconds: int) -> None:
        """Draw the board until Ctrl-C; a database that is away is told and tried again."""
        console = self.console()
        if not console.is_terminal:
            raise CommandError("This is no terminal: say --report, or --export FILE.csv.")
        try:
            with Live(self.frame(), console=console, screen=True, auto_refresh=False) as live:
                while True:
                    live.update(self.frame(), refresh=True)
                    time.sleep(seconds)
        except KeyboardInterrupt:
            sys.exit(0)

    def frame(self) -> RenderableType:
        try:
            return drawing.draw_live(self.read())
        finally:
            pool.give_back()
