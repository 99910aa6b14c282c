"""X12 element values: amounts, dates and numbers, read strictly and in ASCII only.

`Decimal()` and `int()` accept exponents, underscores, blanks, NaN and Arabic digits; none of these is X12, so
each value passes a pattern first. A value that does not is a BadValue with the IK403 code (X12 721 list) of its
fault. Dates come back as ISO text, ready for COPY. What a value means is not judged here.
"""

import re
from datetime import date
from functools import lru_cache

AMOUNT = re.compile(r"(-?)([0-9]*)(?:\.([0-9]*))?", re.ASCII)
DATE = re.compile(r"[0-9]{8}", re.ASCII)
TIME = re.compile(r"([01][0-9]|2[0-3])([0-5][0-9])?([0-5][0-9])?([0-9]{1,2})?", re.ASCII)
MOST_DIGITS = 18
# numeric(18,2) takes sixteen; four fewer leave room for the sum of a file
MOST_WHOLE_DIGITS = 12

MISSING, TOO_LONG, INVALID_CHARACTER, INVALID_DATE, INVALID_TIME, TOO_PRECISE = "1", "5", "6", "8", "9", "I12"


class BadValue(ValueError):
    """A value that is not what its element asks for; `code` is from the IK403 list."""

    def __init__(self, code: str, sentence: str):
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@lru_cache(maxsize=65536)
def parse_cents(text: str) -> int:
    """Read an X12 amount (R or N2-free decimal) as integer cents. `12`, `12.5`, `.5`, `-12.50` are amounts."""
    matched = AMOUNT.fullmatch(text)
    if matched is None or not (matched[2] or matched[3]):
        raise bad_number(text)
    whole, fraction = matched[2], matched[3] or ""
    if len(whole) + len(fraction) > MOST_DIGITS or len(whole.lstrip("0")) > MOST_WHOLE_DIGITS:
        raise BadValue(TOO_LONG, f"has more than {MOST_DIGITS} digits, or {MOST_WHOLE_DIGITS} before the point")
    if len(fraction) > 2 and fraction[2:].strip("0"):
        raise BadValue(TOO_PRECISE, "has parts of a cent")
    cents = int(whole or "0") * 100 + int(fraction[:2].ljust(2, "0"))
    return -cents if matched[1] else cents


@lru_cache(maxsize=16384)
def parse_quantity(text: str) -> str:
    """Read an X12 quantity (R): the same number as plain decimal text, at most 18 digits, 6 of them fractional."""
    matched = AMOUNT.fullmatch(text)
    if matched is None or not (matched[2] or matched[3]):
        raise bad_number(text)
    whole, fraction = matched[2].lstrip("0") or "0", (matched[3] or "").rstrip("0")
    if len(whole) > 12:
        raise BadValue(TOO_LONG, "has more than 12 digits before the point")
    if len(fraction) > 6:
        raise BadValue(TOO_PRECISE, "has more than 6 digits after the point")
    number = f"{whole}.{fraction}" if fraction else whole
    return f"-{number}" if matched[1] and number != "0" else number


def bad_number(text: str) -> BadValue:
    if not text.strip():
        return BadValue(MISSING, "is empty")
    return BadValue(INVALID_CHARACTER, "is not a number")


@lru_cache(maxsize=16384)
def parse_date(text: str) -> str:
    """Read CCYYMMDD (X12 D8) as ISO text. Years 1800 to 2199 only: 0000 and 9999 are placeholders, not days."""
    if DATE.fullmatch(text) is None:
        raise BadValue(INVALID_DATE if text.strip() else MISSING, "is not a date of the form CCYYMMDD")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadValue(INVALID_DATE, "is a day that does not exist") from None
    if not 1800 <= day.year <= 2199:
        raise BadValue(INVALID_DATE, "has a year that cannot be meant")
    return day.isoformat()


@lru_cache(maxsize=16384)
def parse_period(qualifier: str, text: str) -> tuple[str, str | None]:
    """Read a DTP value: `D8` one day, `RD8` from-to; `DT` and `TM` keep their day part. Answers (from, to or None)."""
    if qualifier == "RD8" or (len(text) == 17 and text[8] == "-"):
        first, dash, last = text.partition("-")
        if not dash:
            raise BadValue(INVALID_DATE, "is not a range of the form CCYYMMDD-CCYYMMDD")
        start, end = parse_date(first), parse_date(last)
        if end < start:
            raise BadValue(INVALID_DATE, "is a range that ends before it begins")
        return start, end
    if qualifier == "DT" and len(text) == 12 and TIME.fullmatch(text[8:]):
        return parse_date(text[:8]), None
    return parse_date(text), None


def dollars(cents: int) -> str:
    """Write cents as plain dollars: 1250 -> `12.50`, -5 -> `-0.05`. The form COPY and X12 both take."""
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{cents // 100}.{cents % 100:02d}"
