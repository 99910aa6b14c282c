"""How many long answers (exports, live progress) may be open at once, so that they never take every web thread.

A WSGI thread is held for as long as an answer streams. Two bounds: STREAMS_PER_PROCESS of the threads of a process,
counted in its memory, and STREAMS_PER_USER over all processes, counted in the cache by one script. Without the cache
only the first bound holds. A slot whose process died ends with its lease.
"""

import math
import secrets
import threading
from typing import Any

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException

from marb.core.cache.server import ask

# KEYS: the person's set; ARGV: the most, the lease's seconds, the slot's name. By the cache server's clock.
TAKE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""


class Busy(APIException):
    """Every slot of this process is taken: somebody else's doing."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Too many long answers are open at this moment. Try again in a few seconds."
    default_code = "busy"
    wait = 5


class TooManyStreams(APIException):
    """The person has as many long answers open as one may."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_detail = "You have too many exports or live views open. Close one first."
    default_code = "too_many_streams"
    wait = 10


class Count:
    """How many are open in this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.open = 0

    def take(self, most: int) -> bool:
        with self.lock:
            if self.open >= most:
                return False
            self.open += 1
            return True

    def give_back(self) -> None:
        with self.lock:
            self.open -= 1


here = Count()


class Slot:
    """One open answer. `release` may be called more than once, from any thread."""

    def __init__(self, key: str, name: str):
        self.key, self.name = key, name
        self.lock = threading.Lock()
        self.is_open = True

    def release(self) -> None:
        with self.lock:
            if not self.is_open:
                return
            self.is_open = False
        here.give_back()
        # where the cache does not answer, the slot waits for its lease
        ask(lambda client: client.zrem(self.key, self.name), 0)


def take_slot(user_id: Any, seconds: float) -> Slot:
    """Take a slot that is held for `seconds` at most. Raises Busy or TooManyStreams."""
    if not here.take(settings.STREAMS_PER_PROCESS):
        raise Busy
    slot = Slot(f"marb:streams:{user_id}", secrets.token_hex(8))
    if not is_within(slot, seconds):
        slot.release()
        raise TooManyStreams
    return slot


def is_within(slot: Slot, seconds: float) -> bool:
    """Count a slot for its person; True where the cache does not answer."""
    values = (settings.STREAMS_PER_USER, math.ceil(seconds) + 1, slot.name)
    return bool(ask(lambda client: client.eval(TAKE, 1, slot.key, *values), 1))
