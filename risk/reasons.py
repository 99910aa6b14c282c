"""Why a score is what it is: the five reasons that weigh most with a claim, each with what to do. Pure, vectorised.

A reason's weight is in points of the score, about what it would fall by without it: of a rule or pattern, what its
points are worth in their component; of a column of the model, what the probability falls by without its contribution.
Contributions that lower the probability are no reasons.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from risk.batch import Column
from risk.combine import CRITICAL, exponents
from risk.rules import Hit

MOST_REASONS = 5
# in points; what weighs less is not told
LEAST_WEIGHT = 0.5
SURE = 1e-6


class Reason(NamedTuple):
    """What may be said of a claim: the part of the score it belongs to, its code, and the words."""

    part: str
    code: str
    message: str
    recommendation: str
    is_critical: bool = False


class Told(NamedTuple):
    """Reasons told of claims, weightiest first in each: the claim's place, the reason's place in `reasons`, points."""

    reasons: list[Reason]
    claims: Column
    places: Column
    weights: Column


class Weighed(NamedTuple):
    """One reason with the claims that it is told of, and its weight with each, in points."""

    reason: Reason
    claims: Column
    weights: Column


def weigh_rules(hits: Sequence[Hit], weights: Mapping[str, float], has_model: bool) -> list[Weighed]:
    """Weigh what rules said."""
    powers, share = exponents(weights), 1 - weights["historical"] if has_model else 1.0
    found = []
    for rule, places, points in hits:
        reason = Reason(rule.component, rule.code, rule.message, rule.recommendation, rule.is_critical)
        worth = 100 * share * (1 - np.power(1 - np.clip(points, 0, 100) / 100, powers[rule.component]))
        found.append(Weighed(reason, places, np.maximum(worth, CRITICAL) if rule.is_critical else worth))
    return found


def weigh_model(
    names: Sequence[str], contributions: Column, probability: Column, words: Callable[[str], tuple[str, str]]
) -> list[Weighed]:
    """Weigh what the model's columns contributed, in log-odds; `words` gives a column's message and recommendation."""
    sure = np.clip(probability, SURE, 1 - SURE)
    margins = np.log(sure / (1 - sure))
    found = []
    for place, name in enumerate(names):
        falls = 100 * (sure - 1 / (1 + np.exp(contributions[:, place] - margins)))
        claims = np.flatnonzero(falls >= LEAST_WEIGHT)
        if len(claims):
            found.append(Weighed(Reason("historical", name, *words(name)), claims, falls[claims]))
    return found


def tell(weighed: Sequence[Weighed]) -> Told:
    """Choose the reasons that are told of each claim."""
    reasons = [each.reason for each in weighed]
    if not weighed:
        nothing = np.zeros(0, dtype=np.int64)
        return Told([], nothing, nothing, np.zeros(0))
    claims = np.concatenate([each.claims for each in weighed])
    places = np.repeat(np.arange(len(weighed)), [len(each.claims) for each in weighed])
    worth = np.concatenate([each.weights for each in weighed])
    order = np.lexsort((places, -worth, claims))
    claims, places, worth = claims[order], places[order], worth[order]
    is_told = (rank_within(claims) < MOST_REASONS) & (worth >= LEAST_WEIGHT)
    return Told(reasons, claims[is_told], places[is_told], np.round(worth[is_told], 1))


def rank_within(sorted_keys: Column) -> Column:
    """Number the members of each run of equal keys from 0."""
    count = len(sorted_keys)
    starts = np.r_[True, sorted_keys[1:] != sorted_keys[:-1]] if count else np.zeros(0, dtype=bool)
    firsts = np.maximum.accumulate(np.where(starts, np.arange(count), 0)) if count else np.zeros(0, dtype=np.int64)
    return np.arange(count) - firsts
