import numpy as np
import pytest

from risk.history import COLUMNS, KINDS, PRIOR, STRENGTH, History, empty_history

COUNT = 600
FIRST = 20_000


def make_lines(seed=1, count=COUNT):
    rng = np.random.default_rng(seed)
    columns = {name: rng.integers(0, 3, count) for name in COLUMNS}
    columns["procedure"] = np.array(["99213", "99214", "80053"])[rng.integers(0, 3, count)]
    columns["charge_cents"] = rng.integers(5_000, 20_000, count)
    columns["payer"] = np.repeat(rng.integers(0, 4, count // 2), 2)
    return columns, np.repeat(FIRST + rng.integers(0, 200, count // 2), 2), (rng.random(count) < 0.2).astype(np.int8)


def take(columns, chosen):
    return {name: values[chosen] for name, values in columns.items()}


def test_a_rate_counts_what_was_adjudicated_before_the_day():
    columns, days, denied = make_lines()
    history = History(columns, days, denied)
    asked = days + 7
    rates = history.rates(columns, asked)
    for line in range(0, COUNT, 37):
        known = (days < asked[line]) & (columns["payer"] == columns["payer"][line])
        assert rates["payer_lines"][line] == known.sum()
        whole = (days < asked[line]).sum()
        overall = (denied[days < asked[line]].sum() + STRENGTH * PRIOR) / (whole + STRENGTH)
        assert rates["overall"][line] == pytest.approx(overall)
        expected = (denied[known].sum() + STRENGTH * overall) / (known.sum() + STRENGTH)
        assert rates["payer"][line] == pytest.approx(expected)


def test_later_adjudications_change_nothing_that_was_known_before():
    columns, days, denied = make_lines()
    early = days < FIRST + 100
    asked = np.minimum(days, FIRST + 100)
    short = History(take(columns, early), days[early], denied[early]).rates(columns, asked)
    long = History(columns, days, denied).rates(columns, asked)
    assert set(short) == set(long)
    for name, values in long.items():
        assert np.array_equal(values, short[name], equal_nan=True), name


def test_the_day_of_adjudication_itself_is_not_known_yet():
    columns, _, denied = make_lines()
    history = History(columns, np.full(COUNT, FIRST), denied)
    assert history.rates(columns, np.full(COUNT, FIRST))["overall_lines"].max() == 0
    assert history.rates(columns, np.full(COUNT, FIRST + 1))["overall_lines"].min() == COUNT


def test_a_key_never_seen_has_its_parents_rate():
    columns, days, denied = make_lines()
    history = History(columns, days, denied)
    new = take(columns, slice(0, 2)) | {"procedure": np.array(["J9999", "J9999"])}
    rates = history.rates(new, np.full(2, FIRST + 500))
    assert rates["payer_procedure"] == pytest.approx(rates["payer"])
    assert rates["payer_procedure_lines"].max() == 0


def test_nothing_known_is_the_prior():
    columns, days, _ = make_lines()
    rates = empty_history().rates(columns, days)
    assert all(np.allclose(values, PRIOR) for name, values in rates.items() if name in KINDS)
    assert np.all(np.isnan(rates["charge_to_usual"]))
