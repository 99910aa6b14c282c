"""Elements of the 835 as columns want them, and what is said where they are not.

A value that fills a column and cannot be read raises BadElement: its claim payment cannot become true rows. Text too
long for its column is never cut where it is an identifier or a code: the column stays empty, the whole value goes to
`detail` under `oversize`, and a Note says so; `key` is for the few without which the row would mean something else.
"""

from functools import lru_cache
from typing import Any, Final, NamedTuple

from marb.edi.findings import IK403, WARNING
from marb.edi.values import MISSING, TOO_LONG, BadValue, parse_cents, parse_date, parse_period, parse_quantity

# 005010 allows ten digits. The bound keeps sums over a million claims inside numeric(18,2).
MOST_CENTS: Final = 10**12

LABELS: Final = {
    "BPR02": "payment amount",
    "BPR16": "payment date",
    "CLP01": "control number",
    "CLP02": "claim status",
    "CLP03": "claim charge",
    "CLP04": "amount paid for the claim",
    "CLP05": "patient responsibility",
    "SVC01": "procedure code",
    "SVC02": "line charge",
    "SVC03": "amount paid for the line",
    "SVC05": "number of units paid",
    "SVC07": "number of units billed",
    "CAS01": "adjustment group",
    "PLB02": "fiscal period date",
    "DTM02": "date",
    "DTM06": "date range",
    "AMT02": "amount",
    "QTY02": "quantity",
}
# CAS02 to CAS19 are six times reason, amount, quantity.
CAS_LABELS: Final = {2: "adjustment reason", 0: "adjustment amount", 1: "adjustment quantity"}


class BadElement(Exception):
    """An element that fills a column and cannot be read. `code` is from the IK403 list."""

    def __init__(self, number: int, bad: BadValue):
        super().__init__(bad.sentence)
        self.number = number
        self.code = bad.code
        self.sentence = bad.sentence


class Note(NamedTuple):
    """A finding that does not know its place yet."""

    level: str
    code_set: str
    code: str
    message: str
    element: int = 0
    component: int = 0


def label(segment_id: str, number: int) -> str:
    """Name an element in a biller's words, with its X12 name: `amount paid for the claim (CLP04)`."""
    name = f"{segment_id}{number:02d}"
    words = CAS_LABELS[number % 3] if segment_id == "CAS" and number > 1 else LABELS.get(name, "value")
    if segment_id == "PLB" and number > 2:
        words = "provider adjustment reason" if number % 2 else "provider adjustment amount"
    return f"{words} ({name})"


def text(elements: list[str], number: int) -> str:
    return elements[number].strip() if number < len(elements) else ""


def pair(elements: list[str]) -> tuple[str, str]:
    """Get the first two elements, which most segments of a qualifier and a value have."""
    if len(elements) > 2:
        return elements[1].strip(), elements[2].strip()
    return text(elements, 1), ""


@lru_cache(maxsize=65536)
def bounded_cents(value: str) -> int:
    found = parse_cents(value.strip())
    if -MOST_CENTS < found < MOST_CENTS:
        return found
    raise BadValue(TOO_LONG, "is ten billion dollars or more")


def cents(elements: list[str], number: int) -> int:
    """Get a required amount in cents. Raises BadElement."""
    try:
        return bounded_cents(elements[number])
    except IndexError:
        raise BadElement(number, BadValue(MISSING, "is empty")) from None
    except BadValue as bad:
        raise BadElement(number, bad) from None


def cents_or_none(elements: list[str], number: int) -> int | None:
    return cents(elements, number) if text(elements, number) else None


def quantity(elements: list[str], number: int) -> str | None:
    """Get a quantity as plain decimal text, None where it is left out. Raises BadElement."""
    value = elements[number].strip() if number < len(elements) else ""
    try:
        return parse_quantity(value) if value else None
    except BadValue as bad:
        raise BadElement(number, bad) from None


def day(elements: list[str], number: int) -> str | None:
    """Get a date (CCYYMMDD) as ISO text, None where it is left out. Raises BadElement."""
    value = elements[number].strip() if number < len(elements) else ""
    if not value:
        return None
    try:
        return parse_date(value)
    except BadValue as bad:
        raise BadElement(number, bad) from None


def period(elements: list[str]) -> tuple[str | None, str | None]:
    """Get the date of a DTM: DTM02, or the range in DTM05 and DTM06. Answers (from, to). Raises BadElement."""
    if len(elements) < 7 or elements[2].strip():
        return day(elements, 2), None
    try:
        return parse_period(text(elements, 5), text(elements, 6))
    except BadValue as bad:
        raise BadElement(6, bad) from None


def key(elements: list[str], number: int, width: int) -> str:
    """Get a text without which its row would mean something else. Raises BadElement where it does not fit."""
    value = elements[number].strip() if number < len(elements) else ""
    if len(value) > width:
        raise BadElement(number, BadValue(TOO_LONG, f"is longer than {width} characters"))
    return value


def fit(elements: list[str], number: int, width: int, detail: dict[str, Any], notes: list[Note]) -> str:
    """Get a text for a column of `width` characters; one that does not fit goes whole to `detail`."""
    value = elements[number].strip() if number < len(elements) else ""
    if len(value) <= width:
        return value
    name = f"{elements[0]}{number:02d}"
    detail.setdefault("oversize", {})[name] = value
    notes.append(Note(WARNING, IK403, TOO_LONG, f"The {label(elements[0], number)} is longer than its field.", number))
    return ""


def check_number(elements: list[str], number: int, notes: list[Note]) -> None:
    """Note a number that is none in an element that is kept as text (AMT, QTY)."""
    try:
        parse_quantity(text(elements, number))
    except BadValue as bad:
        notes.append(Note(WARNING, IK403, bad.code, f"The {label(elements[0], number)} {bad.sentence}.", number))


def missing(segment_id: str, number: int, level: str) -> Note:
    return Note(level, IK403, MISSING, f"The {label(segment_id, number)} is empty.", number)
