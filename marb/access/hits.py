"""Middleware: a cached answer to a token's GET is sent from here, before sessions, forms and DRF are set in motion.

What is not certain goes on to the whole path: another method, another way to log in, parameters on a detail, a miss.
On a hit the person was authenticated, the entry is one of her practices' and of her way to see it (marb.access.door),
the request was counted and the reading recorded (marb.access.door). It costs one round trip to the cache, and no SQL
but authentication's own.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

from marb.access import door
from marb.access.answers import CachedViewSet, send, want_list, want_rows
from marb.core.cache.fill import Answer, read_hits
from marb.core.cache.keys import Wanted

PREFIX = "/api/v1/"
JSON = "application/json"
# by route; as many as the API has
VIEWS: dict[str, type[CachedViewSet] | None] = {}


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
        route, _, number = path[len(PREFIX) :].strip("/").partition("/")
        view = find_view(route) if path.endswith("/") and is_number(number) else None
        user = view and door.authenticate(request)
        if view is None or user is None:
            return None
        found = self.find(view, user, number, request)
        return None if found is None else self.grant(view, user, found, request)

    def find(self, view: type[CachedViewSet], user: Any, number: str, request: HttpRequest) -> Answer | None:
        wanted: list[Wanted] = []
        if not number:
            page = want_list(view, user, request.GET)
            wanted = [page] if page else []
        elif not request.META.get("QUERY_STRING"):
            wanted = want_rows(view, user, int(number))
        found = read_hits(wanted) if wanted else None
        # that there is no such row is for the whole path to say
        return found if found and found.body is not None else None

    def grant(self, view: type[CachedViewSet], user: Any, found: Answer, request: HttpRequest) -> HttpResponse | None:
        """Count, record and send; what is refused is refused by the whole path, in its words."""
        admission = door.admit(request, user)
        if not admission.is_granted:
            return None
        response = send(request, found)
        shown = {"Cache-Control": "private, no-store", "X-Frame-Options": settings.X_FRAME_OPTIONS}
        shown["Content-Length"] = str(len(response.content))
        for name, value in (shown | admission.headers).items():
            response.headers[name] = value
        door.record(request, user, view.kind, ids_of(found, request))
        return response


def find_view(route: str) -> type[CachedViewSet] | None:
    """Find the cached viewset of a route such as `claims`; None for any other."""
    if route not in VIEWS:
        try:
            view = getattr(resolve(f"{PREFIX}{route}/1/").func, "cls", None)
        except Resolver404:
            return None
        VIEWS[route] = view if isinstance(view, type) and issubclass(view, CachedViewSet) else None
    return VIEWS[route]


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


def ids_of(found: Answer, request: HttpRequest) -> list[int]:
    """Get the id of a row's answer from its address; a page's reading is recorded by its parameters."""
    number = request.path_info.rstrip("/").rpartition("/")[2]
    return [int(number)] if number.isdigit() else []
