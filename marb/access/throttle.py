"""How often somebody may ask: so many a minute and so many an hour, exact however many ask at once.

The invariant: in no stretch of a window's length are more than its limit accepted. The accepted times of one identity
stand in one list in the cache server, newest first, and one script looks, decides and writes in one call; the clock is
that server's. A reader of the cache has the script run in the same trip (Toll). A refused request costs nothing of the
allowance. Where the server is away each process counts in its own memory, so nobody is shut out and nobody is
unbounded. A limit of 0 is no limit. The list takes some 10 bytes a request for an hour; a server that evicts it
forgives.
"""

import hashlib
import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest

from marb.access.origin import address_of, network_of
from marb.access.reader import Reader
from marb.core.cache.fill import Errand
from marb.core.cache.scripts import with_names
from marb.core.cache.server import Script, ask

TAKEN = "marb_verdict"
MOST_IDENTITIES = 10_000

# KEYS[1]: the list. ARGV: the cost (0 only looks), then limit and milliseconds of each window, the longest last.
# Answers whether it is allowed, then the limit, what remains, when one more is free (ms since the epoch) of the
# tightest window, and the server's now.
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local key, cost, length = KEYS[1], tonumber(ARGV[1]), redis.call('LLEN', KEYS[1])
local newest = tonumber(redis.call('LINDEX', key, 0) or now)
if newest > now then now = newest end
local function within(window, most)
  local low, high = 0, math.min(length, most)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if tonumber(redis.call('LINDEX', key, middle)) > now - window then low = middle + 1 else high = middle end
  end
  return low
end
local limit, remaining, free, used = 0, math.huge, now, 0
for place = 2, #ARGV, 2 do
  local most, window = tonumber(ARGV[place]), tonumber(ARGV[place + 1])
  used = within(window, most)
  local left = most - used
  local next = now
  if used > 0 then next = tonumber(redis.call('LINDEX', key, used - 1)) + window end
  if left < remaining or (left == 0 and next > free) then limit, remaining, free = most, left, next end
end
if remaining < 1 then return {0, limit, 0, free, now} end
if cost == 0 then return {1, limit, remaining, free, now} end
local longest = tonumber(ARGV[#ARGV])
redis.call('LPUSH', key, string.format('%.0f', now))
redis.call('LTRIM', key, 0, used)
redis.call('PEXPIRE', key, longest)
return {1, limit, remaining - 1, free, now}
"""

COUNT, COUNT_AND_READ = Script(SCRIPT), Script(with_names(SCRIPT))
Windows = Sequence[tuple[int, int]]


class Verdict(NamedTuple):
    """Whether a request is accepted; the tightest window's limit and what remains of it; when one more is free, in
    seconds since the epoch; how long to wait until then, in whole seconds, 0 where nothing need be waited for."""

    is_allowed: bool
    limit: int
    remaining: int
    reset: int
    wait: int

    @property
    def headers(self) -> dict[str, str]:
        """What every answer says of it; nothing where there is no limit."""
        if not self.limit:
            return {}
        found = {"X-RateLimit-Limit": str(self.limit), "X-RateLimit-Remaining": str(self.remaining)}
        found["X-RateLimit-Reset"] = str(self.reset)
        return found if self.is_allowed else {**found, "Retry-After": str(self.wait)}


FREE = Verdict(True, 0, 0, 0, 0)


def of_request(request: HttpRequest, reader: Reader | None) -> Verdict:
    """Take one request from its person's allowance, or a stranger's address's; once, however often it is asked."""
    if not hasattr(request, TAKEN):
        setattr(request, TAKEN, take(reader) if reader else take_address(request))
    verdict: Verdict = getattr(request, TAKEN)
    return verdict


def take(reader: Reader) -> Verdict:
    """Take one request from a person's allowance, whatever token or session it came by."""
    return count(identity_of(reader), person_windows())


def identity_of(reader: Reader) -> str:
    return f"user:{reader.id}"


def take_address(request: HttpRequest) -> Verdict:
    """Take one request from the allowance of an address whose sender is not known."""
    return count(f"address:{network_of(address_of(request))}", address_windows())


def person_windows() -> Windows:
    return windows_of(settings.API_RATE_MINUTE, settings.API_RATE_HOUR)


def address_windows() -> Windows:
    return windows_of(settings.API_RATE_ADDRESS_MINUTE, settings.API_RATE_ADDRESS_HOUR)


def windows_of(minute: int, hour: int) -> Windows:
    """Get limits as (limit, milliseconds), the shorter window first; a limit of 0 is none."""
    return [(minute, 60_000), (hour, 3_600_000)]


def limited(windows: Windows) -> Windows:
    """Leave out the windows that have no limit."""
    return [window for window in windows if window[0] > 0]


def count(identity: str, windows: Windows, *, cost: int = 1) -> Verdict:
    """Count one request of an identity. A cost of 0 only looks. Never raises: where the server is away, counts here."""
    windows = limited(windows)
    if not windows:
        return FREE
    reply = ask(lambda client: COUNT.run(client, [key_of(identity)], arguments(windows, cost)), None)
    return LOCAL.count(identity, windows, cost) if reply is None else verdict_of(reply)


class Toll:
    """Taking one request of a person in the same trip in which the cache is read: `errand` is what the server does
    for it, None where there is no limit or the request was taken before."""

    def __init__(self, request: HttpRequest, reader: Reader | None):
        self.request, self.identity = request, identity_of(reader) if reader else ""
        self.windows = limited(person_windows())
        self.errand: Errand | None = None
        if reader and self.windows and not hasattr(request, TAKEN):
            self.errand = Errand(COUNT_AND_READ, key_of(self.identity), arguments(self.windows))

    def settle(self) -> None:
        """Keep the verdict with the request, once the cache was read; counted here where it was away."""
        if hasattr(self.request, TAKEN):
            return
        if self.errand is None:
            verdict = FREE
        elif self.errand.reply is None:
            verdict = LOCAL.count(self.identity, self.windows, 1)
        else:
            verdict = verdict_of(self.errand.reply)
        setattr(self.request, TAKEN, verdict)


def key_of(identity: str) -> str:
    """Get the key in the cache server; names and addresses are not readable in it."""
    return f"marb:throttle:{hashlib.sha256(identity.encode()).hexdigest()[:32]}"


def arguments(windows: Windows, cost: int = 1) -> list[int]:
    """Get SCRIPT's arguments."""
    return [cost, *(number for window in windows for number in window)]


def verdict_of(reply: Sequence[Any]) -> Verdict:
    """Read SCRIPT's answer."""
    allowed, limit, remaining, free, now = map(int, reply)
    wait = 0 if allowed else max(1, math.ceil((free - now) / 1000))
    return Verdict(bool(allowed), limit, remaining, math.ceil(free / 1000), wait)


class Local:
    """The same count in this process's memory, of the identities seen last."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.accepted: OrderedDict[str, deque[int]] = OrderedDict()

    def count(self, identity: str, windows: Windows, cost: int) -> Verdict:
        now = int(time.time() * 1000)
        with self.lock:
            times = self.accepted.pop(identity, deque())
            self.accepted[identity] = times
            if len(self.accepted) > MOST_IDENTITIES:
                self.accepted.popitem(last=False)
            verdict = judge(times, windows, now)
            if verdict.is_allowed and cost:
                times.appendleft(now)
                return verdict._replace(remaining=verdict.remaining - 1)
            return verdict

    def forget(self, identity: str) -> None:
        with self.lock:
            self.accepted.pop(identity, None)


def judge(times: deque[int], windows: Windows, now: int) -> Verdict:
    """Judge by the accepted times, newest first; those that no window holds any more are dropped."""
    while times and times[-1] <= now - windows[-1][1]:
        times.pop()
    found = []
    for limit, window in windows:
        used = sum(1 for moment in times if moment > now - window)
        found.append((limit - used, -(times[used - 1] + window if used else now), limit))
    left, free, limit = min(found)
    wait = 0 if left > 0 else max(1, math.ceil((-free - now) / 1000))
    return Verdict(left > 0, limit, max(left, 0), math.ceil(-free / 1000), wait)


LOCAL = Local()


def forget(identity: str) -> None:
    """Give an identity its whole allowance back."""
    ask(lambda client: client.delete(key_of(identity)), 0)
    LOCAL.forget(identity)
