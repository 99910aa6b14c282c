"""The model against the best possible one: a sample knows the chance by which each of its claims was denied.

Reads claims.ndjson, which `manage.py sample --patterns` writes beside truth.json: a claim is named by CLM01, frequency
and payer sequence. A model is trained on the older claims as any other, and everything is measured on the newest ones:
the generator's own chances, the model, the baselines. Nothing is stored.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
from django.conf import settings
from numpy.typing import NDArray

from claims.models import Claim
from risk.model import booster, calibration
from risk.model.card import Rows, Trained, split, train
from risk.model.metrics import calibration_error, measure
from risk.model.training import read_rows

ROWS_FILE: Final = "claims.ndjson"
NAMED_AT_ONCE: Final = 10_000
Named = tuple[str, str, str]


class Evaluation(NamedTuple):
    """Figures of the later claims by who said them: "best", "model", and each baseline; `way` from payer's to best."""

    figures: dict[str, dict[str, float]]
    way: float
    way_pr: float
    chance_error: float
    trained: Trained
    claims: int


def evaluate(practice_id: int, truth: Path) -> Evaluation:
    """Train and hold against the truth. Raises Untrainable, or OSError where the truth's rows are not there."""
    chances = dict(read_chances(truth))
    rows, ids = read_rows(practice_id)
    known = chances_of(practice_id, ids, chances)
    trained = train(rows, settings.RISK_THREADS)
    return compare(rows, known, trained)


def read_chances(truth: Path) -> Iterator[tuple[Named, float]]:
    """Read each adjudicated claim's name and the chance of its label."""
    with (truth.parent / ROWS_FILE).open("rb") as lines:
        for line in lines:
            row = orjson.loads(line)
            yield (row["claim"], row["frequency"], row["sequence"]), row["chance"]


def chances_of(practice_id: int, ids: NDArray[np.int64], chances: dict[Named, float]) -> NDArray[np.float64]:
    """Get the chance of each claim's label; NaN for one that the truth does not know."""
    found = {}
    for start in range(0, len(ids), NAMED_AT_ONCE):
        wanted = Claim.objects.filter(practice_id=practice_id, pk__in=ids[start : start + NAMED_AT_ONCE].tolist())
        names = ("pk", "patient_control_number", "frequency_code", "payer_sequence_code")
        for pk, *name in wanted.values_list(*names):
            found[pk] = chances.get(tuple(name), np.nan)
    return np.array([found.get(pk, np.nan) for pk in ids.tolist()])


def compare(rows: Rows, chances: NDArray[np.float64], trained: Trained) -> Evaluation:
    """Measure everybody on those of the test claims whose chance is known."""
    test, chance = later(rows, chances)
    trees = booster.read(trained.booster, settings.RISK_THREADS)
    said = calibration.read(trained.calibration).probabilities(booster.margins(trees, test.matrix))
    figures = {"best": measure(test.labels, chance), "model": measure(test.labels, said)}
    figures |= trained.card["baselines"]
    error = calibration_error(chance, said)
    return Evaluation(figures, way(figures, "roc_auc"), way(figures, "pr_auc"), error, trained, len(test.labels))


def later(rows: Rows, chances: NDArray[np.float64]) -> tuple[Rows, NDArray[np.float64]]:
    """Get the test claims whose chance is known, and the chances."""
    # rows are oldest first, so the test claims are the last ones
    test = split(rows)[2]
    known = chances[len(chances) - len(test.labels) :]
    is_known = ~np.isnan(known)
    return test.part(is_known), known[is_known]


def way(figures: dict[str, dict[str, float]], name: str) -> float:
    """Get how far the model came from the payer's rate to the best possible."""
    low, high = figures["payer_rate"][name], figures["best"][name]
    return (figures["model"][name] - low) / (high - low)


def document(found: Evaluation) -> dict[str, Any]:
    return {
        "claims": found.claims,
        "figures": found.figures,
        "way_to_best_roc_auc": round(found.way, 4),
        "way_to_best_pr_auc": round(found.way_pr, 4),
        "error_against_chances": round(found.chance_error, 4),
        "window": found.trained.card["window"],
    }
