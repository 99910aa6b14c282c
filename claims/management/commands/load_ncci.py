"""`manage.py load_ncci KIND TABLE FILE...`: load CMS's NCCI edits. Safe to repeat.

PTP files hold the whole history of their pairs, so a later quarter's rows replace those that begin on the same day,
and pairs that ended stay for the claims of their time. MUE files hold one quarter: `--from` says its first day.
"""

import csv
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, models, transaction

from claims import ncci
from claims.models import NcciPair, NcciTable, UnitLimit
from marb.core.copy import copy_blocks

PAIR_COLUMNS = (
    *("table", "column_one_code", "column_two_code", "effective_from_date", "effective_to_date"),
    "modifier_indicator",
)
UNIT_COLUMNS = ("table", "procedure_code", "effective_from_date", "unit_count", "adjudication_indicator")
# what tells a row from another
KEYS = {NcciPair: PAIR_COLUMNS[:4], UnitLimit: UNIT_COLUMNS[:3]}


class Command(BaseCommand):
    help = (
        "Load CMS's NCCI files: procedure-to-procedure pairs (ptp) or medically unlikely units (mue), as text or CSV."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=["ptp", "mue"])
        parser.add_argument("table", choices=NcciTable.values)
        parser.add_argument("files", nargs="+", type=Path, help="the unpacked files; .xlsx must be saved as CSV")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="YYYY-MM-DD")

    def handle(self, *args: Any, **options: Any) -> None:
        table, first = options["table"], options["first"]
        if options["kind"] == "mue" and first is None:
            raise CommandError("Medically unlikely units need --from: the first day of their quarter.")
        with transaction.atomic():
            for path in options["files"]:
                if options["kind"] == "ptp":
                    rows: Iterator[tuple[Any, ...]] = ((table, *pair) for pair in read_file(path, ncci.read_pairs))
                    count = load(NcciPair, PAIR_COLUMNS, rows)
                else:
                    limits = read_file(path, ncci.read_units)
                    count = load(UnitLimit, UNIT_COLUMNS, ((table, code, first, *rest) for code, *rest in limits))
                self.stdout.write(f"{path.name}: {count} rows")


def load(model: type[models.Model], columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> int:
    """Write rows over those of the same key, in constant memory; of a row that comes twice the last is kept."""
    table, names = model._meta.db_table, ", ".join(f'"{name}"' for name in columns)
    key = ", ".join(f'"{name}"' for name in KEYS[model])
    rest = ", ".join(f'"{name}" = excluded."{name}"' for name in columns if name not in KEYS[model])
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE loading AS SELECT {names} FROM {table} WITH NO DATA")
        cursor.execute("ALTER TABLE loading ADD place bigint GENERATED ALWAYS AS IDENTITY")
        with cursor.copy(f"COPY loading ({names}) FROM STDIN") as copy:
            for block in copy_blocks(model, columns, rows):
                copy.write(block)
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT DISTINCT ON ({key}) {names} FROM loading ORDER BY {key}, place DESC "
            f"ON CONFLICT ({key}) DO UPDATE SET {rest}"
        )
        count = cursor.rowcount
        cursor.execute("DROP TABLE loading")
    return count


def read_file(path: Path, read: Callable[[Iterable[str]], Iterator[Any]]) -> Iterator[Any]:
    try:
        with path.open(encoding="latin-1", newline="") as lines:
            yield from read(lines)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}. Nothing was loaded.") from None
    except csv.Error as error:
        raise CommandError(f"{path} is not text with columns: {error}. Nothing was loaded.") from None
    except ncci.BadNcciFile as error:
        raise CommandError(f"{path}: {error} Nothing was loaded.") from None
