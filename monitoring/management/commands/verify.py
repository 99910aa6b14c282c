"""`manage.py verify [--file ID] [--digest]`: check the invariants; print each violation; exit 1 on any.

With --truth FOLDER also compare a practice's rows with the sample whose files they are; exit 1 on any difference.
"""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from marb.access.models import Practice
from monitoring.invariants import INVARIANTS, digest, find_violations
from monitoring.truth import compare


class Command(BaseCommand):
    help = "Check that what must always be true of the rows is true. Exit 1 where it is not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", type=int, help="one file's id; all files without it")
        parser.add_argument("--truth", type=Path, metavar="FOLDER", help="a sample's folder, with its truth.json")
        parser.add_argument("--practice", metavar="CODE", help="whose rows the sample's are; by default the only one")
        parser.add_argument("--digest", action="store_true", help="also print what the file's rows come to")

    def handle(self, *args: Any, **options: Any) -> None:
        sentences = {invariant.code: invariant.sentence for invariant in INVARIANTS}
        found = list(find_violations(options["file"]))
        for violation in found:
            self.stdout.write(
                f"{violation.code} {violation.subject} {violation.subject_id}: {violation.detail}"
                f" (it must hold that {sentences[violation.code]})"
            )
        if options["digest"] and options["file"]:
            for kind, value in digest(options["file"]).items():
                self.stdout.write(f"{kind} {value}")
        self.stdout.write(f"{len(INVARIANTS)} invariants checked, {len(found)} violations.")
        different = self.compare(options["truth"], options["practice"]) if options["truth"] else 0
        if found or different:
            sys.exit(1)

    def compare(self, folder: Path, code: str | None) -> int:
        """Print a line for each thing that is compared with the truth, and answer how much differs."""
        practices = list(Practice.objects.filter(code=code) if code else Practice.objects.all()[:2])
        if len(practices) != 1:
            raise CommandError("Say by --practice CODE whose rows the sample's are.")
        if not (folder / "truth.json").is_file():
            raise CommandError(f"There is no truth.json in {folder}.")
        different = 0
        try:
            with transaction.atomic():
                for each in compare(folder, practices[0].pk):
                    self.stdout.write(f"{each.name:<9} {each.agreed:>9,} agree, {each.different:,} differ")
                    self.stdout.write("".join(f"    {example}\n" for example in each.examples), ending="")
                    different += each.different
        except ValueError as wrong:
            raise CommandError(str(wrong)) from None
        return different
