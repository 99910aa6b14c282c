"""What claims are expected to be allowed: parsed or stored claims in, amounts and reasons for their rows out.

A line is priced by its own date of service, so a claim across New Year takes two schedules, and procedures of two days
are not ranked among each other. The place is the ZIP code of the service facility (loop 2310C or 2310E, NM1*77), where
Medicare pays by, else of the billing provider (2010AA). A claim has an expected amount when each of its lines has one.
Left out: places of a single line (2420C).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import NamedTuple

from claims.edi837.records import Document, ParsedClaim, ParsedLine
from claims.pricing import Book, ToPrice, open_book
from claims.rvu import Line, Price
from marb.edi.values import dollars
from marb.parties.resolve import payer_code

HCPCS_QUALIFIERS = frozenset(("HC", "AD"))
UNIT = "UN"
Cell = tuple[str | None, str]


class Priceable(NamedTuple):
    """What pricing asks of a claim, parsed or stored. `days` are its lines' dates of service, ISO or ""."""

    payer_id: int | None
    zip_code: str
    claim_type: str
    filing_indicator_code: str
    days: list[str]
    lines: list[Line]


class Expected(NamedTuple):
    """A claim's expected amount, and (amount or None, reason) of each line in their order; dollars as text for COPY."""

    amount: str | None
    lines: list[Cell]


def expect_claims(practice_id: int, claims: Sequence[ParsedClaim], payers: Mapping[str, int]) -> list[Expected]:
    """Price a chunk's claims; `payers` as marb.parties.resolve answers them. One query where the tables are warm."""
    book = open_book(practice_id)
    payer_ids = {party: payers.get(payer_code(party.code, party.name)) for party in {claim.payer for claim in claims}}
    return [expect_claim(book, claim, payer_ids[claim.payer]) for claim in claims]


def expect_claim(book: Book, claim: ParsedClaim, payer_id: int | None) -> Expected:
    """Price a claim. One of a single day whose lines were priced before, by the same table, is answered at once."""
    lines = claim.lines
    days = {line.service_from_date for line in lines}
    if len(days) != 1:
        return expect(book, priceable(claim, payer_id))
    day = days.pop() or claim.service_from_date or ""
    table = book.find_table(payer_id, zip_of(claim.providers), claim.claim_type, claim.filing_indicator_code, day)
    if isinstance(table, str):
        return Expected(None, [(None, table)] * len(lines))
    services = [SHAPES.get(line.service_key) or shape_of(line) for line in lines]
    shape = (claim.facility_code_qualifier, claim.place_of_service_code, *services)
    found: Expected | None = table.shapes.get(shape)
    if found is None:
        found = expect(book, priceable(claim, payer_id))
        table.remember_shape(shape, found)
    else:
        table.looked_up += len(lines)
    return found


# a number for all that a line's price depends on but its day; by the SVx, and by what it says: amounts differ more
# often than procedures. A number is never used again, for tables remember it.
SHAPES: dict[str, int] = {}
SAID: dict[tuple[str | None, ...], int] = {}
MOST_REMEMBERED = 50_000
numbers = count(1)


def shape_of(line: ParsedLine) -> int:
    """Number a line's service by what its price depends on."""
    if len(SHAPES) >= MOST_REMEMBERED:
        SHAPES.clear()
        SAID.clear()
    codes = (line.procedure_qualifier, line.procedure_code, *line.modifiers)
    said = (line.unit_count, line.unit_code, line.place_of_service_code, *codes)
    number = SHAPES[line.service_key] = SAID.get(said) or next(numbers)
    SAID[said] = number
    return number


def priceable(claim: ParsedClaim, payer_id: int | None) -> Priceable:
    place = "" if claim.facility_code_qualifier == "A" else claim.place_of_service_code
    days = [line.service_from_date or claim.service_from_date or "" for line in claim.lines]
    lines = [line_of(line, place) for line in claim.lines]
    zip_code = zip_of(claim.providers)
    return Priceable(payer_id, zip_code, claim.claim_type, claim.filing_indicator_code, days, lines)


def line_of(line: ParsedLine, place: str) -> Line:
    """Say what pricing asks of a service line: SV101, SV105 or CLM05-1, SV104 where SV103 counts units."""
    code = line.procedure_code if line.procedure_qualifier in HCPCS_QUALIFIERS else ""
    units = line.unit_count if line.unit_code == UNIT else line.unit_code
    return Line(code, tuple(line.modifiers), line.place_of_service_code or place, units or "")


def zip_of(providers: Iterable[Document]) -> str:
    """Find the ZIP code of the place of service: of the service facility, else of the billing provider."""
    found = ""
    for party in providers:
        role = party.get("role")
        if role in ("77", "85"):
            code: str = party.get("address", {}).get("postal_code", "")
            if code and role == "77":
                return code
            found = found or code
    return found


def expect(book: Book, claim: Priceable) -> Expected:
    """Price a claim, each of its days apart, and sum its lines."""
    prices: dict[str, Iterator[Price]] = {}
    for day in dict.fromkeys(claim.days):
        lines = [line for line, of in zip(claim.lines, claim.days, strict=True) if of == day]
        prices[day] = iter(book.price(ToPrice(*claim[:4], day, lines)))
    found = [next(prices[day]) for day in claim.days]
    cents = [price.cents for price in found if price.cents is not None]
    is_whole = bool(cents) and len(cents) == len(found)
    return Expected(dollars(sum(cents)) if is_whole else None, [cell_of(price) for price in found])


@lru_cache(maxsize=16384)
def cell_of(price: Price) -> Cell:
    return (None if price.cents is None else dollars(price.cents)), price.reason
