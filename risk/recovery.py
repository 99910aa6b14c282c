"""How much of what was planted in a sample the search recovers: recall and precision. Pure.

A finding is a planted cause where payer and conditions are the same. Of what may move with the next line - a charge, a
number of days, a date, a list of procedures - it is enough that both have it, and of lists that they meet. Both sides
count only causes of enough lines and lift, for no search can find what hardly shows.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

LEAST_LINES: Final = 200
LEAST_LIFT: Final = 2.0
MOVING: Final = ("charge_amount_from", "days_to_submission_from", "submitted_from")


class Cause(NamedTuple):
    """A planted cause or a found one: the payer's code, conditions with providers by NPI, lines and lift."""

    payer: str
    conditions: Mapping[str, Any]
    lines: int
    lift: float

    @property
    def is_material(self) -> bool:
        return self.lines >= LEAST_LINES and self.lift >= LEAST_LIFT


class Recovery(NamedTuple):
    """Material causes that were planted and found, planted and missed, found and not planted."""

    found: list[Cause]
    missed: list[Cause]
    false: list[Cause]
    # material findings, those that were planted among them
    told: int

    @property
    def recall(self) -> float:
        return share(len(self.found), len(self.found) + len(self.missed))

    @property
    def precision(self) -> float:
        return share(self.told - len(self.false), self.told)


def share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def planted(truth: Mapping[str, Any]) -> list[Cause]:
    """Read the planted causes of truth.json; a drift's condition is the date from which it holds."""
    return [
        Cause(row["payer"], row["conditions"] or {"submitted_from": row["from_date"]}, row["lines"], row["lift"] or 0.0)
        for row in (each | {"conditions": without_reason(each)} for each in truth.get("patterns", ()))
    ]


def without_reason(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row["conditions"].items() if name != "carc" or row["kind"] == "carc"}


def is_same(one: Cause, other: Cause) -> bool:
    if one.payer != other.payer or set(one.conditions) != set(other.conditions):
        return False
    return all(name in MOVING or agree(value, other.conditions[name]) for name, value in one.conditions.items())


def agree(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return bool(set(one) & set(other))
    return bool(one == other)


def recover(wanted: Sequence[Cause], told: Sequence[Cause]) -> Recovery:
    """Hold findings against what was planted."""
    material = [each for each in wanted if each.is_material]
    found = [each for each in material if any(is_same(each, other) for other in told)]
    missed = [each for each in material if each not in found]
    shown = [each for each in told if each.is_material]
    false = [each for each in shown if not any(is_same(each, other) for other in wanted)]
    return Recovery(found, missed, false, len(shown))
