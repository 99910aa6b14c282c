"""Idempotency keys: a request that is sent again with its key is carried out once and answered alike.

The header `Idempotency-Key` names a person's intent for 24 hours. The first answer is kept, a failure of ours too, and
said again with `Idempotent-Replayed: true`. The same key with another request or body is a 422; while the first is
still at work, a 409. What was refused before anything was done (validation, permission) is not kept. A key whose
process died is free again after IDEMPOTENCY_LOCK_SECONDS. The clock is PostgreSQL's.
"""

import contextlib
import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, cast

import orjson
from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DatabaseError, connection
from django.http import Http404
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from marb.core.errors import body
from marb.core.renderer import plain

HEADER = "Idempotency-Key"
REFUSALS = (APIException, Http404, PermissionDenied, SuspiciousOperation)
# nothing was done: the same request may yet succeed
NOT_KEPT = frozenset({413, 503})
FAILED = body(500, "error", "The server failed when this was first asked.", {})

TAKE = """
INSERT INTO access_idempotencykey AS mine
    (user_id, key, request, digest, lock_no, locked_until, expires_at)
VALUES (%(user)s, %(key)s, %(request)s, '', 1, now() + make_interval(secs => %(lock)s),
    now() + make_interval(hours => %(hours)s))
ON CONFLICT (user_id, key) DO UPDATE SET request = EXCLUDED.request, digest = '', status_code = NULL, answer = NULL,
    lock_no = mine.lock_no + 1, locked_until = EXCLUDED.locked_until, expires_at = EXCLUDED.expires_at
WHERE mine.expires_at < now()
    OR (mine.status_code IS NULL AND mine.locked_until < now() AND mine.request = EXCLUDED.request)
RETURNING lock_no
"""
FIND = "SELECT request, digest, status_code, answer::text FROM access_idempotencykey WHERE user_id = %s AND key = %s"
KEEP = """
UPDATE access_idempotencykey SET digest = %s, status_code = %s, answer = %s
WHERE user_id = %s AND key = %s AND lock_no = %s
"""
FORGET = "DELETE FROM access_idempotencykey WHERE user_id = %s AND key = %s AND lock_no = %s AND status_code IS NULL"
SWEEP = """
DELETE FROM access_idempotencykey WHERE id IN
    (SELECT id FROM access_idempotencykey WHERE expires_at < now() ORDER BY expires_at LIMIT %s)
"""


class Intent(NamedTuple):
    """A person's key, held by us under a lock's number."""

    user_id: int
    key: str
    lock_no: int


class KeyInUse(APIException):
    status_code = 409
    default_detail = "The first request with this key is still at work."
    default_code = "key_in_use"


class KeyReused(APIException):
    status_code = 422
    default_detail = "This key was used for another request."
    default_code = "key_reused"


def idempotent(view: Callable[..., Response]) -> Callable[..., Response]:
    """Let a writing view with a JSON body, or none, be repeated by key."""

    @wraps(view)
    def once(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        return answer_once(request, lambda: digest_of(request.data), lambda: view(self, request, *args, **kwargs))

    return once


def answer_once(request: Request, digest: Callable[[], str], act: Callable[[], Response]) -> Response:
    """Carry out `act`, or say again what it answered. `digest` names the body; asked after `act`, or instead of it."""
    key = request.headers.get(HEADER)
    if key is None:
        return act()
    if not re.fullmatch("[!-~]{1,255}", key):
        raise ValidationError({HEADER: ["1 to 255 printable ASCII characters without a space."]})
    named = hashlib.sha256(f"{request.method} {request.get_full_path()}".encode()).hexdigest()
    intent = take(cast(int, request.user.pk), key, named)
    return carry_out(intent, digest, act) if intent else say_again(request, key, named, digest)


def take(user_id: int, key: str, named: str) -> Intent | None:
    """Hold a key that is new, expired or given up; None where somebody has it."""
    seconds, hours = settings.IDEMPOTENCY_LOCK_SECONDS, settings.IDEMPOTENCY_HOURS
    values = {"user": user_id, "key": key, "request": named, "lock": seconds, "hours": hours}
    with connection.cursor() as cursor:
        cursor.execute(TAKE, values)
        row = cursor.fetchone()
    return Intent(user_id, key, row[0]) if row else None


def carry_out(intent: Intent, digest: Callable[[], str], act: Callable[[], Response]) -> Response:
    response = None
    try:
        response = act()
        return response
    except REFUSALS:
        forget(intent)
        raise
    finally:
        settle(intent, digest, response)


def settle(intent: Intent, digest: Callable[[], str], response: Response | None) -> None:
    """Keep what was answered; where nothing was, our failure. A key that was forgotten stays so."""
    if response is None:
        # the database may be what failed; then the lock runs out
        with contextlib.suppress(DatabaseError):
            keep(intent, "", 500, FAILED)
    elif response.status_code in NOT_KEPT:
        forget(intent)
    else:
        keep(intent, digest(), response.status_code, response.data)


def keep(intent: Intent, digest: str, status_code: int, data: Any) -> None:
    answer = orjson.dumps(data, default=plain).decode()
    with connection.cursor() as cursor:
        cursor.execute(KEEP, [digest, status_code, answer, *intent])


def forget(intent: Intent) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FORGET, list(intent))


def say_again(request: Request, key: str, named: str, digest: Callable[[], str]) -> Response:
    """Answer as the first time. Raises KeyInUse or KeyReused."""
    with connection.cursor() as cursor:
        cursor.execute(FIND, [request.user.pk, key])
        row = cursor.fetchone()
    # forgotten between the two looks: the first was refused
    if row is None or (row[2] is None and row[0] == named):
        raise KeyInUse
    if row[0] != named or (row[1] and row[1] != digest()):
        raise KeyReused
    return Response(orjson.loads(row[3]), row[2], headers={"Idempotent-Replayed": "true"})


def digest_of(data: Any) -> str:
    """Name a JSON body, whatever the order of its keys."""
    return hashlib.sha256(orjson.dumps(data, default=plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


def sweep(most: int = 10_000) -> int:
    """Delete keys that have expired, at most so many; answers how many."""
    with connection.cursor() as cursor:
        cursor.execute(SWEEP, [most])
        return int(cursor.rowcount)
