"""`manage.py redrive [--id ID ...]`: send the messages of dead letters again, all that were not yet, or those named."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from marb.pipeline.deadletters import redrive
from marb.pipeline.models import DeadLetter


class Command(BaseCommand):
    help = "Send the messages of dead letters again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--id", type=int, action="append", metavar="ID", help="one dead letter; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        letters = DeadLetter.objects.order_by("pk")
        chosen = letters.filter(pk__in=options["id"]) if options["id"] else letters.filter(redriven_at=None)
        self.stdout.write(f"{redrive(chosen):,} of {chosen.count():,} messages were sent again.")
