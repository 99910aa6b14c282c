"""Whether the measures agree with what is seen from outside: the load generator's own counts and times, the rows.

The server's clock starts once a request is read and stops before its answer is sent; the generator's takes in the way
there and back. As many requests that wait for nothing, among the others, say how long that way is: what they take
outside and not inside is taken off, so that both look at the same seconds. The measures are read once handed on.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path

from claims.models import Claim
from monitoring.bench.figures import Figure, Target
from monitoring.bench.files import Input
from monitoring.bench.loading import Team
from monitoring.bench.server import serving
from monitoring.reading import Work, levels, period, timings
from monitoring.traffic.connection import write_request
from monitoring.traffic.drive import Run, Shot, drive_closed
from monitoring.traffic.summary import summarize

ROUTE, BARE = "bench-wait", "bench-constant"
REQUESTS, AT_ONCE = 240, 4
LEAST_MS, MOST_MS = 200, 400
MOST_SECONDS = 120.0
LENGTH = timedelta(minutes=30)
SHARES = {"median": "p50_ms", "p95": "p95_ms", "p99": "p99_ms", "mean": "average_ms"}


def measure_requests(folder: Path) -> list[Figure]:
    """Make requests of known number, and hold the histogram against their own seconds."""
    with serving(folder) as server:
        chance = random.Random(7)
        waits = (chance.randint(LEAST_MS, MOST_MS) for _ in range(REQUESTS))
        bare = Shot(BARE, write_request(server.address, "/bench/constant/", {}))
        pairs = ((bare, Shot(ROUTE, write_request(server.address, f"/bench/wait/{ms}/", {}))) for ms in waits)
        run = drive_closed(server.address, chain.from_iterable(pairs), AT_ONCE, seconds=MOST_SECONDS)
        made = Counter(outcome.name for outcome in run.outcomes)
        found, nothing = (await_count(partial(request_work, name), made[name]) for name in (ROUTE, BARE))
    return compare(run, found, nothing)


def request_work(name: str) -> Work | None:
    return next(iter(timings("request", period(LENGTH), name=f"GET {name}")), None)


def await_count(read: Callable[[], Work | None], wanted: int) -> Work | None:
    """Read until as many are handed on, or for a minute."""
    deadline = time.monotonic() + 60
    found = read()
    while (found is None or found.count < wanted) and time.monotonic() < deadline:
        time.sleep(0.5)
        found = read()
    return found


def compare(run: Run, found: Work | None, nothing: Work | None) -> list[Figure]:
    told = summarize(run.outcomes, run.seconds).endpoints
    overall = told[ROUTE]
    way = max(0.0, told[BARE].median - (nothing.p50_ms or 0.0) / 1000 if nothing else 0.0)
    counted = found.count if found else 0
    apart = percent(counted, overall.requests)
    spread = {share: percent_of(found, name, getattr(overall, share) - way) for share, name in SHARES.items()}
    worst = max(spread.values())
    return [
        Figure("agree", "requests counted, apart from the load generator", counted, [], apart, Target(0, "%", True)),
        Figure(
            "agree",
            "times of requests, apart from the load generator",
            overall.requests,
            [run.seconds],
            worst,
            Target(2, "%", at_most=True),
            {f"{share}_percent": round(value, 2) for share, value in spread.items()}
            | {"way_there_and_back_ms": round(way * 1000, 2)},
        ),
    ]


def percent_of(found: Work | None, name: str, outside: float) -> float:
    inside = getattr(found, name) if found else None
    return percent((inside or 0.0) / 1000, outside)


def percent(inside: float, outside: float) -> float:
    """How far two figures are apart, in percent of the one from outside."""
    return 100 * abs(inside - outside) / outside if outside else 100.0


def measure_claims(ready: Team, given: Input) -> Callable[[], list[Figure]]:
    """Load a file; once the team has ended, answer how far the counter is apart from the rows."""
    before = loaded()
    run = ready.load([given.path])
    rows = Claim.objects.count()

    def tell() -> list[Figure]:
        apart = percent(loaded() - before, rows)
        work, target = "claims counted, apart from the rows", Target(0, "%", at_most=True)
        return [Figure("agree", work, rows, [run.seconds], apart, target)]

    return tell


def loaded() -> float:
    return sum(level.total for level in levels(["claims"], period(LENGTH)))
