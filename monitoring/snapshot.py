"""What belongs to no process, sampled by schedule: queues, the cache server, PostgreSQL, dead letters, the backlog.

    queue_ready, queue_running, queue_delayed, queue_oldest_seconds      label: the queue
    dead_letters                                                         not driven again; gauge
    files_unfinished, stalled_seconds                                    the belt; gauges
    server_hits, server_misses, server_evictions, server_expired         the cache server's own; ever growing
    cache_hits, cache_misses                                             label: the kind; the product's; ever growing
    cache_memory_mb, broker_memory_mb                                    gauges
    database_connections, database_connections_percent, database_mb      gauges
    workers_alive                                                        worker processes heard of lately

What only grows is sampled as it stands, and its growth is read from that (monitoring.reading.growth): whichever
process takes the next snapshot need know nothing of the last. A part that is away is left out, and answered by name.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import dramatiq
import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.module_loading import import_string
from dramatiq.message import Message

from marb.core.measure import gauge
from marb.core.measure.memory import MEGABYTE
from marb.pipeline.models import DeadLetter
from monitoring.reading import processes_alive

log = logging.getLogger(__name__)
PATIENCE_SECONDS = 2.0
# the oldest of a queue is looked for among so many at its head
MOST_LOOKED_AT = 10
COUNTED = {
    "server_hits": "keyspace_hits",
    "server_misses": "keyspace_misses",
    "server_evictions": "evicted_keys",
    "server_expired": "expired_keys",
}


class Depth(NamedTuple):
    """How many messages of a queue wait, are worked on, and wait for their time; seconds that the oldest has waited."""

    name: str
    ready: int
    running: int
    delayed: int
    oldest_seconds: float


class Queue:
    """A queue of the broker, read by its keys (STACK 3: Dramatiq's own count knows only its own process)."""

    def __init__(self, client: Any, namespace: str, name: str):
        self.client = client
        self.name = name
        self.key = f"{namespace}:{name}"

    def read(self) -> Depth:
        ready, kept = int(self.client.llen(self.key)), int(self.client.hlen(f"{self.key}.msgs"))
        delayed = int(self.client.hlen(f"{self.key}.DQ.msgs"))
        return Depth(self.name, ready, max(0, kept - ready), delayed, self.oldest_seconds())

    def sample(self) -> None:
        depth = self.read()
        gauge("queue_ready", depth.ready, self.name)
        gauge("queue_running", depth.running, self.name)
        gauge("queue_delayed", depth.delayed, self.name)
        gauge("queue_oldest_seconds", depth.oldest_seconds, self.name)

    def oldest_seconds(self) -> float:
        """Say how long the first of those that nobody has taken has waited; 0 where none waits."""
        ids = self.client.lrange(self.key, 0, MOST_LOOKED_AT - 1)
        found = [data for data in (self.client.hmget(f"{self.key}.msgs", ids) if ids else []) if data]
        sent = [stamp for stamp in map(timestamp_of, found) if stamp]
        return max(0.0, time.time() - min(sent) / 1000) if sent else 0.0


def timestamp_of(data: bytes) -> int:
    """A message's time in milliseconds; 0 of what is no message."""
    try:
        return int(Message.decode(data).message_timestamp)
    except (dramatiq.DramatiqError, TypeError, KeyError, ValueError):
        return 0


def sample_queues() -> None:
    broker: Any = dramatiq.get_broker()
    with client_of(settings.BROKER_URL) as client:
        for name in sorted(broker.get_declared_queues()):
            Queue(client, broker.namespace, name).sample()
        gauge("broker_memory_mb", client.info("memory")["used_memory"] / MEGABYTE)


def read_depths() -> list[Depth]:
    """Read every queue as it stands now. Raises redis.RedisError where the broker does not answer."""
    broker: Any = dramatiq.get_broker()
    with client_of(settings.BROKER_URL) as client:
        return [Queue(client, broker.namespace, name).read() for name in sorted(broker.get_declared_queues())]


def sample_cache() -> None:
    """Sample the cache server's own counters, and the product's by kind where CACHE_COUNTS names their reader."""
    with client_of(str(settings.CACHES["default"]["LOCATION"])) as client:
        told = client.info()
    for name, key in COUNTED.items():
        gauge(name, int(told[key]))
    gauge("cache_memory_mb", told["used_memory"] / MEGABYTE)
    kinds = import_string(settings.CACHE_COUNTS)() if settings.CACHE_COUNTS else {}
    for kind, counts in kinds.items():
        gauge("cache_hits", counts["hits"], kind)
        gauge("cache_misses", counts["misses"], kind)


def sample_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), current_setting('max_connections')::int, pg_database_size(current_database())"
            " FROM pg_stat_activity WHERE backend_type = 'client backend'"
        )
        connections, most, size = cursor.fetchone()
    gauge("database_connections", connections)
    gauge("database_connections_percent", 100 * connections / most)
    gauge("database_mb", size / MEGABYTE)


# from the last thing that happened to any file that waits and may go on, by PostgreSQL's clock
STALLED = """
SELECT count(*), COALESCE(EXTRACT(EPOCH FROM now() - max(GREATEST(f.received_at, f.started_at, c.moved_at))), 0)::float8
FROM pipeline_edifile f
LEFT JOIN LATERAL (SELECT max(finished_at) AS moved_at FROM pipeline_chunk WHERE file_id = f.id) c ON true
WHERE f.status IN ('received', 'running') AND f.hold = ''
"""


def stalled() -> tuple[int, float]:
    """Say how many files wait, and for how many seconds nothing has happened to any of them."""
    with connection.cursor() as cursor:
        cursor.execute(STALLED)
        files, seconds = cursor.fetchone()
        return int(files), max(0.0, float(seconds))


def sample_belt() -> None:
    files, seconds = stalled()
    gauge("files_unfinished", files)
    gauge("stalled_seconds", seconds)
    gauge("dead_letters", DeadLetter.objects.filter(redriven_at=None).count())
    gauge("workers_alive", processes_alive().filter(role="worker").count())


def client_of(url: str) -> Any:
    limits = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    return redis.Redis.from_url(url, **limits)


PARTS: dict[str, Callable[[], None]] = {
    "queues": sample_queues,
    "cache": sample_cache,
    "database": sample_database,
    "belt": sample_belt,
}


def take() -> list[str]:
    """Sample every part into this process's measures; answer the names of those that are away."""
    away = []
    for name, sample in PARTS.items():
        try:
            sample()
        except (redis.RedisError, DatabaseError, OSError) as error:
            log.warning("snapshot: %s is away (%s)", name, type(error).__name__)
            away.append(name)
    return away
