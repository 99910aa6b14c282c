"""`manage.py load_codes KIND FILE`: a published code list (episodes.codefiles says which layouts). Safe to repeat.

The lists are their committees' and are not shipped. X12 publishes CARC, RARC, claim status and category codes and the
adjustment groups at x12.org under "External Code Lists", CMS the places of service at cms.gov: save a list as CSV or
tab-separated text in UTF-8 and load it. Codes that a new list leaves out stay as they were. Nothing is loaded from a
file that is no list.
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from episodes.codefiles import BadCodeFile, Code, read_codes
from episodes.models import CodeKind, CodeList
from marb.core.cache import touch_everywhere

MOST_BYTES = 20_000_000


class Command(BaseCommand):
    help = "Load a published code list from a CSV or tab-separated file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=CodeKind.values)
        parser.add_argument("path", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        count = keep_codes(options["kind"], read_file(options["path"]))
        if options["verbosity"]:
            self.stdout.write(f"{count} codes")


def read_file(path: Path) -> list[Code]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise CommandError(f"{path.name} is too large to be a code list. Nothing was loaded.")
        with path.open(encoding="utf-8-sig", newline="") as lines:
            codes = list(read_codes(lines))
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from None
    except BadCodeFile as error:
        raise CommandError(f"{path.name}: {error} Nothing was loaded.") from None
    if not codes:
        raise CommandError(f"{path.name} has no codes. Nothing was loaded.")
    return codes


def keep_codes(kind: str, codes: list[Code]) -> int:
    """Write a list's codes, the last row of a code that stands twice; answers how many."""
    rows = {code.code: CodeList(kind=kind, **code._asdict()) for code in codes}
    written = ["description", "start_date", "end_date", "loaded_at"]
    with transaction.atomic():
        CodeList.objects.bulk_create(
            rows.values(), update_conflicts=True, unique_fields=["kind", "code"], update_fields=written
        )
        touch_everywhere("code")
    return len(rows)
