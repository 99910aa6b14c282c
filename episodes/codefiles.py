"""Reading published code lists: CSV or tab-separated text, columns found by their headers.

Known layouts: X12's lists as exported (Code, Description, Start, Last Modified, Stop), CMS's places of service
(Place of Service Code, Place of Service Name, Description), and any with a code and a description. Rows without a
code, such as titles above the header or notes below, are passed over. Pure: text in, rows out.
"""

import csv
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

MOST_CODE = 10
HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "code": ("code", "carc", "rarc", "reason code", "remark code", "place of service code", "pos", "code value"),
    "description": ("description", "code description", "meaning", "definition", "long description", "code meaning"),
    "name": ("place of service name", "name", "title", "short description"),
    "start": ("start", "start date", "effective date", "effective", "start_date"),
    "end": ("stop", "end", "end date", "stop date", "deactivated", "deactivation date", "inactive", "end_date"),
}
DAYS: Final = ("%m/%d/%Y", "%Y-%m-%d", "%Y%m%d", "%m/%d/%y")


class BadCodeFile(Exception):
    """A file that is no code list; the text says why."""


class Code(NamedTuple):
    code: str
    description: str
    start_date: date | None
    end_date: date | None


def read_codes(lines: Iterable[str]) -> Iterator[Code]:
    """Read a list. Raises BadCodeFile where no header names a code and what it means."""
    rows = list(lines)
    parted = csv.reader(rows, delimiter="\t" if any("\t" in row for row in rows[:20]) else ",")
    places: dict[str, int] = {}
    try:
        for cells in parted:
            if not places:
                places = find_places(cells)
            elif found := read_row(cells, places):
                yield found
    except csv.Error as error:
        raise BadCodeFile(f"The file is no table: {error}.") from None
    if not places:
        raise BadCodeFile("No header names a column of codes and one of descriptions.")


def find_places(cells: Sequence[str]) -> dict[str, int]:
    """Find the columns by a header row; nothing where the row is none."""
    said = [re.sub(r"\s+", " ", cell).strip().strip(":").lower() for cell in cells]
    places = {
        name: next(at for at, cell in enumerate(said) if cell in known)
        for name, known in HEADERS.items()
        if any(cell in known for cell in said)
    }
    return places if "code" in places and {"description", "name"} & places.keys() else {}


def read_row(cells: Sequence[str], places: dict[str, int]) -> Code | None:
    def cell(name: str) -> str:
        at = places.get(name, -1)
        return " ".join(cells[at].split()) if 0 <= at < len(cells) else ""

    code, text = cell("code").upper(), ": ".join(filter(None, (cell("name"), cell("description"))))
    if not code or not text:
        return None
    if len(code) > MOST_CODE or not code.isascii() or " " in code or "\x00" in text:
        return None
    return Code(code, text, read_day(cell("start")), read_day(cell("end")))


def read_day(text: str) -> date | None:
    for form in DAYS:
        try:
            return date(*time.strptime(text, form)[:3])
        except ValueError:
            continue
    return None
