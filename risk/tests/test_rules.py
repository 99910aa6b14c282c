"""Rules and their combination: pure, so laws are tried on many."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.combine import CRITICAL, PARTS, WEIGHTS, BadWeights, check_weights, combine
from risk.conditions import FACTS, BadCondition, check_condition
from risk.defaults import DEFAULTS
from risk.reasons import MOST_REASONS, tell, weigh_model, weigh_rules
from risk.rules import COMPONENTS, Rule, apply_rules, check_rule, digest_of, document_of, rules_of
from risk.tests.batches import make_batch

NO_AUTHORIZATION = {"fact": "has_authorization", "op": "eq", "value": False}
POINTS = st.floats(0, 100, allow_nan=False)
PARTS_OF_ONE = st.fixed_dictionaries(dict.fromkeys(PARTS, POINTS))


def rule(**columns: Any) -> Rule:
    said = {"code": "one", "component": "authorization", "condition": NO_AUTHORIZATION, "points": 30}
    return Rule(**{**said, "message": "Why.", "recommendation": "What.", **columns})


def met(batch, *rules: Rule, payer_rules: Any = None) -> list[list[float]]:
    """The points of each rule's component `authorization`, by claim."""
    return apply_rules(batch, rules, payer_rules).components["authorization"].tolist()


def score_of(components: dict[str, float], probability: float | None = None, is_critical: bool = False) -> float:
    columns = {name: np.array([value]) for name, value in components.items()}
    chance = None if probability is None else np.array([probability])
    return float(combine(columns, chance, np.array([is_critical]), WEIGHTS).scores[0])


NOTHING = dict.fromkeys(PARTS, 0.0)


def test_a_claim_with_nothing_wrong_meets_no_shipped_rule():
    verdict = apply_rules(make_batch({}, {}), DEFAULTS)
    assert verdict.hits == []
    assert verdict.problems == []
    assert all(not points.any() for points in verdict.components.values())


@pytest.mark.parametrize(
    ("claim", "component", "points"),
    [
        ({"payer_id": 0}, "payer", 30),
        ({"payer_type": "other", "filing_indicator_code": "ZZ"}, "payer", 20),
        ({"has_principal": False}, "coding", 40),
        ({"has_principal": False, "diagnosis_count": 0}, "coding", 90),
        ({"diagnosis_count": 13}, "coding", 20),
        ({"lines": [{"line_is_unnamed": True}, {"line_is_unnamed": True}]}, "coding", 30),
        ({"is_incomplete": True, "finding_count": 6}, "documentation", 55),
        ({"claim_type": "I"}, "documentation", 20),
        ({"has_assignment": False}, "documentation", 10),
        ({"filing_days_left": -1}, "timeliness", 100),
        ({"filing_days_left": 0}, "timeliness", 60),
        ({"filing_days_left": 8}, "timeliness", 25),
        ({"is_duplicate": True}, "duplicate", 80),
        ({"frequency_code": "7"}, "duplicate", 70),
        ({"payer_sequence_code": "S"}, "coordination", 60),
        ({"lines": [{"line_procedure": "70553"}]}, "authorization", 30),
    ],
)
def test_the_shipped_rules_give_their_points(claim: dict[str, Any], component: str, points: float):
    assert apply_rules(make_batch(claim, {}), DEFAULTS).components[component].tolist() == [points, 0]


def test_every_shipped_rule_can_be_read_and_is_kept_whole_in_json():
    for each in DEFAULTS:
        check_rule(each)
    again = rules_of(document_of(DEFAULTS))
    assert digest_of(again) == digest_of(DEFAULTS)
    assert len({each.code for each in DEFAULTS}) == len(DEFAULTS)


def test_what_a_payer_takes_and_restricts_is_its_own():
    batch = make_batch({"frequency_code": "7", "has_payer_number": True}, {"frequency_code": "7", "payer_id": 8})
    rules: dict[int, dict[str, Any]] = {
        7: {"allowed_frequency_types": ["1"], "restricted_facility_types": [11]},
        8: {"allowed_frequency_types": 5},
    }
    assert apply_rules(batch, DEFAULTS, rules).components["payer"].tolist() == [55, 0]


def test_a_payers_rule_stands_in_place_of_the_general_one_of_its_code():
    own = rule(payer_id=7, points=80)
    assert met(make_batch({}, {"payer_id": 8}), rule(), own) == [80, 30]
    assert met(make_batch({}, {"payer_id": 8}), rule(), own._replace(code="two")) == [100, 30]


def test_a_rule_is_in_force_on_its_days_alone():
    days = make_batch({"submitted_date": 99}, {"submitted_date": 100}, {"submitted_date": 110}, {"submitted_date": 111})
    assert met(days, rule(first_day=100, last_day=110)) == [0, 30, 30, 0]


def test_a_line_meets_a_condition_as_a_whole():
    both = [{"fact": "line_procedure", "op": "eq", "value": "A"}, {"fact": "line_modifiers", "op": "eq", "value": ""}]
    apart = make_batch({"lines": [{"line_procedure": "A"}, {"line_modifiers": ""}]})
    assert met(apart, rule(condition={"all": both})) == [30]
    assert met(apart, rule(condition={"line": {"all": both}})) == [0]
    assert met(
        make_batch({"lines": [{"line_procedure": "A", "line_modifiers": ""}]}), rule(condition={"line": {"all": both}})
    ) == [30]


@pytest.mark.parametrize(
    ("condition", "word"),
    [
        ({"fact": "moon", "op": "eq", "value": 1}, "no fact 'moon'"),
        ({"fact": "has_payer", "op": "lt", "value": True}, "compared by eq, ne"),
        ({"fact": "line_count", "op": "eq", "value": "1"}, "a number"),
        ({"fact": "line_count", "op": "in", "value": 1}, "a list"),
        ({"fact": "payer_code", "op": "eq", "value": 1}, "a text"),
        ({"fact": "payer_code", "op": "eq"}, "one is missing"),
        ({"all": []}, "a list of 1"),
        ({"all": [NO_AUTHORIZATION], "any": [NO_AUTHORIZATION]}, "alone"),
        ({"line": {"line": NO_AUTHORIZATION}}, "inside another"),
        ([], "an object"),
    ],
)
def test_a_condition_that_means_nothing_is_refused_in_a_sentence(condition: Any, word: str):
    with pytest.raises(BadCondition, match=word):
        check_condition(condition)


def test_a_rule_with_an_unknown_fact_is_left_out_and_named_and_the_others_go_on():
    bad = rule(code="bad", condition={"fact": "moon", "op": "eq", "value": 1})
    verdict = apply_rules(make_batch({}), [bad, rule()])
    assert verdict.components["authorization"].tolist() == [30]
    assert len(verdict.problems) == 1
    assert "bad" in verdict.problems[0]


@given(st.data())
def test_any_condition_is_read_or_refused_and_points_are_bounded(data: st.DataObject):
    leaf = st.fixed_dictionaries(
        {
            "fact": st.sampled_from(sorted(FACTS)),
            "op": st.sampled_from(["eq", "ne", "lt", "ge", "in", "contains", "starts"]),
            "value": st.one_of(st.booleans(), st.integers(-9, 99), st.text(max_size=3), st.lists(st.integers(0, 9))),
        }
    )
    condition = data.draw(
        st.recursive(
            leaf,
            lambda part: (
                st.fixed_dictionaries({"all": st.lists(part, max_size=3)}) | st.fixed_dictionaries({"not": part})
            ),
            max_leaves=4,
        )
    )
    rules = [rule(condition=condition, points=data.draw(POINTS)), rule(code="two", points=data.draw(POINTS))]
    verdict = apply_rules(make_batch({}, {"payer_id": 0, "lines": []}), rules)
    for name in COMPONENTS:
        assert ((verdict.components[name] >= 0) & (verdict.components[name] <= 100)).all()


@given(PARTS_OF_ONE, st.one_of(st.none(), st.floats(0, 1)), st.booleans())
def test_a_score_lies_within_0_and_100_and_no_lower_than_its_bounds(parts, probability, is_critical):
    score = score_of(parts, probability, is_critical)
    assert 0 <= score <= 100
    assert score >= 100 * (probability or 0) - 0.01
    assert score >= CRITICAL * is_critical


@given(PARTS_OF_ONE, st.sampled_from(PARTS), POINTS, st.one_of(st.none(), st.floats(0, 1)))
def test_more_points_never_lower_a_score(parts, part, more, probability):
    raised = {**parts, part: max(parts[part], more)}
    assert score_of(raised, probability) >= score_of(parts, probability) - 0.01


@given(PARTS_OF_ONE, st.floats(0.01, 0.5))
def test_more_weight_for_the_worst_part_never_lowers_a_score(parts, more):
    worst = max(PARTS, key=lambda part: parts[part])
    columns = {name: np.array([value]) for name, value in parts.items()}
    heavier = {**WEIGHTS, worst: WEIGHTS[worst] + more}
    scores = [combine(columns, None, np.zeros(1, dtype=bool), weights).scores[0] for weights in (WEIGHTS, heavier)]
    assert scores[1] >= scores[0] - 0.01


def test_where_no_rule_is_met_the_score_is_the_probability():
    assert score_of(NOTHING, 0.37) == 37.0
    assert score_of(NOTHING) == 0


def test_the_model_takes_back_what_rules_say_without_support_but_not_a_critical_one():
    parts = {**NOTHING, "authorization": 40.0}
    assert score_of(parts, 0.01) < score_of(parts)
    assert score_of(parts, 0.01, is_critical=True) == CRITICAL


@pytest.mark.parametrize(
    ("change", "word"),
    [({"payer": 0.5}, "sum to 1.400"), ({"payer": -0.1}, "payer is not"), ({"moon": 0.1}, "moon")],
)
def test_weights_that_do_not_sum_to_one_are_refused_in_a_sentence(change, word):
    with pytest.raises(BadWeights, match=word):
        check_weights(WEIGHTS | change)


def test_five_reasons_at_most_are_told_and_the_weightiest_first():
    claim = {
        "payer_id": 0,
        "diagnosis_count": 0,
        "has_principal": False,
        "is_incomplete": True,
        "has_member_id": False,
        "is_duplicate": True,
        "filing_days_left": -5,
        "payer_sequence_code": "S",
    }
    told = tell(weigh_rules(apply_rules(make_batch({}, claim), DEFAULTS).hits, WEIGHTS, False))
    assert told.claims.tolist() == [1] * MOST_REASONS
    assert told.weights.tolist() == sorted(told.weights, reverse=True)
    assert "timeliness-passed" in [told.reasons[place].code for place in told.places]


def test_what_lowers_the_probability_is_no_reason():
    contributions = np.array([[2.0, -3.0, 0.0]])
    (weighed,) = weigh_model(["a", "b", "c"], contributions, np.array([0.5]), lambda name: (name, name))
    assert weighed.reason.code == "a"
    assert weighed.weights[0] == pytest.approx(100 * (0.5 - 1 / (1 + np.exp(2))))
