"""Who is asking: the person, practices and roles behind a token or a session, kept in this process for a moment.

`authenticate(request)` needs neither DRF nor a query while it is warm. The invariant: what is kept is at most
READER_SECONDS old, and none of it outlives a change made in this process: every change of a person, practice,
membership, token or session empties the memory at once and again after its commit, and what was read before a change
is not kept after it. Bulk updates (`QuerySet.update`) and other processes are seen after READER_SECONDS. A session's
limits are marb.access.sessions', and Django's session middleware must have run; writing by session needs a CSRF token,
which is asked for elsewhere.
"""

import copy
import hashlib
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest
from django.utils import timezone
from knox.crypto import hash_token
from knox.models import AuthToken

from marb.access import sessions
from marb.access.models import KEPT_ROLES, Membership, Practice, Role
from marb.access.roles import MATRIX, Action

MOST_READERS = 10_000
LONGEST_TOKEN = 200
FOUND = "marb_reader"
SCHEME = "token"


class Reader(NamedTuple):
    """A person as one credential shows them. `expires` is seconds since the epoch, `token` None for a session."""

    user: User
    roles: dict[int, Role]
    token: AuthToken | None
    expires: float

    @property
    def id(self) -> int:
        return int(self.user.pk)

    @property
    def practice_ids(self) -> frozenset[int] | None:
        """The practices in reach; None for a superuser, who reaches all."""
        return None if self.user.is_superuser else frozenset(self.roles)

    def reaches(self, practice_id: int) -> bool:
        return self.user.is_superuser or practice_id in self.roles

    def may(self, practice_id: int, action: Action) -> bool:
        """Say whether the person may do this in that practice (marb.access.roles)."""
        role = self.roles.get(practice_id)
        return self.user.is_superuser or (role is not None and action in MATRIX[role])

    def sees_identifiers(self, practice_id: int) -> bool:
        """Say whether a detail of that practice is shown unmasked; an answer kept for one is not for the other."""
        return self.may(practice_id, Action.SEE_IDENTIFIERS)

    def person(self) -> User:
        """Get the person for one request: a copy, because requests hang things on it."""
        person = copy.copy(self.user)
        if not person.is_superuser:
            setattr(person, KEPT_ROLES, dict(self.roles))
        return person


class Memory:
    """Readers by credential, and a count of the changes that emptied it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.changes = 0
        self.kept: dict[str, tuple[float, Reader]] = {}

    def get(self, key: str) -> Reader | None:
        found = self.kept.get(key)
        if found is None or found[0] < time.monotonic() or found[1].expires <= time.time():
            return None
        return found[1]

    def keep(self, key: str, reader: Reader, changes: int) -> None:
        """Keep a reader for a moment, unless something changed since `changes` was read."""
        if settings.READER_SECONDS <= 0:
            return
        with self.lock:
            if self.changes == changes:
                self.kept.pop(key, None)
                if len(self.kept) >= MOST_READERS:
                    del self.kept[next(iter(self.kept))]
                self.kept[key] = (time.monotonic() + settings.READER_SECONDS, reader)

    def clear(self) -> None:
        with self.lock:
            self.changes += 1
            self.kept.clear()


MEMORY = Memory()


def authenticate(request: HttpRequest) -> Reader | None:
    """Find who sends a request, by token or else by session; None for a stranger, asked once a request.

    A token that is not good is a stranger's, whatever session stands beside it.
    """
    if not hasattr(request, FOUND):
        scheme, _, rest = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        reader = by_token(rest.strip()) if scheme.lower() == SCHEME else by_session(request)
        setattr(request, FOUND, reader)
    found: Reader | None = getattr(request, FOUND)
    return found


def by_token(token: str) -> Reader | None:
    """Find the holder of a token by its hash, which is all that is kept of it."""
    if not token.isalnum() or not token.isascii() or len(token) > LONGEST_TOKEN:
        return None
    digest = hash_token(token)
    return remembered(digest, lambda: read_token(digest))


def by_session(request: HttpRequest) -> Reader | None:
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    return remembered(hashlib.sha256(key.encode()).hexdigest(), lambda: read_session(request))


def remembered(key: str, read: Callable[[], Reader | None]) -> Reader | None:
    found = MEMORY.get(key)
    if found is not None:
        return found
    changes = MEMORY.changes
    reader = read()
    if reader is not None:
        MEMORY.keep(key, reader, changes)
    return reader


def read_token(digest: str) -> Reader | None:
    token = AuthToken.objects.select_related("user").filter(digest=digest).first()
    if token is None or not token.user.is_active:
        return None
    if token.expiry is not None and token.expiry <= timezone.now():
        token.delete()
        return None
    return reader_of(token.user, token, token.expiry.timestamp() if token.expiry else float("inf"))


def read_session(request: HttpRequest) -> Reader | None:
    """Read a session's person; Django checks the session's hash, which a new password changes."""
    session = request.session
    if not sessions.stands(session, request):
        return None
    user = get_user(request)
    return reader_of(user, None, sessions.end_of(session)) if isinstance(user, User) and user.is_active else None


def reader_of(user: User, token: AuthToken | None, expires: float) -> Reader:
    rows = () if user.is_superuser else Membership.objects.in_force(user.pk).values_list("practice_id", "role")
    roles = {practice_id: Role(role) for practice_id, role in rows}
    if not user.is_superuser:
        setattr(user, KEPT_ROLES, roles)
    return Reader(user, roles, token, expires)


def forget(sender: Any = None, **change: Any) -> None:
    """Empty the memory now, and again once what was changed is committed."""
    if change.get("update_fields") == frozenset({"last_login"}):
        return
    MEMORY.clear()
    transaction.on_commit(MEMORY.clear)


def watch() -> None:
    """Have every change of who may do what empty the memory of this process."""
    for model in (User, Practice, Membership, AuthToken):
        post_save.connect(forget, sender=model, dispatch_uid=f"reader-{model.__name__}-save")
        post_delete.connect(forget, sender=model, dispatch_uid=f"reader-{model.__name__}-delete")
    post_delete.connect(forget, sender=Session, dispatch_uid="reader-session-delete")
