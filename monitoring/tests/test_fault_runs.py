"""The machinery of `manage.py faults`: what is kept, what is run again, and that a thin run is no good one."""

import random
from pathlib import Path
from typing import Any

import pytest

from monitoring.faults import lanes
from monitoring.faults.cases import SHORT, Load
from monitoring.faults.folder import Folder, Plan
from monitoring.faults.lanes import Lanes
from monitoring.faults.outcome import Outcome
from monitoring.faults.runner import BY_NAME, CALM, LARGE, Result, Runner, Scenario, chosen

PLAN = Plan(7, is_short=True, claims=12, chunk_claims=20, times=None)
GOOD = Result("", 1, [], [], 0.5, 1.0)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "results")
    folder.take(PLAN)
    for name in CALM:
        folder.keep_calm(name, Outcome({"lines": name}, []))
    return folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What lanes were asked for; one named F5 dies of it the first time."""
    names: list[str] = []
    deadly = {"F5 PostgreSQL"}

    class FakeLane:
        def __init__(self, folder: Folder, plan: Plan):
            pass

        def run(self, name: str) -> Result | None:
            names.append(name)
            if name in deadly:
                deadly.remove(name)
                return None
            return GOOD._replace(name=name)

        def close(self) -> None:
            pass

    monkeypatch.setattr(lanes, "Lane", FakeLane)
    return names


def run(folder: Folder, only: str) -> None:
    Lanes(folder, PLAN, 1, folder.keep).run(chosen(frozenset(only.split(",")), PLAN.amount))


def test_what_is_done_well_is_not_repeated_and_what_a_lane_died_of_is(folder: Folder, asked: list[str]) -> None:
    run(folder, "F5,F11,F13")
    assert sorted(asked) == ["F11 twice", "F13 clocks", "F5 PostgreSQL"]
    assert folder.results()["F5 PostgreSQL"].violations == ["the lane died"]
    assert folder.results()["F13 clocks"].is_good
    asked.clear()
    run(folder, "F5,F11,F13")
    assert asked == ["F5 PostgreSQL"]
    assert folder.results()["F5 PostgreSQL"].is_good


def test_calm_runs_come_first_where_there_are_none(folder: Folder, asked: list[str]) -> None:
    (folder.path / "calm" / f"{LARGE}.json").unlink()
    run(folder, "F11")
    assert asked == ["calm, workers", "F11 twice"]


def test_a_folder_goes_on_with_its_plan_and_begins_anew_with_another(folder: Folder) -> None:
    folder.keep(GOOD._replace(name="F11 twice"))
    folder.take(PLAN)
    assert set(folder.results()) == {"F11 twice"}
    assert folder.read_calm(LARGE) == Outcome({"lines": LARGE}, [])
    folder.take(PLAN._replace(seed=8))
    assert folder.results() == {}
    assert folder.read_calm(LARGE) is None


def test_a_folder_with_other_things_in_it_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "letter").touch()
    with pytest.raises(ValueError, match="name an empty one"):
        Folder(tmp_path).take(PLAN)
    assert (tmp_path / "letter").exists()


class EmptyStand:
    """A stand on which nothing happens."""

    longest_recovery = 0.0
    groups: dict[str, Any] = {}

    def clear(self) -> None:
        pass


def run_case(monkeypatch: pytest.MonkeyPatch, injections: list[int]) -> Result:
    """Run a scenario that is to break things five times, and breaks them so often in each round."""
    monkeypatch.setattr("monitoring.faults.runner.take_stock", lambda: Outcome({}, []))

    def case(stand: Any, load: Load, amount: Any, rng: random.Random) -> int:
        return injections.pop(0) if injections else 0

    stand: Any = EmptyStand()
    runner = Runner(stand, SHORT._replace(kills=5), 7, {LARGE: Load([])}, 20)
    return runner.run(Scenario("F0", LARGE, case, "kills"), Outcome({}, []))[0]


def test_a_scenario_goes_on_with_fresh_rows_until_it_has_broken_often_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run_case(monkeypatch, [2, 0, 3, 9])
    assert (result.injections, result.is_good) == (5, True)


def test_a_scenario_that_breaks_too_little_is_no_good_one(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run_case(monkeypatch, [2])
    assert (result.injections, result.violations) == (2, ["2 injections of 5"])


def test_names_are_known_once() -> None:
    assert len(BY_NAME) == len(CALM) + len(chosen(frozenset(), SHORT._replace(lease_kills=1)))
