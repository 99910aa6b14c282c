"""The seam of the cached reading path: who asks, whether she may now, and that it was read. No DRF's machinery.

`authenticate` answers a person by her token, or None where the whole path must decide (no token, a wrong one, a
session). `read` reads the cache and takes the request from her allowance in one trip, `record` keeps that it was read.
Throttle and audit are those of the whole path, so that a cached answer can be no cheaper a way to read.
"""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest

from marb.access import audit, reader, throttle
from marb.access.origin import request_id_of
from marb.access.roles import get_roles, is_superuser
from marb.core.cache.fill import Answer, Fill, Filled, fetch
from marb.core.cache.keys import EVERYBODY, MOST_PRACTICES, Wanted


def authenticate(request: HttpRequest) -> Any:
    """Get the person whose token the request bears; None for every other request.

    All requests of a moment share the one that is answered: nothing may be hung on it.
    """
    found = reader.authenticate(request)
    return found.user if found is not None and found.token is not None else None


def scope_of(user: Any) -> tuple[int, ...]:
    """Get the practices whose entries a person may be answered from; none where she has too many, or none at all."""
    if is_superuser(user):
        return (EVERYBODY,)
    practices = tuple(sorted(get_roles(user)))
    return practices if len(practices) <= MOST_PRACTICES else ()


class Refused(Exception):
    """The person asks too often."""


def read(request: HttpRequest, choices: Sequence[Wanted], fill: Fill) -> Answer:
    """Read what somebody known wants from the cache, else by `fill`, and take the request from her allowance.

    It is taken in the trip that reads the cache, whatever is found, once, though the whole path ask again (`admit`).
    Raises Refused where nothing is left of it and `fill` would be needed.
    """
    toll = throttle.Toll(request, reader.authenticate(request))

    def paid() -> Filled:
        toll.settle()
        return fill_for(request, fill)

    found = fetch(choices, paid, toll.errand)
    toll.settle()
    return found


def fill_for(request: HttpRequest, fill: Fill) -> Filled:
    """Fill, where the request is within the person's allowance. Raises Refused."""
    if not admit(request).is_allowed:
        raise Refused
    return fill()


def admit(request: HttpRequest) -> throttle.Verdict:
    """Say whether the request is within the person's allowance."""
    return throttle.of_request(request, reader.authenticate(request))


def record(request: HttpRequest, place: str, rows: Sequence[tuple[int, int | None]], status_code: int) -> str:
    """Keep that a person read these rows, as (id, practice id), at a named address; answers the request's id.

    Raises marb.access.audit.AuditFull, upon which nothing may be answered.
    """
    request_id = request_id_of(request)
    setattr(request, audit.REQUEST_ID, request_id)
    kind = audit.kind_of(place.rpartition(":")[2], is_page=False)
    found = reader.authenticate(request)
    audit.record(request, found, rows, kind=kind, place=place, status_code=status_code)
    return request_id
