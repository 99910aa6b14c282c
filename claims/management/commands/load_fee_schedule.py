"""`manage.py load_fee_schedule NAME --folder FOLDER`: load a release of CMS's physician fee schedule. Safe to repeat.

The folder is CMS's archive as it is unpacked: PPRRVU*, GPCI*, OPPSCAP* and ZIP5* files are known by their names, and
by them the year and the two factors of 2026 (nonQPP, QPP). Files of other names are given one by one.
"""

import csv
import re
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, models, transaction
from django.db.models.functions import Now

from claims import feefiles, pricing
from claims.models import Fee, FeeCap, FeeSchedule, Locality, LocalityZip
from marb.core.copy import copy_rows

FEES_NAME = re.compile(r"PPRRVU(20[0-9]{2}|[0-9]{2}).*\.csv$", re.IGNORECASE)
PATTERNS = {
    "fees": re.compile(r"PPRRVU.*\.csv$", re.IGNORECASE),
    "localities": re.compile(r"GPCI.*\.csv$", re.IGNORECASE),
    "caps": re.compile(r"OPPSCAP.*\.csv$", re.IGNORECASE),
    "zips": re.compile(r"ZIP5.*\.(csv|txt)$", re.IGNORECASE),
}
# in this order: one name ends in the other
QUALIFIERS = {"nonqpp": "nonQP", "qpp": "QP"}
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


class Release(NamedTuple):
    """A schedule to load: its name, which of two factors, its period, and the files of each kind by option."""

    name: str
    qualifier: str
    first: date
    last: date
    files: Mapping[str, list[Path]]


class Command(BaseCommand):
    help = "Load a release of the physician fee schedule from CMS's files (PPRRVU, GPCI, OPPSCAP, ZIP crosswalk)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="a name for the release, as RVU26A; loading it again replaces it")
        parser.add_argument("--folder", type=Path, help="the folder of an unpacked release, instead of its files")
        parser.add_argument("--fees", nargs="+", type=Path, default=[], help="PPRRVU files")
        parser.add_argument("--localities", nargs="*", type=Path, default=[], help="GPCI files")
        parser.add_argument("--caps", nargs="*", type=Path, default=[], help="OPPSCAP files")
        parser.add_argument("--zips", nargs="*", type=Path, default=[], help="ZIP-to-locality files")
        parser.add_argument("--qualifier", default="", choices=["", "QP", "nonQP"], help="which of 2026's two factors")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="YYYY-MM-DD")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="YYYY-MM-DD")

    def handle(self, *args: Any, **options: Any) -> None:
        self.say = self.stdout.write if options["verbosity"] else str
        releases = find_releases(options) if options["folder"] else [given_release(options)]
        for release in releases:
            if release.last < release.first:
                raise CommandError("The period ends before it begins: --to is earlier than --from.")
        with transaction.atomic():
            for release in releases:
                schedule = keep_schedule(release)
                for kind in KINDS:
                    if release.files[kind.option]:
                        self.load(schedule, kind, release.files[kind.option])
            pricing.bump()

    def load(self, schedule: FeeSchedule, kind: Kind, paths: list[Path]) -> None:
        """Replace a schedule's rows of one kind by those of the files; of a row that comes twice the last is kept."""
        rows: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        for path in paths:
            before = len(rows)
            rows |= {row[: kind.key_cells]: row for row in map(kind.row_of, read_file(path, kind.read))}
            self.say(f"{path.name}: {len(rows) - before} {kind.model._meta.verbose_name_plural}")
        kind.model._default_manager.filter(schedule=schedule).delete()
        with connection.cursor() as cursor:
            copy_rows(
                cursor, kind.model, ("schedule_id", *kind.columns), ((schedule.pk, *row) for row in rows.values())
            )


def given_release(options: Mapping[str, Any]) -> Release:
    """Take a release as the options say it."""
    if not (options["fees"] and options["first"] and options["last"]):
        raise CommandError("Name a --folder, or --fees with --from and --to.")
    files = {kind.option: options[kind.option] for kind in KINDS}
    return Release(options["name"], options["qualifier"], options["first"], options["last"], files)


def find_releases(options: Mapping[str, Any]) -> list[Release]:
    """Find the releases in a folder, one for each factor; of the year in the name unless dates are given."""
    folder: Path = options["folder"]
    found = {option: matching(folder, pattern) for option, pattern in PATTERNS.items()}
    releases = []
    for path in found["fees"]:
        matched = FEES_NAME.match(path.name)
        year = 2000 + int(matched[1][-2:]) if matched else 0
        if not year:
            raise CommandError(f"{path.name} does not say its year: give the files one by one.")
        qualifier = next((said for ending, said in QUALIFIERS.items() if ending in path.name.lower()), "")
        name = f"{options['name']} {qualifier}".strip()
        first, last = options["first"] or date(year, 1, 1), options["last"] or date(year, 12, 31)
        releases.append(Release(name, qualifier, first, last, {**found, "fees": [path]}))
    if not releases:
        raise CommandError(f"There is no PPRRVU*.csv in {folder}.")
    return releases


def matching(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    return sorted(path for path in folder.glob("*") if pattern.match(path.name))


def keep_schedule(release: Release) -> FeeSchedule:
    """Make the schedule's row, or raise its version where it is there."""
    values = {
        "year": release.first.year,
        "qualifier": release.qualifier,
        "effective_from_date": release.first,
        "effective_to_date": release.last,
    }
    schedule, _ = FeeSchedule.objects.update_or_create(
        name=release.name,
        defaults=values | {"version": models.F("version") + 1, "loaded_at": Now()},
        create_defaults=values,
    )
    return schedule


def read_file(path: Path, read: Reader) -> Iterator[Any]:
    try:
        with path.open(encoding="latin-1", newline="") as lines:
            yield from read(lines)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
    except csv.Error as error:
        raise CommandError(f"{path} is not CSV: {error}. Nothing was loaded.") from None
    except feefiles.BadFeeFile as error:
        raise CommandError(f"{path}: {error} Nothing was loaded.") from None
