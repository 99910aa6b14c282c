"""Middleware: a cached answer to a token's GET is sent from here, before sessions, forms and DRF are set in motion.

What is not certain goes on to the whole path: another method, another way to log in, parameters on a detail, a miss.
On a hit the person was authenticated, the entry is one of her practices' and of her way to see it (marb.access.door),
the request was counted and the reading recorded (marb.access.door). It costs one round trip to the cache, and no SQL
but authentication's own.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from marb.access import door
from marb.access.answers import CachedViewSet, rows_of, send, want_list, want_rows
from marb.access.audit import AuditFull
from marb.access.middleware import closed
from marb.core.cache.fill import Answer, read_hits
from marb.core.cache.keys import Wanted
from marb.core.measure.middleware import name_route

PREFIX = "/api/v1/"
JSON = "application/json"


class Route(NamedTuple):
    """A cached viewset, and what its list's and its detail's addresses are called."""

    view: type[CachedViewSet]
    list_name: str
    detail_name: str


# by the first part of their path; as many as the API has
ROUTES: dict[str, Route | None] = {}


class CachedAnswers:
    """Answers what is in the cache; below the middleware that sets the headers of every response."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.answer(request) or self.get_response(request)

    def answer(self, request: HttpRequest) -> HttpResponse | None:
        """Answer from the cache, or None."""
        path = request.path_info
        if request.method != "GET" or not path.startswith(PREFIX) or not is_plain(request):
            return None
        name, _, number = path[len(PREFIX) :].strip("/").partition("/")
        route = find_route(name) if path.endswith("/") and is_number(number) else None
        user = route and door.authenticate(request)
        if route is None or user is None:
            return None
        found = self.find(route.view, user, number, request)
        if found is None or found.body is None:
            # that there is no such row is for the whole path to say
            return None
        return self.grant(route, number, found, request)

    def find(self, view: type[CachedViewSet], user: Any, number: str, request: HttpRequest) -> Answer | None:
        wanted: list[Wanted] = []
        if not number:
            page = want_list(view, user, request.GET)
            wanted = [page] if page else []
        elif not request.META.get("QUERY_STRING"):
            wanted = want_rows(view, user, int(number))
        return read_hits(wanted) if wanted else None

    def grant(self, route: Route, number: str, found: Answer, request: HttpRequest) -> HttpResponse | None:
        """Count, record and send; what is refused is refused by the whole path, in its words."""
        verdict = door.admit(request)
        if not verdict.is_allowed:
            return None
        response = send(request, found)
        place = route.detail_name if number else route.list_name
        name_route(request, place)
        try:
            request_id = door.record(request, place, rows_of(found, number), response.status_code)
        except AuditFull:
            return closed(request)
        shown = {"Cache-Control": "private, no-store", "X-Frame-Options": settings.X_FRAME_OPTIONS}
        shown |= {"Content-Length": str(len(response.content)), "X-Request-ID": request_id}
        for name, value in (shown | verdict.headers).items():
            response.headers[name] = value
        return response


def find_route(name: str) -> Route | None:
    """Find the cached viewset of a path such as `claims`; None for any other."""
    if name not in ROUTES:
        try:
            detail, rows = resolve(f"{PREFIX}{name}/1/"), resolve(f"{PREFIX}{name}/")
        except Resolver404:
            return None
        view: Any = getattr(detail.func, "cls", None)
        is_cached = isinstance(view, type) and issubclass(view, CachedViewSet)
        ROUTES[name] = Route(view, rows.view_name, detail.view_name) if is_cached else None
    return ROUTES[name]


def is_plain(request: HttpRequest) -> bool:
    """Say whether a request has a token, takes JSON and names this server."""
    header = request.META
    accept = header.get("HTTP_ACCEPT", "*/*")
    if not header.get("HTTP_AUTHORIZATION", "").startswith("Token ") or not ("*/*" in accept or JSON in accept):
        return False
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def is_number(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and len(text) <= 18)
