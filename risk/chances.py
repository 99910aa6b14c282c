"""What patterns say of a claim before it is sent: the chance that any of its lines is denied. Pure.

The patterns are those that the search would have found at the beginning of the claim's own month of submission, of the
lines that were adjudicated before it: so they are the same in training and in scoring, and no answer of the claim's own
leaks in. `Chances` asks for them by day; who reads the lines gives them (risk.ledger).

A claim stays paid with the product of what its causes leave: the payer's base habit and the line-by-line causes of each
line, and once for the claim the causes that deny it as a whole. Reasons (`carc`) are part of the habit.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from risk.lines import NO_DAY, Lines
from risk.match import KNOWN, find_places
from risk.search import search

Floats = NDArray[np.float64]
NAMES: Final = ("chance", "habit", "excess", "worst", "whole", "count")
# pseudo-lines at the practice's own rate, for a payer of whom little is known
STRENGTH: Final = 12.0
LEAST, MOST = 1e-4, 1 - 1e-4


class Cause(NamedTuple):
    """A pattern's conditions, the chance of a denial by it alone, and whether it denies a claim's lines together."""

    payer_id: int
    conditions: Mapping[str, Any]
    excess: float
    is_whole: bool


class Causes(NamedTuple):
    """What was known on a day: causes, each payer's base rate, and that of a payer who was not known."""

    causes: list[Cause]
    bases: Mapping[int, float]
    base: float


def learn(lines: Lines, day: int, window: int) -> Causes | None:
    """Find the causes known on a day since the epoch, of lines adjudicated in the window before it; None of none."""
    when = lines.adjudicated_day
    known = lines.pick((when != NO_DAY) & (when < day) & (when >= day - window))
    if not len(known):
        return None
    searched = search(known)
    denied, count = (sum(each) for each in zip((0, 0), *searched.bases.values(), strict=True))
    base = denied / count if count else float(known.is_denied.mean())
    bases = {payer: (k + STRENGTH * base) / (n + STRENGTH) for payer, (k, n) in searched.bases.items()}
    causes = [
        Cause(each.payer, each.conditions, each.excess, each.is_whole)
        for each in searched.findings
        if "carc" not in each.conditions and set(each.conditions) <= KNOWN
    ]
    return Causes(causes, bases, base)


class Chances:
    """Asks for the causes of a claim's month, and holds claims against them."""

    def __init__(self, causes_of: Callable[[int], Causes | None]):
        self.causes_of = causes_of

    def columns(self, batch: Any) -> dict[str, Floats]:
        """Get what the patterns of its month say of each claim, by NAMES; NaN where none was known yet.

        `chance` and `habit` are log-odds, with every cause and with the payer's habit alone; `excess`, `worst` and
        `whole` what patterns add: all of them, those of its worst line, those that deny the claim as a whole.
        """
        found = {name: np.full(len(batch), np.nan) for name in NAMES}
        months = month_starts(np.asarray(batch.submitted_date))
        for month in np.unique(months[np.asarray(batch.submitted_date) >= 0]).tolist():
            causes = self.causes_of(month)
            if causes is not None:
                places = np.flatnonzero((months == month) & (np.asarray(batch.submitted_date) >= 0))
                for name, values in weigh(batch.take(places), causes).items():
                    found[name][places] = values
        return found


def month_starts(days: NDArray[Any]) -> NDArray[np.int64]:
    """Get the first day of each day's month."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def weigh(batch: Any, causes: Causes) -> dict[str, Floats]:
    """Hold claims of one month against its causes; columns by NAMES."""
    claim = np.asarray(batch.line_claim)
    whole, by_line, count = strike(batch, causes.causes)
    base = np.array([causes.bases.get(payer, causes.base) for payer in np.asarray(batch.payer_id).tolist()])
    kept = product(claim, by_line, len(batch))
    lines = np.maximum(np.bincount(claim, minlength=len(batch)), 1)
    habit = (1 - base) ** lines
    worst = np.zeros(len(batch))
    np.maximum.at(worst, claim, 1 - by_line)
    return {
        "chance": log_odds(1 - habit * kept * whole),
        "habit": log_odds(1 - habit),
        "excess": 1 - kept * whole,
        "worst": worst,
        "whole": 1 - whole,
        "count": count,
    }


def strike(batch: Any, causes: list[Cause]) -> tuple[Floats, Floats, Floats]:
    """Get what whole causes leave of each claim, what the others leave of each line, and how many a claim meets."""
    whole, by_line, count = np.ones(len(batch)), np.ones(len(batch.line_claim)), np.zeros(len(batch))
    for cause in causes:
        places, lines = find_places(cause, batch)
        count[places] += 1
        if cause.is_whole:
            whole[places] *= 1 - cause.excess
        else:
            by_line[lines] *= 1 - cause.excess
    return whole, by_line, count


def product(claim: NDArray[Any], values: Floats, count: int) -> Floats:
    """Multiply up each claim's lines; 1 for a claim without lines."""
    return np.exp(np.bincount(claim, weights=np.log(np.maximum(values, 1e-9)), minlength=count))


def log_odds(chance: Floats) -> Floats:
    sure = np.clip(chance, LEAST, MOST)
    return np.log(sure / (1 - sure))
