"""JSON bytes by orjson; Decimal as text, so that no dollar passes through a float."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer


class OrjsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=plain)


class CsvRenderer(OrjsonRenderer):
    """Lets a caller ask for text/csv: the rows are streamed by the view, an error is JSON all the same."""

    media_type = "text/csv"
    format = "csv"


class NdjsonRenderer(OrjsonRenderer):
    media_type = "application/x-ndjson"
    format = "ndjson"


class EventRenderer(OrjsonRenderer):
    media_type = "text/event-stream"
    format = "events"


class EdiRenderer(OrjsonRenderer):
    """Lets a caller ask for X12: the view answers the bytes, an error is JSON all the same."""

    media_type = "application/edi-x12"
    format = "x12"


def plain(value: Any) -> Any:
    """Say as JSON what orjson does not know: Decimal and lazy text as text."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, dict):
        return dict(value)
    return str(value)
