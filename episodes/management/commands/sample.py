"""`manage.py sample`: write matching 837 and 835 files of an invented practice, and truth.json about them.

With --patterns denials have planted causes, said in truth.json, and claims.ndjson says of every adjudicated claim how
likely its denial was and what became of it; --patterns none is the same traffic with the payers' base rates alone.
"""

import argparse
from datetime import date
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser

from episodes.sample.plants import PLANTS
from episodes.sample.writer import PlantedSample, Sample

UNTIL = "2026-06-30"
ROWS = "claims.ndjson"


class Command(BaseCommand):
    help = "Write matching 837P, 837I and 835 files that read like a real practice's, and truth.json."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--claims", type=count, default=400, help="claims in all 837 files together")
        parser.add_argument("--out", type=Path, required=True, help="folder to write to; made where it is missing")
        parser.add_argument("--seed", type=int, default=1, help="the same seed writes the same bytes")
        parser.add_argument(
            "--patterns", nargs="?", choices=("all", "none"), const="all",
            help="plant causes of denial over eighteen months; none: base rates alone, nothing to find",
        )  # fmt: skip
        parser.add_argument("--until", type=date.fromisoformat, default=UNTIL, help="no date is later (YYYY-MM-DD)")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["out"]
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.glob("*.x12")):
            raise CommandError(f"{folder} already holds .x12 files; name an empty folder.")
        sample = make_sample(options)
        for name, text in sample.files():
            (folder / name).write_bytes(text.encode("ascii"))
            if isinstance(sample, PlantedSample):
                with (folder / ROWS).open("ab") as file:
                    file.write(sample.truth.take_rows())
        truth = orjson.dumps(sample.truth.as_document(), option=orjson.OPT_INDENT_2) + b"\n"
        (folder / "truth.json").write_bytes(truth)
        self.stdout.write(f"{len(sample.truth.files)} files, {sample.truth.claims['total']} claims in {folder}")


def make_sample(options: dict[str, Any]) -> Sample:
    until = options["until"]
    day = date.fromisoformat(until) if until == UNTIL else until
    if options["patterns"] is None:
        return Sample(options["claims"], options["seed"], day)
    return PlantedSample(options["claims"], options["seed"], day, PLANTS if options["patterns"] == "all" else ())


def count(text: str) -> int:
    """Read a number of claims: one or more."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number
