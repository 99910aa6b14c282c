"""What requests cost inside of the server, on a second one that counts: queries, their seconds, memory.

The counting server is slower, so nothing else is measured on it.
"""

import json
from itertools import islice
from typing import Any

from monitoring.bench.figures import Figure, Target
from monitoring.bench.stage import MOST_SECONDS, Stage
from monitoring.traffic.drive import drive_closed
from monitoring.traffic.mix import API
from monitoring.traffic.person import ask
from monitoring.traffic.summary import percentile

MS = 1000
MEGABYTE = 2**20
WARM = 100
COUNTED = 200


def measure(stage: Stage) -> list[Figure]:
    return [measure_queries(stage), measure_database(stage), measure_memory(stage)]


def counts(stage: Stage, query: str = "") -> dict[str, Any]:
    """What was counted since this was last asked."""
    return dict(json.loads(ask(stage.address, f"/bench/counts/{query}", {}).body))


def measure_queries(stage: Stage) -> Figure:
    """Queries of a claim that was read twice before."""
    [shot] = stage.gets([f"{API}/claims/{stage.known.values['claims'][0]}/"])
    stage.single([shot] * 3)
    counts(stage)
    stage.single([shot] * 20)
    found = counts(stage)["queries"]
    # the most of them: one that asks the database is not a cached one
    target = Target(0, "queries", at_most=True)
    return Figure("api", "queries in a GET of a claim read before", len(found), [], max(found), target)


def measure_database(stage: Stage) -> Figure:
    """Seconds of each query of the mix, eight requests at a time."""
    shots = islice(stage.mixed(3), WARM + COUNTED)
    drive_closed(stage.address, shots, 8, seconds=MOST_SECONDS)
    told = counts(stage)
    seconds = sorted(told["seconds"])
    value = percentile(seconds, 0.95)
    details = {
        "requests": len(told["queries"]),
        "median_ms": round(percentile(seconds, 0.5) * MS, 2),
        "queries_per_request": round(len(seconds) / max(1, len(told["queries"])), 2),
    }
    target = Target(50, "ms", at_most=True)
    return Figure("api", "time of a database query in the mix, p95", len(seconds), [], value * MS, target, details)


def measure_memory(stage: Stage) -> Figure:
    """Bytes that a request of the mix holds at most, one at a time, when everything is warm; and what stays of them."""
    counts(stage, "?trace=1")
    stage.single(list(islice(stage.mixed(4), WARM)))
    before = counts(stage)["held"]
    stage.single(list(islice(stage.mixed(5), COUNTED)))
    told = counts(stage)
    most = sorted(told["bytes"])
    details = {
        "median_megabytes": round(percentile(most, 0.5) / MEGABYTE, 3),
        "largest_megabytes": round(most[-1] / MEGABYTE, 3),
        "kilobytes_that_stay_per_request": round((told["held"] - before) / len(most) / 1024, 2),
    }
    value = percentile(most, 0.95) / MEGABYTE
    target = Target(1, "MB", at_most=True)
    return Figure("api", "memory of a request of the mix, p95", len(most), [], value, target, details)
