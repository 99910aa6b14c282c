"""Broker and cache: two servers, one that never forgets and one that may; and who works behind them."""

import time
from collections.abc import Iterator
from typing import Any

import redis
from django.conf import settings

from monitoring.api import HEARTBEAT_SECONDS, HEARTBEATS, SCHEDULER_LOCK
from monitoring.doctor import clock
from monitoring.doctor.finding import Finding, bad, good, warn
from monitoring.models import AlertRule
from monitoring.reading import processes_alive, processes_lost

PATIENCE_SECONDS = 3
NEARLY_FULL = 0.9
START = "Start it (manage.py up, or services start), or correct"


def check() -> Iterator[Finding]:
    broker, cache = ask(settings.BROKER_URL), ask(cache_url())
    yield from check_broker(broker) if broker else away("Broker", "BROKER_URL")
    yield from check_cache(cache) if cache else away("Cache", "CACHE_URL")
    if broker and cache and broker["run_id"] == cache["run_id"]:
        mend = "Give the cache a server of its own: one must never forget, the other must."
        yield bad("Cache", "is the same server as the broker.", mend)
    if broker:
        yield clock.check("the broker", read_clock)
        yield from check_workers()


def cache_url() -> str:
    return str(settings.CACHES["default"]["LOCATION"])


def client_of(url: str) -> Any:
    limits = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    return redis.Redis.from_url(url, **limits)


def ask(url: str) -> dict[str, Any]:
    """Read what a server tells of itself; empty where it does not answer."""
    try:
        with client_of(url) as client:
            return dict(client.info())
    except (redis.RedisError, OSError):
        return {}


def away(subject: str, variable: str) -> Iterator[Finding]:
    yield bad(subject, "does not answer.", f"{START} {variable}.")


def check_broker(told: dict[str, Any]) -> Iterator[Finding]:
    policy = told.get("maxmemory_policy")
    if policy == "noeviction":
        yield good("Broker", "answers, and evicts nothing.")
    else:
        yield bad("Broker", f"may evict messages ({policy}).", "Set maxmemory-policy noeviction.")
    if not told.get("aof_enabled"):
        yield warn("Broker", "forgets its messages when it ends; the reaper rings again.", "Set appendonly yes.")
    yield from check_memory("Broker", told)
    options: Any = settings.DRAMATIQ_BROKER["OPTIONS"]
    if options.get("heartbeat_timeout", 0) > HEARTBEAT_SECONDS * 1000 or options.get("maintenance_chance", 0) < 10**6:
        mend = "Set heartbeat_timeout to 60000 and maintenance_chance to 1000000."
        yield bad("Broker", "brings back a killed worker's messages late.", mend)


def check_cache(told: dict[str, Any]) -> Iterator[Finding]:
    policy, most = str(told.get("maxmemory_policy")), told.get("maxmemory", 0)
    if not most:
        yield warn("Cache", "has no limit of memory.", "Set maxmemory 256mb or more, and maxmemory-policy allkeys-lru.")
    elif not policy.startswith("allkeys-"):
        yield bad("Cache", f"refuses to write where it is full ({policy}).", "Set maxmemory-policy allkeys-lru.")
    else:
        yield good("Cache", f"answers, and forgets what it must ({policy}).")


def check_memory(subject: str, told: dict[str, Any]) -> Iterator[Finding]:
    used, most = told.get("used_memory", 0), told.get("maxmemory", 0)
    if most and used > NEARLY_FULL * most:
        yield bad(subject, f"uses {100 * used / most:.0f} % of its memory.", "Raise maxmemory, or start more workers.")


def check_workers() -> Iterator[Finding]:
    """Workers by Dramatiq's own heartbeats, the scheduler by its lock."""
    with client_of(settings.BROKER_URL) as client:
        since = (time.time() - HEARTBEAT_SECONDS) * 1000
        workers, is_scheduled = client.zcount(HEARTBEATS, since, "+inf"), client.exists(SCHEDULER_LOCK)
    if workers:
        yield good("Workers", f"{workers} have asked for work within a minute.")
    else:
        yield bad("Workers", "none has asked for work within a minute.", "Start them: manage.py up, or rundramatiq.")
    if is_scheduled:
        yield good("Scheduler", "holds its lock.")
    else:
        yield bad("Scheduler", "is not there.", "Start one: manage.py up, or crontab --no-heartbeat.")


def read_clock() -> float:
    with client_of(settings.BROKER_URL) as client:
        seconds, microseconds = client.time()
        return float(seconds) + microseconds / 1_000_000


def check_measures() -> Iterator[Finding]:
    """Whether the product measures itself, who fell silent, and which alerts are open."""
    if not settings.MONITORING:
        yield warn("Measures", "are switched off.", "Set MONITORING=on.")
        return
    alive, lost = processes_alive().count(), list(processes_lost())
    yield good("Measures", f"come from {alive} processes.")
    for process in lost:
        yield warn("Measures", f"{process} fell silent at {process.seen_at:%H:%M:%S}.", "See its log.")
    for rule in AlertRule.objects.filter(alerts__cleared_at=None, alerts__isnull=False):
        yield warn("Alert", f"{rule.name}.", rule.advice or "See the alert in the admin.")
