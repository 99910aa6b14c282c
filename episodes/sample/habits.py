"""How often each payer denies what no plant explains, and what smoothly raises it: charge, lines, days to send.

The base rate is of lines. Every payer draws its reasons from one mix, so that without plants no payer has a reason of
its own. The pull is a gradient and no pattern: what there is to learn beside them.
"""

from math import exp, log
from random import Random

from episodes.sample.claims import Claim
from episodes.sample.payers import (
    DIAGNOSIS,
    ENDED,
    LACKS,
    MAXIMUM,
    MODIFIER,
    NOT_COVERED,
    NOT_NECESSARY,
    OTHER_PAYER,
)
from episodes.sample.plants import Plant, Reason

BASE_RATE = {
    "SMP01": 0.03, "SMD02": 0.08, "SBX03": 0.02, "SCI04": 0.05, "SHM05": 0.10, "SMA06": 0.06, "STR07": 0.04,
    "SWC08": 0.20, "SEX09": 0.14, "SUN12": 0.03, "SMG10": 0.03, "SEC11": 0.06,
}  # fmt: skip
MIX: tuple[Reason, ...] = (
    *(LACKS,) * 6, *(NOT_NECESSARY,) * 4, *(NOT_COVERED,) * 3, *(OTHER_PAYER,) * 2, *(ENDED,) * 2, DIAGNOSIS, MODIFIER,
    MAXIMUM,
)  # fmt: skip
GRADIENTS = {"charge_over_list": 0.9, "line_count": 0.15, "days_to_submission": 0.06}
MOST_DAYS = 10
MOST_CHANCE = 0.9


def draw_habit(rng: Random) -> Reason:
    return MIX[int(rng.random() * len(MIX))]


def share_of(carc: str) -> float:
    """Get the part of a payer's base denials that give a reason."""
    return sum(reason[1] == carc for reason in MIX) / len(MIX)


def pull_of(claim: Claim, days: int) -> float:
    """Get by what a claim's own base rate is multiplied; about 1 on the average, 0.3 to 3."""
    said = GRADIENTS["charge_over_list"] * log(claim.over_list)
    said += GRADIENTS["line_count"] * (len(claim.lines) - 3)
    said += GRADIENTS["days_to_submission"] * (min(days, MOST_DAYS) - 6)
    return min(3.0, max(0.3, exp(said)))


def excess_of(plant: Plant) -> float:
    """Get the chance of a denial by this plant alone, such that with the base rate it comes to strength times it."""
    base = BASE_RATE[plant.payer]
    if plant.kind == "carc":
        return min(MOST_CHANCE, base * share_of(plant.reason[1]) * (plant.strength - 1))
    return min(MOST_CHANCE, base * (plant.strength - 1) / (1 - base))
