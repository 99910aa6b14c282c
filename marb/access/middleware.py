"""What stands around every view: the request's id, the session's limits, the throttle of the API, and the audit.

Stands below Django's session middleware and above all that may answer in a view's stead, so that a refusal is recorded
too. What is not throttled or not recorded is named in the settings; everything else is.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse

from marb.access import audit, lockout, sessions, throttle
from marb.access.models import KEPT_ROLES
from marb.access.origin import request_id_of
from marb.access.reader import Reader, authenticate
from marb.core.errors import API_PREFIX, body

TOO_OFTEN = "Too many requests. Wait, then go on."
FULL = "Reading is closed: who reads what cannot be recorded now."


class AccessMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        setattr(request, audit.REQUEST_ID, request_id_of(request))
        response = self.get_response(request)
        if hasattr(request, lockout.WAIT):
            response = lockout.answer_locked(request, response, None)
        try:
            audit.record_answer(request, who(request), response)
        except audit.AuditFull:
            response.close()
            response = closed(request)
        response.headers["X-Request-ID"] = getattr(request, audit.REQUEST_ID)
        verdict = getattr(request, throttle.TAKEN, None)
        for name, value in verdict.headers.items() if verdict else ():
            response.headers[name] = value
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Refuse who asks too often; end a session whose time is over."""
        if request.path.startswith(API_PREFIX):
            return self.refuse(request)
        has_person = settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated
        if has_person and not sessions.stands(request.session, request):
            logout(request)
        return None

    def refuse(self, request: HttpRequest) -> HttpResponse | None:
        place = request.resolver_match
        if place is not None and place.url_name in settings.UNTHROTTLED_PLACES:
            return None
        verdict = throttle.of_request(request, authenticate(request))
        if verdict.is_allowed:
            return None
        return JsonResponse(body(429, "throttled", TOO_OFTEN, {}), status=429)


def who(request: HttpRequest) -> Reader | None:
    """Get who sent a request: the API's reader, or the person that the admin's pages found."""
    if request.path.startswith(API_PREFIX):
        return authenticate(request)
    user = getattr(request, "user", None)
    if not isinstance(user, User) or not user.is_active:
        return None
    return Reader(user, getattr(user, KEPT_ROLES, {}), None, 0.0)


def closed(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(API_PREFIX):
        return JsonResponse(body(503, "audit_full", FULL, {}), status=503)
    return HttpResponse(FULL, status=503, content_type="text/plain; charset=utf-8")
