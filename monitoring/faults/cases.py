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
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import psutil
from django.db import connection
from django.db.models import Sum

from marb.pipeline.models import Chunk, ChunkState, DeadLetter, EdiFile
from marb.pipeline.retry import retry_file
from monitoring.faults.stand import Stand

MOST_RECOVERY_SECONDS = 75


class Load(NamedTuple):
    """Files to work off."""

    paths: list[Path]


class Amount(NamedTuple):
    """How often each thing is done, and for how long; `each` breaks at every chunk, else at that many.

    `lease_kills` are those with the lease and the reaper of production, `pause` the seconds of a paused worker; 0
    where a short run leaves them to short leases. `life` is how long a worker has at most from its first lease to its
    end, in seconds.
    """

    each: int | None
    kills: int
    restarts: int
    stops: int
    orders: int
    calls: int | None
    lease_kills: int
    pause: int
    life: float


SHORT = Amount(each=2, kills=1, restarts=1, stops=1, orders=3, calls=6, lease_kills=0, pause=0, life=0.2)
FULL = Amount(each=None, kills=100, restarts=20, stops=50, orders=50, calls=None, lease_kills=3, pause=90, life=2.0)


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
    """Let the group die at a place of every chunk of the claims; the remittances come in calmly after them."""
    stand.put(load.paths[:1])
    group = stand.start_group(processes=1, MARB_FAIL=trap)

    def relent() -> None:
        if amount.each is not None and group.lives > amount.each:
            group.environ.pop("MARB_FAIL", None)

    stand.finish(step=relent)
    deaths = group.lives - 1
    stand.end_group("a")
    stand.start_group()
    stand.put(load.paths[1:])
    stand.finish()
    return deaths


def kill_at_random(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F1: kill -9 of the whole group at random times."""
    stand.put(load.paths)
    stand.start_group()
    return break_often(stand, rng, amount.kills, amount.life, lambda: stand.signal_group("a", signal.SIGKILL))


def die_with_a_real_lease(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F1: kills with the lease and the reaper of production; recovered is a kill when what was held by then is in."""
    traps = ["before_commit:1", "read_chunk:2", "before_commit:3"]
    with stand.real_lease():
        stand.put(load.paths)
        for number in range(amount.lease_kills):
            stand.start_group(f"killed{number}", processes=1, MARB_FAIL=traps[number % len(traps)])
        deaths = Deaths(stand)
        stand.pump(300, deaths.are_all)
        stand.finish()
    stand.longest_recovery = deaths.longest_recovery()
    if stand.longest_recovery > MOST_RECOVERY_SECONDS:
        raise Broken(f"{stand.longest_recovery:.0f} s from a kill until what was held is in")
    return len(deaths.held)


class Deaths:
    """Notes of each group that died at its trap when that was, by PostgreSQL's clock, and which chunks were held."""

    def __init__(self, stand: Stand):
        self.stand = stand
        self.held: dict[str, tuple[datetime, list[int]]] = {}

    def are_all(self) -> bool:
        for group in self.stand.groups.values():
            if group.name not in self.held and not self.stand.is_alive(group.name):
                held = Chunk.objects.filter(state=ChunkState.LEASED).values_list("pk", flat=True)
                self.held[group.name] = (clock(), list(held))
                group.environ.pop("MARB_FAIL")
        return len(self.held) == len(self.stand.groups)

    def longest_recovery(self) -> float:
        """Seconds from a death until the last chunk that was held then is committed, the longest of all."""
        seconds = [0.0]
        for died_at, held in self.held.values():
            for finished_at in Chunk.objects.filter(pk__in=held).values_list("finished_at", flat=True):
                seconds += [(finished_at - died_at).total_seconds()] if finished_at else []
        return max(seconds)


def clock() -> datetime:
    """PostgreSQL's time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
        return found


def break_often(stand: Stand, rng: random.Random, times: int, life: float, fault: Callable[[], object]) -> int:
    """Pump to the end and break at random times while somebody works: within a life of the first lease taken since
    the fault before. Answers how often."""
    state = {"count": 0, "leases": stand.leases, "next": 0.0}

    def step() -> None:
        now = time.monotonic()
        if state["next"] == 0 and stand.leases != state["leases"]:
            state["next"] = now + rng.uniform(0, life)
        if state["count"] < times and 0 < state["next"] <= now and not stand.is_finished():
            fault()
            state.update(count=state["count"] + 1, leases=stand.leases, next=0.0)

    stand.finish(step=step)
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

    return break_often(stand, rng, amount.restarts, amount.life, fault)


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

    count = break_often(stand, rng, amount.restarts, amount.life, fault)
    stand.put(late)
    stand.finish()
    return count


def restart_postgres(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F5: PostgreSQL is ended without a shutdown, and repairs itself."""
    stand.put(load.paths)
    stand.start_group()
    return break_often(stand, rng, amount.restarts, amount.life, stand.restart_postgres)


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
    with stand.real_lease() if amount.pause else contextlib.nullcontext():
        for number in range(2 * len(traps)):
            stand.start_group(f"zombie{number}", processes=1, MARB_FAIL=traps[number % 2], LOG_LEVEL="INFO")
        zombies = list(stand.groups)
        stand.pump(300, lambda: all(is_stopped(stand, name) for name in zombies))
        until = time.monotonic() + amount.pause
        stand.start_group("live")
        stand.finish()
        stand.pump(amount.pause + 60, lambda: time.monotonic() > until)
        for name in zombies:
            stand.signal_group(name, signal.SIGCONT)
        # the belt is at rest: nothing but the fence, or the end of its session, answers a zombie
        stand.pump(120, lambda: all(was_refused(stand, name) for name in zombies))
    return len(zombies)


def was_refused(stand: Stand, name: str) -> bool:
    """Tell whether a group's log says that its chunk was another's, or that its session had been ended."""
    told = stand.log(name).read_text()
    return "was done by another" in told or "failed, attempt" in told


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

    count = break_often(stand, rng, amount.stops, amount.life, fault)
    taken = Chunk.objects.aggregate(attempts=Sum("attempts"))["attempts"] - Chunk.objects.count()
    if taken > count * group.processes:
        raise Broken(f"{taken} chunks were repeated after {count} stops of {group.processes} workers")
    return count


def cut_off_machine(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """Two machines share database and broker; one falls silent in the middle of a chunk, the other finishes."""
    stand.put(load.paths)
    # one process, so that it has committed two chunks by then; the other machine comes to help it too late
    stand.start_group("lost", processes=1, MARB_FAIL="before_commit@3")
    stand.pump(300, lambda: is_stopped(stand, "lost"))
    stand.start_group("left")
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
    stand.pump(300, lambda: DeadLetter.objects.count() >= 2 * len(queues))
    return 3 * len(queues)
