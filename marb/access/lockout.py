"""What axes answers for an account that is locked after too many tries."""

from typing import Any

from axes.helpers import get_cool_off, get_lockout_message
from django.http import HttpRequest, HttpResponse, JsonResponse

from marb.core.errors import API_PREFIX, body

LOCKED = "Too many tries. Wait, then try again."


def answer_locked(
    request: HttpRequest, answer: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """Answer a locked account or address (axes calls this): 429 in the API's shape, a sentence on the login page."""
    locked: HttpResponse
    if request.path.startswith(API_PREFIX):
        locked = JsonResponse(body(429, "locked", LOCKED, {}), status=429)
    else:
        locked = HttpResponse(get_lockout_message(), status=429)
    cool_off = get_cool_off(request)
    if cool_off:
        locked.headers["Retry-After"] = str(int(cool_off.total_seconds()))
    return locked
