"""Which patterns claims meet before they are sent: conditions of patterns against a Batch of facts, vectorised. Pure.

A Batch is read by the names of its columns alone (risk.batch): a row per claim, ragged `line_` columns with
`line_claim`, the claim's place. Conditions are those of risk.lines, in the same meaning. A pattern without a condition
on the claim (a reason, `carc`, or a time) is the payer's habit: every claim of the payer's meets it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
THURSDAY = 3
MOST_SCORE = 100.0


class Pattern(NamedTuple):
    """A pattern as claims are held against it. Rates are shares; `lower_bound` is Wilson's of the rate."""

    id: int
    payer_id: int
    kind: str
    conditions: Mapping[str, Any]
    rate: float
    base_rate: float
    lower_bound: float
    carc: str
    description: str

    @property
    def score(self) -> float:
        """Say how much a claim that meets it is at risk, 0 to 100: the least rate that is beyond doubt."""
        return MOST_SCORE * self.lower_bound


class Conditioned(Protocol):
    """What has a payer and conditions."""

    @property
    def payer_id(self) -> int: ...

    @property
    def conditions(self) -> Mapping[str, Any]: ...


class Met(NamedTuple):
    """A pattern, the places of the claims in the batch that meet it, and of their lines that do."""

    pattern: Pattern
    places: Column
    lines: Column


def match_patterns(patterns: Sequence[Pattern], batch: Any) -> list[Met]:
    """Find which claims of a batch meet each pattern, the likeliest denial first; those that none meets are left out.

    A pattern whose conditions are not known here meets nothing.
    """
    ordered = sorted(patterns, key=lambda each: (-each.lower_bound, each.id))
    found = [Met(each, *find_places(each, batch)) for each in ordered if set(each.conditions) <= KNOWN]
    return [met for met in found if len(met.places)]


def find_places(pattern: Conditioned, batch: Any) -> tuple[Column, Column]:
    """Find the claims, and of them the lines, that meet a pattern; a claim without lines by its own conditions."""
    claims = np.asarray(batch.payer_id) == pattern.payer_id
    for name, value in pattern.conditions.items():
        if name in CLAIM_TESTS:
            claims &= CLAIM_TESTS[name](batch, value)
    wanted = {name: value for name, value in pattern.conditions.items() if name in LINE_TESTS}
    if not wanted or not claims.any():
        return np.flatnonzero(claims), np.flatnonzero(claims[batch.line_claim])
    lines = claims[batch.line_claim]
    for name, value in wanted.items():
        lines &= LINE_TESTS[name](batch, value)
    return np.unique(batch.line_claim[lines]), np.flatnonzero(lines)


def has_modifier(batch: Any, value: str) -> Column:
    texts, number = np.unique(batch.line_modifiers, return_inverse=True)
    return np.asarray([value in text.split(",") for text in texts.tolist()], bool)[number]


def stands_beside(batch: Any, value: str) -> Column:
    """Tell which lines share their claim with another line of this procedure; the day is not told apart here."""
    there = np.asarray(batch.line_procedure) == value
    having = np.zeros(len(batch.claim_id), bool)
    having[batch.line_claim[there]] = True
    return having[batch.line_claim] & ~there


def has_procedure(batch: Any, value: Any) -> Column:
    return np.isin(batch.line_procedure, value if isinstance(value, list) else [value])


def is_sent_on(batch: Any, value: int) -> Column:
    days = np.asarray(batch.submitted_date)
    return (days >= 0) & ((days + THURSDAY) % 7 == value)


def day_of(text: str) -> int:
    return int(np.datetime64(text, "D").astype(np.int64))


Test = Callable[[Any, Any], Column]
CLAIM_TESTS: dict[str, Test] = {
    "rendering_provider": lambda batch, value: np.asarray(batch.rendering_provider_id) == value,
    "billing_provider": lambda batch, value: np.asarray(batch.billing_provider_id) == value,
    "has_authorization": lambda batch, value: np.asarray(batch.has_authorization).astype(bool) == value,
    "is_duplicate": lambda batch, value: np.asarray(batch.is_duplicate).astype(bool) == value,
    "days_to_submission_from": lambda batch, value: np.asarray(batch.days_to_submission) >= value,
    "weekday": is_sent_on,
    "submitted_from": lambda batch, value: np.asarray(batch.submitted_date) >= day_of(value),
    "carc": lambda batch, value: np.ones(len(batch.claim_id), bool),
}
LINE_TESTS: dict[str, Test] = {
    "procedure_code": has_procedure,
    "modifier": has_modifier,
    "diagnosis": lambda batch, value: np.asarray(batch.line_diagnosis) == value,
    "place_of_service_code": lambda batch, value: np.asarray(batch.line_place) == value,
    "with_procedure_code": stands_beside,
    "charge_amount_from": lambda batch, value: np.asarray(batch.line_charge_cents) >= round(float(value) * 100),
}
KNOWN = set(CLAIM_TESTS) | set(LINE_TESTS)
