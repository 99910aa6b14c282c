"""Candidates of patterns among one payer's lines: every condition that may explain its denials, as counts. Pure.

A family is one kind of condition with all its values: which lines have which value. Most lines have one value or none
in a family; values of a `rising` family are steps (charge, days, date), and a candidate is a step and all above it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from risk.lines import NO_DAY, Ints, Lines, Mask, weekday

CHARGE_STEPS = (100, 150, 200, 250, 300, 400, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 25_000)
DAY_STEPS = (30, 60, 90, 120, 180, 270, 365)
# a procedure is one that is authorized where this share of its lines at the payer is
AUTHORIZED_SHARE = 0.3
WEEK = 7
# a procedure is new when it comes first after this share of the time
NEW_SHARE, NEW_DAYS = 0.15, 28
MOST_BESIDE = 12


@dataclass
class Family:
    """`value[i]` is the number of line `line[i]`'s value; `conditions[v]` says it; `order` breaks ties, simplest first.

    With `is_rising`, candidate v has the lines of every value from v on. A family that is `single` gives one pattern a
    payer: its values overlap, and where exactly the step is may move with the next line.
    """

    kind: str
    order: int
    line: Ints
    value: Ints
    conditions: list[dict[str, Any]]
    is_rising: bool = False
    is_single: bool = False

    def counts(self, weights: Any) -> Ints:
        """Sum weights (by line) over each candidate's lines."""
        found = np.bincount(self.value, weights=weights[self.line], minlength=len(self.conditions)).astype(np.int64)
        return np.cumsum(found[::-1])[::-1] if self.is_rising else found

    def mask(self, value: int, length: int) -> Mask:
        found = np.zeros(length, bool)
        chosen = self.value >= value if self.is_rising else self.value == value
        found[self.line[chosen]] = True
        return found

    def cut(self, least: int) -> "Family":
        """Leave out values of fewer lines."""
        if self.is_rising or not len(self.conditions):
            return self
        kept = np.bincount(self.value, minlength=len(self.conditions)) >= least
        places = np.cumsum(kept) - 1
        chosen = kept[self.value]
        said = [each for each, is_kept in zip(self.conditions, kept, strict=True) if is_kept]
        return Family(self.kind, self.order, self.line[chosen], places[self.value[chosen]], said, False, self.is_single)


def build_families(lines: Lines, least: int) -> list[Family]:
    """Build every family of one payer's lines, without values of fewer than `least` lines."""
    makers = (
        of_procedures, of_modifiers, of_providers, of_places, of_diagnoses, of_authorization, of_days, of_copies,
        of_pairs, of_charges, of_weekdays, of_weeks,
    )  # fmt: skip
    found: list[Family] = []
    for make in makers:
        found += make(lines, least)
    found = [family.cut(least) for family in found]
    return [family for family in found if len(family.conditions)]


def numbered(*keys: Ints) -> tuple[Ints, list[Ints]]:
    """Number the combinations of keys; answers each element's number and the keys of each number."""
    if len(keys) == 1:
        values, number = np.unique(keys[0], return_inverse=True)
        return number, [values]
    joined = np.zeros(len(keys[0]), np.int64)
    for key in keys:
        joined = joined * (int(key.max(initial=0)) + 1) + key
    _, first, number = np.unique(joined, return_index=True, return_inverse=True)
    return number, [key[first] for key in keys]


def of_procedures(lines: Lines, least: int) -> list[Family]:
    labels = lines.labels["procedure"]
    chosen = np.flatnonzero(lines.procedure != lines.code("procedure", ""))
    number, (codes,) = numbered(lines.procedure[chosen])
    return [Family("procedure", 1, chosen, number, [{"procedure_code": labels[code]} for code in codes])]


def of_modifiers(lines: Lines, least: int) -> list[Family]:
    """Each modifier of a line alone, and with the line's procedure."""
    combinations = lines.labels["modifiers"]
    names = sorted({name for each in combinations for name in each})
    held = np.zeros((len(combinations), len(names)), bool)
    for code, each in enumerate(combinations):
        held[code, [names.index(name) for name in each]] = True
    line, name = np.nonzero(held[lines.modifiers])
    alone = Family("modifier", 1, line, name, [{"modifier": each} for each in names])
    number, (codes, marks) = numbered(lines.procedure[line], name)
    labels = lines.labels["procedure"]
    both = [{"procedure_code": labels[code], "modifier": names[mark]} for code, mark in zip(codes, marks, strict=True)]
    return [alone, Family("modifier", 2, line, number, both)]


def of_diagnoses(lines: Lines, least: int) -> list[Family]:
    empty = (lines.code("procedure", ""), lines.code("diagnosis", ""))
    chosen = np.flatnonzero((lines.procedure != empty[0]) & (lines.diagnosis != empty[1]))
    number, (codes, others) = numbered(lines.procedure[chosen], lines.diagnosis[chosen])
    labels, names = lines.labels["procedure"], lines.labels["diagnosis"]
    said = [
        {"procedure_code": labels[code], "diagnosis": names[other]} for code, other in zip(codes, others, strict=True)
    ]
    return [Family("diagnosis_procedure", 2, chosen, number, said)]


def of_providers(lines: Lines, least: int) -> list[Family]:
    found = []
    for order, (column, name) in enumerate((("rendering", "rendering_provider"), ("billing", "billing_provider"))):
        ids = getattr(lines, column)
        chosen = np.flatnonzero(ids > 0)
        number, (values,) = numbered(ids[chosen])
        said = [{name: int(value)} for value in values]
        found.append(Family("provider", 1 + order, chosen, number, said))
    return found


def of_places(lines: Lines, least: int) -> list[Family]:
    labels = lines.labels["place"]
    chosen = np.flatnonzero(lines.place != lines.code("place", ""))
    number, (codes,) = numbered(lines.place[chosen])
    return [Family("place", 1, chosen, number, [{"place_of_service_code": labels[code]} for code in codes])]


def of_authorization(lines: Lines, least: int) -> list[Family]:
    """Lines without authorization of the procedures that are mostly sent with one."""
    many = len(lines.labels["procedure"])
    sent = np.bincount(lines.procedure, minlength=many)
    authorized = np.bincount(lines.procedure, weights=lines.is_authorized, minlength=many)
    usual = (authorized >= AUTHORIZED_SHARE * np.maximum(sent, 1)) & (sent >= least)
    chosen = np.flatnonzero(usual[lines.procedure] & ~lines.is_authorized)
    codes = sorted(lines.labels["procedure"][code] for code in np.flatnonzero(usual) if lines.labels["procedure"][code])
    if not codes:
        return []
    named = np.isin(lines.procedure[chosen], [lines.code("procedure", code) for code in codes])
    said = {"procedure_code": codes, "has_authorization": False}
    return [Family("authorization", 1, chosen[named], np.zeros(int(named.sum()), np.int64), [said], False, True)]


def rising(
    kind: str, name: str, order: int, values: Ints, steps: list[int], said: list[Any], least: int
) -> list[Family]:
    """Make a family of steps; those with fewer lines above, or below, than `least` are left out."""
    above = np.asarray([int((values >= step).sum()) for step in steps])
    kept = [at for at, count in enumerate(above) if least <= count <= len(values) - least]
    if not kept:
        return []
    place = np.searchsorted([steps[at] for at in kept], values, side="right") - 1
    line = np.flatnonzero(place >= 0)
    return [Family(kind, order, line, place[line], [{name: said[at]} for at in kept], True, True)]


def of_days(lines: Lines, least: int) -> list[Family]:
    steps = list(DAY_STEPS)
    return rising("timely_filing", "days_to_submission_from", 1, lines.days, steps, steps, least)


def of_charges(lines: Lines, least: int) -> list[Family]:
    said = [f"{step}.00" for step in CHARGE_STEPS]
    cents = [step * 100 for step in CHARGE_STEPS]
    return rising("charge_band", "charge_amount_from", 2, lines.charge_cents, cents, said, least)


def of_weeks(lines: Lines, least: int) -> list[Family]:
    known = lines.submitted_day[lines.submitted_day != NO_DAY]
    if not len(known):
        return []
    first, last = int(known.min()), int(known.max())
    steps = list(range(first - int(weekday(np.asarray([first]))[0]) + WEEK, last, WEEK))
    said = [str(np.datetime64(step, "D")) for step in steps]
    fewest = max(least, len(known) // 20)
    return rising("drift", "submitted_from", 3, lines.submitted_day, steps, said, fewest)


def of_copies(lines: Lines, least: int) -> list[Family]:
    chosen = np.flatnonzero(lines.is_duplicate)
    return [Family("duplicate", 1, chosen, np.zeros(len(chosen), np.int64), [{"is_duplicate": True}], False, True)]


def of_weekdays(lines: Lines, least: int) -> list[Family]:
    chosen = np.flatnonzero(lines.submitted_day != NO_DAY)
    return [Family("weekday", 2, chosen, weekday(lines.submitted_day[chosen]), [{"weekday": day} for day in range(7)])]


def of_pairs(lines: Lines, least: int) -> list[Family]:
    """A procedure beside another on the same claim and day; each pair of lines both ways."""
    coded = np.flatnonzero(lines.procedure != lines.code("procedure", ""))
    order = coded[np.lexsort((lines.service_day[coded], lines.claim[coded]))]
    first, second = [], []
    for shift in range(1, MOST_BESIDE):
        one, other = order[:-shift], order[shift:]
        same = (lines.claim[one] == lines.claim[other]) & (lines.service_day[one] == lines.service_day[other])
        if not same.any():
            break
        same &= lines.procedure[one] != lines.procedure[other]
        first += [one[same], other[same]]
        second += [other[same], one[same]]
    if not first:
        return []
    line, beside = np.concatenate(first), np.concatenate(second)
    number, (codes, others) = numbered(lines.procedure[line], lines.procedure[beside])
    # a line that stands beside two of the same is one line
    _, once = np.unique(line * (int(number.max(initial=0)) + 1) + number, return_index=True)
    labels = lines.labels["procedure"]
    said = [
        {"procedure_code": labels[code], "with_procedure_code": labels[other]}
        for code, other in zip(codes, others, strict=True)
    ]
    return [Family("bundling", 2, line[once], number[once], said)]
