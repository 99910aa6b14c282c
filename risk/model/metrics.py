"""How good probabilities are against what came true: ranking, precision, calibration. Pure numpy.

Labels are 0 and 1, scores any floats of the same length; equal scores are one threshold, so that no figure depends on
the order of the rows. A figure that one class alone cannot give raises OneClass.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
BINS = 10
# points of a curve that a page draws
CURVE_POINTS = 60
WANTED_PRECISION = 0.95


class OneClass(ValueError):
    """All labels are the same: nothing can be ranked."""


class Steps(NamedTuple):
    """Denied and paid claims at or above each distinct score, from the highest score down."""

    scores: Floats
    hits: Floats
    misses: Floats


class Bin(NamedTuple):
    """One bar of the reliability table: how many, what was predicted on average, and what came true."""

    claims: int
    predicted: float
    observed: float


def count_steps(labels: Floats, scores: Floats) -> Steps:
    """Count what stands at or above each distinct score. Raises OneClass."""
    labels = np.asarray(labels, dtype=np.float64)
    if labels.size == 0 or labels.min() == labels.max():
        raise OneClass("All claims ended the same way, so there is nothing to rank.")
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    ranked = np.asarray(scores, dtype=np.float64)[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    hits = np.cumsum(labels[order])[ends]
    return Steps(ranked[ends], hits, ends + 1.0 - hits)


def roc_auc(labels: Floats, scores: Floats) -> float:
    """Get the chance that a denied claim scores above a paid one; a tie counts half. Raises OneClass."""
    steps = count_steps(labels, scores)
    hits, misses = (np.concatenate(([0.0], each)) for each in (steps.hits, steps.misses))
    return float(np.trapezoid(hits, misses) / (hits[-1] * misses[-1]))


def pr_auc(labels: Floats, scores: Floats) -> float:
    """Get the average precision over the denied claims found, highest scores first. Raises OneClass."""
    steps = count_steps(labels, scores)
    precision = steps.hits / (steps.hits + steps.misses)
    return float(np.sum(np.diff(steps.hits, prepend=0.0) * precision) / steps.hits[-1])


def recall_at_precision(labels: Floats, scores: Floats, precision: float = WANTED_PRECISION) -> float:
    """Get the largest share of denials found where at least `precision` of those named are denials. Raises OneClass."""
    steps = count_steps(labels, scores)
    good = steps.hits / (steps.hits + steps.misses) >= precision
    return float(np.max(steps.hits, where=good, initial=0.0) / steps.hits[-1])


def top_decile_recall(labels: Floats, scores: Floats) -> float:
    """Get the share of denials among the tenth with the highest scores; a tie at its edge counts by its share."""
    steps = count_steps(labels, scores)
    taken = np.concatenate(([0.0], steps.hits + steps.misses))
    hits = np.concatenate(([0.0], steps.hits))
    return float(np.interp(taken[-1] / 10, taken, hits) / hits[-1])


def brier(labels: Floats, probabilities: Floats) -> float:
    """Get the mean squared distance of probabilities from what came true."""
    return float(np.mean((np.asarray(probabilities) - np.asarray(labels)) ** 2))


def reliability(labels: Floats, probabilities: Floats, bins: int = BINS) -> list[Bin]:
    """Compare predicted with observed in bins of equal count; equal probabilities stay in one bin."""
    labels, probabilities = np.asarray(labels, dtype=np.float64), np.asarray(probabilities, dtype=np.float64)
    if labels.size == 0:
        return []
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, bins + 1)[1:-1]))
    places = np.searchsorted(edges, probabilities, side="right")
    counts = np.bincount(places, minlength=edges.size + 1)
    predicted = np.bincount(places, weights=probabilities, minlength=edges.size + 1)
    observed = np.bincount(places, weights=labels, minlength=edges.size + 1)
    return [
        Bin(int(count), float(sum_predicted / count), float(sum_observed / count))
        for count, sum_predicted, sum_observed in zip(counts, predicted, observed, strict=True)
        if count
    ]


def calibration_error(labels: Floats, probabilities: Floats, bins: int = BINS) -> float:
    """Get the expected calibration error: how far bins are off on average, weighed by their claims."""
    table = reliability(labels, probabilities, bins)
    total = sum(each.claims for each in table)
    return sum(each.claims * abs(each.predicted - each.observed) for each in table) / total if total else 0.0


def measure(labels: Floats, scores: Floats) -> dict[str, float]:
    """Get all figures of probabilities. Raises OneClass."""
    return {
        "roc_auc": roc_auc(labels, scores),
        "pr_auc": pr_auc(labels, scores),
        "recall_at_95_precision": recall_at_precision(labels, scores),
        "top_decile_recall": top_decile_recall(labels, scores),
        "brier": brier(labels, scores),
        "calibration_error": calibration_error(labels, scores),
    }


def curves(labels: Floats, scores: Floats) -> dict[str, Any]:
    """Get the ROC and precision-recall curves as points to draw, at most CURVE_POINTS each. Raises OneClass."""
    steps = count_steps(labels, scores)
    share_hit, share_missed = steps.hits / steps.hits[-1], steps.misses / steps.misses[-1]
    precision = steps.hits / (steps.hits + steps.misses)
    return {
        "roc": [[0.0, 0.0], *pick(share_missed, share_hit)],
        "pr": pick(share_hit, precision),
        "reliability": [each._asdict() for each in reliability(labels, scores)],
    }


def pick(across: Floats, up: Floats) -> list[list[float]]:
    """Pick points of a curve that are spread evenly along its x axis, the last one among them."""
    wanted = np.linspace(0, across[-1], CURVE_POINTS)
    places = np.unique(np.minimum(np.searchsorted(across, wanted), across.size - 1))
    return [[round(float(across[place]), 4), round(float(up[place]), 4)] for place in places]
