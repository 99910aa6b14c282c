"""Hits and misses of every process and machine: counted in memory, added to the server's in batches.

A count is an addition in a dictionary; a thread adds the batch every FLUSH_SECONDS, or whoever makes it full, so that
the cost of a request is a fraction of a microsecond and what a killed process loses is a few seconds of counts. Single
keys are counted for the busiest only (MOST_KEYS). A rate is a percentage, as founding document 001 writes it.
"""

import atexit
import os
import threading
from collections import Counter
from typing import Any

from marb.core.cache.keys import Wanted, named
from marb.core.cache.kinds import KINDS, OVERALL_TARGET
from marb.core.cache.server import ask

FLUSH_SECONDS = 5.0
FLUSH_COUNTS = 1_000
# of single keys: in a process between two flushes, and on the server
MOST_COUNTED = 2_000
MOST_KEYS = 1_000
SHOWN_KEYS = 100


class Counts:
    """What this process has counted and not yet added. One addition is lost where two threads meet: counts may be."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.keys: Counter[str] = Counter()
        self.size = 0


PROCESS = Counts()
LOCK = threading.Lock()
THREAD: dict[str, int] = {"pid": 0}


def count(wanted: Wanted, *, is_hit: bool) -> None:
    """Count one reading of a kind and of a key."""
    word = "hit" if is_hit else "miss"
    counts = PROCESS
    counts.kinds[f"{wanted.kind}:{word}"] += 1
    label = f"{word}:{wanted.label}"
    if label in counts.keys or len(counts.keys) < MOST_COUNTED:
        counts.keys[label] += 1
    counts.size += 1
    if counts.size >= FLUSH_COUNTS:
        flush()
    elif THREAD["pid"] != os.getpid():
        start_thread()


def start_thread() -> None:
    """Start the thread that flushes, once per process; a fork has none of its parent's."""
    with LOCK:
        if THREAD["pid"] == os.getpid():
            return
        THREAD["pid"] = os.getpid()
    threading.Thread(target=flush_always, daemon=True, name="cache-statistics").start()
    atexit.register(flush)


def flush_always() -> None:
    pause = threading.Event()
    while not pause.wait(FLUSH_SECONDS):
        flush()


def flush() -> None:
    """Add this process's counts to the server's, in one round trip; kept for the next time where it is away."""
    global PROCESS
    with LOCK:
        batch, PROCESS = PROCESS, Counts()
    if not batch.size or ask(lambda client: add(client, batch), None) is not None:
        return
    with LOCK:
        PROCESS.kinds.update(batch.kinds)
        PROCESS.size = min(PROCESS.size + batch.size, FLUSH_COUNTS // 2)


def add(client: Any, batch: Counts) -> bool:
    pipeline = client.pipeline(transaction=False)
    for field, number in batch.kinds.items():
        pipeline.hincrby(named("statistics:kinds"), field, number)
    for label, number in batch.keys.items():
        word, _, key = label.partition(":")
        pipeline.zincrby(named(f"statistics:{word}"), number, key)
    for word in ("hit", "miss"):
        pipeline.zremrangebyrank(named(f"statistics:{word}"), 0, -MOST_KEYS - 1)
    pipeline.execute()
    return True


def tally(hits: int, misses: int) -> dict[str, Any]:
    """Say hits and misses with their rate in percent."""
    total = hits + misses
    return {
        "hits": hits,
        "misses": misses,
        "total": total,
        "hit_rate": round(100 * hits / total, 2) if total else 0.0,
    }


def read_kinds() -> dict[str, dict[str, Any]]:
    """Read the counts by kind, each with the rate that is expected of it."""
    flush()
    raw: dict[bytes, bytes] = ask(lambda client: client.hgetall(named("statistics:kinds")), {})
    counts = {field.decode(): int(number) for field, number in raw.items()}
    kinds = sorted({field.rpartition(":")[0] for field in counts})
    return {
        kind: tally(counts.get(f"{kind}:hit", 0), counts.get(f"{kind}:miss", 0))
        | {"target": KINDS[kind].target if kind in KINDS else OVERALL_TARGET}
        for kind in kinds
    }


def read_overall(kinds: dict[str, dict[str, Any]]) -> dict[str, Any]:
    sums = (sum(kind[word] for kind in kinds.values()) for word in ("hits", "misses"))
    return tally(*sums) | {"target": OVERALL_TARGET}


def read_key(key: str) -> dict[str, Any]:
    """Read the counts of one key, such as `claim:17`; those of a key that is not among the busiest are 0."""
    flush()

    def call(client: Any) -> list[Any]:
        pipeline = client.pipeline(transaction=False)
        for word in ("hit", "miss"):
            pipeline.zscore(named(f"statistics:{word}"), key)
        scores: list[Any] = pipeline.execute()
        return scores

    return tally(*(int(score or 0) for score in ask(call, [0, 0])))


def read_keys(most: int = SHOWN_KEYS) -> dict[str, dict[str, Any]]:
    """Read the busiest keys, most hits first."""
    flush()
    found: list[bytes] = ask(lambda client: client.zrevrange(named("statistics:hit"), 0, most - 1), [])
    return {key.decode(): read_key(key.decode()) for key in found}


def reset(key: str | None = None) -> None:
    """Forget the counts, of one key or all. What other processes have not added yet is added afterwards."""
    global PROCESS
    names = [named(f"statistics:{word}") for word in ("hit", "miss")]
    if key is None:
        with LOCK:
            PROCESS = Counts()
        ask(lambda client: client.delete(named("statistics:kinds"), *names), 0)
    else:
        flush()
        ask(lambda client: [client.zrem(name, key) for name in names], [])


SERVER_FIELDS = (
    *("keyspace_hits", "keyspace_misses", "evicted_keys", "expired_keys", "used_memory", "maxmemory"),
    *("maxmemory_policy", "connected_clients", "instantaneous_ops_per_sec", "uptime_in_seconds"),
)


def read_server() -> dict[str, Any]:
    """Read what the server itself counts (INFO): the whole server, every name in it. Empty where it is away."""
    found: dict[str, Any] = ask(lambda client: client.info(), {})
    return {field: found[field] for field in SERVER_FIELDS if field in found}
