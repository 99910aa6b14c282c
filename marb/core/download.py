"""A list as a file: `<list>/export/csv/` and `<list>/export/ndjson/`, every row that the list's filters leave.

The same rows, columns, scope and masks as the list itself. Memory is constant: a batch of rows is read after the key
of the one before, so neither a cursor nor a connection is held while a slow reader takes its time, and a batch costs
the same at any depth. Rows that arrive meanwhile may be in it or not; no row is in it twice.
"""

import csv
import datetime
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from marb.core.export import Echo, Leaving, cells_of
from marb.core.paginator import walk
from marb.core.pool import give_back
from marb.core.reads import note
from marb.core.renderer import CsvRenderer, EdiRenderer, NdjsonRenderer, OrjsonRenderer, plain
from marb.core.schema import MOST_ROWS
from marb.core.slots import take_slot
from marb.core.viewsets import Answers, ReadOnlyViewSet, get_shape, select


class DownloadViewSet(ReadOnlyViewSet):
    """A list that can be had as a file."""

    list_actions = (*ReadOnlyViewSet.list_actions, "export_csv", "export_ndjson")

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[OrjsonRenderer, str]:
        """Refuse what an action does not answer (406). What is not streamed, an error too, is JSON."""
        super().perform_content_negotiation(request, force)
        return OrjsonRenderer(), OrjsonRenderer.media_type

    @extend_schema(responses={(200, "text/csv"): str})
    @action(detail=False, url_path="export/csv", renderer_classes=[CsvRenderer, OrjsonRenderer])
    def export_csv(self, request: Request, *args: Any, **kwargs: Any) -> StreamingHttpResponse:
        """Answer every row as CSV, a header line first; no cell that a spreadsheet would run."""
        return self.stream("csv", "text/csv; charset=utf-8", csv_of)

    @extend_schema(responses={(200, "application/x-ndjson"): str})
    @action(detail=False, url_path="export/ndjson", renderer_classes=[NdjsonRenderer, OrjsonRenderer])
    def export_ndjson(self, request: Request, *args: Any, **kwargs: Any) -> StreamingHttpResponse:
        """Answer every row as one JSON document a line, as the list shows it."""
        return self.stream("ndjson", "application/x-ndjson", ndjson_of)

    def stream(self, form: str, content_type: str, write: Callable[..., Iterator[bytes]]) -> StreamingHttpResponse:
        """Begin the answer; what is wrong with the request is said before it, by an error."""
        batches = Batches(self, form)
        note(self.request, (), "export")
        slot = take_slot(self.request.user.pk, settings.EXPORT_MOST_SECONDS)
        response = StreamingHttpResponse(write(self.column_names(), batches), content_type=content_type)
        response._resource_closers += [slot.release, batches.leaving.tell]  # type: ignore[attr-defined]
        response["Content-Disposition"] = f'attachment; filename="{self.kind or self.basename}.{form}"'
        return response

    def column_names(self) -> list[str]:
        names = list(self.chosen(get_shape(self.serializer_class)).columns)
        text = self.request.query_params.get("expand")
        return names + (text.split(",") if text else [])


class Batches:
    """The rows of an export as they are shown, a batch at a time. Reads the first batch at once."""

    def __init__(self, view: Any, form: str):
        self.view, self.leaving = view, Leaving(view.request._request, form)
        shape = view.chosen(get_shape(view.serializer_class))
        ordering = view.paginator.get_ordering(view.request, view.orderings)
        queryset = select(view.filter_queryset(view.get_queryset()), shape, [ordering.removeprefix("-")])
        self.shape, self.pages = shape, walk(queryset, ordering, most_rows(view))
        self.rows: list[Any] = []
        # what no row comes of is refused as well
        view.parts()
        self.first = self.read()

    def read(self) -> Answers:
        self.rows = rows = next(self.pages, [])
        return self.view.with_parts(rows, self.view.show_rows(rows, self.shape)) if rows else []

    def __iter__(self) -> Iterator[Answers]:
        shown = self.first
        while shown:
            # counted before it is handed over: what was handed over and not asked on may have left
            self.leaving.rows.update(row["practice_id"] for row in self.rows)
            # the reader may be slow: no connection waits for it
            give_back()
            yield shown
            shown = self.read()


def send_edi(content: bytes, name: str) -> HttpResponse:
    """Answer X12 as a file to be saved. `name` holds nothing that a person wrote."""
    response = HttpResponse(content, content_type=EdiRenderer.media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def most_rows(view: Any) -> int:
    return int(view.paginator.get_limit(view.request, default=MOST_ROWS, most=MOST_ROWS))


def ndjson_of(names: Sequence[str], batches: Batches) -> Iterator[bytes]:
    for shown in batches:
        yield b"".join(orjson.dumps(row, default=plain, option=orjson.OPT_APPEND_NEWLINE) for row in shown)


def csv_of(names: Sequence[str], batches: Batches) -> Iterator[bytes]:
    writer = csv.writer(Echo())
    yield writer.writerow(names).encode()
    for shown in batches:
        lines = (writer.writerow(cells_of(cell(row[name]) for name in names)) for row in shown)
        yield "".join(lines).encode()


def cell(value: Any) -> object:
    """Write dates as JSON does, and what has parts as JSON; the rest is marb.core.export's."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, dict | list):
        return orjson.dumps(value, default=plain).decode()
    return value
