"""Rows that are there already: what a file has left is multiplied in SQL until the tables hold as many as asked.

The copies differ in id, place and control number, so every index is as large and as spread as from real files.
"""

from django.db import connection, models

from claims.models import Claim, ServiceLine

GAP = 10**11


def hold(count: int, *, with_lines: bool = True) -> int:
    """Multiply the claims and lines that are there to at least `count` claims; answers how many there are."""
    first, stride, there = shape()
    for copy in range(there // first, -(-count // first)):
        multiply(Claim, {"id": f"id + {stride * copy}", **moved(copy), "patient_control_number": renumbered(copy)})
        if with_lines:
            multiply(ServiceLine, {"claim_id": f"claim_id + {stride * copy}"})
    finish()
    return Claim.objects.count()


def shape() -> tuple[int, int, int]:
    """How many claims came from files, a stride that is wider than their ids, and how many there are with copies."""
    first = f"FILTER (WHERE byte_offset < {GAP})"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {first}, max(id) {first} + 1, count(*) FROM claims_claim")
        return cursor.fetchone()


def moved(copy: int) -> dict[str, str]:
    return {"byte_offset": f"byte_offset + {GAP * copy}", "byte_end": f"byte_end + {GAP * copy}"}


def renumbered(copy: int) -> str:
    return f"patient_control_number || '-{copy}'"


def multiply(model: type[models.Model], changes: dict[str, str]) -> None:
    """Insert the first file's rows again with these columns changed; other ids come from the sequence."""
    columns = [str(field.column) for field in model._meta.concrete_fields if field.column != "id" or "id" in changes]
    values = [changes.get(column, column) for column in columns]
    first = "id" if model is Claim else "claim_id"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {', '.join(values)} "
            f"FROM {model._meta.db_table} "
            f"WHERE {first} <= (SELECT max(id) FROM claims_claim WHERE byte_offset < {GAP})"
        )


def finish() -> None:
    """Move the sequence past the copies, and let the planner know the tables as they are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('claims_claim', 'id'), max(id)) FROM claims_claim")
        cursor.execute("VACUUM ANALYZE claims_claim, claims_serviceline")
        cursor.execute("CHECKPOINT")
