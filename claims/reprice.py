"""Pricing claims that are stored already: those loaded before their schedule or contract, or priced by an older one.

Claims go by in the order of their ids, a block at a time: one read of the claims, one of their lines, one UPDATE of
either table, and only of rows whose price or reason has changed. A block is a transaction of its own: a run that is
stopped has done what it has done, and running twice changes nothing. The prices are those of a load (claims.expected).
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from claims.expected import HCPCS_QUALIFIERS, UNIT, Expected, Priceable, expect
from claims.pricing import open_book
from claims.rvu import Line
from marb.core.cache import touch

BLOCK_CLAIMS = 2_000
Row = tuple[Any, ...]


class Block(NamedTuple):
    """What a block came to: claims and lines seen, claims and lines whose row was written, the last claim's id."""

    claims: int
    lines: int
    claims_changed: int
    lines_changed: int
    last_id: int


def reprice(practice_id: int, first_date: date | None) -> Iterator[Block]:
    """Price a practice's claims again, those with a date of service from `first_date` on; yields each block."""
    last_id = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            block = reprice_block(cursor, practice_id, first_date, last_id)
            if block.claims_changed or block.lines_changed:
                touch(practice_id, "claim")
        if not block.claims:
            return
        yield block
        last_id = block.last_id


def reprice_block(cursor: CursorWrapper, practice_id: int, first_date: date | None, last_id: int) -> Block:
    cursor.execute(
        SELECT_CLAIMS, {"practice": practice_id, "after": last_id, "from": first_date, "count": BLOCK_CLAIMS}
    )
    claims = cursor.fetchall()
    if not claims:
        return Block(0, 0, 0, 0, last_id)
    cursor.execute(SELECT_LINES, [[claim[0] for claim in claims]])
    lines: dict[int, list[Row]] = {}
    for row in cursor.fetchall():
        lines.setdefault(row[1], []).append(row)
    asked = [priceable(claim, lines.get(claim[0], [])) for claim in claims]
    book = open_book(practice_id)
    expected = [expect(book, claim) for claim in asked]
    changed = write_claims(cursor, claims, expected), write_lines(cursor, claims, lines, expected)
    return Block(len(claims), sum(map(len, lines.values())), *changed, claims[-1][0])


def priceable(claim: Row, lines: Sequence[Row]) -> Priceable:
    """Say of a stored claim what claims.expected says of a parsed one."""
    _, payer_id, claim_type, filing_code, place, zip_code, _ = claim
    asked = [line_of(row, place) for row in lines]
    return Priceable(payer_id, zip_code, claim_type, filing_code, [row[2] or "" for row in lines], asked)


def line_of(row: Row, place: str) -> Line:
    _, _, _, qualifier, code, modifiers, own_place, units, unit_code, _, _ = row
    counted = units if unit_code == UNIT else unit_code
    return Line(code if qualifier in HCPCS_QUALIFIERS else "", tuple(modifiers), own_place or place, counted or "")


def write_claims(cursor: CursorWrapper, claims: Sequence[Row], expected: Sequence[Expected]) -> int:
    rows = [
        (claim[0], now.amount) for claim, now in zip(claims, expected, strict=True) if amount(now.amount) != claim[-1]
    ]
    if rows:
        cursor.execute(UPDATE_CLAIMS, list(map(list, zip(*rows, strict=True))))
    return len(rows)


def write_lines(
    cursor: CursorWrapper, claims: Sequence[Row], lines: dict[int, list[Row]], expected: Sequence[Expected]
) -> int:
    rows = [
        (row[0], *cell)
        for claim, now in zip(claims, expected, strict=True)
        for row, cell in zip(lines.get(claim[0], []), now.lines, strict=True)
        if (amount(cell[0]), cell[1]) != row[-2:]
    ]
    if rows:
        cursor.execute(UPDATE_LINES, list(map(list, zip(*rows, strict=True))))
    return len(rows)


def amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


# the ZIP code as claims.expected.zip_of finds it; locked, so that two runs wait for each other
SELECT_CLAIMS = """
SELECT id, payer_id, claim_type, filing_indicator_code,
    CASE WHEN facility_code_qualifier = 'A' THEN '' ELSE place_of_service_code END,
    coalesce(
        jsonb_path_query_first(providers, '$[*] ? (@.role == "77" && @.address.postal_code != "").address.postal_code'),
        jsonb_path_query_first(providers, '$[*] ? (@.role == "85" && @.address.postal_code != "").address.postal_code'),
        '""') #>> '{}',
    expected_amount
FROM claims_claim
WHERE practice_id = %(practice)s AND id > %(after)s
    AND (%(from)s::date IS NULL OR service_from_date >= %(from)s::date OR service_from_date IS NULL)
ORDER BY id LIMIT %(count)s FOR NO KEY UPDATE
"""
SELECT_LINES = """
SELECT line.id, line.claim_id, coalesce(line.service_from_date, claim.service_from_date)::text,
    line.procedure_qualifier, line.procedure_code, line.modifiers, line.place_of_service_code,
    trim_scale(line.unit_count)::text, line.unit_code, line.expected_amount, line.expected_reason
FROM claims_serviceline AS line JOIN claims_claim AS claim ON claim.id = line.claim_id
WHERE line.claim_id = ANY(%s) ORDER BY line.claim_id, line.line_number
"""
UPDATE_CLAIMS = """
UPDATE claims_claim SET expected_amount = given.amount
FROM unnest(%s::bigint[], %s::numeric[]) AS given (id, amount) WHERE claims_claim.id = given.id
"""
UPDATE_LINES = """
UPDATE claims_serviceline SET expected_amount = given.amount, expected_reason = given.reason
FROM unnest(%s::bigint[], %s::numeric[], %s::text[]) AS given (id, amount, reason)
WHERE claims_serviceline.id = given.id
"""
