"""`manage.py reprice [--from DATE]`: price stored claims by the schedules and contracts of now. Safe to run twice."""

from argparse import ArgumentParser
from collections import Counter
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from claims.reprice import reprice
from marb.access.models import Practice


class Command(BaseCommand):
    help = "Price stored claims again, after a fee schedule or a contract was loaded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="YYYY-MM-DD", help="of service")
        parser.add_argument("--practice", metavar="CODE", help="whose claims; by default everybody's")

    def handle(self, *args: Any, **options: Any) -> None:
        practices = Practice.objects.filter(code=options["practice"]) if options["practice"] else Practice.objects.all()
        if not practices and options["practice"]:
            raise CommandError(f"There is no practice with the code {options['practice']}.")
        counts: Counter[str] = Counter()
        for practice in practices:
            for block in reprice(practice.pk, options["first"]):
                counts.update({name: value for name, value in block._asdict().items() if name != "last_id"})
                if options["verbosity"] > 1:
                    self.stdout.write(f"{counts['claims']:,} claims ...")
        self.stdout.write(
            f"{counts['claims']:,} claims, {counts['claims_changed']:,} changed;"
            f" {counts['lines']:,} lines, {counts['lines_changed']:,} changed"
        )
