"""`manage.py load_fee_schedule NAME --fees FILE...`: load a release of CMS's physician fee schedule. Safe to repeat."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, models, transaction

from claims import feefiles, pricing
from claims.models import Fee, FeeCap, FeeSchedule, Locality, LocalityZip
from marb.core.copy import copy_rows

Reader = Callable[[Iterable[str]], Iterator[Any]]


class Kind(NamedTuple):
    """One kind of file: its table and columns, its reader, the row of a line, and how many cells are the row's key."""

    option: str
    model: type[models.Model]
    columns: tuple[str, ...]
    read: Reader
    row_of: Callable[[Any], tuple[Any, ...]]
    key_cells: int


KINDS = (
    Kind(
        "fees",
        Fee,
        ("procedure_code", "modifier", *feefiles.Rvu._fields),
        feefiles.read_fee_lines,
        lambda line: (line.code, line.modifier, *line.rvu),
        2,
    ),
    Kind(
        "localities",
        Locality,
        ("contractor", "locality", "state", "name", "work", "practice_expense", "malpractice"),
        feefiles.read_localities,
        lambda line: (line.contractor, line.locality, line.state, line.name, *line.gpci),
        2,
    ),
    Kind(
        "caps",
        FeeCap,
        ("procedure_code", "modifier", "contractor", "locality", "facility_amount", "nonfacility_amount"),
        feefiles.read_caps,
        lambda line: (line.code, line.modifier, line.carrier, line.locality, *line.cap),
        4,
    ),
    Kind(
        "zips",
        LocalityZip,
        ("zip_code", "contractor", "locality"),
        feefiles.read_zips,
        lambda line: (line.zip_code, line.carrier, line.locality),
        1,
    ),
)


class Command(BaseCommand):
    help = "Load a release of the physician fee schedule from CMS's files (PPRRVU, GPCI, OPPSCAP, ZIP crosswalk)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="a name for the release, as RVU26A; loading it again replaces it")
        parser.add_argument("--fees", nargs="+", type=Path, required=True, help="PPRRVU files")
        parser.add_argument("--localities", nargs="*", type=Path, default=[], help="GPCI files")
        parser.add_argument("--caps", nargs="*", type=Path, default=[], help="OPPSCAP files")
        parser.add_argument("--zips", nargs="*", type=Path, default=[], help="ZIP-to-locality files")
        parser.add_argument("--qualifier", default="", choices=["", "QP", "nonQP"], help="which of 2026's two factors")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True, metavar="YYYY-MM-DD")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["last"] < options["first"]:
            raise CommandError("The period ends before it begins: --to is earlier than --from.")
        with transaction.atomic():
            schedule = keep_schedule(options)
            for kind in KINDS:
                if options[kind.option]:
                    self.load(schedule, kind, options[kind.option])
            pricing.bump()

    def load(self, schedule: FeeSchedule, kind: Kind, paths: list[Path]) -> None:
        """Replace a schedule's rows of one kind by those of the files; of a row that comes twice the last is kept."""
        rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        for path in paths:
            before = len(rows)
            rows |= {row[: kind.key_cells]: row for row in map(kind.row_of, read_file(path, kind.read))}
            self.stdout.write(f"{path.name}: {len(rows) - before} {kind.model._meta.verbose_name_plural}")
        kind.model._default_manager.filter(schedule=schedule).delete()
        with connection.cursor() as cursor:
            copy_rows(
                cursor, kind.model, ("schedule_id", *kind.columns), ((schedule.pk, *row) for row in rows.values())
            )


def keep_schedule(options: dict[str, Any]) -> FeeSchedule:
    """Make the schedule's row, or raise its version where it is there."""
    values = {
        "year": options["first"].year,
        "qualifier": options["qualifier"],
        "effective_from_date": options["first"],
        "effective_to_date": options["last"],
    }
    schedule, _ = FeeSchedule.objects.update_or_create(
        name=options["name"],
        defaults=values | {"version": models.F("version") + 1},
        create_defaults=values,
    )
    return schedule


def read_file(path: Path, read: Reader) -> Iterator[Any]:
    try:
        with path.open(encoding="latin-1", newline="") as lines:
            yield from read(lines)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except feefiles.BadFeeFile as error:
        raise CommandError(f"{path}: {error} Nothing was loaded.") from None
