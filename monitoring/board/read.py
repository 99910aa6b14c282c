"""What the board shows of a period, in a fixed number of statements: throughput, work, levels, processes, alerts.

What cannot be read now is named in `missing`, and the rest is there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from marb.core.logs import plain_reason
from marb.core.measure.histogram import percentile
from monitoring import alerts
from monitoring.models import Alert, Checkpoint, Process
from monitoring.prometheus.names import COUNTED, GAUGES, GROWING
from monitoring.reading import Level, Period, Work, growth, highest_deltas, histogram, levels, processes_alive, timings
from monitoring.reading import processes_lost as find_lost

KINDS = ("request", "sql", "actor", "wait", "call")
# claims and remittances together, a second (founding document 003)
TARGET = 6_667
MOST_DELTAS = 5


@dataclass(slots=True)
class Board:
    """A period's figures. Rates are per second; `hits` maps a kind of the cache to hits and misses."""

    within: Period
    at: datetime
    work: dict[str, list[Work]] = field(default_factory=dict)
    requests: dict[int, int] = field(default_factory=dict)
    levels: list[Level] = field(default_factory=list)
    hits: dict[str, tuple[float, float]] = field(default_factory=dict)
    alive: list[Process] = field(default_factory=list)
    lost: list[Process] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    deltas: list[Checkpoint] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def level(self, name: str, label: str | None = None) -> Level | None:
        """Get a gauge's or counter's figures: of a label, or the first there is."""
        return next((each for each in self.levels if each.name == name and label in (None, each.label)), None)

    def labelled(self, name: str) -> list[Level]:
        return [each for each in self.levels if each.name == name]

    def per_second(self, *names: str) -> float:
        """How much of these counters was counted a second."""
        return sum(each.total for each in self.levels if each.name in names) / self.within.seconds

    def percentile_ms(self, share: float) -> float | None:
        """A percentile of all requests, in milliseconds."""
        found = percentile(self.requests, share)
        return None if found is None else found / 1000


def read(within: Period) -> Board:
    """Read the board of a period."""
    board = Board(within, timezone.now())
    for name, part in PARTS.items():
        try:
            part(board)
        except DatabaseError as error:
            board.missing.append(f"{name} cannot be read ({plain_reason(error)})")
    return board


def read_work(board: Board) -> None:
    board.work = {kind: timings(kind, board.within) for kind in KINDS}
    board.requests = histogram("request", board.within)


def read_levels(board: Board) -> None:
    board.levels = levels([*COUNTED, *GAUGES], board.within)


def read_hits(board: Board) -> None:
    """By how much hits and misses have grown, by kind; the server's own where the product counted none."""
    grown = growth([name for name in GROWING if name.endswith(("_hits", "_misses"))], board.within)
    for (name, kind), value in grown.items():
        told = kind or "server"
        hits, misses = board.hits.get(told, (0.0, 0.0))
        board.hits[told] = (hits + value, misses) if name.endswith("_hits") else (hits, misses + value)


def read_processes(board: Board) -> None:
    board.alive, board.lost = list(processes_alive()), list(find_lost())


def read_alerts(board: Board) -> None:
    board.alerts = alerts.firing()


def read_deltas(board: Board) -> None:
    board.deltas = list(highest_deltas(board.within, most=MOST_DELTAS))


PARTS: dict[str, Callable[[Board], Any]] = {
    "The work done": read_work,
    "The levels": read_levels,
    "The hits of the cache": read_hits,
    "The processes": read_processes,
    "The alerts": read_alerts,
    "The memory checkpoints": read_deltas,
}
