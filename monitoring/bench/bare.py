"""The bare tool: the same rows into the same tables with the same indexes by COPY alone, on two connections.

The rows that a load has just left are written to files, the tables are emptied, and two connections copy a half each,
parents first, each in one transaction. Nothing is read, made or checked but what PostgreSQL does by itself: the time
that is left is the floor under every loader into these tables.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey
from psycopg.conninfo import make_conninfo

from monitoring.bench.house import empty

BLOCK_BYTES = 1 << 20
CLAIMS = (("claims_claim", "id"), ("claims_serviceline", "claim_id"))
REMITTANCES = (
    ("remits_remittance", "id"),
    ("remits_remittanceline", "remittance_id"),
    ("remits_adjustment", "remittance_id"),
)


class Half(NamedTuple):
    """What one connection copies: (table, file) in the order of writing."""

    files: list[tuple[str, Path]]


def export(folder: Path, tables: tuple[tuple[str, str], ...]) -> list[Half]:
    """Write the tables' rows in two halves by the id of the first table; findings follow their claim's half."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY id) FROM {tables[0][0]}")
        middle = cursor.fetchone()[0]
        cursor.execute("SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY id) FROM pipeline_finding")
        some = cursor.fetchone()[0] or 0
    halves: list[Half] = []
    for sign in ("<=", ">"):
        parts = [(table, f"{key} {sign} {middle}") for table, key in tables]
        parts.append(("pipeline_finding", f"id {sign} {some}"))
        halves.append(Half([(table, write(folder, table, where, len(halves))) for table, where in parts]))
    return halves


def write(folder: Path, table: str, where: str, half: int) -> Path:
    path = folder / f"{table}-{half}.copy"
    taken = f"COPY (SELECT * FROM {table} WHERE {where} ORDER BY id) TO STDOUT"
    with connection.cursor() as cursor, cursor.copy(taken) as rows, path.open("wb") as out:
        for block in rows:
            out.write(block)
    return path


def copy(halves: list[Half]) -> float:
    """Empty the tables and copy both halves at once. Answers the seconds to the later commit."""
    empty(tuple(tables_of(halves)))
    connections = [psycopg.connect(address()) for _ in halves]
    threads = [threading.Thread(target=fill, args=pair) for pair in zip(connections, halves, strict=True)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - started


@contextmanager
def every_foreign_key(halves: list[Half]) -> Iterator[None]:
    """Give the tables, for as long as the block runs, the foreign keys that the product leaves out for speed."""
    keys = [key for table in tables_of(halves) for key in unchecked(table)]
    with connection.cursor() as cursor:
        for table, column, other in keys:
            cursor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT bench_{column} FOREIGN KEY ({column}) REFERENCES {other} (id) "
                "DEFERRABLE INITIALLY DEFERRED NOT VALID"
            )
        yield
        for table, column, _ in keys:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT bench_{column}")


def tables_of(halves: list[Half]) -> list[str]:
    return sorted({table for half in halves for table, _ in half.files})


def unchecked(table: str) -> list[tuple[str, str, str]]:
    """List a table's foreign keys without a constraint: (table, column, the table it points to)."""
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    fields = [field for field in model._meta.concrete_fields if isinstance(field, ForeignKey)]
    found = [field for field in fields if not field.db_constraint]
    return [(table, field.column, field.related_model._meta.db_table) for field in found]


def fill(link: "psycopg.Connection[tuple[object, ...]]", half: Half) -> None:
    with link, link.cursor() as cursor:
        for table, path in half.files:
            with cursor.copy(f"COPY {table} FROM STDIN") as out, path.open("rb") as rows:
                while block := rows.read(BLOCK_BYTES):
                    out.write(block)


def address() -> str:
    """How to reach the database in use, for a connection beside Django's."""
    known = connection.settings_dict
    names = {"host": "HOST", "port": "PORT", "dbname": "NAME", "user": "USER", "password": "PASSWORD"}
    return make_conninfo("", **{word: known[name] for word, name in names.items() if known[name]})
