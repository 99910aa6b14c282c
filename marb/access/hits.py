"""Middleware: a cached answer to a token's GET is sent from here, before anything else of Django is set in motion.

What is not certain goes on to the whole path: another method, another way to log in, what is not cached, a miss.
On a hit the person was authenticated, the entry is one of her practices' and of her way to see it, the request was
counted and the reading recorded (marb.access.door). It costs one round trip to the cache, and no SQL but
authentication's own.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import Resolver404, resolve

from marb.access import door
from marb.access.answers import JSON, CachedViewSet, rows_of, send, want_detail, want_list
from marb.access.audit import AuditFull
from marb.access.middleware import closed
from marb.core.cache.fill import Answer
from marb.core.cache.keys import Wanted
from marb.core.measure.middleware import name_route

PREFIX = "/api/v1/"


class Route(NamedTuple):
    """A cached viewset, and what its list's and its detail's addresses are called."""

    view: type[CachedViewSet]
    list_name: str
    detail_name: str


# by the first part of their path; as many as the API has
ROUTES: dict[str, Route | None] = {}


# whose headers every response bears, whoever asks
DRESSERS: tuple[type[Any], ...] = (SecurityMiddleware, CSPMiddleware, XFrameOptionsMiddleware)


class CachedAnswers:
    """Answers what is in the cache. It stands above the middleware that sets the headers of every response, and sets
    the same, which were asked of that middleware once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response
        self.headers = {scheme: standing_headers(scheme) for scheme in ("http", "https")}

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
        else:
            wanted = want_detail(view, user, int(number), request.GET)
        return door.read(request, wanted) if wanted else None

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
        shown = {"Cache-Control": "private, no-store", "X-Request-ID": request_id}
        shown["Content-Length"] = str(len(response.content))
        for name, value in (self.headers[request.scheme or "http"] | shown | verdict.headers).items():
            response.headers[name] = value
        return response


def standing_headers(scheme: str) -> dict[str, str]:
    """Get the headers that every response to a request of this scheme bears."""
    asked = WSGIRequest(
        {"REQUEST_METHOD": "GET", "PATH_INFO": PREFIX, "wsgi.url_scheme": scheme, "wsgi.input": BytesIO()}
    )
    response = HttpResponse()
    del response.headers["Content-Type"]
    for dresser in DRESSERS:
        dresser(lambda request: HttpResponse()).process_response(asked, response)
    return dict(response.headers.items())


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
    """Say whether a request has a token, takes JSON, names this server, and came as it should."""
    header = request.META
    accept = header.get("HTTP_ACCEPT", "*/*")
    if not header.get("HTTP_AUTHORIZATION", "").startswith("Token ") or not ("*/*" in accept or JSON in accept):
        return False
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        return False
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def is_number(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and len(text) <= 18)
