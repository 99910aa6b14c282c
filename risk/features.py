"""Features of claims before they are sent: a float32 matrix with fixed names, and the digest that a model is bound to.

Three sources only: the facts of a claim as it stands (risk.facts), denial rates as of its own date (risk.history) and
what the patterns of its own month say (risk.chances). `check_sources` refuses a feature of anything else, such as what
a remittance says. What is not known is NaN, never 0.

A rate is of lines; a claim has its worst line's, and the chance that any of its lines is denied, were they independent.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from risk.chances import NAMES as SAID
from risk.chances import Chances
from risk.history import KINDS, History

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

SOURCES: Final = {
    "facts": frozenset(
        (
            *("claim_type", "frequency_code", "place_of_service_code", "payer_sequence_code", "filing_indicator_code"),
            *("charge_cents", "expected_cents", "line_count", "diagnosis_count", "unit_total", "weekday"),
            *("has_authorization", "has_referral", "has_rendering", "has_attending", "has_principal"),
            *("has_payer_number", "is_self", "days_to_submission", "filing_days_left", "finding_count"),
            *("modifier_count", "is_duplicate", "has_prior_payment", "is_new_patient"),
        )
    ),
    "history": frozenset((*KINDS, "charges")),
    "patterns": frozenset(SAID),
}


class Past(NamedTuple):
    """What is known of a practice's earlier claims: rates, and what patterns say."""

    history: History
    chances: Chances


class Leak(Exception):
    """A feature is of something that is not known before submission."""


class Feature(NamedTuple):
    """A column: its name, the fact or rate that it is made of ("facts.charge_cents"), and which way risk goes with it.

    `rise` is 1 where a higher value can only mean more risk, else 0.
    """

    name: str
    source: str
    rise: int = 0


def of_facts() -> list[Feature]:
    plain = (
        *("line_count", "diagnosis_count", "unit_total", "has_authorization", "has_referral", "has_rendering"),
        *("has_attending", "has_principal", "has_payer_number", "is_self", "days_to_submission", "filing_days_left"),
        *("weekday", "finding_count", "modifier_count", "is_duplicate", "has_prior_payment", "is_new_patient"),
    )
    made = (
        ("charge", "charge_cents"),
        ("charge_to_expected", "expected_cents"),
        ("is_institutional", "claim_type"),
        ("is_dental", "claim_type"),
        ("is_corrected", "frequency_code"),
        ("is_secondary", "payer_sequence_code"),
        ("is_facility", "place_of_service_code"),
        ("is_government", "filing_indicator_code"),
    )
    return [*(Feature(name, f"facts.{name}") for name in plain), *(Feature(name, f"facts.{of}") for name, of in made)]


def of_history() -> list[Feature]:
    """List the rates: what is finer than these, patterns say."""
    return [
        Feature("payer_rate", "history.payer", 1),
        Feature("any_line_rate", "history.payer_procedure", 1),
        Feature("charge_to_usual", "history.charges"),
    ]


def of_patterns() -> list[Feature]:
    return [Feature(f"pattern_{name}", f"patterns.{name}") for name in SAID]


FEATURES: Final[tuple[Feature, ...]] = (*of_facts(), *of_history(), *of_patterns())
NAMES: Final = tuple(feature.name for feature in FEATURES)


def check_sources(features: Iterable[Feature]) -> None:
    """Hold each feature against the facts and rates that are known before submission. Raises Leak."""
    for feature in features:
        kind, _, name = feature.source.partition(".")
        if name not in SOURCES.get(kind, ()):
            raise Leak(f"The feature {feature.name} is made of {feature.source}, unknown before the claim is sent.")


def digest_of(features: Iterable[Feature]) -> str:
    """Get the digest of names, sources and order: a model of another digest does not fit."""
    return sha256("\n".join(f"{each.name} {each.source}" for each in features).encode()).hexdigest()


check_sources(FEATURES)
DIGEST: Final = digest_of(FEATURES)

FACILITIES: Final = (
    *("19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53", "56", "61"),
)  # fmt: skip
GOVERNMENT: Final = ("MA", "MB", "MC", "CH", "VA", "OF", "TV")


def build(batch: Any, past: Past | None) -> Matrix:
    """Make the matrix of a risk.facts.Batch: a row per claim, a column per FEATURES; no past leaves its columns NaN."""
    columns: dict[str, Any] = fact_columns(batch)
    if past is not None:
        columns |= rate_columns(batch, past.history)
        columns |= {f"pattern_{name}": values for name, values in past.chances.columns(batch).items()}
    matrix = np.full((len(batch.claim_id), len(FEATURES)), np.nan, dtype=np.float32)
    for place, name in enumerate(NAMES):
        if name in columns:
            matrix[:, place] = columns[name]
    return matrix


def fact_columns(batch: Any) -> dict[str, NDArray[Any]]:
    """Get the columns of a claim's own facts."""
    plain = {each.name: getattr(batch, each.name) for each in FEATURES if each.source == f"facts.{each.name}"}
    charge = np.asarray(batch.charge_cents, dtype=np.float64)
    expected = np.asarray(batch.expected_cents, dtype=np.float64)
    ratio = np.full(len(charge), np.nan)
    np.divide(charge, expected, out=ratio, where=expected > 0)
    return plain | {
        "charge": np.log1p(np.maximum(charge, 0) / 100),
        "charge_to_expected": np.minimum(ratio, 50.0),
        "is_institutional": np.asarray(batch.claim_type) == "I",
        "is_dental": np.asarray(batch.claim_type) == "D",
        "is_corrected": np.isin(np.asarray(batch.frequency_code, dtype=str), ("6", "7", "8")),
        "is_secondary": np.asarray(batch.payer_sequence_code) != "P",
        "is_facility": np.isin(np.asarray(batch.place_of_service_code, dtype=str), FACILITIES),
        "is_government": np.isin(np.asarray(batch.filing_indicator_code, dtype=str), GOVERNMENT),
    }


def line_columns(batch: Any) -> dict[str, NDArray[Any]]:
    """Get what a line's history is asked by, coded as the rows of risk.ledger are."""
    payer = batch.payer_id[np.asarray(batch.line_claim)]
    return {"payer": payer, "procedure": batch.line_procedure, "charge_cents": batch.line_charge_cents}


def rate_columns(batch: Any, history: History) -> dict[str, Floats]:
    """Get the columns of history: the payer's rate, and any line's chance."""
    claim, count = np.asarray(batch.line_claim), len(batch.claim_id)
    rates = history.rates(line_columns(batch), np.asarray(batch.submitted_date, dtype=np.int64)[claim])
    found = {"payer_rate": per_claim(np.fmax, claim, rates["payer"], count)}
    found["charge_to_usual"] = mean_of_lines(claim, rates["charge_to_usual"], count)
    found["any_line_rate"] = any_line(claim, rates["payer_procedure"], count)
    return found


def per_claim(choose: np.ufunc, claim: NDArray[Any], values: Floats, count: int) -> Floats:
    """Choose one of each claim's lines by numpy's fmax or fmin; NaN for a claim without lines."""
    chosen = np.full(count, np.nan)
    choose.at(chosen, claim, values)
    return chosen


def mean_of_lines(claim: NDArray[Any], values: Floats, count: int) -> Floats:
    """Get the mean of each claim's lines whose value is known; NaN where none is."""
    known = ~np.isnan(values)
    lines = np.bincount(claim[known], minlength=count)
    sums = np.bincount(claim[known], weights=values[known], minlength=count)
    return np.divide(sums, lines, out=np.full(count, np.nan), where=lines > 0)


def any_line(claim: NDArray[Any], rates: Floats, count: int) -> Floats:
    """Get the log-odds that any line is denied, were lines independent; NaN for a claim without lines."""
    none = np.bincount(claim, weights=np.log1p(-np.clip(rates, 1e-6, 1 - 1e-6)), minlength=count)
    chance = np.clip(-np.expm1(none), 1e-6, 1 - 1e-6)
    return np.where(np.bincount(claim, minlength=count) > 0, np.log(chance / (1 - chance)), np.nan)
