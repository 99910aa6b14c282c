"""CMS's NCCI files, read: procedure-to-procedure pairs and medically unlikely units. Pure; lines of text in, rows out.

Published quarterly as text with tabs or as CSV, with a title and notes above the heading, and headings split over
rows: columns are found by their words. A row whose first cell is no code is a note and passed over. Codes are CPT's;
descriptions and rationales are not read.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Final, NamedTuple

MOST_PREAMBLE_ROWS: Final = 40
CODE: Final = re.compile(r"[0-9A-Z]{5}")
MOST_UNITS: Final = 1_000_000


class BadNcciFile(Exception):
    """A file that cannot be read; the sentence names the row."""


class Pair(NamedTuple):
    """One PTP edit; `last` is None while it stands. `indicator` is 0, 1 or 9."""

    column_one: str
    column_two: str
    first: date
    last: date | None
    indicator: str


class Units(NamedTuple):
    """One MUE: a code, its most units and the adjudication indicator (1, 2 or 3)."""

    code: str
    most: int
    indicator: str


def read_pairs(lines: Iterable[str]) -> Iterator[Pair]:
    """Yield the rows of a PTP file: Column 1, Column 2, effective and deletion date (`*` is none), modifier."""
    for number, cells in read_rows(lines, r"^COLUMN 1", r"^COLUMN 2", r"^EFFECTIVE", r"^DELETION", r"^MODIFIER"):
        one, two, first, last, indicator = cells
        if CODE.fullmatch(two) is None or indicator not in ("0", "1", "9"):
            raise BadNcciFile(f"Row {number}: the second code or the modifier indicator is not one.")
        day = day_of(number, first)
        if day is None:
            raise BadNcciFile(f"Row {number}: the effective date is missing.")
        yield Pair(one, two, day, day_of(number, last), indicator)


def read_units(lines: Iterable[str]) -> Iterator[Units]:
    """Yield the rows of an MUE file: code, value, and the digit that the adjudication indicator begins with."""
    for number, cells in read_rows(lines, r"^HCPCS", r"MUE VALUE", r"ADJUDICATION INDICATOR"):
        code, most, indicator = cells
        if not (most.isdecimal() and int(most) < MOST_UNITS and indicator[:1] in ("1", "2", "3")):
            raise BadNcciFile(f"Row {number}: the value or the adjudication indicator is not one.")
        yield Units(code, int(most), indicator[0])


def read_rows(lines: Iterable[str], *patterns: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each row whose first wanted cell is a code, and its wanted cells, stripped, in capitals."""
    waiting = iter(lines)
    above = list(islice(waiting, MOST_PREAMBLE_ROWS))
    delimiter = "\t" if any("\t" in line for line in above) else ","
    places: list[int] | None = None
    rows = csv.reader((line for some in (above, waiting) for line in some), delimiter=delimiter)
    for number, row in enumerate(rows, 1):
        if places is None:
            places = find_places(row, patterns)
            if places is None and number >= MOST_PREAMBLE_ROWS:
                break
        elif len(row) > max(places):
            cells = [row[place].strip().upper() for place in places]
            if CODE.fullmatch(cells[0]):
                yield number, cells
    if places is None:
        raise BadNcciFile(f"No heading with the columns {', '.join(map(plain, patterns))} in the first rows.")


def find_places(row: list[str], patterns: Iterable[str]) -> list[int] | None:
    """Find the heading's columns in a row; None where it is not the heading."""
    names = [re.sub(r"\s+", " ", cell.strip().lstrip("\ufeff").upper()) for cell in row]
    found = [next((place for place, name in enumerate(names) if re.search(said, name)), None) for said in patterns]
    places = [place for place in found if place is not None]
    return places if len(places) == len(found) else None


def plain(pattern: str) -> str:
    return pattern.strip("^$").lower()


def day_of(number: int, text: str) -> date | None:
    """Read CCYYMMDD; `*` or nothing is no day."""
    if text in ("", "*"):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 a day has no zone
    except ValueError:
        raise BadNcciFile(f"Row {number}: a date is not of the form CCYYMMDD.") from None
