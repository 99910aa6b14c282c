"""Training on a practice's answered claims: read, learn, measure against the model in use, keep, put to use or refuse.

Each claim's features are made of its facts and of the rates as of its own date, by the same functions that score it.
A model replaces another only if it is better on the same later claims, which neither was trained on.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from numpy.typing import NDArray

from marb.access.models import Practice
from risk.basis import Basis, read_basis
from risk.batch import Batch
from risk.combine import combine
from risk.facts import read_facts
from risk.features import DIGEST, NAMES, Matrix, Past, build
from risk.ledger import read_labels, read_past
from risk.model import booster, calibration
from risk.model.card import Rows, Trained, Untrainable, rounded, split, train
from risk.model.metrics import measure
from risk.model.steering import activate, refuse
from risk.models import ModelState, RiskModel
from risk.rules import apply_rules

MOST_CLAIMS: Final = 500_000
# claims whose facts are in memory at once
BATCH: Final = 50_000
DAYS_OF_ALL_TIME: Final = 1_000_000
# by how much a figure may fall short and still be called as good
SLACK: Final = 0.002


class Outcome(NamedTuple):
    """What became of a training: the row, None where nothing could be learnt, and a sentence that says so."""

    model: RiskModel | None
    sentence: str


def read_rows(practice_id: int, until: int = DAYS_OF_ALL_TIME) -> tuple[Rows, NDArray[np.int64]]:
    """Read the newest MOST_CLAIMS answered claims before a day since the epoch, oldest first, and their ids."""
    with connection.cursor() as cursor:
        labels = read_labels(cursor, practice_id, until)
        if not len(labels["claim_id"]):
            none = np.zeros(0)
            return Rows(np.zeros((0, len(NAMES)), np.float32), none, none.astype(np.int64)), none.astype(np.int64)
        past, basis = read_past(cursor, practice_id), read_basis(practice_id)
        order = np.lexsort((labels["claim_id"], labels["submitted_date"]))[-MOST_CLAIMS:]
        ids = labels["claim_id"][order]
        matrix, rules = read_matrix(cursor, ids, past, basis)
    denied = labels["is_denied"][order].astype(np.float64)
    found = ~np.isnan(matrix[:, NAMES.index("line_count")])
    return Rows(matrix, denied, labels["submitted_date"][order], rules).part(found), ids[found]


def read_matrix(cursor: Any, ids: NDArray[np.int64], past: Past, basis: Basis) -> tuple[Matrix, NDArray[np.float64]]:
    """Make the features of claims and what rules alone say of them, batch by batch; NaN where a claim is gone."""
    matrix = np.full((len(ids), len(NAMES)), np.nan, dtype=np.float32)
    rules = np.zeros(len(ids))
    for start in range(0, len(ids), BATCH):
        wanted = ids[start : start + BATCH]
        batch = read_facts(cursor, wanted.tolist())
        sorter = np.argsort(wanted)
        places = start + sorter[np.searchsorted(wanted, batch.claim_id, sorter=sorter)]
        matrix[places] = build(batch, past)
        rules[places] = rule_scores(batch, basis)
    return matrix, rules


def rule_scores(batch: Batch, basis: Basis) -> NDArray[np.float64]:
    """Get what the practice's rules as they are now would say alone, without patterns, as a share."""
    verdict = apply_rules(batch, basis.rules.rules, basis.payer_rules)
    components = verdict.components | {"pattern": np.zeros(len(batch))}
    return combine(components, None, verdict.is_critical, basis.weights).scores / 100


def train_practice(practice_id: int, user: Any = None, until: int = DAYS_OF_ALL_TIME) -> Outcome:
    """Train a practice's model and put it to use if it is better. What cannot be learnt is a sentence, not a fault."""
    rows, _ = read_rows(practice_id, until)
    try:
        trained = train(rows, settings.RISK_THREADS)
    except Untrainable as refusal:
        return Outcome(None, refusal.sentence)
    rival = RiskModel.objects.filter(practice_id=practice_id, state=ModelState.ACTIVE).first()
    sentence = compare(trained, rows, rival)
    model = keep(practice_id, trained, user)
    if sentence:
        refuse(model, sentence)
        return Outcome(model, f"Model {model.version} was trained and not put to use. {sentence}")
    activate(model, user, told(trained))
    return Outcome(model, f"Model {model.version} is in use. {told(trained)}")


def told(trained: Trained) -> str:
    figures = trained.card["metrics"]
    count = trained.card["window"]["test"]["claims"]
    return (
        f"On {count:,} later claims: ROC-AUC {figures['roc_auc']:.3f}, PR-AUC {figures['pr_auc']:.3f}, "
        f"calibration error {figures['calibration_error']:.3f}."
    )


def compare(trained: Trained, rows: Rows, rival: RiskModel | None) -> str:
    """Say why a model is not to be used: no better than the payer's rate, or than the model in use; "" if it is."""
    own, plain = trained.card["metrics"], trained.card["baselines"]["payer_rate"]
    if own["roc_auc"] <= plain["roc_auc"]:
        return (
            f"Its ROC-AUC of {own['roc_auc']:.3f} is no better than the payer's own rate, {plain['roc_auc']:.3f}: "
            "these claims have nothing to learn beyond who pays."
        )
    if rival is None or rival.schema_digest != DIGEST:
        return ""
    figures = measure_rival(rival, rows)
    trained.card["rival"] = {"version": rival.version, **figures}
    if own["brier"] < figures["brier"] and own["roc_auc"] >= figures["roc_auc"] - SLACK:
        return ""
    return (
        f"On the same later claims model {rival.version}, which is in use, is as good or better: Brier "
        f"{figures['brier']:.4f} against {own['brier']:.4f}, ROC-AUC {figures['roc_auc']:.3f} against "
        f"{own['roc_auc']:.3f}."
    )


def measure_rival(rival: RiskModel, rows: Rows) -> dict[str, float]:
    """Measure the model in use on the test claims of the new one."""
    test = split(rows)[2]
    trees = booster.read(rival.booster, settings.RISK_THREADS)
    margins = booster.margins(trees, test.matrix)
    return rounded(measure(test.labels, calibration.read(rival.calibration).probabilities(margins)))


def keep(practice_id: int, trained: Trained, user: Any) -> RiskModel:
    """Store a candidate under the practice's next version."""
    with transaction.atomic():
        Practice.objects.select_for_update().get(pk=practice_id)
        number = RiskModel.objects.filter(practice_id=practice_id).count() + 1
        return RiskModel.objects.create(
            practice_id=practice_id,
            version=f"m{number}",
            schema_digest=DIGEST,
            booster=trained.booster,
            calibration=trained.calibration,
            card=trained.card,
            trained_by=user,
        )
