"""Profiling by django-silk without what it would keep: no bodies, no headers, no query values, no SQL parameters.

silk writes each statement with its parameters and runs EXPLAIN on it; here its hook on the SQL compiler is replaced by
one that keeps the placeholders. Only safe methods are recorded, because silk reads a request's body into memory.
"""

import traceback
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models.signals import pre_save
from django.db.models.sql.compiler import SQLCompiler
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from silk.collector import DataCollector
from silk.middleware import SilkyMiddleware
from silk.models import Request, Response

SAFE = ("GET", "HEAD")


class ProfileMiddleware(SilkyMiddleware):
    """silk's middleware with our hooks installed."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        install()

    def process_request(self, request: HttpRequest) -> None:
        DataCollector().clear()
        if request.method in SAFE:
            super().process_request(request)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.path_info.startswith("/silk/"):
            # django-csp reads this: silk's pages carry inline scripts
            response._csp_update = {"script-src": ["'unsafe-inline'"]}  # type: ignore[attr-defined]
        return super().process_response(request, response)


def install() -> None:
    """Put our hooks where silk would put its own; once per process."""
    pre_save.connect(strip_request, sender=Request, dispatch_uid="marb.core.silk")
    pre_save.connect(strip_response, sender=Response, dispatch_uid="marb.core.silk")
    if not hasattr(SQLCompiler, "_execute_sql"):
        SQLCompiler._execute_sql = SQLCompiler.execute_sql  # type: ignore[attr-defined]
        SQLCompiler.execute_sql = record_sql  # type: ignore[method-assign]


def strip_request(instance: Request, **_: Any) -> None:
    instance.query_params = instance.body = instance.raw_body = ""
    instance.encoded_headers = "{}"


def strip_response(instance: Response, **_: Any) -> None:
    instance.body = instance.raw_body = ""
    instance.encoded_headers = "{}"


def record_sql(self: SQLCompiler, *args: Any, **options: Any) -> Any:
    """Run a compiled statement and keep its text with placeholders, its time and its place in the code."""
    request = DataCollector().request
    if request is None or self.query.model.__module__ == "silk.models":
        return self._execute_sql(*args, **options)  # type: ignore[attr-defined]
    try:
        text, _ = self.as_sql()
    except EmptyResultSet:
        text = ""
    started_at = timezone.now()
    try:
        return self._execute_sql(*args, **options)  # type: ignore[attr-defined]
    finally:
        if text:
            keep(request, text, started_at)


def keep(request: Request, text: str, started_at: Any) -> None:
    stack = "".join(reversed(traceback.format_stack()))
    ended_at = timezone.now()
    DataCollector().register_query(
        {"request": request, "query": text, "traceback": stack, "start_time": started_at, "end_time": ended_at}
    )
