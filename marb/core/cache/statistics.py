"""Hits and misses of every process and machine: counted in memory, added to the server's in batches.

A count is an addition in a dictionary; a thread adds the batch every FLUSH_SECONDS, or whoever makes it full, so that
a request pays two or three microseconds and what a killed process loses is a few seconds of counts. Single
keys are counted for the busiest only (MOST_KEYS). A rate is a percentage, as founding document 001 writes it.
"""

import atexit
import os
import threading
from collections import Counter
from typing import Any

from marb.core.cache.keys import Wanted, named
from marb.core.cache.kinds import KINDS, OVERALL_TARGET
from marb.core.cache.scripts import ADD
from marb.core.cache.server import Script, ask

FLUSH_SECONDS = 5.0
# more than a process answers in that time: a reader hardly ever flushes
FLUSH_COUNTS = 20_000
# a script of so many counts holds others up for less than a millisecond
COUNTS_AT_ONCE = 500
# of single keys: in a process between two flushes, and on the server
MOST_COUNTED = 2_000
MOST_KEYS = 1_000
SHOWN_KEYS = 100
WORDS = ("hit", "miss")
ADDING = Script(ADD)


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
    """Add this process's counts to the server's, in few round trips; kept for the next time where it is away."""
    global PROCESS
    with LOCK:
        batch, PROCESS = PROCESS, Counts()
    if not batch.size or ask(lambda client: add(client, batch), None) is not None:
        return
    with LOCK:
        PROCESS.kinds.update(batch.kinds)
        PROCESS.size = min(PROCESS.size + batch.size, FLUSH_COUNTS // 2)


def add(client: Any, batch: Counts) -> bool:
    names = [named(f"statistics:{name}") for name in ("kinds", *WORDS)]
    counts: list[tuple[int, str, int]] = []
    for label, number in batch.keys.items():
        word, _, key = label.partition(":")
        counts.append((2 + WORDS.index(word), key, number))
    # last: they are what is sent again where a part fails
    counts += [(1, field, number) for field, number in batch.kinds.items()]
    for place in range(0, len(counts), COUNTS_AT_ONCE):
        values = [value for count in counts[place : place + COUNTS_AT_ONCE] for value in count]
        ADDING.run(client, names, [MOST_KEYS, *values])
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
        for word in WORDS:
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
    names = [named(f"statistics:{word}") for word in WORDS]
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
