"""Linking alone: the episodes and links of a file's remittances to its claims, in set-based SQL (episodes.link).

The claims and remittances are loaded first. The figure times the remittances' file where the claims have their episodes
and nothing is linked: the claims came first. Beside it are told the other order, in which the claims' file opens the
episodes and links them in one go, and settling, the stage after.
"""

import time
from collections.abc import Callable
from datetime import date
from statistics import median
from typing import Any

from django.db import connection

from episodes.link import link_file
from episodes.status import settle_file
from marb.pipeline.jobs import FileJob
from marb.pipeline.models import EdiFile
from monitoring.bench.figures import Figure, Target
from monitoring.bench.files import Pair
from monitoring.bench.house import EPISODES, LINKS, empty
from monitoring.bench.loading import Team

TODAY = date(2026, 7, 1)
TARGET = Target(3, "s", at_most=True)


def measure(team: Team, pair: Pair, runs: int) -> Figure:
    """Link the remittances of a pair to its claims, `runs` times."""
    empty()
    jobs = [FileJob(team.practice_id, file_id, TODAY) for file_id in load(team, pair)]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    both, linked, settled = zip(*(run(jobs) for _ in range(runs)), strict=True)
    details = {
        "claims": pair.claims.total,
        "open_and_link_seconds": round(median(both), 3),
        "settle_seconds": round(median(settled), 3),
    }
    work = "linking a file of remittances to as many claims"
    return Figure("link", work, pair.remittances.total, list(linked), median(linked), TARGET, details)


def load(team: Team, pair: Pair) -> list[int]:
    for given in pair:
        team.load([given.path])
    return list(EdiFile.objects.order_by("id").values_list("id", flat=True))


def run(jobs: list[FileJob]) -> tuple[float, float, float]:
    """Seconds to open episodes and link at once (the claims came last), to link alone, and to settle."""
    claims, remittances = jobs
    empty(EPISODES)
    both = timed(link_file, claims)
    empty(LINKS)
    return both, timed(link_file, remittances), timed(settle_file, remittances)


def timed(stage: Callable[[FileJob], Any], job: FileJob) -> float:
    started = time.monotonic()
    stage(job)
    return time.monotonic() - started
