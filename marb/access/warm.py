"""Warming: what people ask for first is put into the cache before they ask, in the order of what they open first.

For one practice: the first page of each list of ROUTES, and its newest rows as those see them who may see identifiers
and those who may not. It is read as a member of that practice reads, through the same views, so that what is put there
is what a reader would have put; what is there already is left alone. Nobody's reading is recorded: nobody read.
"""

from types import SimpleNamespace
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, QueryDict
from rest_framework.request import Request

from marb.access.answers import CachedViewSet, prepare, want_list, want_rows
from marb.access.hits import PREFIX, find_route
from marb.access.models import KEPT_ROLES, Role
from marb.core.cache.fill import fetch

ROUTES = ("claims", "episodes", "remits", "payments", "payers", "providers")
NEWEST = 20
# one that sees identifiers in full, one that does not
READERS = (Role.BILLER, Role.AUDITOR)


def warm_practice(practice_id: int) -> int:
    """Fill lists first, then their newest rows; answers how many answers were looked at."""
    routes = {name: find_route(name) for name in ROUTES}
    views = {name: each.view for name, each in routes.items() if each and issubclass(each.view, CachedViewSet)}
    pages = {view: warm_page(view, route, practice_id) for route, view in views.items()}
    rows = [(view, pk) for view, ids in pages.items() for pk in ids[:NEWEST]]
    for view, pk in rows:
        for role in READERS:
            warm_row(view, practice_id, role, pk)
    return len(pages) + len(rows)


def warm_page(view: type[CachedViewSet], route: str, practice_id: int) -> list[int]:
    """Fill a list's first page; answers the ids of its rows."""
    made, request = build(view, "list", reader(practice_id, READERS[0]), f"{PREFIX}{route}/")
    wanted = want_list(view, request.user, QueryDict(""))
    found = fetch([wanted], lambda: made.fill_page(request)) if wanted else None
    if found is None:
        return []
    # the body's NUL stands where the caller's own name for the server will
    return [row["id"] for row in orjson.loads((found.body or b"").replace(b"\0", b""))["results"]]


def warm_row(view: type[CachedViewSet], practice_id: int, role: Role, pk: int) -> None:
    made, request = build(view, "retrieve", reader(practice_id, role), PREFIX, pk=str(pk))
    fetch(want_rows(view, request.user, pk), lambda: made.fill_row(request))


def reader(practice_id: int, role: Role) -> Any:
    """Make someone who has this role in this practice, and is nobody."""
    roles = {KEPT_ROLES: {practice_id: role}}
    return SimpleNamespace(is_authenticated=True, is_active=True, is_superuser=False, pk=None, **roles)


def build(view: type[CachedViewSet], action: str, user: Any, path: str, **kwargs: Any) -> tuple[CachedViewSet, Request]:
    """Make a view as its own address would, and the request that it answers."""
    plain = HttpRequest()
    plain.method, plain.path, plain.path_info = "GET", path, path
    plain.META |= {"HTTP_HOST": server_name(), "SERVER_NAME": server_name(), "SERVER_PORT": "80"}
    return prepare(view, action, plain, user, **kwargs)


def server_name() -> str:
    name = (settings.ALLOWED_HOSTS or ["localhost"])[0].removeprefix(".")
    return "localhost" if name == "*" else name
