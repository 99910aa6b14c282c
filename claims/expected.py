"""What a chunk's claims are expected to be allowed: parsed claims in, amounts and reasons for their rows out.

A line is priced by its own date of service, so a claim across New Year takes two schedules, and procedures of two days
are not ranked among each other. The place is the ZIP of the service facility (loop 2310C or 2310E, NM1*77), where
Medicare pays by, else of the billing provider (2010AA). A claim has an expected amount when each of its lines has one.
Left out: places of a single line (2420C).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from claims.edi837.records import Document, ParsedClaim, ParsedLine
from claims.pricing import ToPrice, price_claims
from claims.rvu import Line, Price
from marb.edi.values import dollars
from marb.parties.resolve import payer_code

HCPCS_QUALIFIERS = frozenset(("HC", "AD"))
UNIT = "UN"
Cell = tuple[str | None, str]


class Expected(NamedTuple):
    """A claim's expected amount, and (amount or None, reason) of each line in their order; dollars as text for COPY."""

    amount: str | None
    lines: list[Cell]


def expect_claims(practice_id: int, claims: Sequence[ParsedClaim], payers: Mapping[str, int]) -> list[Expected]:
    """Price a chunk's claims; `payers` as marb.parties.resolve answers them. One query where the tables are warm."""
    asked = [list(parts_of(claim, payers)) for claim in claims]
    prices = iter(price_claims(practice_id, (to_price for parts in asked for _, to_price in parts)))
    return [
        gather([(places, next(prices)) for places, _ in parts], len(claim.lines))
        for claim, parts in zip(claims, asked, strict=True)
    ]


def parts_of(claim: ParsedClaim, payers: Mapping[str, int]) -> Iterator[tuple[Iterable[int], ToPrice]]:
    """Yield what to price of a claim, one part per date of service, each with its lines' places."""
    payer_id = payers.get(payer_code(claim.payer.code, claim.payer.name))
    place = claim.place_of_service_code if claim.facility_code_qualifier != "A" else ""
    lines = [line_of(line, place) for line in claim.lines]
    days = [line.service_from_date or claim.service_from_date or "" for line in claim.lines]
    about = (payer_id, zip_of(claim.providers), claim.claim_type, claim.filing_indicator_code)
    for day in dict.fromkeys(days):
        places = [at for at, of in enumerate(days) if of == day]
        yield places, ToPrice(*about, day, [lines[at] for at in places])


def line_of(line: ParsedLine, place: str) -> Line:
    """Say what pricing asks of a service line: SV101, SV105 or CLM05-1, SV104 where SV103 counts units."""
    code = line.procedure_code if line.procedure_qualifier in HCPCS_QUALIFIERS else ""
    units = line.unit_count if line.unit_code == UNIT else line.unit_code
    return Line(code, tuple(line.modifiers), line.place_of_service_code or place, units or "")


def zip_of(providers: Iterable[Document]) -> str:
    """Find the ZIP code of the place of service: of the service facility, else of the billing provider."""
    codes = {party.get("role"): (party.get("address") or {}).get("postal_code") for party in providers}
    return codes.get("77") or codes.get("85") or ""


def gather(parts: Iterable[tuple[Iterable[int], Sequence[Price]]], count: int) -> Expected:
    """Put the parts' prices in the order of the claim's lines, and sum them."""
    found = {at: price for places, prices in parts for at, price in zip(places, prices, strict=True)}
    ordered = [found[at] for at in range(count)]
    cents = [price.cents for price in ordered if price.cents is not None]
    amount = dollars(sum(cents)) if cents and len(cents) == count else None
    return Expected(amount, [cell_of(price) for price in ordered])


@lru_cache(maxsize=65536)
def cell_of(price: Price) -> Cell:
    return (None if price.cents is None else dollars(price.cents)), price.reason
