"""The one way to Valkey: django-redis' connections, raw bytes, and an answer even where there is none.

What cannot be asked, because the server is down, slow or says no, is answered by `otherwise`: a reader goes to
PostgreSQL. Names that a writer could not stamp are owed: until they are stamped this process believes nothing that the
cache says. What it owes is in its memory only; a process that ends while the cache is away leaves entries that live on
until their time is over, where the cache was not lost but only out of reach.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import redis
from django_redis import get_redis_connection

from marb.core.cache.breaker import Breaker
from marb.core.cache.scripts import PENDING, SETTLE, STAMP_SECONDS, new_stamp

log = logging.getLogger(__name__)
Given = TypeVar("Given")
BREAKER = Breaker(time.monotonic)
OWED: set[str] = set()
OWED_LOCK = threading.Lock()


def ask(call: Callable[[Any], Given], otherwise: Given) -> Given:
    """Call with a redis client; `otherwise` where the cache cannot answer, at once while the breaker is open."""
    if not BREAKER.allows():
        return otherwise
    try:
        client = get_redis_connection("default")
        if OWED:
            pay(client)
        found = call(client)
    except redis.RedisError as error:
        if BREAKER.failed():
            log.error("the cache does not answer (%s): reading from the database", type(error).__name__)
        return otherwise
    BREAKER.succeeded()
    return found


def send(client: Any, *words: Any) -> Any:
    """Send one command over a connection of the client's pool, and answer what the server does, as it came.

    The same as the client's own methods, without what the library does around each of them for its retries and its
    counters: half of a trip's cost here, where a call that fails is not tried again. Raises redis.RedisError.
    """
    pool = client.connection_pool
    link = pool.get_connection()
    try:
        link.send_command(*words)
        return link.read_response()
    finally:
        pool.release(link)


class Script:
    """A script that the server knows by its digest; it is sent whole where the server has lost it."""

    def __init__(self, text: str):
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def run(self, client: Any, keys: Sequence[str], values: Sequence[Any] = ()) -> Any:
        try:
            return send(client, "EVALSHA", self.digest, len(keys), *keys, *values)
        except redis.exceptions.NoScriptError:
            return send(client, "EVAL", self.text, len(keys), *keys, *values)


def owe(keys: Iterable[str]) -> None:
    """Keep the names of stamps that must be gone before the cache is believed again."""
    with OWED_LOCK:
        OWED.update(keys)


def pay(client: Any) -> None:
    """Stamp anew what is owed: every entry that stood with the stamps before falls. Others' marks stay."""
    with OWED_LOCK:
        keys = list(OWED)
        if keys:
            client.eval(SETTLE, len(keys), *keys, f"{PENDING}none", new_stamp(), STAMP_SECONDS)
            OWED.difference_update(keys)
