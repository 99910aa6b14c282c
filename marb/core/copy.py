"""Bulk writing: rows to PostgreSQL by COPY, ids reserved ahead from the sequence.

A row is a sequence of Python values in the order of `columns`: str, int, None (NULL), bool, Decimal, a list (array),
and for a jsonb column any document of dicts and lists, plain or as Json. Text for COPY is made here and nowhere else.
NUL, which PostgreSQL text refuses, must have been refused before (marb.edi). Bulk rows send no signals: the caller
bumps what it must.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import orjson
from django.db import models
from django.db.backends.utils import CursorWrapper

BLOCK_ROWS = 500
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
EMPTY_DOCUMENTS = {list: "[]", dict: "{}"}
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
    with cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as copy:
        for block in copy_blocks(model, columns, rows):
            copy.write(block)


def copy_blocks(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Write rows in COPY's text format, BLOCK_ROWS at a time."""
    documents = document_places(model, columns)
    lines: list[str] = []
    for row in rows:
        lines.append(row_text(row, documents))
        if len(lines) == BLOCK_ROWS:
            yield ("\n".join(lines) + "\n").encode()
            lines.clear()
    if lines:
        yield ("\n".join(lines) + "\n").encode()


def document_places(model: type[models.Model], columns: Sequence[str]) -> list[int]:
    """Say which of the columns are jsonb, by their place."""
    documents = {field.column for field in model._meta.concrete_fields if isinstance(field, models.JSONField)}
    return [place for place, column in enumerate(columns) if column in documents]


def row_text(row: Sequence[Any], documents: Sequence[int]) -> str:
    """Write one row in COPY's text format.

    Hardly any value needs escapes, so the row is joined first and looked at once: it stands if its only tabs are the
    separators and its only backslashes are those of the NULLs. Otherwise every value is escaped.
    """
    values = list(row)
    for place in documents:
        if values[place] is not None:
            values[place] = document_text(values[place])
    texts = [value if value.__class__ is str else WRITERS.get(value.__class__, str)(value) for value in values]
    line = "\t".join(texts)
    if "\\" in line and line.count("\\") != values.count(None):
        return "\t".join(map(copy_text, values))
    if "\n" in line or "\r" in line or line.count("\t") >= len(texts):
        return "\t".join(map(copy_text, values))
    return line


def document_text(document: Any) -> str:
    if not document:
        return EMPTY_DOCUMENTS.get(document.__class__) or orjson.dumps(document).decode()
    return orjson.dumps(document.document if document.__class__ is Json else document).decode()


def copy_text(value: Any) -> str:
    """Write one value in COPY's text format, escaped."""
    if value is None:
        return "\\N"
    text = value if isinstance(value, str) else WRITERS.get(value.__class__, str)(value)
    return text.translate(ESCAPES)


def array_text(values: list[Any]) -> str:
    """Write a list as a PostgreSQL array literal; every element quoted."""
    if not values:
        return "{}"
    text = '","'.join(map(str, values))
    if "\\" in text or text.count('"') != 2 * (len(values) - 1):
        text = '","'.join(str(value).translate(ARRAY_ESCAPES) for value in values)
    return '{"' + text + '"}'


def null_text(value: None) -> str:
    return "\\N"


def bool_text(value: bool) -> str:
    return "t" if value else "f"


WRITERS: dict[type, Callable[[Any], str]] = {
    type(None): null_text,
    bool: bool_text,
    list: array_text,
    Json: lambda value: orjson.dumps(value.document).decode(),
}
