"""The search and its statistics: laws, and what is planted in arrays is found once."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.lines import Lines
from risk.search import search
from risk.statistics import adjusted, upper_tail, wilson_lower

SHARES = st.lists(st.floats(0, 1), min_size=1, max_size=40)


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_lower_bound_is_a_share_below_the_rate(denied: int, more: int):
    bound = float(wilson_lower(denied, denied + more))
    assert 0 <= bound <= denied / (denied + more) + 1e-12


@given(SHARES)
def test_adjusted_values_keep_the_order_and_are_no_smaller(p_values: list[float]):
    found = adjusted(p_values)
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(found[order]) >= -1e-12)
    assert np.all(found >= np.asarray(p_values) - 1e-12)


def test_fishers_tail_of_a_known_table():
    # the lady who tasted all four cups right: 1 of 70
    assert abs(float(upper_tail(4, 4, 4, 8)[0]) - 1 / 70) < 1e-12


def draw(seed: int, count: int = 6_000, planted: float = 0.0) -> Lines:
    """Draw lines of two payers; procedure P3 of payer 1 is denied more often where `planted` says so."""
    rng = np.random.default_rng(seed)
    columns = {name: rng.integers(0, 8, count) for name in ("procedure", "diagnosis", "place", "modifiers", "carcs")}
    payer = rng.integers(1, 3, count)
    chance = np.where((payer == 1) & (columns["procedure"] == 3), 0.08 + planted, 0.08)
    zero = np.zeros(count, np.int64)
    codes = [f"P{number}" for number in range(8)]
    pairs = [(code,) for code in codes]
    day = rng.integers(19_000, 19_300, count)
    return Lines(
        claim=np.arange(count), payer=payer, billing=zero + 1, rendering=rng.integers(1, 6, count), **columns,
        is_authorized=zero > 0, is_duplicate=zero > 0, is_denied=rng.random(count) < chance, days=zero,
        charge_cents=rng.integers(5_000, 60_000, count), denied_cents=zero, service_day=day, submitted_day=day,
        adjudicated_day=day + 20,
        labels={"procedure": codes, "diagnosis": codes, "place": codes, "modifiers": pairs, "carcs": pairs},
    )  # fmt: skip


def test_nothing_is_found_where_nothing_was_planted():
    assert [search(draw(seed)).findings for seed in range(5)] == [[]] * 5


def test_one_cause_is_found_once_whatever_the_order_of_the_lines():
    lines = draw(1, planted=0.3)
    (found,) = search(lines).findings
    assert (found.payer, found.kind, found.conditions) == (1, "procedure", {"procedure_code": "P3"})
    turned = lines.pick(np.random.default_rng(7).permutation(len(lines)))
    assert search(turned).findings == [found]
