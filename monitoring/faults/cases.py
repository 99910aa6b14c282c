"""The faults that happen to worker groups and services: kills, restarts, pauses, doubled messages, wrong clocks.

Each case puts a load on an empty stand, breaks things while it is worked off, and answers how often it did. The runner
compares what came of it with the calm run. Numbers are those of the fault list in issue 3 (F1 to F22).
"""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil
from django.db.models import Sum

from marb.pipeline import actors
from marb.pipeline.models import Chunk, ChunkState, DeadLetter, EdiFile
from marb.pipeline.retry import retry_file
from monitoring.faults.stand import LEASE_SECONDS, REAP_SECONDS, Stand

MOST_RECOVERY_SECONDS = 75


class Load(NamedTuple):
    """Files to work off."""

    paths: list[Path]


class Amount(NamedTuple):
    """How often each thing is done; `each` breaks at every chunk, else at that many."""

    each: int | None
    kills: int
    restarts: int
    stops: int
    orders: int
    calls: int | None
    real_lease: bool


SHORT = Amount(each=2, kills=1, restarts=1, stops=1, orders=3, calls=6, real_lease=False)
FULL = Amount(each=None, kills=100, restarts=20, stops=50, orders=50, calls=None, real_lease=True)


class Broken(Exception):
    """Something beside the rows was not as it must be; the sentence says what."""


def calm(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """Nothing breaks: what the others are held against."""
    stand.put(load.paths)
    stand.start_group()
    stand.finish()
    return 0


def die_after_commit(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F1: the group dies right after the commit of every chunk."""
    return die_at(stand, load, amount, "after_commit:1")


def die_before_commit(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F1: the group dies right before the commit of every second chunk."""
    return die_at(stand, load, amount, "before_commit:2")


def die_at(stand: Stand, load: Load, amount: Amount, trap: str) -> int:
    stand.put(load.paths)
    group = stand.start_group(processes=1, MARB_FAIL=trap)

    def relent() -> None:
        if amount.each is not None and group.lives > amount.each:
            group.environ.pop("MARB_FAIL", None)

    stand.finish(3600, relent)
    return group.lives - 1


def kill_at_random(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F1: kill -9 of the whole group at random times."""
    stand.put(load.paths)
    stand.start_group()
    return break_often(stand, rng, amount.kills, lambda: stand.signal_group("a", signal.SIGKILL))


def die_with_a_real_lease(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F1: one kill in a chunk's transaction with the lease and the reaper of production, to measure the recovery."""
    stand.set_lease(60, actors.REAP_SECONDS)
    try:
        stand.put(load.paths[:1])
        group = stand.start_group(processes=1, MARB_FAIL="before_commit:1")
        stand.pump(120, lambda: not stand.is_alive("a"))
        killed_at = time.monotonic()
        group.environ.pop("MARB_FAIL")
        stand.finish()
        recovery = time.monotonic() - killed_at
    finally:
        stand.set_lease(LEASE_SECONDS, REAP_SECONDS)
    if recovery > MOST_RECOVERY_SECONDS:
        raise Broken(f"{recovery:.0f} s from the kill to the end of the file")
    stand.put(load.paths[1:])
    stand.finish()
    stand.longest_recovery = recovery
    return 1


def break_often(stand: Stand, rng: random.Random, times: int, fault: Callable[[], object]) -> int:
    """Pump to the end, with a fault now and then, as long as there is work; a life begins when something is done."""
    state = {"next": time.monotonic() + rng.uniform(0.5, 4), "count": 0}

    def step() -> None:
        if state["count"] < times and time.monotonic() > state["next"]:
            fault()
            state["count"] += 1
            state["next"] = time.monotonic() + rng.uniform(0.5, 6)

    stand.finish(3600, step)
    return int(state["count"])


def kill_child(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F2: kill -9 of one process of a group; the others end with it and the group is started again."""
    stand.put(load.paths)
    stand.start_group()

    def fault() -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(stand.running("a").process.pid).children()
            if children:
                rng.choice(children).kill()

    return break_often(stand, rng, amount.kills, fault)


def poison(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F2: a chunk that kills its worker every time is parked, the others go on; mended and retried it comes in."""
    stand.put(load.paths[:1])
    group = stand.start_group(processes=1, MARB_FAIL="read_chunk#1", CHUNK_MOST_ATTEMPTS="3")
    stand.finish()
    parked = list(Chunk.objects.filter(state=ChunkState.PARKED).values_list("seq", "attempts"))
    statuses = set(EdiFile.objects.values_list("status", flat=True))
    if parked != [(1, 4)] or statuses != {"partial"}:
        raise Broken(f"parked {parked}, files {statuses}: exactly chunk 1 must be parked after 3 deaths")
    stand.end_group("a")
    stand.start_group()
    retry_file(EdiFile.objects.get().pk)
    stand.put(load.paths[1:])
    stand.finish()
    return group.lives - 1


def lose_broker(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F3: the broker dies and comes back empty; a file is received while it is away."""
    stand.put(load.paths[:1])
    stand.start_group()
    late = list(load.paths[1:])

    def fault() -> None:
        program = stand.lose_broker()
        stand.put([late.pop()] if late else [])
        time.sleep(rng.uniform(0, 1))
        stand.start_service(program)

    count = break_often(stand, rng, amount.restarts, fault)
    stand.put(late)
    stand.finish()
    return count


def restart_postgres(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F5: PostgreSQL is ended without a shutdown, and repairs itself."""
    stand.put(load.paths)
    stand.start_group()
    return break_often(stand, rng, amount.restarts, stand.restart_postgres)


def deliver_twice(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F11: every message is delivered twice."""
    os.environ["MARB_TWICE"] = "1"
    try:
        stand.put(load.paths)
        stand.start_group(MARB_TWICE="1")
        stand.finish()
    finally:
        del os.environ["MARB_TWICE"]
    return Chunk.objects.count() + 2 * EdiFile.objects.count()


def skew_clocks(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F13: three groups, one two minutes ahead, one a day behind, one right."""
    stand.put(load.paths)
    for name, skew in (("ahead", "120000"), ("behind", "-86400000"), ("right", "0")):
        stand.start_group(name, processes=1, MARB_SKEW_MS=skew)
    stand.finish()
    return 2


def pause_in_chunk(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F14: a group stops inside a chunk, before or in its transaction, for longer than its lease; then it goes on."""
    stand.put(load.paths)
    traps = ["before_commit@1", "read_chunk@1"]
    for number in range(max(amount.restarts, len(traps))):
        stand.start_group(f"zombie{number}", processes=1, MARB_FAIL=traps[number % 2])
    stand.pump(120, lambda: all(is_stopped(stand, name) for name in stand.groups))
    zombies = list(stand.groups)
    stand.start_group("live")
    stand.finish()
    for name in zombies:
        stand.signal_group(name, signal.SIGCONT)
    until = time.monotonic() + 2 * LEASE_SECONDS
    stand.pump(60, lambda: time.monotonic() > until)
    return len(zombies)


def is_stopped(stand: Stand, name: str) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(stand.running(name).process.pid).status() == psutil.STATUS_STOPPED
    return False


def stop_politely(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F19: SIGTERM in the middle of the work; each worker may repeat one chunk, no more."""
    stand.put(load.paths)
    group = stand.start_group()

    def fault() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(stand.running("a").process.pid, signal.SIGTERM)

    count = break_often(stand, rng, amount.stops, fault)
    taken = Chunk.objects.aggregate(attempts=Sum("attempts"))["attempts"] - Chunk.objects.count()
    if taken > count * group.processes:
        raise Broken(f"{taken} chunks were repeated after {count} stops of {group.processes} workers")
    return count


def cut_off_machine(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """Two machines share database and broker; one falls silent in the middle of a chunk, the other finishes."""
    stand.put(load.paths)
    stand.start_group("lost", MARB_FAIL="before_commit@3")
    stand.start_group("left")
    stand.pump(120, lambda: is_stopped(stand, "lost") or stand.is_finished())
    if not is_stopped(stand, "lost"):
        raise Broken("the first machine was never given a third chunk")
    stand.finish()
    return 1


def poison_queues(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F10: bytes that are no message and an actor that nobody knows lie in every queue; both become dead letters."""
    import dramatiq
    from dramatiq.message import Message

    broker = dramatiq.get_broker()
    queues = ("interactive", "ingest", "link", "maintenance")
    for queue in queues:
        broker.client.hset(f"dramatiq:{queue}.msgs", "poison", b"\xff\x00 no message")  # type: ignore[attr-defined]
        broker.client.rpush(f"dramatiq:{queue}", "poison", "nothing")  # type: ignore[attr-defined]
        broker.enqueue(Message(queue, "nobody", (1,), {}, {}))
    calm(stand, load, amount, rng)
    stand.pump(30, lambda: DeadLetter.objects.count() >= 2 * len(queues))
    return 3 * len(queues)
