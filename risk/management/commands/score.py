"""`manage.py score [--practice CODE] [--all]`: score claims that have no score, or all. Safe to run twice."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marb.access.models import Practice
from risk.score import Scored, score_practice


class Command(BaseCommand):
    help = "Score claims for their risk of denial."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--practice", metavar="CODE", help="whose claims; by default everybody's")
        parser.add_argument("--all", action="store_true", help="those too that have a score")

    def handle(self, *args: Any, **options: Any) -> None:
        practices = Practice.objects.filter(code=options["practice"]) if options["practice"] else Practice.objects.all()
        if not practices and options["practice"]:
            raise CommandError(f"There is no practice with the code {options['practice']}.")
        scored = Scored(0, 0)
        for practice in practices:
            scored = scored.plus(score_practice(practice.pk, again=options["all"]))
        for problem in scored.problems:
            self.stderr.write(problem)
        self.stdout.write(f"{scored.claims:,} claims, {scored.written:,} scores written")
