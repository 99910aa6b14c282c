"""A figure: what was done how often in how many seconds, run by run, and the target it is held against."""

from statistics import median
from typing import Any, NamedTuple


class Target(NamedTuple):
    """What a figure should reach. `at_most` where less is better; otherwise the figure is a rate or share."""

    value: float
    unit: str
    at_most: bool = False


class Figure(NamedTuple):
    """One measured work. `seconds` are those of each run; `details` what else is worth saying, by name.

    `value` is the figure in the target's unit: a rate per second, a share, a ratio, seconds or megabytes.
    """

    name: str
    work: str
    total: int
    seconds: list[float]
    value: float
    target: Target | None = None
    details: dict[str, Any] = {}

    @property
    def is_reached(self) -> bool | None:
        if self.target is None:
            return None
        return self.value <= self.target.value if self.target.at_most else self.value >= self.target.value


def rate(total: int, seconds: list[float]) -> float:
    """Items per second of the median run."""
    return total / median(seconds)


def as_document(figure: Figure) -> dict[str, Any]:
    """A figure as JSON: its fields, the median, and whether the target is reached."""
    return {
        **figure._asdict(),
        "seconds": [round(value, 4) for value in figure.seconds],
        "median_seconds": round(median(figure.seconds), 4) if figure.seconds else None,
        "value": round(figure.value, 3),
        "target": figure.target._asdict() if figure.target else None,
        "is_reached": figure.is_reached,
    }


def as_row(figure: Figure) -> str:
    """A figure as a row of docs/PERFORMANCE.md: work, target, reached, N and its details."""
    unit = figure.target.unit if figure.target else "/s"
    target = (
        ""
        if figure.target is None
        else f"{'at most ' if figure.target.at_most else ''}{plain(figure.target.value)} {unit}"
    )
    told = "; ".join(f"{key.replace('_', ' ')} {value}" for key, value in figure.details.items())
    runs = ", ".join(f"{value:.2f}" for value in figure.seconds)
    cells = (f"`{figure.name}` {figure.work}", target, f"{plain(figure.value)} {unit}", f"{figure.total:,}", runs, told)
    return f"| {' | '.join(cells)} |"


def plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
