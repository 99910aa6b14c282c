"""`manage.py bench NAME`: measure a part of the belt, beside the bare tool, in a database of its own."""

import signal
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from monitoring.bench.house import scratch_database
from monitoring.bench.report import as_json, as_lines, as_markdown, circumstances
from monitoring.bench.works import ALIASES, WORKS, Bench


class Command(BaseCommand):
    help = "Measure reading, loading, linking and memory on sample files. Makes and drops a database bench_<pid>."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=[*WORKS, *ALIASES], help="what to measure")
        parser.add_argument("--claims", type=int, default=100_000, metavar="N", help="claims in a file")
        parser.add_argument("--runs", type=int, default=3, help="the figure is the median of so many runs")
        parser.add_argument("-j", "--jobs", type=int, default=2, metavar="N", help="processes that load")
        parser.add_argument(
            "--held", type=int, default=2_000_000, metavar="M", help="claims that `second` and `api` find there"
        )
        parser.add_argument("--rate", type=int, default=1_000, metavar="N", help="requests a second of `api`'s mix")
        parser.add_argument("--seconds", type=int, default=10, metavar="N", help="how long `api` keeps that up")
        parser.add_argument("--sizes", type=int, nargs="+", default=[55, 1_000], help="megabytes for `memory`")
        parser.add_argument("--folder", type=Path, help="where the files are written meanwhile (default: temporary)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--markdown", action="store_true", help="print the rows of docs/PERFORMANCE.md")

    def handle(self, *args: Any, **options: Any) -> None:
        # ends in order, so that the scratch database is dropped
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        names = ALIASES.get(options["name"], [options["name"]])
        with tempfile.TemporaryDirectory(dir=options["folder"]) as folder, scratch_database() as practice_id:
            known = circumstances()
            bench = Bench(Path(folder), practice_id, options)
            figures = []
            for name in names:
                found = WORKS[name](bench)
                figures += found
                # what was measured is seen at once, and stays seen if a later part is broken off
                stream = self.stderr if options["json"] or options["markdown"] else self.stdout
                stream.write(as_lines(found))
        if options["json"]:
            self.stdout.write(as_json(figures, known))
        elif options["markdown"]:
            self.stdout.write(as_markdown(figures, known))
