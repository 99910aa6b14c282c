"""What a payer decides on a claim, and how likely that was: base habit, gradients and plants. Pure.

Every cause of a line denies it or not for itself; a whole-claim plant denies all lines or none. So a line stays with
the product of what its causes leave, and the chance of the label (a line denied) is exact.
"""

from collections.abc import Callable, Sequence
from datetime import date
from random import Random
from typing import NamedTuple

from episodes.sample.adjudication import Remittance
from episodes.sample.claims import Claim
from episodes.sample.habits import BASE_RATE, draw_habit, excess_of, pull_of
from episodes.sample.plants import Plant, Reason, Unit, tests_of, units_of


class Rule(NamedTuple):
    """A plant made ready: its place among the plants, its chance beside the base rate, its first day."""

    place: int
    plant: Plant
    excess: float
    first_day: int
    tests: list[Callable[[Plant, Unit], bool]]

    def meets(self, unit: Unit, sent: int) -> bool:
        return sent >= self.first_day and all(test(self.plant, unit) for test in self.tests)

    @property
    def from_date(self) -> str:
        return date.fromordinal(self.first_day).isoformat() if self.plant.start else ""


class Verdict(NamedTuple):
    """Per unit: the reason of its denial or None, the chance of a denial, the rules that it meets (by place).

    `chance` is that of the label: at least one unit denied.
    """

    reasons: list[Reason | None]
    chances: list[float]
    met: list[list[int]]
    chance: float

    @property
    def is_clean(self) -> bool:
        return not any(self.reasons)

    @property
    def is_full(self) -> bool:
        return all(self.reasons)


class Judge:
    """Holds the rules by payer. Without plants there is neither rule nor gradient: base rates alone."""

    def __init__(self, plants: Sequence[Plant], first: int, last: int):
        self.is_pulled = bool(plants)
        self.rules: list[Rule] = []
        self.by_payer: dict[str, list[Rule]] = {}
        for place, plant in enumerate(plants):
            day = int(first + (last - first) * plant.start)
            rule = Rule(place, plant, excess_of(plant), day, tests_of(plant))
            self.rules.append(rule)
            self.by_payer.setdefault(plant.payer, []).append(rule)

    def judge(self, rng: Random, claim: Claim, sent: int, *, is_duplicate: bool) -> Verdict:
        """Let every cause that a claim meets deny it or not. `sent` is the day of submission (ordinal)."""
        units = units_of(claim, sent, is_duplicate=is_duplicate)
        rules = self.by_payer.get(claim.payer.code, ())
        met = [[rule for rule in rules if rule.meets(unit, sent)] for unit in units]
        whole = [rule for rule in met[0] if rule.plant.is_whole and all(rule in each for each in met)]
        reason, left = draw_cause(rng, whole)
        base = BASE_RATE[claim.payer.code]
        if self.is_pulled:
            base *= pull_of(claim, sent - claim.to_day)
        return self.sum_up(rng, base, met, reason, left)

    def sum_up(
        self, rng: Random, base: float, met: list[list[Rule]], whole: Reason | None, whole_left: float
    ) -> Verdict:
        reasons: list[Reason | None] = []
        chances: list[float] = []
        all_left = whole_left
        for rules in met:
            own = draw_habit(rng) if rng.random() < base else None
            planted, left = draw_cause(rng, [rule for rule in rules if not rule.plant.is_whole])
            left *= 1 - base
            reasons.append(whole or planted or own)
            chances.append(1 - left * whole_left)
            all_left *= left
        return Verdict(reasons, chances, [[rule.place for rule in rules] for rules in met], 1 - all_left)

    def judge_second(self, rng: Random, claim: Claim, after: Remittance, sent: int) -> Verdict:
        """Decide as the second payer on what the first one left to the patient, line by line; all or none of them."""
        base = BASE_RATE[claim.payer.code]
        reason = claim.payer.denials[0] if rng.random() < base else None
        left = [any(group == "PR" for group, _, _ in each.adjustments) for each in after.lines]
        reasons = [reason if owed else None for owed in left]
        return Verdict(reasons, [base if owed else 0.0 for owed in left], [[] for _ in left], base)


def draw_cause(rng: Random, rules: Sequence[Rule]) -> tuple[Reason | None, float]:
    """Try each rule by its own chance: the first reason that strikes, and the chance that none does."""
    reason, left = None, 1.0
    for rule in rules:
        if rng.random() < rule.excess and reason is None:
            reason = rule.plant.reason
        left *= 1 - rule.excess
    return reason, left
