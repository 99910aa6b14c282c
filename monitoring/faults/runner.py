"""Runs scenarios on one stand and says of each what came of it.

A scenario is held against the calm run of the same files: the same digest, no broken law. One that must break things
so many times begins again with an empty stand until it has. The calls that fail one by one (F22) are told as one line.
"""

import random
import signal
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from django.conf import settings

from monitoring.faults import calls, cases
from monitoring.faults.cases import Amount, Broken, Load
from monitoring.faults.outcome import Outcome, differences, take_stock
from monitoring.faults.stand import Stand, Standstill

Case = Callable[[Stand, Load, Amount, random.Random], int]
Fail = Callable[[Stand, Load, calls.Fault], None]


class Scenario(NamedTuple):
    """One line of the table.

    `load` names the files, and with them the calm run; "" is a case with a comparison of its own. `often` is the part
    of Amount that says how many injections are asked for. `fail` makes a case of each call that a calm run makes.
    `seconds` is about how long it takes at full amounts.
    """

    name: str
    load: str
    case: Case | None = None
    often: str = ""
    fail: Fail | None = None
    has_effect: bool = False
    seconds: int = 60


LARGE, SMALL, PAIR, ALONE = "large", "small", "pair", ""
# rounds that may end before anything was broken
MOST_IDLE_ROUNDS = 20
REAL_LEASE = "F1 real lease"
# claims in a chunk of the work that is done in this process: many chunks to shuffle, few calls to fail one by one
CHUNKS = {SMALL: 50, PAIR: 250, ALONE: 50}


class Result(NamedTuple):
    """What a scenario came to. `recovery` is the longest time after a kill in which nothing came in, in seconds."""

    name: str
    injections: int
    violations: list[str]
    differences: list[str]
    recovery: float
    seconds: float

    @property
    def is_good(self) -> bool:
        return not self.violations and not self.differences


def work_calmly(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    stand.put(load.paths)
    calls.work_in_order()
    return 0


CALM = {
    LARGE: Scenario("calm, workers", LARGE, cases.calm),
    SMALL: Scenario("calm, one process", SMALL, work_calmly),
    PAIR: Scenario("calm, two files", PAIR, work_calmly),
}
SCENARIOS = [
    Scenario("F1 after commit", LARGE, cases.die_after_commit, seconds=330),
    Scenario("F1 before commit", LARGE, cases.die_before_commit, seconds=420),
    Scenario("F1 random kill", LARGE, cases.kill_at_random, "kills", seconds=500),
    Scenario(REAL_LEASE, LARGE, cases.die_with_a_real_lease, seconds=150),
    Scenario("F2 child killed", LARGE, cases.kill_child, "restarts", seconds=150),
    Scenario("F2 poison chunk", LARGE, cases.poison, seconds=90),
    Scenario("F3 broker lost", LARGE, cases.lose_broker, "restarts", seconds=150),
    Scenario("F5 PostgreSQL", LARGE, cases.restart_postgres, "restarts", seconds=250),
    Scenario("F10 poison message", LARGE, cases.poison_queues, seconds=60),
    Scenario("F11 twice", LARGE, cases.deliver_twice, seconds=60),
    Scenario("F13 clocks", LARGE, cases.skew_clocks, seconds=60),
    Scenario("F14 pause", LARGE, cases.pause_in_chunk, seconds=200),
    Scenario("F19 SIGTERM", LARGE, cases.stop_politely, "stops", seconds=300),
    Scenario("two machines", LARGE, cases.cut_off_machine, seconds=60),
    Scenario("F6 same bytes", SMALL, calls.send_again, seconds=20),
    Scenario("F6 other breaks", ALONE, calls.send_with_other_breaks, seconds=20),
    Scenario("F12 any order", SMALL, calls.shuffle, "orders", seconds=200),
    Scenario("F22 SQL before", PAIR, fail=calls.fail_sql, has_effect=False, seconds=300),
    Scenario("F22 SQL after", PAIR, fail=calls.fail_sql, has_effect=True, seconds=300),
    Scenario("F22 messages", PAIR, fail=calls.fail_bells, has_effect=False, seconds=60),
    Scenario("F22 answers", PAIR, fail=calls.fail_bells, has_effect=True, seconds=60),
]
BY_NAME = {scenario.name: scenario for scenario in [*CALM.values(), *SCENARIOS]}


def chosen(only: frozenset[str], amount: Amount) -> list[Scenario]:
    """The scenarios asked for, by F-number or name; all where none is named. Long ones come first."""
    possible = [each for each in SCENARIOS if amount.lease_kills or each.name != REAL_LEASE]
    wanted = [each for each in possible if not only or each.name.split()[0] in only or each.name in only]
    return sorted(wanted, key=lambda scenario: -scenario.seconds)


class Runner:
    """Runs scenarios on a stand; `loads` by name."""

    def __init__(self, stand: Stand, amount: Amount, seed: int, loads: dict[str, Load], chunk_claims: int):
        self.stand = stand
        self.amount = amount
        self.seed = seed
        self.loads = loads
        self.chunk_claims = chunk_claims

    def run(self, scenario: Scenario, calm: Outcome | None) -> tuple[Result, Outcome]:
        """Run a scenario; also answers the last outcome. A calm run is given no other to be held against."""
        settings.EDI_CHUNK_CLAIMS = min(self.chunk_claims, CHUNKS.get(scenario.load, self.chunk_claims))
        load = self.loads[scenario.load or SMALL]
        rng, started = random.Random(f"{self.seed} {scenario.name}"), time.monotonic()
        rounds: list[Result] = []
        outcome = Outcome({}, [])
        for case, amount in self.each(scenario, load, rounds):
            found, outcome = self.once(case, load, amount, rng, calm)
            rounds.append(found)
        self.free()
        rounds.append(shortfall(scenario, self.amount, rounds))
        return total(scenario.name, rounds, time.monotonic() - started), outcome

    def each(self, scenario: Scenario, load: Load, rounds: list[Result]) -> Iterator[tuple[Case, Amount]]:
        """Yield a scenario's case once, or until it has broken things as often as was asked for."""
        if scenario.case is None:
            yield from ((case, self.amount) for case in self.failures(scenario, load))
        elif not scenario.often:
            yield scenario.case, self.amount
        else:
            asked = left = getattr(self.amount, scenario.often)
            while left > 0 and len(rounds) < asked + MOST_IDLE_ROUNDS:
                yield scenario.case, self.amount._replace(**{scenario.often: left})
                left = asked - sum(each.injections for each in rounds)

    def once(
        self, case: Case, load: Load, amount: Amount, rng: random.Random, calm: Outcome | None
    ) -> tuple[Result, Outcome]:
        self.stand.clear()
        injections, outcome = 0, Outcome({}, [])
        try:
            injections = case(self.stand, load, amount, rng)
            outcome = take_stock()
        except (Broken, Standstill) as broken:
            outcome = Outcome({}, [f"{type(broken).__name__}: {broken}"])
        differing = differences(calm, outcome) if calm and outcome.digest else []
        return Result("", injections, outcome.violations, differing, self.stand.longest_recovery, 0.0), outcome

    def free(self) -> None:
        """End what a case left, the stopped ones too."""
        for name in list(self.stand.groups):
            self.stand.signal_group(name, signal.SIGKILL)
            self.stand.end_group(name)

    def failures(self, scenario: Scenario, load: Load) -> Iterator[Case]:
        """Make a case of every call that a calm run makes, or of some spread over them."""
        fail = scenario.fail
        assert fail is not None
        self.stand.clear()
        counted = calls.Fault(0, has_effect=False)
        fail(self.stand, load, counted)
        step = max(1, counted.count // self.amount.calls) if self.amount.calls else 1
        for number in range(1, counted.count + 1, step):
            yield fail_at(fail, number, has_effect=scenario.has_effect)


def shortfall(scenario: Scenario, amount: Amount, rounds: list[Result]) -> Result:
    """A round that says where a scenario broke less often than was asked for, or nothing at all."""
    done, asked = sum(each.injections for each in rounds), getattr(amount, scenario.often) if scenario.often else 0
    said = [f"{done} injections of {asked}"] if done < asked else []
    return Result("", 0, said, [], 0.0, 0.0)


def total(name: str, rounds: list[Result], seconds: float) -> Result:
    """Sum up rounds; what differed in several is told once."""
    violations = [sentence for each in rounds for sentence in each.violations]
    differing = sorted({part for each in rounds for part in each.differences})
    recovery = max((each.recovery for each in rounds), default=0.0)
    return Result(name, sum(each.injections for each in rounds), violations, differing, recovery, seconds)


def fail_at(fail: Fail, number: int, *, has_effect: bool) -> Case:
    def case(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
        fault = calls.Fault(number, has_effect=has_effect)
        fail(stand, load, fault)
        return 1

    return case
