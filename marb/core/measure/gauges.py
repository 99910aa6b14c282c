"""What is sampled at each flush: the machine, this process, and its connection pools.

    cpu_percent, memory_percent, disk_percent, load_average     label: the machine
    process_memory_mb, process_cpu_percent, process_threads     label: the role
    pool_size, pool_used_percent, pool_waiting                  label: the database; gauges
    pool_requests, pool_wait_ms, pool_errors                    label: the database; counters

The machine's disk is that of VAR_DIR. A meter that fails is left out and said once.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from marb.core import pool
from marb.core.measure.memory import MEGABYTE, Said, psutil
from marb.core.measure.process import HELD, count, gauge

Meter = Callable[[], None]
COUNTED = {"pool_requests": "requests_num", "pool_wait_ms": "requests_wait_ms", "pool_errors": "requests_errors"}


def meters(shared: Iterable[Any]) -> list[Meter]:
    """Make the meters of a process; `shared` are the connections whose pools are measured."""
    process = psutil.Process() if psutil else None
    return [read_host, lambda: read_process(process), *(Pool(connection).read for connection in shared)]


def sample(all_meters: Iterable[Meter]) -> None:
    """Let every meter write its gauges."""
    failures = (OSError, ValueError, RuntimeError, AttributeError, *([psutil.Error] if psutil else []))
    for meter in all_meters:
        try:
            meter()
        except failures as error:
            Said.once(f"a gauge cannot be read: {type(error).__name__}")


def read_host() -> None:
    host = HELD.ledger.origin.host
    gauge("load_average", os.getloadavg()[0], host)
    disk = shutil.disk_usage(existing(settings.VAR_DIR))
    gauge("disk_percent", 100 * disk.used / (disk.used + disk.free), host)
    if psutil:
        gauge("memory_percent", psutil.virtual_memory().percent, host)
        gauge("cpu_percent", psutil.cpu_percent(), host)


def read_process(process: Any) -> None:
    role = HELD.ledger.origin.role
    if process:
        with process.oneshot():
            gauge("process_memory_mb", process.memory_info().rss / MEGABYTE, role)
            gauge("process_cpu_percent", process.cpu_percent(), role)
            gauge("process_threads", process.num_threads(), role)


def existing(path: Path) -> Path:
    """The path, or the nearest folder above it that is there."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


class Pool:
    """The pool of one database: how much of it is in use, and how many requests waited for it."""

    def __init__(self, connection: Any):
        self.connection = connection
        self.before: dict[str, int] = {}

    def read(self) -> None:
        found = pool.get_pool(self.connection)
        if found is None:
            return
        now, name = found.get_stats(), self.connection.alias
        used = now["pool_size"] - now["pool_available"]
        gauge("pool_size", now["pool_size"], name)
        gauge("pool_used_percent", 100 * used / max(now["pool_max"], 1), name)
        gauge("pool_waiting", now.get("requests_waiting", 0), name)
        for told, key in self.changes(now):
            count(told, key, name)

    def changes(self, now: dict[str, int]) -> Iterator[tuple[str, int]]:
        for told, key in COUNTED.items():
            change = now.get(key, 0) - self.before.get(key, 0)
            if change:
                yield told, change
        self.before = dict(now)
