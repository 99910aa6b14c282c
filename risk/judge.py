"""Facts to scores: rules, model and patterns over a Batch, combined, with the reasons that weigh most.

Nothing is read or written here but the batch and the basis that are given, so a what-if is the same call as a score.
"""

from typing import Any, NamedTuple

import numpy as np

from risk.basis import Basis, Match
from risk.batch import Batch, Column
from risk.combine import PARTS, Overall, combine, exponents
from risk.reasons import Reason, Told, Weighed, tell, weigh_model, weigh_rules
from risk.rules import apply_rules
from risk.words import words_of

# the model's column that patterns make
DRAWN = "pattern_chance"


class Judgement(NamedTuple):
    """What scoring says of a batch. `probability` is the model's, None where there is none."""

    overall: Overall
    # 0 to 100 by part (risk.combine.PARTS)
    components: dict[str, Column]
    probability: Column | None
    told: Told
    # sentences on rules that were left out
    problems: list[str]


def judge(batch: Batch, basis: Basis, *, exact: bool = False) -> Judgement:
    """Score a batch. `exact` asks the model for exact contributions: of one claim, not of many."""
    verdict = apply_rules(batch, basis.rules.rules, basis.payer_rules)
    matches = basis.match(batch)
    components = verdict.components | {"pattern": pattern_scores(batch, matches)}
    features = None if basis.model is None else basis.model.features(batch)
    probability = None if basis.model is None else np.clip(basis.model.predict(features), 0.0, 1.0)
    overall = combine(components, probability, verdict.is_critical, basis.weights)
    weighed = weigh_rules(verdict.hits, basis.weights, basis.model is not None)
    weighed += share_out(weigh_features(features, basis, probability, exact), weigh_matches(matches, basis), matches)
    told = tell(weighed)
    return Judgement(overall, components, probability, told, verdict.problems)


def pattern_scores(batch: Batch, matches: list[Match]) -> Column:
    """Get the score of the worst pattern that each claim meets; 0 where it meets none."""
    scores = np.zeros(len(batch))
    for match in matches:
        scores[match.places] = np.maximum(scores[match.places], match.score)
    return scores


def weigh_features(features: Any, basis: Basis, probability: Any, exact: bool) -> list[Weighed]:
    """Weigh what the model's columns added; nothing without a model, whose `features` then are None."""
    if basis.model is None or not len(features):
        return []
    names, contributions = basis.model.contributions(features, exact=exact)
    return weigh_model(names, contributions, probability, words_of)


def weigh_matches(matches: list[Match], basis: Basis) -> list[Weighed]:
    share = 1.0 if basis.model is None else 1 - basis.weights["historical"]
    power = exponents(basis.weights)["pattern"]
    return [
        Weighed(
            Reason("pattern", match.code, match.message, match.recommendation),
            match.places,
            np.full(len(match.places), 100 * share * (1 - (1 - min(match.score, 100) / 100) ** power)),
        )
        for match in matches
    ]


def share_out(of_model: list[Weighed], of_matches: list[Weighed], matches: list[Match]) -> list[Weighed]:
    """Give what the model draws from patterns to the patterns that a claim meets, by their scores.

    A person is told which pattern speaks against the claim; the model's column is told only where none is met.
    """
    drawn = [each for each in of_model if each.reason.code == DRAWN]
    rest = [each for each in of_model if each.reason.code != DRAWN]
    if not drawn or not matches:
        return [*of_model, *of_matches]
    ((reason, claims, points),) = drawn
    size = 1 + max(int(each.max()) for each in (claims, *(match.places for match in matches)))
    worth, scores = np.zeros(size), np.zeros(size)
    worth[claims] = points
    for match in matches:
        scores[match.places] += match.score
    shares = np.divide(worth, scores, out=np.zeros(size), where=scores > 0)
    told = [
        weighed._replace(weights=weighed.weights + match.score * shares[match.places])
        for weighed, match in zip(of_matches, matches, strict=True)
    ]
    alone = scores[claims] == 0
    return [*rest, *told, Weighed(reason, claims[alone], points[alone])]


class Shown(NamedTuple):
    """One reason as it is kept and shown; `severity` is the word of its points."""

    part: str
    severity: str
    code: str
    message: str
    points: float
    recommendation: str


def severity_of(reason: Reason, points: float) -> str:
    """Say in the words of the levels how much a reason weighs: from 50, 25 and 10 points on."""
    if reason.is_critical or points >= 50:
        return "critical"
    return "high" if points >= 25 else "medium" if points >= 10 else "low"


def reasons_of(told: Told, place: int) -> list[Shown]:
    """List the reasons told of the claim at a place of its batch, weightiest first."""
    first, last = np.searchsorted(told.claims, [place, place + 1])
    return [show(told.reasons[told.places[row]], float(told.weights[row])) for row in range(first, last)]


def show(reason: Reason, points: float) -> Shown:
    said = (reason.part, severity_of(reason, points), reason.code, reason.message)
    return Shown(*said, points, reason.recommendation)


__all__ = ["PARTS", "Judgement", "Shown", "judge", "reasons_of", "severity_of", "show"]
