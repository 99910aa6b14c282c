"""Bulk writing: rows to PostgreSQL by COPY, ids reserved ahead from the sequence.

A row is a sequence of Python values in the order of `columns`: str, int, None (NULL), bool, Decimal, a list (array) or
Json (a jsonb document, encoded once). Text for COPY is made here and nowhere else. NUL, which PostgreSQL text refuses,
must have been refused before (marb.edi). Bulk rows send no signals: the caller bumps what it must.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from django.db import models
from django.db.backends.utils import CursorWrapper

BLOCK_ROWS = 2_000
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
ARRAY_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})


class Json:
    """A document for a jsonb column."""

    __slots__ = ("document",)

    def __init__(self, document: Any):
        self.document = document


def reserve_ids(cursor: CursorWrapper, model: type[models.Model], count: int) -> list[int]:
    """Take `count` new ids from the model's sequence. Ids of a rolled-back transaction are never used again."""
    if not count:
        return []
    cursor.execute(
        "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
        [model._meta.db_table, count],
    )
    return [row[0] for row in cursor.fetchall()]


def copy_rows(
    cursor: CursorWrapper, model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write rows into the model's table by COPY, inside the caller's transaction."""
    names = ", ".join(f'"{column}"' for column in columns)
    block: list[str] = []
    with cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as copy:
        for row in rows:
            block.append("\t".join(map(copy_text, row)))
            if len(block) == BLOCK_ROWS:
                copy.write(("\n".join(block) + "\n").encode())
                block.clear()
        if block:
            copy.write(("\n".join(block) + "\n").encode())


def copy_text(value: Any) -> str:
    """Write one value in COPY's text format."""
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(ESCAPES)
    if isinstance(value, Json):
        return orjson.dumps(value.document).decode().translate(ESCAPES)
    if isinstance(value, list):
        return array_text(value).translate(ESCAPES)
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)


def array_text(values: list[Any]) -> str:
    """Write a list as a PostgreSQL array literal; every element quoted."""
    return "{" + ",".join('"' + str(value).translate(ARRAY_ESCAPES) + '"' for value in values) + "}"
