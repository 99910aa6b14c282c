"""The realistic mix at a rate: arrivals at random moments, whether or not answers come, and how often the cache knew.

Where the asked rate is too much, halves of it are tried until one is answered in time, so that the figure says what
was reached, too.
"""

import json
from itertools import islice
from typing import Any, NamedTuple

import redis

from monitoring.bench.figures import Figure, Target
from monitoring.bench.stage import Stage
from monitoring.traffic.drive import drive_closed, drive_open
from monitoring.traffic.mix import API
from monitoring.traffic.person import ask
from monitoring.traffic.summary import Summary, summarize

MS = 1000
GOOD = 0.1
LEAST_RATE = 15
CONNECTIONS = 64
# a stretch of warming up has as many requests as so many seconds of the asked rate, or lasts so many times its seconds
WARM_SECONDS, WARM_TIMES = 60, 6
# it ends with the stretch whose share of hits is no more than this above the one before
STEADY, MOST_STRETCHES = 0.01, 6


class Hits(NamedTuple):
    """Hits and misses so far: as the product counts them (None where it does not tell), as the cache's server does."""

    product: tuple[int, int] | None
    server: tuple[int, int]


def measure(stage: Stage) -> list[Figure]:
    warm = warm_up(stage)
    before = read_hits(stage)
    asked, cpu = attempt(stage, stage.scope.rate)
    hits = read_hits(stage)
    reached = search(stage, asked)
    overall = asked.overall
    details = {
        "asked_per_second": stage.scope.rate,
        "answered_per_second": round(asked.rate),
        "errors": overall.errors,
        "why": "; ".join(f"{what} {count}" for what, count in asked.errors.items()),
        "p95_at_most_100_ms_up_to_per_second": reached,
        "warm_up_requests": warm,
        "generator_share_of_a_core": round(cpu, 2),
    }
    return [
        *(
            Figure("api", f"mix at {stage.scope.rate:,}/s, {name}", overall.requests, [value], value * MS, target, told)
            for name, value, target, told in (
                ("p95", overall.p95, Target(100, "ms", at_most=True), details),
                ("p99", overall.p99, Target(200, "ms", at_most=True), {}),
            )
        ),
        judge_hits(before, hits, overall.requests),
    ]


def warm_up(stage: Stage) -> int:
    """Make the mix until its share of hits rises no more, as in an office's afternoon; answers how many requests."""
    shots, requests, reached = stage.mixed(1), 0, -1.0
    for _ in range(MOST_STRETCHES):
        before = read_hits(stage)
        some = islice(shots, WARM_SECONDS * stage.scope.rate)
        requests += len(drive_closed(stage.address, some, 8, seconds=WARM_TIMES * stage.scope.seconds).outcomes)
        hits = hit_rate(before, read_hits(stage))
        if hits - reached <= STEADY:
            break
        reached = hits
    return requests


def attempt(stage: Stage, rate: float) -> tuple[Summary, float]:
    """Make the mix at a rate; the summary, and the share of a core that the generator took."""
    shots = stage.mixed(int(rate))
    run = drive_open(stage.address, shots, rate, seconds=stage.scope.seconds, connections=CONNECTIONS)
    return summarize(run.outcomes, run.seconds), run.cpu_seconds / run.seconds


def search(stage: Stage, asked: Summary) -> int:
    """The highest of the asked rate, its half, its quarter and so on that was answered well; 0 where none was."""
    rate, found = stage.scope.rate, asked
    while not is_good(found):
        rate //= 2
        if rate < LEAST_RATE:
            return 0
        found, _ = attempt(stage, rate)
    return rate


def is_good(summary: Summary) -> bool:
    return not summary.overall.errors and summary.overall.p95 <= GOOD


def read_hits(stage: Stage) -> Hits:
    with redis.Redis.from_url(stage.server.cache_url) as client:
        told: dict[str, Any] = client.info("stats")
    answer = ask(stage.address, f"{API}/cache/stats/", stage.people[0])
    overall = json.loads(answer.body).get("overall") if answer.status == 200 else None
    product = (int(overall["hits"]), int(overall["misses"])) if overall else None
    return Hits(product, (int(told["keyspace_hits"]), int(told["keyspace_misses"])))


def judge_hits(before: Hits, after: Hits, requests: int) -> Figure:
    """The share of hits among what was asked of the cache during the mix: by the product's count where it has one."""
    by = "the product" if before.product and after.product else "the cache's server"
    details = {"counted_by": by, "server_share": share(before.server, after.server)}
    value = hit_rate(before, after)
    return Figure("api", "hit rate of the mix", requests, [], value, Target(0.8, "of the reads"), details)


def hit_rate(before: Hits, after: Hits) -> float:
    if before.product and after.product:
        return share(before.product, after.product)
    return share(before.server, after.server)


def share(before: tuple[int, int], after: tuple[int, int]) -> float:
    hits, misses = after[0] - before[0], after[1] - before[1]
    return round(hits / (hits + misses), 3) if hits + misses else 0.0
