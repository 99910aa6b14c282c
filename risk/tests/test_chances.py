"""What patterns say of claims: causes told apart, and nothing known of a claim's own month or later."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.chances import Cause, Causes, Chances, learn, month_starts, weigh
from risk.excess import excesses, strikes_whole
from risk.tests.batches import make_batch
from risk.tests.test_search import draw

WINDOW = 1_095


def test_causes_that_overlap_are_told_apart():
    rng = np.random.default_rng(3)
    count = 200_000
    masks = [rng.random(count) < 0.3, rng.random(count) < 0.2]
    # the second stands mostly beside the first
    masks[1] |= masks[0] & (rng.random(count) < 0.5)
    left = 0.9 * np.where(masks[0], 0.6, 1) * np.where(masks[1], 0.8, 1)
    found = excesses(masks, rng.random(count) > left, 0.1)
    assert found == pytest.approx([0.4, 0.2], abs=0.01)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=60), st.floats(0, 1))
def test_an_excess_is_a_share(rows, base: float):
    first, second, denied = (np.array(column) for column in zip(*rows, strict=True))
    assert all(0 <= each < 1 for each in excesses([first, second], denied, base))


@pytest.mark.parametrize("is_whole", [False, True])
def test_a_cause_that_denies_claims_whole_is_told_from_one_that_does_not(is_whole: bool):
    rng = np.random.default_rng(5)
    claims = np.repeat(np.arange(2_000), 3)
    denied = rng.random(2_000)[claims] < 0.3 if is_whole else rng.random(6_000) < 0.3
    assert strikes_whole(claims, np.ones(6_000, bool), denied) is is_whole


def test_claims_of_one_line_do_not_tell_and_count_by_line():
    assert strikes_whole(np.arange(50), np.ones(50, bool), np.ones(50, bool)) is False


def test_what_is_decided_later_changes_no_months_causes():
    lines = draw(1, planted=0.3)
    day = int(month_starts(np.array([19_200]))[0])
    known = learn(lines, day, WINDOW)
    assert known == learn(lines.pick(lines.adjudicated_day < day), day, WINDOW)
    assert known
    (cause,) = known.causes
    assert cause.conditions == {"procedure_code": "P3"}
    assert cause.excess == pytest.approx(0.3, abs=0.08)
    assert learn(lines, int(lines.adjudicated_day.min()), WINDOW) is None


def test_older_lines_than_the_window_are_not_counted():
    lines = draw(1, planted=0.3)
    assert learn(lines, int(lines.adjudicated_day.max()) + WINDOW + 1, WINDOW) is None


def test_a_claim_stays_paid_with_the_product_of_what_is_left():
    batch = make_batch({"lines": [{}, {"line_procedure": "80053"}]}, {"payer_id": 8})
    causes = [Cause(7, {"procedure_code": "80053"}, 0.5, False), Cause(7, {"has_authorization": False}, 0.2, True)]
    said = weigh(batch, Causes(causes, {7: 0.1}, 0.3))
    chances = 1 / (1 + np.exp(-said["chance"]))
    assert chances == pytest.approx([1 - 0.9 * 0.9 * 0.5 * 0.8, 0.3])
    assert said["excess"] == pytest.approx([0.6, 0.0])
    assert said["whole"] == pytest.approx([0.2, 0.0])
    assert said["worst"] == pytest.approx([0.5, 0.0])
    assert said["count"].tolist() == [2, 0]


def test_a_claim_is_held_against_the_causes_of_its_own_month():
    asked = []

    def causes_of(day: int) -> Causes | None:
        asked.append(str(np.datetime64(day, "D")))
        return Causes([], {}, 0.2) if len(asked) > 1 else None

    days = [int(np.datetime64(each, "D").astype(int)) for each in ("2026-01-31", "2026-02-01", "2026-02-28")]
    batch = make_batch(*({"submitted_date": day} for day in days), {"submitted_date": -1})
    chance = Chances(causes_of).columns(batch)["chance"]
    assert asked == ["2026-01-01", "2026-02-01"]
    assert np.isnan(chance).tolist() == [True, False, False, True]
