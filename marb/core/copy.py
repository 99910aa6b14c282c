"""Bulk writing: rows to PostgreSQL by COPY, ids reserved ahead from the sequence.

A row is a sequence of Python values in the order of `columns`: str, int, None (NULL), bool, Decimal, a list (array),
and for a jsonb column any document of dicts and lists, plain or as Json. Text for COPY is made here and nowhere else.
NUL, which PostgreSQL text refuses, must have been refused before (marb.edi). Bulk rows send no signals: the caller
bumps what it must.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple

import orjson
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.backends.utils import CursorWrapper

BLOCK_ROWS = 500
NULL = "\\N"
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
    # the sequence is looked up once: in the row of each id it would cost five times as much
    cursor.execute(
        "SELECT coalesce(array_agg(nextval(found.sequence)), '{}') FROM "
        "(SELECT pg_get_serial_sequence(%s, 'id')::regclass AS sequence OFFSET 0) found, generate_series(1, %s)",
        [model._meta.db_table, count],
    )
    ids: list[int] = cursor.fetchone()[0]
    return ids


class Column(NamedTuple):
    """How one column's values become text; None where they are text already."""

    write: Callable[[Any], str] | None
    is_nullable: bool
    is_document: bool


def copy_rows(
    cursor: CursorWrapper, model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write rows into the model's table by COPY, inside the caller's transaction."""
    names = ", ".join(f'"{column}"' for column in columns)
    with cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as copy:
        for block in copy_blocks(model, columns, rows):
            copy.write(block)


def copy_texts(cursor: CursorWrapper, model: type[models.Model], columns: Sequence[str], texts: Iterable[str]) -> None:
    """Write rows that are COPY's text already, each with its line end, inside the caller's transaction."""
    names = ", ".join(f'"{column}"' for column in columns)
    waiting = iter(texts)
    with cursor.copy(f'COPY "{model._meta.db_table}" ({names}) FROM STDIN') as copy:
        while block := "".join(islice(waiting, BLOCK_ROWS)):
            copy.write(block.encode())


def copy_blocks(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Write rows in COPY's text format, BLOCK_ROWS at a time."""
    kinds = columns_of(model, columns)
    waiting = iter(rows)
    while block := list(islice(waiting, BLOCK_ROWS)):
        yield block_text(block, kinds).encode()


def columns_of(model: type[models.Model], names: Sequence[str]) -> list[Column]:
    """Say how the model's columns are written, in the order of their names."""
    fields = {field.column: field for field in model._meta.concrete_fields}
    return [Column(writer_of(fields[name]), fields[name].null, is_document(fields[name])) for name in names]


def writer_of(field: "models.Field[Any, Any]") -> Callable[[Any], str] | None:
    if is_document(field):
        return document_text
    if isinstance(field, ArrayField):
        return array_text
    if isinstance(field, models.BooleanField):
        return bool_text
    return None if isinstance(field, models.CharField | models.TextField) and not field.null else str


def is_document(field: "models.Field[Any, Any]") -> bool:
    return isinstance(field, models.JSONField)


def block_text(rows: Sequence[Sequence[Any]], columns: Sequence[Column]) -> str:
    """Write rows in COPY's text format, a column at a time.

    Hardly any value needs escapes, so the block is looked at once, as a whole: it stands if its only tabs and line
    ends are the separators and its only backslashes those of the NULLs. Otherwise it is written row by row.
    """
    nulls, texts = 0, []
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        if column.is_nullable:
            nulls += values.count(None)
        texts.append(column_texts(column, values))
    text = "\n".join(map("\t".join, zip(*texts, strict=True))) + "\n"
    marks = (text.count("\\"), text.count("\n"), text.count("\t"), "\r" in text)
    if marks == (nulls, len(rows), len(rows) * (len(columns) - 1), False):
        return text
    documents = [place for place, column in enumerate(columns) if column.is_document]
    return "\n".join([row_text(row, documents) for row in rows]) + "\n"


def column_texts(column: Column, values: tuple[Any, ...]) -> Sequence[str]:
    write = column.write
    if column.is_nullable and write is not None:
        return ["\\N" if value is None else write(value) for value in values]
    return values if write is None else list(map(write, values))


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


def stands(text: str, columns: int, nulls: int) -> bool:
    """Say whether a row of so many columns, joined as they are, is COPY's text: nothing in it needs escapes."""
    marks = (text.count("\t"), text.count("\\"), "\n" in text, "\r" in text)
    return marks == (columns - 1, nulls, False, False)


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
    return literal(tuple(values)) if values else "{}"


@lru_cache(maxsize=16384)
def literal(values: tuple[Any, ...]) -> str:
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
