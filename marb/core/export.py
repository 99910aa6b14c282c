"""Rows as CSV, streamed: constant memory, nothing that a spreadsheet would run.

A text cell that begins like a formula gets an apostrophe before it; numbers stay numbers, also negative ones. Every
export tells when it has ended how many rows have left (`exported`), also one that was broken off.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.dispatch import Signal
from django.http import HttpRequest, StreamingHttpResponse

Column = tuple[str, Callable[[Any], object]]
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00")
ROWS_AT_ONCE = 2_000

# after an export has ended: `request` (Django's), `form`, `rows` (how many went out, by practice id)
exported = Signal()


class Leaving:
    """The rows of one export that have left, counted by practice."""

    def __init__(self, request: HttpRequest, form: str):
        self.request, self.form = request, form
        self.rows: Counter[int | None] = Counter()
        self.is_told = False

    def tell(self) -> None:
        """Tell it once, however often the answer is closed."""
        if self.is_told:
            return
        self.is_told = True
        exported.send(sender=Leaving, request=self.request, form=self.form, rows=dict(self.rows))


class Echo:
    """A file for csv.writer that hands back what is written."""

    def write(self, text: str) -> str:
        return text


def stream_csv(
    request: HttpRequest, name: str, columns: tuple[Column, ...], rows: QuerySet[Any]
) -> StreamingHttpResponse:
    """Answer rows as `name`.csv, a header line first."""
    leaving = Leaving(request, "csv")
    response = StreamingHttpResponse(lines_of(columns, rows, leaving), content_type="text/csv; charset=utf-8")
    response._resource_closers.append(leaving.tell)  # type: ignore[attr-defined]
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def lines_of(columns: tuple[Column, ...], rows: QuerySet[Any], leaving: Leaving) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield writer.writerow([header for header, _ in columns])
    for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
        # counted before it is handed over: what was handed over and not asked on may have left
        leaving.rows[getattr(row, "practice_id", None)] += 1
        yield writer.writerow(cells_of([value(row) for _, value in columns]))


def cells_of(values: Iterable[object]) -> list[str]:
    return [plain_cell(value) for value in values]


def plain_cell(value: object) -> str:
    """Write one cell: `=1+1` as `'=1+1`, Decimal -12.50 as -12.50, None as nothing."""
    if value is None:
        return ""
    text = str(value)
    if isinstance(value, int | Decimal) or not text.lstrip(" ").startswith(FORMULA_STARTS):
        return text
    return f"'{text}"
