"""What the API answers when it cannot answer: one body for every error, and never a value from the request or a row.

{"message": sentence, "code": word, "status_code": number, "details": {field: [sentences]}}. Errors that are not the
caller's are not caught here; Django logs them and `handler500` says no more than that.
"""

from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse, UnreadablePostError
from django.urls import resolve
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from marb.core.parser import TooLarge

API_PREFIX = "/api/"


class TooLate(exceptions.APIException):
    """The body did not arrive: too many others were arriving (marb.core.arrival), or the sender went away."""

    status_code = 408
    default_detail = "The body could not be read at this moment. Send it again."
    default_code = "too_late"


# Sentences that Django and DRF would write with the offending value inside.
SENTENCES = {
    "invalid_choice": "Not one of the choices.",
    "does_not_exist": "There is no such object.",
    "incorrect_type": "Not of the right type.",
    "not_a_list": "Expected a list.",
    "no_match": "Not a valid value.",
}
CODES = {
    400: ("bad_request", "The request cannot be understood."),
    403: ("permission_denied", "You may not do this."),
    404: ("not_found", "Not found."),
    500: ("error", "The server failed. Nothing of the request was kept."),
}


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer an error of a view in the API's one shape; None for what is not the caller's fault."""
    if isinstance(error, RequestDataTooBig):
        error = TooLarge()
    elif isinstance(error, UnreadablePostError):
        error = TooLate()
    elif isinstance(error, SuspiciousOperation):
        error = exceptions.ParseError()
    response = exception_handler(error, context)
    if response is None:
        return None
    response.data = error_body(error, response)
    return response


def error_body(error: Exception, response: Response) -> dict[str, Any]:
    if isinstance(error, exceptions.ValidationError):
        return body(response.status_code, "invalid", "Some of what was sent is not valid.", details(error.detail))
    if isinstance(error, exceptions.APIException) and isinstance(error.detail, exceptions.ErrorDetail):
        return body(response.status_code, error.detail.code or "error", str(error.detail), {})
    code, message = CODES.get(response.status_code, CODES[400])
    return body(response.status_code, code, message, {})


def body(status_code: int, code: str, message: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"message": message, "code": code, "status_code": status_code, "details": fields}


def details(found: Any) -> dict[str, Any]:
    """Say what is wrong with each field, without the value."""
    if isinstance(found, dict):
        return {str(field): sentences(value) for field, value in found.items()}
    return {"request": sentences(found)}


def sentences(found: Any) -> Any:
    if isinstance(found, dict):
        return details(found)
    if isinstance(found, list):
        return [sentences(value) for value in found]
    return SENTENCES.get(getattr(found, "code", ""), str(found))


def plain_answer(status_code: int) -> JsonResponse:
    code, message = CODES[status_code]
    return JsonResponse(body(status_code, code, message, {}), status=status_code)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return plain_answer(400) if request.path.startswith(API_PREFIX) else defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return plain_answer(403) if request.path.startswith(API_PREFIX) else defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return plain_answer(404) if request.path.startswith(API_PREFIX) else defaults.page_not_found(request, exception)


@csrf_exempt
def unknown_address(request: HttpRequest) -> HttpResponse:
    """Answer for every address below /api/ that there is none of: JSON to everybody, not the admin's login page."""
    reads, with_slash = request.method in ("GET", "HEAD"), f"{request.path_info}/"
    if reads and not request.path.endswith("/") and resolve(with_slash).func is not resolve(API_PREFIX).func:
        return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
    return plain_answer(404)


def server_error(request: HttpRequest) -> HttpResponse:
    return plain_answer(500) if request.path.startswith(API_PREFIX) else defaults.server_error(request)
