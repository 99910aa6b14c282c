"""Adjudicated lines as arrays: codes instead of texts, so that 3,000,000 of them are counted in seconds. Pure.

`Lines` holds one row per line of AdjudicatedLine, in any order; a text is the number of its label in `labels`, and
modifiers are the number of their combination. `meets` tells which lines meet a pattern's conditions, named as in
risk.match, which asks the same of claims before they are sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
NO_DAY = -1_000_000
TEXTS = ("procedure", "diagnosis", "place", "modifiers", "carcs")
# 1970-01-01 was a Thursday, Monday is 0
THURSDAY = 3


@dataclass
class Lines:
    """One element a line: ids, codes, days since 1970 (NO_DAY: not said), cents."""

    claim: Ints
    payer: Ints
    billing: Ints
    rendering: Ints
    procedure: Ints
    diagnosis: Ints
    place: Ints
    modifiers: Ints
    carcs: Ints
    is_authorized: Mask
    is_duplicate: Mask
    is_denied: Mask
    days: Ints
    charge_cents: Ints
    denied_cents: Ints
    service_day: Ints
    submitted_day: Ints
    adjudicated_day: Ints
    # the label of each code: texts, or tuples of them for modifiers and carcs
    labels: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.claim)

    def pick(self, chosen: Any) -> "Lines":
        """Take some lines, by mask or by index; labels stay."""
        columns = {each.name: getattr(self, each.name)[chosen] for each in fields(self) if each.name != "labels"}
        return Lines(**columns, labels=self.labels)

    def code(self, column: str, label: Any) -> int:
        """Find the code of a label; -1 where no line has it."""
        labels = self.labels[column]
        return labels.index(label) if label in labels else -1

    def combinations(self, column: str, label: str) -> Ints:
        """Find the codes of the combinations that hold a label."""
        found = [code for code, each in enumerate(self.labels[column]) if label in each]
        return np.asarray(found, np.int64)


def weekday(days: Ints) -> Ints:
    return (days + THURSDAY) % 7


def meets(lines: Lines, conditions: Mapping[str, Any]) -> Mask:
    """Tell which lines meet every condition but `carc`, which a denial says. KeyError if one is unknown."""
    found = np.ones(len(lines), bool)
    for name, value in conditions.items():
        if name != "carc":
            found &= TESTS[name](lines, value)
    return found


def is_procedure(lines: Lines, value: Any) -> Mask:
    wanted = [lines.code("procedure", each) for each in (value if isinstance(value, list) else [value])]
    return np.isin(lines.procedure, wanted)


def stands_beside(lines: Lines, value: str) -> Mask:
    """Tell which lines share their claim and day with another line of this procedure."""
    there = lines.procedure == lines.code("procedure", value)
    keys = np.stack([lines.claim, lines.service_day], axis=1)
    having = {tuple(each) for each in keys[there].tolist()}
    return np.fromiter((tuple(each) in having for each in keys.tolist()), bool, len(lines)) if having else there & False


TESTS: dict[str, Any] = {
    "payer": lambda lines, value: lines.payer == value,
    "procedure_code": is_procedure,
    "modifier": lambda lines, value: np.isin(lines.modifiers, lines.combinations("modifiers", value)),
    "diagnosis": lambda lines, value: lines.diagnosis == lines.code("diagnosis", value),
    "rendering_provider": lambda lines, value: lines.rendering == value,
    "billing_provider": lambda lines, value: lines.billing == value,
    "place_of_service_code": lambda lines, value: lines.place == lines.code("place", value),
    "with_procedure_code": stands_beside,
    "charge_amount_from": lambda lines, value: lines.charge_cents >= round(float(value) * 100),
    "days_to_submission_from": lambda lines, value: lines.days >= value,
    "weekday": lambda lines, value: (weekday(lines.submitted_day) == value) & (lines.submitted_day != NO_DAY),
    "has_authorization": lambda lines, value: lines.is_authorized == value,
    "is_duplicate": lambda lines, value: lines.is_duplicate == value,
    "submitted_from": lambda lines, value: lines.submitted_day >= np.datetime64(value, "D").astype(np.int64),
}
