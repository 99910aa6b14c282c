"""What-if: a stored claim's facts with a change that nobody stores, judged as the claim itself is.

A change names what a biller can change before sending: the numbers and codes of the claim, and by their line number
the codes, charges and units of its lines. Nothing here writes.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
from django.db import connection

from risk.basis import read_basis
from risk.batch import NO_DATE, NO_LIMIT, Batch, derived
from risk.combine import LEVELS
from risk.facts import read_facts
from risk.judge import Judgement, Shown, judge, reasons_of

EPOCH = date(1970, 1, 1).toordinal()
Change = Mapping[str, Any]
# what a text of the claim says by being there
PRESENCE = {
    "prior_authorization_number": "has_authorization",
    "referral_number": "has_referral",
    "payer_claim_control_number": "has_payer_number",
    "attending_npi": "has_attending",
    "assignment_code": "has_assignment",
    "subscriber_member_id": "has_member_id",
}
CODES = ("frequency_code", "place_of_service_code", "filing_indicator_code", "payer_sequence_code")
LINE_CODES = {"procedure_code": "line_procedure", "place_of_service_code": "line_place"}


class NoSuchLine(Exception):
    """A change names a line that the claim does not have; the sentence says which."""

    def __init__(self, number: int):
        super().__init__(f"The claim has no line {number}.")
        self.sentence = str(self)


class Outcome(NamedTuple):
    """How a claim would score."""

    overall_score: float
    risk_level: str
    components: dict[str, float]
    # 0 to 100; None without a model
    historical_risk: float | None
    reasons: list[Shown]


class WhatIf(NamedTuple):
    """The claim as it is and as it would be, and what both stand on."""

    before: Outcome
    after: Outcome
    model_version: str
    rules_version: str


def ask(practice_id: int, claim_id: int, change: Change) -> WhatIf:
    """Score a claim as it is and with a change. Raises NoSuchLine. A few reads, and no write."""
    with connection.cursor() as cursor:
        batch = read_facts(cursor, [claim_id])
    basis = read_basis(practice_id)
    changed = apply_change(batch, change)
    judged = [outcome_of(judge(each, basis, exact=True), 0) for each in (batch, changed)]
    return WhatIf(judged[0], judged[1], basis.model_version, basis.rules.version)


def outcome_of(judgement: Judgement, place: int) -> Outcome:
    """Show the judgement of one claim of a batch."""
    parts = {name: round(float(values[place]), 2) for name, values in judgement.components.items()}
    history = None if judgement.probability is None else round(100 * float(judgement.probability[place]), 2)
    level = LEVELS[int(judgement.overall.levels[place])]
    return Outcome(float(judgement.overall.scores[place]), level, parts, history, reasons_of(judgement.told, place))


def apply_change(batch: Batch, change: Change) -> Batch:
    """Change the facts of a batch of one claim."""
    columns = {name: getattr(batch, name) for name in batch.__slots__}
    for name, fact in PRESENCE.items():
        if name in change:
            columns[fact] = np.array([bool(change[name])])
    for name in CODES:
        if name in change:
            columns[name] = np.array([str(change[name])])
    if "principal_diagnosis_code" in change:
        change_principal(columns, str(change["principal_diagnosis_code"]))
    if "charge_amount" in change:
        columns["charge_cents"] = np.array([cents(change["charge_amount"])])
    if change.get("submitted_date"):
        change_submitted(columns, change["submitted_date"])
    for line in change.get("lines", ()):
        change_line(columns, line)
    return Batch(**(columns | derived(columns)))


def change_principal(columns: dict[str, Any], code: str) -> None:
    plain = code.replace(".", "").upper()
    columns["line_diagnosis"] = replaced(
        columns["line_diagnosis"], columns["line_diagnosis"] == columns["principal"][0], plain
    )
    columns["principal"], columns["has_principal"] = np.array([plain]), np.array([bool(plain)])
    columns["diagnosis_count"] = np.maximum(columns["diagnosis_count"], int(bool(plain)))


def change_submitted(columns: dict[str, Any], day: date) -> None:
    submitted = np.array([day.toordinal() - EPOCH])
    has_limit = (columns["filing_days_left"] != NO_LIMIT) & (columns["submitted_date"] != NO_DATE)
    moved = columns["filing_days_left"] + columns["submitted_date"] - submitted
    columns["filing_days_left"] = np.where(has_limit, moved, NO_LIMIT)
    columns["submitted_date"] = submitted


def change_line(columns: dict[str, Any], line: Change) -> None:
    place = int(line["line_number"]) - 1
    if not 0 <= place < len(columns["line_claim"]):
        raise NoSuchLine(int(line["line_number"]))
    for name, column in LINE_CODES.items():
        if name in line:
            columns[column] = replaced(columns[column], place, str(line[name]))
    if "procedure_code" in line:
        unnamed = columns["line_is_unnamed"].copy()
        unnamed[place] = not line["procedure_code"]
        columns["line_is_unnamed"] = unnamed
    if "modifiers" in line:
        joined = ",".join(str(each) for each in line["modifiers"])
        columns["line_modifiers"] = replaced(columns["line_modifiers"], place, joined)
    if "diagnosis_code" in line:
        code = str(line["diagnosis_code"]).replace(".", "").upper()
        columns["line_diagnosis"] = replaced(columns["line_diagnosis"], place, code)
    if "unit_count" in line:
        units = columns["line_units"].copy()
        units[place] = float(line["unit_count"])
        columns["line_units"] = units
    if "charge_amount" in line:
        charges = columns["line_charge_cents"].copy()
        columns["charge_cents"] = columns["charge_cents"] + cents(line["charge_amount"]) - charges[place]
        charges[place] = cents(line["charge_amount"])
        columns["line_charge_cents"] = charges


def replaced(values: Any, places: Any, text: str) -> Any:
    """Put a text of any length into a column of texts."""
    column = values.astype(object)
    column[places] = text
    return column.astype(np.str_)


def cents(amount: Decimal) -> int:
    return int(Decimal(amount) * 100)
