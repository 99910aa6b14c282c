"""Search denial patterns: of one practice or all, of one payer or all."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marb.access.models import Practice
from marb.parties.models import Payer
from risk.patterns import DEFAULT_DAYS, LEAST_DAYS, MOST_DAYS, detect


class Command(BaseCommand):
    help = "Search what payers keep denying among the lines adjudicated in the last days. Safe to run twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--practice", help="the practice's code; all of them without it")
        parser.add_argument("--payer", help="a payer's code: this one alone")
        parser.add_argument(
            "--days-back", type=int, default=DEFAULT_DAYS,
            help=f"{LEAST_DAYS} to {MOST_DAYS}, from its newest adjudication (default {DEFAULT_DAYS})",
        )  # fmt: skip
        parser.add_argument("--all-days", action="store_true", help="every line there is, whatever its date")

    def handle(self, *args: Any, **options: Any) -> None:
        if not LEAST_DAYS <= options["days_back"] <= MOST_DAYS:
            raise CommandError(f"--days-back is {LEAST_DAYS} to {MOST_DAYS}.")
        practices = Practice.objects.filter(**({"code": options["practice"]} if options["practice"] else {}))
        if not practices:
            raise CommandError(f"There is no practice {options['practice']}.")
        for practice in practices:
            payers = self.find_payers(practice, options["payer"])
            days_back = None if options["all_days"] else options["days_back"]
            done = detect(practice.pk, days_back, payers)
            self.stdout.write(
                f"{practice.code}: {done.lines:,} lines, {done.tests:,} conditions tested,"
                f" {done.found} patterns, {done.raised} of them new, {done.gone} no longer found"
            )

    def find_payers(self, practice: Practice, code: str | None) -> list[int] | None:
        if code is None:
            return None
        found = list(Payer.objects.filter(practice=practice, payer_code=code).values_list("pk", flat=True))
        if not found:
            raise CommandError(f"The practice {practice.code} has no payer {code}.")
        return found
