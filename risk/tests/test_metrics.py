import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.model import calibration, logistic
from risk.model.metrics import (
    OneClass,
    calibration_error,
    curves,
    measure,
    pr_auc,
    recall_at_precision,
    reliability,
    roc_auc,
    top_decile_recall,
)

LABELS = np.array([0, 0, 1, 0, 1, 1, 0, 1, 0, 0], dtype=float)
SCORES = np.array([0.1, 0.2, 0.8, 0.3, 0.7, 0.3, 0.2, 0.9, 0.1, 0.6])
cases = st.lists(st.tuples(st.sampled_from((0.0, 1.0)), st.integers(0, 20)), min_size=2, max_size=60)


def pairs_won(labels, scores):
    """The share of (denied, paid) pairs that the denied claim wins, by looking at each pair."""
    won = [(a > b) + (a == b) / 2 for a in scores[labels == 1] for b in scores[labels == 0]]
    return sum(won) / len(won)


@given(cases)
def test_roc_auc_is_the_share_of_pairs_won(case):
    labels, scores = (np.array(each, dtype=float) for each in zip(*case, strict=True))
    if labels.min() == labels.max():
        with pytest.raises(OneClass):
            roc_auc(labels, scores)
        return
    assert roc_auc(labels, scores) == pytest.approx(pairs_won(labels, scores))


@given(cases, st.randoms(use_true_random=False))
def test_no_figure_depends_on_the_order_of_rows(case, random):
    labels, scores = (np.array(each, dtype=float) for each in zip(*case, strict=True))
    if labels.min() == labels.max():
        return
    order = list(range(len(labels)))
    random.shuffle(order)
    first, second = measure(labels, scores / 20), measure(labels[order], scores[order] / 20)
    assert first == pytest.approx(second)


def test_precision_and_recall_of_a_small_case():
    # ranked: 1 1 1 0 (0 1) 0 0 0 0
    assert recall_at_precision(LABELS, SCORES) == 0.75
    assert pr_auc(LABELS, SCORES) == pytest.approx(0.75 + 0.25 * 4 / 6)
    assert top_decile_recall(LABELS, SCORES) == 0.25
    assert recall_at_precision(LABELS, -SCORES) == 0


def test_a_tie_at_the_edge_of_the_decile_counts_by_its_share():
    assert top_decile_recall(np.array([1.0, 0.0] * 10), np.zeros(20)) == pytest.approx(0.1)


def test_curves_begin_and_end_where_they_must():
    drawn = curves(LABELS, SCORES)
    assert drawn["roc"][0] == [0, 0]
    assert drawn["roc"][-1] == [1, 1]
    assert drawn["pr"][-1][0] == 1
    assert sum(each["claims"] for each in drawn["reliability"]) == len(LABELS)


def test_reliability_bins_hold_every_claim_once():
    rng = np.random.default_rng(3)
    chances = rng.random(5_000)
    labels = (rng.random(5_000) < chances).astype(float)
    table = reliability(labels, chances)
    assert sum(each.claims for each in table) == 5_000
    assert calibration_error(labels, chances) < 0.03
    assert calibration_error(labels, np.minimum(chances + 0.2, 1)) > 0.12


@pytest.mark.parametrize(("count", "kind"), [(600, "platt"), (30_000, "isotonic")])
def test_a_calibration_mends_margins_that_are_too_sure_and_keeps_the_order(count, kind):
    rng = np.random.default_rng(5)
    margins = rng.normal(-1, 2, count)
    labels = (rng.random(count) < logistic.sigmoid(margins / 2)).astype(float)
    curve = calibration.fit(labels, margins)
    assert curve.kind == kind
    later = rng.normal(-1, 2, 20_000)
    true = logistic.sigmoid(later / 2)
    assert np.abs(curve.probabilities(later) - true).mean() < 0.04
    ordered = curve.probabilities(np.sort(later))
    assert np.all(np.diff(ordered) >= 0)
    again = calibration.read(curve.document())
    assert np.array_equal(again.probabilities(later), curve.probabilities(later))


def test_what_is_no_calibration_is_refused():
    with pytest.raises(ValueError, match="no calibration"):
        calibration.read({"kind": "guess", "knots": [], "values": [1, 2]})


def test_logistic_regression_finds_the_weights_that_made_the_labels():
    rng = np.random.default_rng(7)
    columns = rng.normal(size=(20_000, 3)).astype(np.float32)
    labels = (rng.random(20_000) < logistic.sigmoid(-1 + columns @ np.array([1.0, -0.5, 0.0]))).astype(float)
    columns[0, 2] = np.nan
    scaled, means, deviations = logistic.standardise(columns)
    weights = logistic.fit(scaled, labels)
    assert weights == pytest.approx([-1, 1, -0.5, 0], abs=0.08)
    assert logistic.predict(weights, columns, means, deviations).mean() == pytest.approx(labels.mean(), abs=0.01)
