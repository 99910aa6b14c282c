"""Payers and providers by what files call them: codes to row ids, rows made where they are missing.

Both readers make the code here, so that a claim's NM1*PR and a remittance's N1*PR of one payer meet in one row.
Each call is one SELECT when all are known. What is missing is inserted in one short statement of its own, in sorted
order and without regard to who was first, so that parallel loaders neither wait long nor deadlock. Never called inside
a chunk's transaction. Known rows are left as they are: what staff wrote on them is not overwritten by a file.
"""

from functools import lru_cache
from typing import NamedTuple

from django.db import connection

from marb.core.cache import touching

CODE_LENGTH = 80


class ProviderName(NamedTuple):
    """What a file says of a provider. Text longer than its column is cut; the whole stays with the claim."""

    npi: str
    name: str
    taxonomy_code: str
    tax_number: str


def payer_code(code: str, name: str) -> str:
    """Make a payer's code: the identifier (NM109, N104, REF*2U) in capitals, else the name; empty if neither."""
    return plain(code) or plain(name)


def provider_code(npi: str, name: str) -> str:
    """Make a provider's code: the NPI or other identifier (NM109), else the name in capitals; empty if neither."""
    return plain(npi) or plain(name)


@lru_cache(maxsize=16384)
def plain(text: str) -> str:
    return " ".join(text.split()).upper()[:CODE_LENGTH]


def resolve_payers(practice_id: int, names: dict[str, str]) -> dict[str, int]:
    """Find or make the payers of one practice: {payer code: name} to {payer code: id}, every code answered."""
    if not names:
        return {}
    known = find_payers(practice_id, list(names))
    missing = sorted(names.keys() - known.keys())
    if missing:
        with touching(practice_id, "party+"), connection.cursor() as cursor:
            cursor.execute(INSERT_PAYERS, [practice_id, missing, [names[code][:120] for code in missing]])
        known |= find_payers(practice_id, missing)
    return known


def resolve_providers(practice_id: int, providers: dict[str, ProviderName]) -> dict[str, int]:
    """Find or make the providers of one practice: {provider code: ProviderName} to {provider code: id}."""
    if not providers:
        return {}
    known = find_providers(practice_id, list(providers))
    missing = sorted(providers.keys() - known.keys())
    if missing:
        with touching(practice_id, "party+"), connection.cursor() as cursor:
            cursor.execute(INSERT_PROVIDERS, [practice_id, missing, *provider_columns(providers, missing)])
        known |= find_providers(practice_id, missing)
    return known


def provider_columns(providers: dict[str, ProviderName], codes: list[str]) -> list[list[str]]:
    rows = [providers[code] for code in codes]
    return [
        [row.npi if len(row.npi) == 10 else "" for row in rows],
        [row.name[:160] for row in rows],
        [row.taxonomy_code[:10] for row in rows],
        [row.tax_number[:20] for row in rows],
    ]


def find_payers(practice_id: int, codes: list[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(SELECT_PAYERS, [practice_id, codes])
        return dict(cursor.fetchall())


def find_providers(practice_id: int, codes: list[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(SELECT_PROVIDERS, [practice_id, codes])
        return dict(cursor.fetchall())


SELECT_PAYERS = "SELECT payer_code, id FROM parties_payer WHERE practice_id = %s AND payer_code = ANY(%s::text[])"
INSERT_PAYERS = """
INSERT INTO parties_payer (practice_id, payer_code, name, payer_type, rules)
SELECT %s, code, name, 'other', '{}'::jsonb FROM unnest(%s::text[], %s::text[]) AS given (code, name)
ON CONFLICT (practice_id, payer_code) DO NOTHING
"""
SELECT_PROVIDERS = (
    "SELECT provider_code, id FROM parties_provider WHERE practice_id = %s AND provider_code = ANY(%s::text[])"
)
INSERT_PROVIDERS = """
INSERT INTO parties_provider (practice_id, provider_code, npi, name, specialty, taxonomy_code, tax_number)
SELECT %s, code, npi, name, '', taxonomy_code, tax_number
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
    AS given (code, npi, name, taxonomy_code, tax_number)
ON CONFLICT (practice_id, provider_code) DO NOTHING
"""
