"""`manage.py train_risk_model`: train the model of denial for one practice or all, and use it if it is better."""

from datetime import date
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from marb.access.models import Practice
from risk.model.training import DAYS_OF_ALL_TIME, train_practice


class Command(BaseCommand):
    help = "Train the model of denial from answered claims; it is put to use if it beats the one in use."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--practice", metavar="CODE", help="the practice's code; all active ones without it")
        parser.add_argument(
            "--until", type=date.fromisoformat, metavar="DATE", help="only claims sent and answered before (YYYY-MM-DD)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        until = DAYS_OF_ALL_TIME
        if options["until"]:
            until = int(np.datetime64(options["until"], "D").astype(np.int64))
        for practice in find_practices(options["practice"]):
            outcome = train_practice(practice.pk, until=until)
            self.stdout.write(f"{practice.code}: {outcome.sentence}")


def find_practices(code: str | None) -> list[Practice]:
    practices = list(Practice.objects.filter(code=code) if code else Practice.objects.filter(is_active=True))
    if code and not practices:
        raise CommandError(f"There is no practice {code}.")
    return practices
