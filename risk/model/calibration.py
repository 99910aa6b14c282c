"""Calibration: what a booster's margin (log-odds) means as a probability, learnt from claims it was not trained on.

With few denials a line through the log-odds (Platt); with many a rising curve through the means of their pools
(isotonic, pooled adjacent violators), straight between them, so that claims keep their order. Kept as JSON. Pure numpy.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.model.logistic import fit as fit_logistic
from risk.model.logistic import sigmoid

Floats = NDArray[np.float64]
# an isotonic curve over fewer denials or payments follows noise
LEAST_OF_A_CLASS = 1_000
# claims of one pool at the least: a pool's mean is then known to about five points
LEAST_POOL = 200
EDGE = 1e-4


class Calibration:
    """A rising function from margin to probability."""

    def __init__(self, kind: str, knots: Floats, values: Floats):
        self.kind = kind
        self.knots = knots
        self.values = values

    def probabilities(self, margins: Floats) -> Floats:
        """Get a probability for each margin, within (0, 1)."""
        if self.kind == "platt":
            return sigmoid(self.values[0] + self.values[1] * np.asarray(margins, dtype=np.float64))
        return np.interp(margins, self.knots, self.values)

    def document(self) -> dict[str, Any]:
        return {"kind": self.kind, "knots": self.knots.tolist(), "values": self.values.tolist()}


def read(document: dict[str, Any]) -> Calibration:
    """Read what `document` wrote. Raises KeyError or ValueError where it is not that."""
    values = [np.asarray(document[name], dtype=np.float64) for name in ("knots", "values")]
    if document["kind"] not in ("platt", "isotonic") or values[1].size < 2:
        raise ValueError("This is no calibration.")
    return Calibration(document["kind"], *values)


def fit(labels: Floats, margins: Floats) -> Calibration:
    """Learn a calibration; which kind is chosen by how many claims of each class there are."""
    labels, margins = np.asarray(labels, dtype=np.float64), np.asarray(margins, dtype=np.float64)
    denied = float(labels.sum())
    if min(denied, labels.size - denied) < LEAST_OF_A_CLASS:
        return fit_platt(labels, margins)
    return fit_isotonic(labels, margins)


def fit_platt(labels: Floats, margins: Floats) -> Calibration:
    """Fit a line through the log-odds, with Platt's targets, which keep away from 0 and 1."""
    denied = labels.sum()
    high, low = (denied + 1) / (denied + 2), 1 / (labels.size - denied + 2)
    line = fit_logistic(margins[:, None], np.where(labels > 0, high, low), ridge=1e-6)
    slope = max(float(line[1]), EDGE)
    return Calibration("platt", np.zeros(0), np.array([line[0], slope]))


def fit_isotonic(labels: Floats, margins: Floats) -> Calibration:
    """Fit a rising curve through pools of at least LEAST_POOL claims."""
    order = np.argsort(margins, kind="stable")
    starts = np.arange(0, labels.size, LEAST_POOL)
    weights = np.diff(np.append(starts, labels.size)).astype(np.float64)
    observed = np.add.reduceat(labels[order], starts) / weights
    centres = np.add.reduceat(margins[order], starts) / weights
    means, weights, centres = pool(observed, weights, centres)
    knots, first = np.unique(centres, return_index=True)
    return with_tails(knots, np.clip(means[first], EDGE, 1 - EDGE))


def pool(means: Floats, weights: Floats, centres: Floats) -> tuple[Floats, Floats, Floats]:
    """Join neighbours that do not rise until all rise (pooled adjacent violators)."""
    stack: list[tuple[float, float, float]] = []
    for mean, weight, centre in zip(means, weights, centres, strict=True):
        joined = (float(mean), float(weight), float(centre))
        while stack and stack[-1][0] >= joined[0]:
            joined = join(stack.pop(), joined)
        stack.append(joined)
    pooled = np.array(stack)
    return pooled[:, 0], pooled[:, 1], pooled[:, 2]


def join(first: tuple[float, float, float], second: tuple[float, float, float]) -> tuple[float, float, float]:
    weight = first[1] + second[1]
    mean, centre = ((first[at] * first[1] + second[at] * second[1]) / weight for at in (0, 2))
    return mean, weight, centre


def with_tails(knots: Floats, values: Floats) -> Calibration:
    """Go on beyond the outer pools with their log-odds' own slope of one, so that no two claims become equal."""
    low, high = knots[0] - 4.0, knots[-1] + 4.0
    odds = np.log(values / (1 - values))
    ends = np.clip(sigmoid(np.array([odds[0] - 4.0, odds[-1] + 4.0])), EDGE / 10, 1 - EDGE / 10)
    return Calibration("isotonic", np.concatenate(([low], knots, [high])), np.concatenate((ends[:1], values, ends[1:])))
