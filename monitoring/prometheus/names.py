"""The metrics that /metrics shows, and from which measure each is made. What is not listed here is not shown.

Labels are hosts, roles, queues, actors, routes, verbs with tables, databases and kinds of the cache: never a person's,
practice's or file's. Base units, as Prometheus has them: seconds, bytes, ratios of 0 to 1.
"""

from enum import Enum
from typing import NamedTuple


class Fold(Enum):
    """How the newest values of several processes become one."""

    SUM = "sum"
    MOST = "most"
    NEWEST = "newest"


class Shown(NamedTuple):
    """A metric made of a sample: its name, help, label (empty: none), and what its value is multiplied by."""

    name: str
    help: str
    label: str = ""
    factor: float = 1
    fold: Fold = Fold.NEWEST


class Timed(NamedTuple):
    """Metrics made of a kind of timing: NAME_seconds and NAME_errors_total. Without bounds there are no buckets."""

    name: str
    help: str
    label: str
    bounds: tuple[float, ...] = ()


RATIO, MB, MS = 0.01, 2**20, 0.001
QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LONG = (0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0)

# sums since midnight UTC, when each begins again at 0: a reset, as Prometheus takes it
COUNTED: dict[str, Shown] = {
    "claims": Shown("marb_claims_loaded", "Claims loaded."),
    "remittances": Shown("marb_remittances_loaded", "Remittances loaded."),
    "responses": Shown("marb_responses", "Answers by class of status, such as 4xx.", "status"),
    "actor_failures": Shown("marb_actor_given_up", "Messages given up after their last retry.", "actor"),
    "pool_requests": Shown("marb_pool_requests", "Connections asked of the pools.", "database"),
    "pool_errors": Shown("marb_pool_errors", "Connections that the pools could not give.", "database"),
    "pool_wait_ms": Shown("marb_pool_wait_seconds", "Seconds waited for the pools.", "database", MS),
}
# numbers of servers that only grow
GROWING: dict[str, Shown] = {
    "cache_hits": Shown("marb_cache_hits", "Answers found in the cache, by kind.", "kind"),
    "cache_misses": Shown("marb_cache_misses", "Answers not found in the cache, by kind.", "kind"),
    "server_hits": Shown("marb_cache_server_hits", "Keys that the cache server found."),
    "server_misses": Shown("marb_cache_server_misses", "Keys that the cache server did not find."),
    "server_evictions": Shown("marb_cache_server_evictions", "Keys that the cache server gave up for room."),
    "server_expired": Shown("marb_cache_server_expired", "Keys whose time was over."),
}
GAUGES: dict[str, Shown] = {
    "cpu_percent": Shown("marb_host_cpu_used_ratio", "Processor in use.", "host", RATIO),
    "memory_percent": Shown("marb_host_memory_used_ratio", "Memory in use.", "host", RATIO),
    "disk_percent": Shown("marb_host_disk_used_ratio", "Disk of the var folder in use.", "host", RATIO),
    "load_average": Shown("marb_host_load_average", "Load average of a minute.", "host"),
    "process_memory_mb": Shown("marb_process_memory_bytes", "Resident memory of a role.", "role", MB, Fold.SUM),
    "process_cpu_percent": Shown("marb_process_cpu_cores", "Processors that a role uses.", "role", RATIO, Fold.SUM),
    "process_threads": Shown("marb_process_threads", "Threads of a role.", "role", 1, Fold.SUM),
    "pool_size": Shown("marb_pool_connections", "Connections that the pools hold.", "database", 1, Fold.SUM),
    "pool_waiting": Shown("marb_pool_waiting", "Requests that wait for a connection.", "database", 1, Fold.SUM),
    "pool_used_percent": Shown("marb_pool_used_ratio", "The fullest pool in use.", "database", RATIO, Fold.MOST),
    "queue_ready": Shown("marb_queue_ready", "Messages that wait.", "queue"),
    "queue_running": Shown("marb_queue_running", "Messages that workers hold.", "queue"),
    "queue_delayed": Shown("marb_queue_delayed", "Messages that wait for their time.", "queue"),
    "queue_oldest_seconds": Shown("marb_queue_oldest_seconds", "How long the oldest has waited.", "queue"),
    "broker_memory_mb": Shown("marb_broker_memory_bytes", "Memory that the broker uses.", "", MB),
    "cache_memory_mb": Shown("marb_cache_memory_bytes", "Memory that the cache server uses.", "", MB),
    "database_connections": Shown("marb_database_connections", "Clients connected to PostgreSQL."),
    "database_connections_percent": Shown("marb_database_connections_ratio", "Share of max_connections.", "", RATIO),
    "database_mb": Shown("marb_database_bytes", "Size of the database.", "", MB),
    "files_unfinished": Shown("marb_files_unfinished", "Files received and not finished."),
    "stalled_seconds": Shown("marb_stalled_seconds", "Seconds without progress while files wait."),
    "dead_letters": Shown("marb_dead_letters", "Messages given up and not driven again."),
}
TIMED: dict[str, Timed] = {
    "request": Timed("marb_request", "Requests by method and route", "route", QUICK),
    "actor": Timed("marb_actor", "Messages worked on, by actor", "actor", LONG),
    "wait": Timed("marb_actor_wait", "Time of messages in the queue, by actor", "actor", LONG),
    "sql": Timed("marb_sql", "Statements by verb and first table", "statement"),
    "call": Timed("marb_call", "Measured functions", "function"),
}
