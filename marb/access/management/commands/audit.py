"""`manage.py audit verify`: does the chain hold? `manage.py audit expire`: drop the months past their years.

Exit status 1 and the ids of the entries where it does not hold.
"""

from argparse import ArgumentParser
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from marb.access import trail

MOST_NAMED = 20


class Command(BaseCommand):
    help = "Verifies the audit's chain, or drops its expired months."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("word", choices=["verify", "expire"])

    def handle(self, *args: Any, **options: Any) -> None:
        if options["word"] == "expire":
            dropped = trail.drop_expired(timezone.now())
            self.stdout.write(f"{len(dropped)} months dropped.")
            return
        broken = list(islice(trail.verify(), MOST_NAMED))
        if broken:
            named = ", ".join(str(number) if number else "the end" for number in broken)
            raise CommandError(f"The audit's chain does not hold at {named}.")
        self.stdout.write("The audit's chain holds.")
