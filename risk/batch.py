"""A Batch: what is known of claims before they are sent, as columns of numpy; a row per claim, and ragged lines.

Pure. Nothing here comes from a remittance of the claim itself. Texts are numpy str ("" where the claim does not say),
money is integer cents, dates are days since 1970-01-01. Left out: names and identifiers of persons.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]

# of a date that is not said
NO_DATE = -1
# of an amount that is not known, such as the price of a procedure without a schedule
NO_AMOUNT = -1
# filing_days_left of a payer whose limit nobody has said
NO_LIMIT = 9_999


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Claims in the order of their ids; `line_claim` says which claim, by its place in the batch, a line is of."""

    claim_id: Column
    practice_id: Column
    # 0 where the claim names none
    payer_id: Column
    payer_code: Column
    payer_type: Column
    claim_type: Column
    filing_indicator_code: Column
    frequency_code: Column
    place_of_service_code: Column
    payer_sequence_code: Column
    principal: Column
    billing_provider_id: Column
    rendering_provider_id: Column
    charge_cents: Column
    expected_cents: Column
    line_count: Column
    diagnosis_count: Column
    finding_count: Column
    modifier_count: Column
    unit_total: Column
    # lines with neither procedure nor revenue code
    unnamed_line_count: Column
    has_authorization: Column
    has_referral: Column
    has_rendering: Column
    has_attending: Column
    has_principal: Column
    has_assignment: Column
    has_member_id: Column
    # REF*F8, the number by which the payer knows the claim that this one replaces or voids
    has_payer_number: Column
    # relationship 18: the patient is the subscriber
    is_self: Column
    # a finding costs it its cleanness (level C)
    is_incomplete: Column
    # the same patient, payer, billing provider, day, charge and procedures on an earlier claim, both frequency 1
    is_duplicate: Column
    # another payer's payment stands on the claim (2320 AMT*D)
    has_prior_payment: Column
    other_payer_count: Column
    # no claim of the patient's with an earlier day of service
    is_new_patient: Column
    submitted_date: Column
    service_from_date: Column
    service_to_date: Column
    # from the last day of service to the claim's own date
    days_to_submission: Column
    # from the claim's own date to the payer's limit; negative where it has passed, NO_LIMIT where nobody has said one
    filing_days_left: Column
    # of the first day of service: 0 is Monday, 1 is January; -1 without a day
    weekday: Column
    month: Column
    line_claim: Column
    line_id: Column
    line_procedure: Column
    # neither a procedure nor, as accommodation in an institution has, a revenue code
    line_is_unnamed: Column
    # joined by a comma, in order
    line_modifiers: Column
    line_charge_cents: Column
    line_units: Column
    # the first that the line points to, else the claim's principal one
    line_diagnosis: Column
    line_place: Column

    def __len__(self) -> int:
        return len(self.claim_id)

    def take(self, places: Column) -> "Batch":
        """Get the claims at these places (indexes, or a mask), with their lines."""
        chosen = np.arange(len(self))[places]
        place_of = np.full(len(self), -1)
        place_of[chosen] = np.arange(len(chosen))
        lines = np.flatnonzero(place_of[self.line_claim] >= 0)
        lines = lines[np.argsort(place_of[self.line_claim[lines]], kind="stable")]
        taken = {name: getattr(self, name)[chosen] for name in CLAIM_COLUMNS}
        taken |= {name: getattr(self, name)[lines] for name in LINE_COLUMNS}
        return Batch(**(taken | {"line_claim": place_of[self.line_claim[lines]]}))

    def with_columns(self, **columns: Column) -> "Batch":
        """Get a batch in which these columns are others; the ones that follow from lines are not computed anew."""
        return replace(self, **columns)


LINE_COLUMNS = tuple(
    field.name for field in fields(Batch) if field.name.startswith("line_") and field.name != "line_count"
)
CLAIM_COLUMNS = tuple(field.name for field in fields(Batch) if field.name not in LINE_COLUMNS)
# what follows from the lines and the days alone, and is computed by `derived`
DERIVED = ("modifier_count", "unit_total", "unnamed_line_count", "days_to_submission", "weekday", "month")


def derived(columns: dict[str, Column]) -> dict[str, Column]:
    """Compute what follows from other columns: sums over lines, and what the days say."""
    claims, owners = len(columns["claim_id"]), columns["line_claim"]
    modifiers = columns["line_modifiers"]
    counts = np.where(modifiers == "", 0, np.char.count(modifiers, ",") + 1)
    return {
        "modifier_count": total(owners, counts, claims).astype(np.int64),
        "unit_total": total(owners, columns["line_units"], claims),
        "unnamed_line_count": total(owners, columns["line_is_unnamed"], claims).astype(np.int64),
        **days_of(columns["service_from_date"], columns["service_to_date"], columns["submitted_date"]),
    }


def total(owners: Column, values: Column, claims: int) -> Column:
    """Sum a column of lines by claim: float64, one a claim."""
    return np.bincount(owners, weights=values, minlength=claims)


def days_of(first: Column, last: Column, submitted: Column) -> dict[str, Column]:
    is_known = first != NO_DATE
    months = first.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    return {
        "days_to_submission": np.where((last != NO_DATE) & (submitted != NO_DATE), submitted - last, NO_DATE),
        # 1970-01-01 was a Thursday
        "weekday": np.where(is_known, (first + 3) % 7, -1),
        "month": np.where(is_known, months, -1),
    }


def any_line(batch: Batch, of_lines: Column) -> Column:
    """Say of each claim whether one of its lines is so."""
    return np.bincount(batch.line_claim[of_lines], minlength=len(batch)) > 0
