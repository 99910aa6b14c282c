"""What each cause adds for itself: causes that overlap on the same lines are told apart. Pure.

A line stays paid with the product of what its causes leave: the payer's base habit, and each pattern that it meets. A
pattern's plain rate holds the habit and the other patterns' work too; its excess is the chance of a denial by it alone.
Some causes strike once and deny every line of the claim that meets them (a missing authorization); the others strike
line by line. Which it is, the claims with several such lines tell.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

ROUNDS: Final = 12
MOST: Final = 0.98


def excesses(masks: Sequence[Mask], is_denied: Mask, base: float) -> list[float]:
    """Get the chance of a denial by each cause alone; `masks` say which lines meet it, `base` is the others' rate.

    Of lines that meet a cause as many are paid as it and all else leave; solved for one cause after the other.
    """
    left = np.full(len(is_denied), 1.0 - min(base, MOST))
    found = [0.0] * len(masks)
    for _ in range(ROUNDS):
        for at, mask in enumerate(masks):
            others = left[mask] / (1.0 - found[at])
            paid = int((~is_denied[mask]).sum())
            found[at] = float(np.clip(1.0 - paid / max(others.sum(), 1e-9), 0.0, MOST))
            left[mask] = others * (1.0 - found[at])
    return found


def strikes_whole(claims: NDArray[Any], mask: Mask, is_denied: Mask) -> bool:
    """Say whether a cause denies the lines of a claim together.

    Where one of a claim's lines that meet it is denied, the next one is as often as any where lines stand for
    themselves, and always where they do not; the middle parts the two.
    """
    _, claim = np.unique(claims[mask], return_inverse=True)
    lines, denied = np.bincount(claim), np.bincount(claim, weights=is_denied[mask])
    beside = float((denied * (lines - 1)).sum())
    if beside == 0:
        return False
    again = float((denied * (denied - 1)).sum()) / beside
    rate = float(is_denied[mask].mean())
    return again > (1.0 + rate) / 2
