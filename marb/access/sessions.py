"""How long a session lasts: SESSION_IDLE_MINUTES without a person's doing, and SESSION_HOURS in all, both kept here.

A page that asks by itself (settings.PASSIVE_PLACES) is nobody's doing. The stamp of the last doing is written at most
once a minute. A session without stamps was not made by a login and does not stand.
"""

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest

BEGAN, SEEN = "began_at", "seen_at"
STAMP_SECONDS = 60


def begin(sender: Any, request: Any, **_: Any) -> None:
    """Stamp a session as its person logs in."""
    session = getattr(request, "session", None)
    if session is not None:
        session[BEGAN] = session[SEEN] = int(time.time())


def stands(session: Any, request: HttpRequest) -> bool:
    """Say whether a person's session still stands; end it where it does not, and stamp what is a person's doing."""
    if SESSION_KEY not in session:
        return False
    now = time.time()
    if now >= end_of(session):
        session.flush()
        return False
    if now - session[SEEN] >= STAMP_SECONDS and not is_passive(request):
        session[SEEN] = int(now)
    return True


def end_of(session: Any) -> float:
    """Say when a session ends if nobody does anything more, in seconds since the epoch."""
    begun, seen = session.get(BEGAN, 0), session.get(SEEN, 0)
    return min(float(begun + settings.SESSION_HOURS * 3600), float(seen + settings.SESSION_IDLE_MINUTES * 60))


def is_passive(request: HttpRequest) -> bool:
    place = request.resolver_match
    return place is not None and place.url_name in settings.PASSIVE_PLACES
