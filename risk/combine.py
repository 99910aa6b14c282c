"""From components, patterns and the model's probability to one number, 0 to 100. Pure and vectorised.

    R = 1 - product over the components c of (1 - c/100) ** (n * w_c / sum of w)    what rules and patterns say
    S = R                                                                            where there is no model
    S = max(P, w_h * P + (1 - w_h) * R)                                              where it says P
    score = 100 * max(S, 0.75 where a critical rule is met)

R takes each component for a chance of its own to be denied: with equal weights one that says 40 makes 40, and two
make 64, where a mean of eight would make 5. n is the number of components, so that an average weight is an exponent
of 1. The calibrated probability bounds the score from below, so where no rule is met the score is the probability; and
by its weight w_h it takes back what rules say without support of history, but never a critical rule, such as a time
for filing that has passed. Weights sum to 1; those of the components are taken in proportion to each other.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from risk.batch import Column
from risk.rules import COMPONENTS

LEVELS = ("low", "medium", "high", "critical")
BORDERS = (25, 50, 75)
CRITICAL = 75.0
PARTS = (*COMPONENTS, "pattern")
WEIGHTS = {
    "payer": 0.10,
    "coding": 0.15,
    "documentation": 0.10,
    "timeliness": 0.08,
    "duplicate": 0.07,
    "authorization": 0.10,
    "coordination": 0.05,
    "pattern": 0.05,
    "historical": 0.30,
}
TOLERANCE = 0.01


class BadWeights(ValueError):
    """Weights that do not sum to 1, or are none; the sentence is for who set them."""


class Overall(NamedTuple):
    """Scores 0 to 100 and the places of their levels in LEVELS, one a claim."""

    scores: Column
    levels: Column


def check_weights(weights: Mapping[str, float]) -> None:
    """Raise BadWeights, in a sentence, unless there is one for each part and they sum to 1 within TOLERANCE."""
    wanted = {*PARTS, "historical"}
    if set(weights) != wanted:
        raise BadWeights(f"Risk weights are {', '.join(sorted(wanted))}; {', '.join(sorted(weights))} are given.")
    below = [name for name, weight in weights.items() if not 0 <= weight <= 1]
    if below:
        raise BadWeights(f"A risk weight is a number from 0 to 1; {', '.join(sorted(below))} is not.")
    total = sum(weights.values())
    if abs(total - 1) > TOLERANCE:
        raise BadWeights(f"The risk weights sum to {total:.3f}; they must sum to 1 (within {TOLERANCE}).")
    if sum(weights[name] for name in PARTS) <= 0:
        raise BadWeights("The model's risk weight is 1, so that no rule counts; leave the rules some weight.")


def exponents(weights: Mapping[str, float]) -> dict[str, float]:
    """Get each component's exponent: its weight in proportion to the components' average."""
    whole = sum(weights[name] for name in PARTS)
    return {name: len(PARTS) * weights[name] / whole for name in PARTS}


def combine(
    components: Mapping[str, Column], probability: Column | None, is_critical: Column, weights: Mapping[str, float]
) -> Overall:
    """Combine the components (0 to 100, those of PARTS) with the probability (0 to 1, None without a model)."""
    powers = exponents(weights)
    passing = np.ones(len(is_critical))
    for name in PARTS:
        passing *= np.power(1 - np.clip(components[name], 0, 100) / 100, powers[name])
    said = 1 - passing
    if probability is not None:
        share = weights["historical"]
        said = np.maximum(probability, share * probability + (1 - share) * said)
    scores = np.round(100 * np.clip(said, 0, 1), 2)
    scores = np.where(is_critical, np.maximum(scores, CRITICAL), scores)
    return Overall(scores, np.digitize(scores, BORDERS))
