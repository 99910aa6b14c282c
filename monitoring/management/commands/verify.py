"""`manage.py verify [--file ID] [--digest]`: check the invariants; print each violation; exit 1 on any."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from monitoring.invariants import INVARIANTS, digest, find_violations


class Command(BaseCommand):
    help = "Check that what must always be true of the rows is true. Exit 1 where it is not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", type=int, help="one file's id; all files without it")
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
        if found:
            sys.exit(1)
