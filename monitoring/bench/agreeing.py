"""Whether the measures agree with what is seen from outside: the load generator's own counts and times, the rows.

Requests wait a time that is long beside the way to the server and back, so that both look at the same seconds. The
measures are read once they are handed on.
"""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from claims.models import Claim
from monitoring.bench.figures import Figure, Target
from monitoring.bench.files import Input
from monitoring.bench.loading import Team
from monitoring.bench.server import serving
from monitoring.reading import Work, levels, period, timings
from monitoring.traffic.connection import write_request
from monitoring.traffic.drive import Run, Shot, drive_closed
from monitoring.traffic.summary import Statistics, summarize

ROUTE = "bench-wait"
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
        shots = (Shot(ROUTE, write_request(server.address, f"/bench/wait/{ms}/", {})) for ms in waits)
        run = drive_closed(server.address, shots, AT_ONCE, seconds=MOST_SECONDS)
        found = await_count(request_work, len(run.outcomes))
    return compare(run, found)


def request_work() -> Work | None:
    return next(iter(timings("request", period(LENGTH), name=f"GET {ROUTE}")), None)


def await_count(read: Callable[[], Work | None], wanted: int) -> Work | None:
    """Read until as many are handed on, or for a minute."""
    deadline = time.monotonic() + 60
    found = read()
    while (found is None or found.count < wanted) and time.monotonic() < deadline:
        time.sleep(0.5)
        found = read()
    return found


def compare(run: Run, found: Work | None) -> list[Figure]:
    overall = summarize(run.outcomes, run.seconds).overall
    counted = found.count if found else 0
    apart = percent(counted, overall.requests)
    spread = {share: percent_of(found, name, overall, share) for share, name in SHARES.items()}
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
            {f"{share}_percent": round(value, 2) for share, value in spread.items()},
        ),
    ]


def percent_of(found: Work | None, name: str, overall: Statistics, share: str) -> float:
    inside = getattr(found, name) if found else None
    return percent((inside or 0.0) / 1000, getattr(overall, share))


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
