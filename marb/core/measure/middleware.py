"""Requests: the time of each in X-Process-Time (seconds), and a histogram per endpoint, by route, never by path.

Outermost of the middleware, so that the time is the whole. A streamed answer is timed to its first byte. An error is
an answer of 500 or above; `responses` counts answers by class, such as 4xx.
"""

import time
from collections.abc import Callable

from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase

from marb.core.measure.process import HELD, is_on

UNMATCHED = "(unmatched)"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMiddleware:
    """Times requests; taken out where monitoring is off."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]):
        if not is_on():
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        seconds = time.perf_counter() - started
        response.headers["X-Process-Time"] = f"{seconds:.6f}"
        status, ledger = response.status_code, HELD.ledger
        ledger.record("request", endpoint_of(request), seconds, is_error=status >= 500)
        ledger.sample("responses", 1, f"{status // 100}xx")
        return response


def name_route(request: HttpRequest, name: str) -> None:
    """Say the route of a request that is answered before Django looks for it."""
    request.marb_route = name  # type: ignore[attr-defined]


def endpoint_of(request: HttpRequest) -> str:
    """Name a request by its method and route: bounded, and without anybody's ids."""
    method = request.method if request.method in METHODS else "(other)"
    if named := getattr(request, "marb_route", ""):
        return f"{method} {named}"
    match = getattr(request, "resolver_match", None)
    return f"{method} {match.view_name or match.route if match else UNMATCHED}"[:150]
