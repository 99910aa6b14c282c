"""How the sample writes values: amounts from cents, dates from ordinals, identifiers with their check digits."""

from datetime import date
from functools import lru_cache


@lru_cache(maxsize=65536)
def money(cents: int) -> str:
    """Write cents as an X12 amount without trailing zeros: 7250 is `72.5`, 0 is `0`."""
    sign, size = ("-", -cents) if cents < 0 else ("", cents)
    if size % 100 == 0:
        return f"{sign}{size // 100}"
    return f"{sign}{size // 100}.{size % 100:02d}".rstrip("0")


@lru_cache(maxsize=8192)
def day(ordinal: int) -> str:
    """Write a day (proleptic ordinal) as CCYYMMDD."""
    return date.fromordinal(ordinal).strftime("%Y%m%d")


@lru_cache(maxsize=8192)
def year_day(ordinal: int) -> str:
    """Write a day as YYDDD, the way payers begin their claim numbers."""
    return date.fromordinal(ordinal).strftime("%y%j")


def npi(number: int) -> str:
    """Make an NPI that passes the Luhn check (80840 before it) from a number below 10**8.

    It begins with 2, which is legal and not given to anybody yet.
    """
    body = f"2{number:08d}"
    total = 24
    for place, digit in enumerate(reversed(body)):
        doubled = int(digit) * 2 if place % 2 == 0 else int(digit)
        total += doubled - 9 if doubled > 9 else doubled
    return body + str(-total % 10)
