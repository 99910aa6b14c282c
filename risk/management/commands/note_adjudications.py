"""Note anew what payers first decided of every claim line, for one practice or all."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marb.access.models import Practice
from risk.adjudication import note_practice


class Command(BaseCommand):
    help = "Rebuild the adjudicated lines from claims, links and remittances. Safe to run at any time, and twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--practice", help="the practice's code; all of them without it")

    def handle(self, *args: Any, **options: Any) -> None:
        practices = Practice.objects.all()
        if options["practice"]:
            practices = practices.filter(code=options["practice"])
            if not practices.exists():
                raise CommandError(f"There is no practice {options['practice']}.")
        for practice in practices:
            self.stdout.write(f"{practice.code}: {note_practice(practice.pk):,} rows changed")
