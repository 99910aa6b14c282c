"""Middleware: a token's GET of a cached list or of a detail is answered here, before anything else of Django is set
in motion.

What is not certain goes on to the whole path: another method, another way to log in, other parameters, and whatever is
refused or not found, which it says in its own words. The person was authenticated, the answer is one of her practices'
and of her way to see it, the request was counted and the reading recorded (marb.access.door). A hit costs one round
trip to the cache, and no SQL but authentication's own; a miss is filled by the view, as the whole path would.
"""

from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.wsgi import WSGIRequest
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.urls import Resolver404, resolve
from rest_framework.exceptions import APIException

from marb.access import door
from marb.access.answers import JSON, CachedViewSet, KeptViewSet, prepare, rows_of, send, want_detail, want_list
from marb.access.audit import AuditFull
from marb.access.middleware import closed
from marb.core.cache.entries import make_entry
from marb.core.cache.fill import Answer, Filled
from marb.core.cache.keys import Wanted
from marb.core.measure.middleware import name_route

PREFIX = "/api/v1/"


class Route(NamedTuple):
    """A viewset, and what its list's and its detail's addresses are called."""

    view: type[KeptViewSet]
    list_name: str
    detail_name: str


# what the whole path is to say, in its words
UNSAID = (APIException, Http404, Error, door.Refused)
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
        found = self.find(route, user, number, request)
        if found is None or found.body is None:
            # that there is no such row is for the whole path to say
            return None
        return self.grant(route, number, found, request)

    def find(self, route: Route, user: Any, number: str, request: HttpRequest) -> Answer | None:
        """Find the answer in the cache, or make it as its view would; None where the whole path is to say."""
        wanted = want(route.view, user, number, request.GET)
        if not wanted and not is_bare(route, number, request):
            return None
        action, own = ("retrieve", {"pk": number}) if number else ("list", {})
        view, asked = prepare(route.view, action, request, user, **own)

        def fill() -> Filled:
            view.check_parameters(asked)
            made: Filled = view.fill_row(asked) if number else view.fill_page(asked)
            return made

        try:
            return door.read(request, wanted, fill) if wanted else answer_of(door.fill_for(request, fill))
        except UNSAID:
            return None

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
    """Find the viewset of a path such as `claims` where any member may read it here; None for any other."""
    if name not in ROUTES:
        try:
            detail, rows = resolve(f"{PREFIX}{name}/1/"), resolve(f"{PREFIX}{name}/")
        except Resolver404:
            return None
        view: Any = getattr(detail.func, "cls", None)
        is_kept = isinstance(view, type) and issubclass(view, KeptViewSet) and not getattr(view, "read_action", None)
        ROUTES[name] = Route(view, rows.view_name, detail.view_name) if is_kept else None
    return ROUTES[name]


def want(view: type[KeptViewSet], user: Any, number: str, parameters: QueryDict) -> list[Wanted]:
    """Name what is asked for in the cache; nothing where it is not cached."""
    if not issubclass(view, CachedViewSet):
        return []
    if number:
        return want_detail(view, user, int(number), parameters)
    page = want_list(view, user, parameters)
    return [page] if page else []


def is_bare(route: Route, number: str, request: HttpRequest) -> bool:
    """Say whether a detail of what is never cached is asked for, and nothing else."""
    return bool(number) and not issubclass(route.view, CachedViewSet) and not request.META.get("QUERY_STRING")


def answer_of(filled: Filled) -> Answer:
    return Answer(filled.body, make_entry("", filled.practice_id, 0, filled.body).etag, filled.practice_id, False)


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
