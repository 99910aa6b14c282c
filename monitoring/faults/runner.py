"""Runs the fault cases one after another on one stand and says of each what came of it.

A case is held against the calm run of the same files: the same digest, no broken law. The calls that fail one by one
(F22) are a case each time; they are told as one line.
"""

import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.management import call_command

from monitoring.faults import calls, cases
from monitoring.faults.cases import Amount, Broken, Load
from monitoring.faults.outcome import Outcome, differences, take_stock
from monitoring.faults.stand import Stand, Standstill

Case = Callable[[Stand, Load, Amount, random.Random], int]

REAL_LEASE = "F1 real lease"
INSIDE_CHUNK_CLAIMS = 50
WORKERS: list[tuple[str, Case]] = [
    ("F1 after commit", cases.die_after_commit),
    ("F1 before commit", cases.die_before_commit),
    ("F1 random kill", cases.kill_at_random),
    (REAL_LEASE, cases.die_with_a_real_lease),
    ("F2 child killed", cases.kill_child),
    ("F2 poison chunk", cases.poison),
    ("F3 broker lost", cases.lose_broker),
    ("F5 PostgreSQL", cases.restart_postgres),
    ("F10 poison message", cases.poison_queues),
    ("F11 twice", cases.deliver_twice),
    ("F13 clocks", cases.skew_clocks),
    ("F14 pause", cases.pause_in_chunk),
    ("F19 SIGTERM", cases.stop_politely),
    ("two machines", cases.cut_off_machine),
]
INSIDE: list[tuple[str, Case]] = [("F6 same bytes", calls.send_again), ("F12 any order", calls.shuffle)]
CALLS = [("F22 SQL", calls.fail_sql), ("F22 messages", calls.fail_bells)]


class Result(NamedTuple):
    """One line of the table. `recovery` is the longest time after a kill in which nothing moved, in seconds."""

    name: str
    injections: int
    violations: list[str]
    differences: list[str]
    recovery: float
    seconds: float

    @property
    def is_good(self) -> bool:
        return not self.violations and not self.differences


class Runner:
    """`large` is worked off by workers, `small` in this process."""

    def __init__(self, stand: Stand, amount: Amount, seed: int, only: frozenset[str]):
        self.stand = stand
        self.amount = amount
        self.seed = seed
        self.only = only

    def run(self, large: Load, small: Load) -> Iterator[Result]:
        """Yield the result of each case that was asked for, the calm runs first."""
        chosen = [(name, case) for name, case in WORKERS if self.is_wanted(name)]
        if chosen:
            calm, result = self.calm("calm, workers", large, cases.calm)
            yield result
            for name, case in chosen:
                yield self.one(name, large, case, calm)
        yield from self.run_inside(small)

    def run_inside(self, small: Load) -> Iterator[Result]:
        inside = [(name, case) for name, case in INSIDE if self.is_wanted(name)]
        each = [(name, fail) for name, fail in CALLS if self.is_wanted(name)]
        if not inside and not each:
            return
        settings.EDI_CHUNK_CLAIMS = min(settings.EDI_CHUNK_CLAIMS, INSIDE_CHUNK_CLAIMS)
        calm, result = self.calm("calm, one process", small, work_calmly)
        yield result
        for name, case in inside:
            times = self.amount.orders if case is calls.shuffle else 1
            yield self.many(name, small, [case] * times, calm)
        if each:
            pair = one_of_each_kind(small)
            calm, result = self.calm("calm, two files", pair, work_calmly)
            yield result
        for name, fail in each:
            yield self.many(name, pair, list(self.failures(pair, fail)), calm)

    def is_wanted(self, name: str) -> bool:
        if name == REAL_LEASE and not self.amount.real_lease:
            return False
        return not self.only or name.split()[0] in self.only or name in self.only

    def calm(self, name: str, load: Load, case: Case) -> tuple[Outcome, Result]:
        started = time.monotonic()
        self.stand.clear()
        case(self.stand, load, self.amount, random.Random(self.seed))
        outcome = take_stock()
        return outcome, Result(name, 0, outcome.violations, [], 0.0, time.monotonic() - started)

    def one(self, name: str, load: Load, case: Case, calm: Outcome) -> Result:
        return self.many(name, load, [case], calm)

    def many(self, name: str, load: Load, each: list[Case], calm: Outcome) -> Result:
        """Run a case, or many small ones that are told as one."""
        rng, started = random.Random(f"{self.seed} {name}"), time.monotonic()
        injections, recovery, violations, differing = 0, 0.0, [], set()
        for case in each:
            self.stand.clear()
            try:
                injections += case(self.stand, load, self.amount, rng)
                outcome = take_stock()
                violations += outcome.violations
                differing |= set(differences(calm, outcome))
            except (Broken, Standstill) as broken:
                violations.append(f"{type(broken).__name__}: {broken}")
            recovery = max(recovery, self.stand.longest_recovery)
        self.free()
        return Result(name, injections, violations, sorted(differing), recovery, time.monotonic() - started)

    def free(self) -> None:
        """End what a case left, the stopped ones too."""
        for name in list(self.stand.groups):
            self.stand.signal_group(name, signal.SIGKILL)
            self.stand.end_group(name)

    def failures(self, load: Load, fail: Callable[[Stand, Load, calls.Fault], None]) -> Iterator[Case]:
        """Make a case of every call that a calm run makes, or of some spread over them."""
        self.stand.clear()
        counted = calls.Fault(0, has_effect=False)
        fail(self.stand, load, counted)
        step = max(1, counted.count // self.amount.calls) if self.amount.calls else 1
        for number in range(1, counted.count + 1, step):
            for has_effect in (False, True):
                yield fail_at(fail, number, has_effect=has_effect)


def fail_at(fail: Callable[[Stand, Load, calls.Fault], None], number: int, *, has_effect: bool) -> Case:
    def case(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
        fault = calls.Fault(number, has_effect=has_effect)
        fail(stand, load, fault)
        return 1

    return case


def work_calmly(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    stand.put(load.paths)
    calls.work_in_order()
    return 0


def one_of_each_kind(load: Load) -> Load:
    """Choose the largest 837 and the largest 835."""
    largest = sorted(load.paths, key=lambda path: path.stat().st_size)
    paths = {b"ST*835" in path.read_bytes(): path for path in largest}
    return Load([paths[kind] for kind in sorted(paths)])


def write_sample(folder: Path, claims: int, seed: int) -> Load:
    """Write files to work off; the 837s come first."""
    call_command("sample", claims=claims, out=folder, seed=seed, verbosity=0)
    return Load(sorted(folder.glob("*.x12")))
