"""Reasons: what the model draws from patterns is told by the patterns that a claim meets."""

import numpy as np
import pytest

from risk.basis import Match
from risk.judge import share_out
from risk.reasons import Reason, Weighed


def weighed(code: str, places, points) -> Weighed:
    return Weighed(Reason("historical", code, "", ""), np.array(places), np.array(points, dtype=float))


def match(code: str, places, score: float) -> Match:
    return Match(code, np.array(places), score, "", "")


def test_points_go_to_the_patterns_met_by_their_scores_and_none_is_lost():
    of_model = [weighed("pattern_chance", [0, 1, 3], [30, 20, 10]), weighed("charge", [0], [5])]
    matches = [match("a", [0, 1], 10), match("b", [0, 2], 20)]
    of_matches = [weighed("a", [0, 1], [1, 1]), weighed("b", [0, 2], [2, 2])]
    found = {each.reason.code: dict(zip(each.claims, each.weights, strict=True)) for each in share_out(
        of_model, of_matches, matches
    )}  # fmt: skip
    assert found == {
        "charge": {0: 5},
        "a": {0: pytest.approx(11), 1: pytest.approx(21)},
        "b": {0: pytest.approx(22), 2: pytest.approx(2)},
        "pattern_chance": {3: 10},
    }


def test_without_patterns_or_without_their_column_nothing_is_moved():
    of_model, matches = [weighed("pattern_chance", [0], [30])], [match("a", [0], 10)]
    assert share_out(of_model, [], []) == of_model
    of_matches = [weighed("a", [0], [1])]
    assert share_out([], of_matches, matches) == of_matches
