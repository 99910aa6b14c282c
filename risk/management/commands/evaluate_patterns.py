"""`manage.py evaluate_patterns --truth truth.json`: hold the patterns found against those planted in a sample."""

from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from marb.access.models import Practice
from marb.parties.models import Payer, Provider
from risk.reading import read_lines
from risk.recovery import LEAST_LIFT, LEAST_LINES, Cause, planted, recover
from risk.search import search


class Command(BaseCommand):
    help = "Search an ingested sample's patterns and hold them against what was planted. Stores nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--truth", type=Path, required=True, help="truth.json of `manage.py sample --patterns`")
        parser.add_argument("--practice", metavar="CODE", help="whose claims the sample became; the only one without")

    def handle(self, *args: Any, **options: Any) -> None:
        practices = Practice.objects.filter(code=options["practice"]) if options["practice"] else Practice.objects.all()
        if practices.count() != 1:
            raise CommandError("Name one practice by --practice CODE.")
        try:
            wanted = planted(orjson.loads(options["truth"].read_bytes()))
        except OSError as error:
            raise CommandError(f"{options['truth']} cannot be read: {error.strerror}.") from None
        except ValueError:
            raise CommandError(f"{options['truth']} is no JSON of a sample.") from None
        told = search_causes(practices[0].pk)
        found = recover(wanted, told)
        self.stdout.write(
            f"{len(wanted)} planted, {len(told)} found. Of those with {LEAST_LINES} lines and a lift of {LEAST_LIFT:g}:"
            f" recall {found.recall:.3f} ({len(found.found)} of {len(found.found) + len(found.missed)}), "
            f"precision {found.precision:.3f} ({found.told - len(found.false)} of {found.told})."
        )
        for word, causes in (("Missed", found.missed), ("Not planted", found.false)):
            for each in causes:
                said = orjson.dumps(each.conditions).decode()
                self.stdout.write(f"{word}: {each.payer} {said}, {each.lines:,} lines, lift {each.lift:.2f}")


def search_causes(practice_id: int) -> list[Cause]:
    """Search a practice's patterns over all its lines, payers by code and providers by NPI."""
    with connection.cursor() as cursor:
        findings = search(read_lines(cursor, practice_id)).findings
    payers = dict(Payer.objects.filter(practice_id=practice_id).values_list("pk", "payer_code"))
    numbers = dict(Provider.objects.filter(practice_id=practice_id).values_list("pk", "npi"))
    return [
        Cause(payers[each.payer], named(each.conditions, numbers), each.lines, each.lift) for each in findings
    ]  # fmt: skip


def named(conditions: dict[str, Any], numbers: dict[int, str]) -> dict[str, Any]:
    return {
        name: numbers.get(value, str(value)) if name.endswith("_provider") else value
        for name, value in conditions.items()
    }
