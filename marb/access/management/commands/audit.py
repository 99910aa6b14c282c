"""`manage.py audit verify`: does the chain hold? `expire`: drop the months past their years. `odd`: what was odd.

Exit status 1 and the ids of the entries where the chain does not hold.
"""

from argparse import ArgumentParser
from datetime import UTC, date, timedelta
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from marb.access import odd, trail
from marb.access.models import Practice

MOST_NAMED = 20


class Command(BaseCommand):
    help = "Verifies the audit's chain, drops its expired months, or tells what was odd in a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("word", choices=["verify", "expire", "odd"])
        parser.add_argument("--day", type=date.fromisoformat, help="of `odd`, in UTC; yesterday without it")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["word"] == "expire":
            dropped = trail.drop_expired(timezone.now())
            self.stdout.write(f"{len(dropped)} months dropped.")
            return
        if options["word"] == "odd":
            self.tell_odd(options["day"] or (timezone.now().astimezone(UTC) - timedelta(days=1)).date())
            return
        broken = list(islice(trail.verify(), MOST_NAMED))
        if broken:
            named = ", ".join(str(number) if number else "the end" for number in broken)
            raise CommandError(f"The audit's chain does not hold at {named}.")
        self.stdout.write("The audit's chain holds.")

    def tell_odd(self, day: date) -> None:
        codes = dict(Practice.objects.values_list("pk", "code"))
        for each in odd.find(day, Practice.objects.all()):
            self.stdout.write(f"{codes[each.practice]}  {each.username}  {each.rule}: {each.sentence}")
