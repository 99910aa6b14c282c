"""What a request costs inside of the server: its queries, their seconds, the memory it held at most.

A middleware counts, /bench/counts/ tells and begins anew; only in a server of the bench. Memory is true only where one
request is under way at a time, and counting it (tracemalloc) makes everything slower: it runs from `?trace=1` on.
"""

import gc
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

OWN = "/bench/"


class Counts:
    """Of the requests since the last telling: per request its queries and most bytes; per query its seconds."""

    def __init__(self) -> None:
        self.queries: list[int] = []
        self.bytes: list[int] = []
        self.seconds: list[float] = []


class Gathered:
    """Where this process's counts are; list.append is atomic, so threads share it."""

    counts = Counts()


class Timer:
    """Times each query that a connection executes (connection.execute_wrapper)."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, execute: Callable[..., Any], *given: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(*given)
        finally:
            self.seconds.append(time.perf_counter() - started)


class Counting:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(OWN):
            return self.get_response(request)
        timer, held = Timer(), traced()
        with connection.execute_wrapper(timer):
            response = self.get_response(request)
        counts = Gathered.counts
        counts.queries.append(len(timer.seconds))
        counts.seconds += timer.seconds
        counts.bytes.append(tracemalloc.get_traced_memory()[1] - held if tracemalloc.is_tracing() else 0)
        return response


def traced() -> int:
    """Bytes held now, from where the peak is counted anew."""
    if not tracemalloc.is_tracing():
        return 0
    tracemalloc.reset_peak()
    return tracemalloc.get_traced_memory()[0]


def tell(request: HttpRequest) -> JsonResponse:
    """Tell what was counted since the last telling, and the bytes held by all there is, garbage collected before."""
    if "trace" in request.GET and not tracemalloc.is_tracing():
        tracemalloc.start()
    gc.collect()
    counts, Gathered.counts = Gathered.counts, Counts()
    held = tracemalloc.get_traced_memory()[0] if tracemalloc.is_tracing() else 0
    return JsonResponse({**vars(counts), "held": held})
