"""The connection pool of this process: warmed at start, sized by DATABASE_POOL_MIN and _MAX, its use readable.

Each process has one pool per database. Nothing here opens a pool that nobody has used, but for `warm`.
"""

from typing import Any

from django.db import connections


def warm() -> None:
    """Let each pool open its connections now, in the background; a database that is away is not waited for."""
    for connection in connections.all():
        if pool := get_pool(connection):
            pool.open()


def give_back() -> None:
    """Give this thread's connections back while a long answer waits for its reader; not inside a transaction."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def statistics() -> dict[str, dict[str, int]]:
    """Get what each pool of this process counts, by database: psycopg_pool's names, such as pool_size,
    pool_available, requests_num, requests_waiting, requests_wait_ms, connections_lost. Empty without a pool."""
    pools = {connection.alias: get_pool(connection) for connection in connections.all()}
    return {alias: dict(pool.get_stats()) for alias, pool in pools.items() if pool}


def get_pool(connection: Any) -> Any:
    return getattr(connection, "pool", None)
