"""Reading CMS's fee schedule files: PPRRVU, GPCI, OPPSCAP and the ZIP-to-locality crosswalk, any year from 2019 on.

The files are Latin-1 CSV with a preamble and a header that may be split over several rows, and columns come and go
(2026 has one more before CONV FACTOR): so columns are found by the header's rows joined, never by their number. A file
that lacks a column, or a row that cannot be read, raises BadFeeFile with its row number, and nothing is loaded.
Descriptions are the AMA's and are passed over.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from claims.rates import Cap, Gpci, Rvu

MOST_PREAMBLE_ROWS = 40
MOST_DOLLARS = 100_000
NAME_LENGTH = 120
# the first number that a column cannot hold
MOST = dict.fromkeys(("preoperative", "intraoperative", "postoperative", "work GPCI", "PE GPCI", "MP GPCI"), 10)


class BadFeeFile(Exception):
    """A fee schedule file that cannot be read; the sentence names the row and the column."""


class FeeLine(NamedTuple):
    """One row of PPRRVU: a code, its modifier ("" or 26, TC, 53) and its values."""

    code: str
    modifier: str
    rvu: Rvu


class LocalityLine(NamedTuple):
    """One row of GPCI: contractor (MAC), state, locality number and name, and the three indices."""

    contractor: str
    state: str
    locality: str
    name: str
    gpci: Gpci


class CapLine(NamedTuple):
    """One row of OPPSCAP: the most a code's technical part may cost at a carrier's locality."""

    code: str
    modifier: str
    carrier: str
    locality: str
    cap: Cap


class ZipLine(NamedTuple):
    """One row of the ZIP crosswalk: a five-digit ZIP's carrier and locality."""

    zip_code: str
    state: str
    carrier: str
    locality: str


FEE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "code": ("HCPCS",),
    "modifier": ("MOD",),
    "status_code": ("STATUS CODE",),
    "work": ("WORK RVU",),
    "nonfacility_pe": ("NON-FAC PE RVU", "NON-FACILITY PE RVU"),
    "facility_pe": ("FACILITY PE RVU", "FAC PE RVU"),
    "malpractice": ("MP RVU",),
    "preoperative": ("PRE OP",),
    "intraoperative": ("INTRA OP",),
    "postoperative": ("POST OP",),
    "multiple_procedure": ("MULT PROC",),
    "bilateral": ("BILAT SURG",),
    "assistant": ("ASST SURG",),
    "cosurgeon": ("CO-SURG",),
    "team": ("TEAM SURG",),
    "endoscopy_base": ("ENDO BASE",),
    "conversion_factor": ("CONV FACTOR",),
}
# indicators, which are text, and how many characters they have
INDICATORS = {
    **dict.fromkeys(("status_code", "multiple_procedure", "bilateral", "assistant", "cosurgeon", "team"), 1),
    "endoscopy_base": 5,
}


def read_fee_lines(lines: Iterable[str]) -> Iterator[FeeLine]:
    """Yield the rows of a PPRRVU file, in its order."""
    rows = enumerate(csv.reader(lines), 1)
    places = locate(FEE_COLUMNS, joined_header(rows, "HCPCS"))
    for number, row in rows:
        if len(row) > places["code"] and row[places["code"]].strip():
            cells = {name: row[place].strip() if place < len(row) else "" for name, place in places.items()}
            yield fee_line(number, cells)


def fee_line(number: int, cells: dict[str, str]) -> FeeLine:
    code, modifier = code_of(number, cells.pop("code"), cells.pop("modifier"))
    if long := next((name for name, width in INDICATORS.items() if len(cells[name]) > width), ""):
        raise BadFeeFile(f"Row {number}: {long} is too long.")
    values = {name: text if name in INDICATORS else amount(number, name, text) for name, text in cells.items()}
    return FeeLine(code, modifier, Rvu(**values))  # type: ignore[arg-type]


def read_localities(lines: Iterable[str]) -> Iterator[LocalityLine]:
    """Yield the rows of a GPCI file. Its headings carry the year and notes, so they are known by their words.

    Of two work indices the one with the floor of 1.0 is taken, which law has renewed every year so far.
    """
    rows = enumerate(csv.reader(lines), 1)
    header = joined_header(rows, "MEDICARE ADMINISTRATIVE CONTRACTOR")
    places = {
        "contractor": place_of(header, r"CONTRACTOR"),
        "state": place_of(header, r"^STATE"),
        "locality": place_of(header, r"LOCALITY NUMBER"),
        "name": place_of(header, r"LOCALITY NAME"),
        "work": place_of(header, r"\bP?W GPCI(?!.*WITHOUT)", r"\bP?W GPCI"),
        "practice_expense": place_of(header, r"\bPE GPCI"),
        "malpractice": place_of(header, r"\bMP GPCI"),
    }
    for number, row in rows:
        if len(row) > places["malpractice"] and row[places["contractor"]].strip().isalnum():
            cells = {name: row[place].strip() for name, place in places.items()}
            yield locality_line(number, cells)


def locality_line(number: int, cells: dict[str, str]) -> LocalityLine:
    columns = {"work": "work GPCI", "practice_expense": "PE GPCI", "malpractice": "MP GPCI"}
    indices = (amount(number, column, cells[name]) for name, column in columns.items())
    contractor, locality, state = place_cells(number, cells["contractor"], cells["locality"], cells["state"])
    name = cells["name"].rstrip("*").strip()[:NAME_LENGTH]
    return LocalityLine(contractor, state, locality, name, Gpci(*indices))


def read_caps(lines: Iterable[str]) -> Iterator[CapLine]:
    """Yield the rows of an OPPSCAP file (its heading is spelt `NON-FACILTY PRICE` in some years)."""
    rows = enumerate(csv.reader(lines), 1)
    header = joined_header(rows, "HCPCS")
    names = ("HCPCS", "MOD", "CARRIER", "LOCALITY")
    code, modifier, carrier, locality = (place_of(header, f"^{name}$") for name in names)
    facility, nonfacility = place_of(header, r"^FACILI?TY PRICE"), place_of(header, r"^NON-?FACILI?TY PRICE")
    for number, row in rows:
        if len(row) > nonfacility and row[code].strip():
            cap = Cap(amount(number, "FACILITY PRICE", row[facility]), amount(number, "NON-FACILITY", row[nonfacility]))
            where = place_cells(number, row[carrier], row[locality])[:2]
            yield CapLine(*code_of(number, row[code], row[modifier]), *where, cap)


def code_of(number: int, code: str, modifier: str) -> tuple[str, str]:
    """Hold a code to five characters and its modifier to two."""
    code, modifier = code.strip().upper(), modifier.strip().upper()
    if len(code) != 5 or len(modifier) not in (0, 2):
        raise BadFeeFile(f"Row {number}: a code has five characters and a modifier two.")
    return code, modifier


def read_zips(lines: Iterable[str]) -> Iterator[ZipLine]:
    """Yield the rows of the ZIP-carrier-locality file: CSV with a header, or CMS's fixed columns."""
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if "," in text:
            cells = [cell.strip().strip('"') for cell in text.split(",")]
            if cells[0].upper() in ("STATE", "ZIP CODE"):
                continue
            state, zip_code, carrier, locality = cells[:4] if len(cells) >= 4 else ("", "", "", "")
        else:
            state, zip_code, carrier, locality = text[0:2], text[2:7], text[7:12], text[12:14]
        if not text.strip():
            continue
        if not (len(zip_code) == 5 and zip_code.isdecimal() and zip_code.isascii()):
            raise BadFeeFile(f"Row {number} of the ZIP crosswalk has no five-digit ZIP code.")
        carrier, locality, state = place_cells(number, carrier, locality, state)
        yield ZipLine(zip_code, state, carrier, locality)


def joined_header(rows: Iterator[tuple[int, list[str]]], first: str) -> list[str]:
    """Read up to the header's last row (its first cell begins with `first`); answer its columns' joined headings.

    The rows above it belong to the header as far as their first cell is empty; a title or a note has text there.
    """
    above: list[list[str]] = []
    for number, row in rows:
        head = row[0].strip().lstrip("\ufeff").upper() if row else ""
        if head.startswith(first):
            return [heading([*(other[place : place + 1] for other in above), [cell]]) for place, cell in enumerate(row)]
        above = [*above, row] if row and not head and any(cell.strip() for cell in row) else []
        if number == MOST_PREAMBLE_ROWS:
            break
    raise BadFeeFile(f"No heading that begins with {first} in the first {MOST_PREAMBLE_ROWS} rows.")


def heading(cells: list[list[str]]) -> str:
    """Join one column's heading from its rows: capitals, single blanks, and `CO- SURG` as `CO-SURG`."""
    joined = " ".join(cell[0].strip().upper() for cell in cells if cell and cell[0].strip())
    return re.sub(r"-\s+", "-", re.sub(r"\s+", " ", joined)).lstrip("\ufeff")


def locate(columns: Mapping[str, tuple[str, ...]], header: list[str]) -> dict[str, int]:
    """Find each column's place by its names, or raise BadFeeFile naming the first that is not there."""
    places = {}
    for name, known in columns.items():
        place = next((place for place, text in enumerate(header) if text in known), None)
        if place is None:
            raise BadFeeFile(f"No column {known[0]} in the heading.")
        places[name] = place
    return places


def place_of(header: list[str], *patterns: str) -> int:
    """Find the column whose heading has the first pattern, else the next one."""
    for pattern in patterns:
        for place, text in enumerate(header):
            if re.search(pattern, text):
                return place
    raise BadFeeFile(f"No column like {patterns[-1].strip('^$')} in the heading.")


def amount(number: int, column: str, text: str) -> Decimal:
    """Read a number of a fee file; an empty cell is zero."""
    try:
        value = Decimal(text.strip().replace(",", "") or "0")
    except InvalidOperation:
        raise BadFeeFile(f"Row {number}: {column} is not a number.") from None
    if not (value.is_finite() and 0 <= value < MOST.get(column, MOST_DOLLARS)):
        raise BadFeeFile(f"Row {number}: {column} is not a number that can be meant.")
    return value


def place_cells(number: int, contractor: str, locality: str, state: str = "") -> tuple[str, str, str]:
    """Give a contractor its five digits and a locality its two; they and the state may not be longer."""
    found = contractor.strip().zfill(5), locality.strip().zfill(2), state.strip()
    if [len(text) for text in found[:2]] != [5, 2] or len(found[2]) > 2:
        raise BadFeeFile(f"Row {number}: the contractor, locality or state is too long.")
    return found
