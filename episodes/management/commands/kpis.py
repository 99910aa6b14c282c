"""`manage.py kpis`: print the key figures; `--rebuild` makes their sums and the underpaid lines anew from the rows."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from episodes.kpiread import lately, read_figures
from episodes.roll import rebuild
from marb.access.models import Practice


def everything(model: Any) -> Any:
    """Answer all rows: who has the terminal has the database."""
    return model.objects.all()


class Command(BaseCommand):
    help = "Print the key figures of the last twelve months, or make their sums anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="forget the sums and make them from the rows")
        parser.add_argument("--practice", metavar="CODE", help="of one practice; otherwise of all")

    def handle(self, *args: Any, **options: Any) -> None:
        practices = Practice.objects.order_by("code")
        if options["practice"]:
            practices = practices.filter(code=options["practice"])
        if not practices:
            raise CommandError("There is no such practice.")
        if options["rebuild"]:
            for practice in practices:
                self.rebuild(practice)
        today = timezone.now().date()
        figures = read_figures(everything, lately(today)._replace(practice=options["practice"] or ""), today)
        for figure in figures["figures"]:
            self.stdout.write(f"{figure['title']:<30} {figure['text']:>14}  {figure['goal']}")

    def rebuild(self, practice: Practice) -> None:
        counts = {"files": 0, "chains_counted": 0, "remittances_counted": 0, "underpaid": 0}
        for found in rebuild(practice.pk):
            counts["files"] += 1
            for name, number in found.items():
                counts[name] += number
        told = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in counts.items())
        self.stdout.write(f"{practice.code}: {told}")
