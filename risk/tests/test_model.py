"""Training on arrays: what is learnt, what is refused, and what a model says of its features."""

import numpy as np
import pytest

from risk.features import DIGEST, FEATURES, NAMES, Feature, Leak, check_sources, digest_of
from risk.model import booster, calibration, card
from risk.model.card import Rows, Untrainable
from risk.model.logistic import sigmoid
from risk.words import words_of


@pytest.fixture(scope="module")
def rows():
    """Claims whose denial goes by one rate, more so without an authorization."""
    rng = np.random.default_rng(11)
    count = 3_000
    matrix = rng.normal(size=(count, len(NAMES))).astype(np.float32)
    missing = rng.random(count) < 0.3
    matrix[:, NAMES.index("has_authorization")] = ~missing
    pull = matrix[:, NAMES.index("any_line_rate")]
    # what patterns say is the same of all
    matrix[:, NAMES.index("pattern_chance")] = -1.5
    labels = (rng.random(count) < sigmoid(-1.5 + 1.2 * pull + 1.5 * missing)).astype(float)
    return Rows(matrix, labels, np.sort(rng.integers(20_000, 20_500, count)), rng.random(count))


@pytest.fixture(scope="module")
def trained(rows):
    return card.train(rows, 1)


def test_the_card_tells_of_later_claims_and_of_what_is_simpler(rows, trained):
    window = trained.card["window"]
    assert window["train"]["last"] < window["calibrate"]["first"]
    assert window["calibrate"]["last"] < window["test"]["first"]
    assert sum(part["claims"] for part in window.values()) == len(rows.labels)
    assert trained.card["metrics"]["roc_auc"] > 0.7
    assert set(trained.card["baselines"]) == {"payer_rate", "logistic", "rules"}
    assert trained.card["baselines"]["payer_rate"]["roc_auc"] < 0.6
    assert trained.card["importance"][0][0] == "any_line_rate"


def test_the_same_claims_train_the_same_model(rows, trained):
    assert card.train(rows, 1).booster == trained.booster


def test_contributions_add_up_to_the_margin(rows, trained):
    trees = booster.read(trained.booster, 1)
    margins = booster.margins(trees, rows.matrix[:50])
    for exact in (True, False):
        added = booster.contributions(trees, rows.matrix[:50], exact=exact, threads=1)
        assert added.shape == (50, len(NAMES) + 1)
        assert added.sum(axis=1) == pytest.approx(margins, abs=1e-4)


def test_a_rate_only_raises_the_risk(rows, trained):
    trees = booster.read(trained.booster, 1)
    higher = rows.matrix[:200].copy()
    higher[:, NAMES.index("any_line_rate")] += 1
    assert np.all(booster.margins(trees, higher) >= booster.margins(trees, rows.matrix[:200]) - 1e-5)


def test_a_feature_never_seen_is_missing_and_scored(rows, trained):
    trees = booster.read(trained.booster, 1)
    unknown = np.full((3, len(NAMES)), np.nan, dtype=np.float32)
    chances = calibration.read(trained.calibration).probabilities(booster.margins(trees, unknown))
    assert np.all((chances > 0) & (chances < 1))


def test_too_few_claims_are_refused_with_a_sentence(rows):
    with pytest.raises(Untrainable) as refusal:
        card.train(rows.part(np.arange(len(rows.labels)) < 3), 1)
    assert refusal.value.sentence == "3 claims have an outcome, and a model needs 500. Scores go by the rules alone."


@pytest.mark.parametrize(("label", "word"), [(0.0, "paid"), (1.0, "denied")])
def test_one_outcome_alone_is_refused_with_a_sentence(rows, label, word):
    with pytest.raises(Untrainable, match=f"All 3,000 claims were {word}"):
        card.train(rows._replace(labels=np.full(len(rows.labels), label)), 1)


def test_a_part_with_hardly_a_denial_is_refused_with_a_sentence(rows):
    late = rows.labels.copy()
    late[rows.days > 20_350] = 0
    with pytest.raises(Untrainable, match="15 of each"):
        card.train(rows._replace(labels=late), 1)


def test_claims_of_one_day_cannot_be_split(rows):
    with pytest.raises(Untrainable):
        card.train(rows._replace(days=np.full(len(rows.days), 20_000)), 1)


def test_what_is_no_booster_is_refused():
    for text in ("", "{}", "not JSON"):
        with pytest.raises(ValueError):
            booster.read(text, 1)


def test_a_feature_from_the_remittance_is_a_leak():
    for source in ("remits.paid_amount", "facts.paid_amount", "facts.claim_status_code", "denials.carc"):
        with pytest.raises(Leak, match="unknown before the claim is sent"):
            check_sources([*FEATURES, Feature("planted", source)])


def test_another_feature_makes_another_digest():
    assert digest_of(FEATURES) == DIGEST
    assert digest_of(FEATURES[:-1]) != DIGEST
    assert digest_of((*FEATURES[1:], FEATURES[0])) != DIGEST


def test_every_feature_is_said_in_words():
    for name in NAMES:
        message, recommendation = words_of(name)
        assert not message.startswith("History speaks against the claim"), name
        assert message.endswith(".")
        assert recommendation.endswith(".")
