"""Who may try a name and password, and what is answered when they may no more.

Two counts stand before every try, each exact under concurrency and each in the process's memory where the cache is
away: LOGIN_RATE per name and address, LOGIN_RATE_ADDRESS per address. axes keeps its own record in PostgreSQL beside
them. A login gives the name's count back. Nobody is locked out for good.
"""

from typing import Any

from axes.helpers import get_cool_off, get_lockout_message
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse

from marb.access import throttle
from marb.access.origin import address_of, network_of
from marb.core.errors import API_PREFIX, body

LOCKED = "Too many tries. Wait, then try again."
TRIED, WAIT = "marb_login", "marb_wait"


class TriesBackend:
    """Knows nobody: stands before the backends that do, and refuses a try too many (marb.access.middleware answers)."""

    def authenticate(self, request: HttpRequest | None, username: str | None = None, **credentials: Any) -> None:
        if request is None:
            return
        network = network_of(address_of(request))
        name = f"login:{(username or '').lower()}:{network}"
        setattr(request, TRIED, name)
        for identity, windows in ((name, settings.LOGIN_RATE), (f"login:{network}", settings.LOGIN_RATE_ADDRESS)):
            verdict = throttle.count(identity, windows)
            if not verdict.is_allowed:
                setattr(request, WAIT, verdict.wait)
                raise PermissionDenied


def forgive(sender: Any, request: Any, **_: Any) -> None:
    """Give the tries of a name back once its person has logged in."""
    name = getattr(request, TRIED, None)
    if name is not None:
        throttle.forget(name)


def answer_locked(
    request: HttpRequest, answer: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """Answer a locked account or address (axes calls this too): 429 in the API's shape, a sentence on the page."""
    locked: HttpResponse
    if request.path.startswith(API_PREFIX):
        locked = JsonResponse(body(429, "locked", LOCKED, {}), status=429)
    else:
        locked = HttpResponse(get_lockout_message(), status=429)
    cool_off = get_cool_off(request)
    wait = getattr(request, WAIT, None) or (int(cool_off.total_seconds()) if cool_off else 0)
    if wait:
        locked.headers["Retry-After"] = str(wait)
    return locked
