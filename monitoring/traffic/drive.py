"""How requests are paced: closed (so many at once, the next when one is answered) or open (so many a second).

Open is what users are: they do not wait for each other. A request's seconds count from the moment it was due, also
where no connection was free yet, so a server that falls behind shows it (no coordinated omission). What was due and not
answered when patience ends is an outcome too, as old as it was by then.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from monitoring.traffic.connection import Address, Connection
from monitoring.traffic.summary import NOBODY, Outcome

LATE = "not answered in time"


class Shot(NamedTuple):
    """A request to make: the name it is counted by, and its bytes."""

    name: str
    request: bytes


class Run(NamedTuple):
    """What became of the requests, the seconds from first to last, and the CPU seconds that making them took."""

    outcomes: list[Outcome]
    seconds: float
    cpu_seconds: float


def drive_closed(
    address: Address, shots: Iterator[Shot], concurrent: int, *, seconds: float, patience: float = 30.0
) -> Run:
    """Make the requests over so many connections, until they are all made or `seconds` have passed."""
    return asyncio.run(closed(address, shots, concurrent, seconds, patience))


def drive_open(
    address: Address,
    shots: Iterator[Shot],
    rate: float,
    *,
    seconds: float,
    connections: int = 64,
    patience: float = 10.0,
    seed: int = 1,
) -> Run:
    """Make `rate` requests a second at random moments (Poisson) for `seconds`, whether or not answers come.

    Stops waiting `patience` seconds after the last was due.
    """
    dues = arrivals(rate, seconds, random.Random(seed))
    return asyncio.run(opened(address, shots, dues, connections, patience))


def arrivals(rate: float, seconds: float, chance: random.Random) -> list[float]:
    """The moments of requests, in seconds from the start."""
    found, now = [], chance.expovariate(rate)
    while now < seconds:
        found.append(now)
        now += chance.expovariate(rate)
    return found


async def closed(address: Address, shots: Iterator[Shot], concurrent: int, seconds: float, patience: float) -> Run:
    outcomes: list[Outcome] = []
    started, cpu = time.monotonic(), time.process_time()

    async def work() -> None:
        async with connected(address, patience) as connection:
            for shot in shots:
                outcomes.append(await make(connection, shot, time.perf_counter()))
                if time.monotonic() - started > seconds:
                    return

    await asyncio.gather(*(work() for _ in range(concurrent)))
    return Run(outcomes, time.monotonic() - started, time.process_time() - cpu)


async def opened(address: Address, shots: Iterator[Shot], dues: list[float], connections: int, patience: float) -> Run:
    queue: asyncio.Queue[tuple[float, Shot]] = asyncio.Queue()
    outcomes: list[Outcome] = []
    under_way: dict[int, tuple[float, Shot]] = {}
    cpu = time.process_time()

    async def work(number: int) -> None:
        async with connected(address, patience) as connection:
            while True:
                due, shot = under_way[number] = await queue.get()
                outcomes.append(await make(connection, shot, due))
                del under_way[number]
                queue.task_done()

    workers = [asyncio.create_task(work(number)) for number in range(connections)]
    started = time.perf_counter()
    await give(queue, shots, dues, started)
    try:
        async with asyncio.timeout(patience):
            await queue.join()
    except TimeoutError:
        # told below, by what is left
        pass
    ended = time.perf_counter()
    left = [*under_way.values(), *(queue.get_nowait() for _ in range(queue.qsize()))]
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    outcomes += [Outcome(shot.name, NOBODY, ended - due, LATE) for due, shot in left]
    return Run(outcomes, ended - started, time.process_time() - cpu)


async def give(queue: "asyncio.Queue[tuple[float, Shot]]", shots: Iterator[Shot], dues: list[float], at: float) -> None:
    """Put each request into the queue when it is due; ends early where there are no more requests."""
    for due, shot in zip(dues, shots, strict=False):
        wait = at + due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        queue.put_nowait((at + due, shot))


@asynccontextmanager
async def connected(address: Address, patience: float) -> AsyncIterator[Connection]:
    connection = Connection(address, patience)
    try:
        yield connection
    finally:
        connection.close()


async def make(connection: Connection, shot: Shot, since: float) -> Outcome:
    """Make one request; seconds are counted from `since`."""
    try:
        answer = await connection.ask(shot.request)
    except (OSError, TimeoutError) as error:
        # the class alone: a message may carry an address
        reason = LATE if isinstance(error, TimeoutError) else type(error).__name__
        return Outcome(shot.name, NOBODY, time.perf_counter() - since, reason)
    return Outcome(shot.name, answer.status, time.perf_counter() - since)
