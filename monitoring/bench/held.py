"""Rows that are there already: what a file has left is multiplied in SQL until the tables hold as many as asked.

The copies differ in id, place and control number, so every index is as large and as spread as from real files.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, models, transaction

from claims.models import Claim, ServiceLine

GAP = 10**11
# a table's unique constraints and foreign keys, and the indexes that are no constraint's, as (name, definition)
CONSTRAINTS = """
SELECT quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s::regclass AND contype IN ('u', 'f') ORDER BY contype DESC, conname
"""
INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
ORDER BY 1
"""


def hold(count: int, *, with_lines: bool = True) -> int:
    """Multiply the claims and lines that are there to at least `count` claims; answers how many there are."""
    first, stride, there = shape()
    copies = range(there // first, -(-count // first))
    if copies:
        own = {"id": f"id + {stride} * copy", "patient_control_number": "patient_control_number || '-' || copy"}
        multiply(Claim, {**own, **moved()}, copies, stride - 1)
    if copies and with_lines:
        multiply(ServiceLine, {"claim_id": f"claim_id + {stride} * copy"}, copies, stride - 1)
    finish()
    return Claim.objects.count()


def shape() -> tuple[int, int, int]:
    """How many claims came from files, a stride that is wider than their ids, and how many there are with copies."""
    first = f"FILTER (WHERE byte_offset < {GAP})"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {first}, max(id) {first} + 1, count(*) FROM claims_claim")
        return cursor.fetchone()


def moved() -> dict[str, str]:
    return {"byte_offset": f"byte_offset + {GAP} * copy", "byte_end": f"byte_end + {GAP} * copy"}


def multiply(model: type[models.Model], changes: dict[str, str], copies: range, last: int) -> None:
    """Insert the rows up to the claim `last` once for each number `copy`, with these columns changed; other ids come
    from the sequence. All in one statement, without the indexes, which are built anew from the whole."""
    columns = [str(field.column) for field in model._meta.concrete_fields if field.column != "id" or "id" in changes]
    values = [changes.get(column, f"rows.{column}") for column in columns]
    first = "id" if model is Claim else "claim_id"
    with transaction.atomic(), connection.cursor() as cursor, without_indexes(cursor, model._meta.db_table):
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {', '.join(values)} "
            f"FROM generate_series({copies.start}, {copies.stop - 1}) AS copy, LATERAL ("
            # named with `copy`, so that each copy is read in the order of its ids, and nothing large is sorted
            f"SELECT * FROM {model._meta.db_table} WHERE {first} <= {last} AND copy > 0 ORDER BY {first}) AS rows"
        )


@contextmanager
def without_indexes(cursor: Any, table: str) -> Iterator[None]:
    """Drop a table's indexes and foreign keys, all but its primary key, and make them again as they were."""
    cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
    cursor.execute(CONSTRAINTS, [table])
    constraints = cursor.fetchall()
    cursor.execute(INDEXES, [table])
    indexes = cursor.fetchall()
    for name, _ in constraints:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        cursor.execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        cursor.execute(definition)
    for name, definition in constraints:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def finish() -> None:
    """Move the sequence past the copies, and let the planner know the tables as they are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('claims_claim', 'id'), max(id)) FROM claims_claim")
        cursor.execute("VACUUM ANALYZE claims_claim, claims_serviceline")
        cursor.execute("CHECKPOINT")
