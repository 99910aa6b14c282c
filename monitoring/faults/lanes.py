"""Lanes: scenarios side by side, each lane a process with services of its own that it breaks as it likes.

A lane reads names of scenarios from its standard input and writes the row of each as JSON. It is the same command with
MARK in its environment, whose settings are the fault tests'. One that dies costs its scenario, and a new one goes on.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from marb.core.embedded import addresses, servers
from monitoring.faults.folder import Folder, Plan
from monitoring.faults.runner import CALM, Result, Scenario
from monitoring.faults.stand import LEASE_SECONDS

MARK = "MARB_FAULTS_FOLDER"


def environ(folder: Path, plan: Plan, stand: str) -> dict[str, str]:
    """The environment of a lane: the addresses of a new stand, short leases, no end of attempts."""
    left = {*servers.VARIABLES.values(), "PYTHONDONTWRITEBYTECODE"}
    kept = {key: value for key, value in os.environ.items() if key not in left}
    return kept | {
        MARK: str(folder.resolve()),
        "MARB_VAR": stand,
        "DJANGO_SETTINGS_MODULE": "monitoring.faults.settings",
        "CHUNK_LEASE_SECONDS": str(LEASE_SECONDS),
        "CHUNK_MOST_ATTEMPTS": "1000",
        "EDI_CHUNK_CLAIMS": str(plan.chunk_claims),
        "LOG_LEVEL": "CRITICAL",
        # workers begin hundreds of times: what is compiled once is kept, outside of the project
        "PYTHONPYCACHEPREFIX": str(folder.resolve() / "pycache"),
    }


class Lane:
    """One process and its stand; use as a context."""

    def __init__(self, folder: Folder, plan: Plan):
        self.stand = tempfile.TemporaryDirectory(prefix="marb-faults-", ignore_cleanup_errors=True)
        addresses.settle(Path(self.stand.name))
        own = environ(folder.path, plan, self.stand.name)
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "faults"]
        self.process = subprocess.Popen(
            command, env=own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def run(self, name: str) -> Result | None:
        """Let the lane run a scenario; None where it has died of it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(f"{name}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        line = self.process.stdout.readline()
        return Result(**json.loads(line)) if line else None

    def close(self) -> None:
        """End the lane after what it has in hand, and its stand with it."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.stand.cleanup()

    def end(self) -> None:
        """End the lane now."""
        self.process.terminate()


class Lanes:
    """So many lanes at once; `told` is called with each row as it comes."""

    def __init__(self, folder: Folder, plan: Plan, count: int, told: Callable[[Result], None]):
        self.folder = folder
        self.plan = plan
        self.count = count
        self.told = told
        self.lock = threading.Lock()
        self.open: set[Lane] = set()
        self.is_over = False

    def run(self, wanted: list[Scenario]) -> None:
        """Run the calm runs that are needed, then the scenarios in their order; what is done well is not repeated."""
        loads = {scenario.load for scenario in wanted}
        calm = [each for name, each in CALM.items() if name in loads and self.folder.read_calm(name) is None]
        done = {name for name, row in self.folder.results().items() if row.is_good}
        for stage in (calm, [scenario for scenario in wanted if scenario.name not in done]):
            self.run_stage(stage)

    def run_stage(self, stage: list[Scenario]) -> None:
        waiting: queue.SimpleQueue[Scenario] = queue.SimpleQueue()
        for scenario in stage:
            waiting.put(scenario)
        threads = [threading.Thread(target=self.work, args=(waiting,)) for _ in stage[: self.count]]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        self.is_over = True
        for lane in list(self.open):
            lane.end()

    def work(self, waiting: "queue.SimpleQueue[Scenario]") -> None:
        """Take scenarios from the queue until it is empty, on one lane after the other."""
        while not self.is_over and not waiting.empty():
            lane = Lane(self.folder, self.plan)
            self.open.add(lane)
            try:
                self.drive(lane, waiting)
            finally:
                lane.close()
                self.open.discard(lane)

    def drive(self, lane: Lane, waiting: "queue.SimpleQueue[Scenario]") -> None:
        while not self.is_over:
            try:
                scenario = waiting.get_nowait()
            except queue.Empty:
                return
            result = lane.run(scenario.name)
            if result is None and self.is_over:
                return
            with self.lock:
                self.told(result or Result(scenario.name, 0, ["the lane died"], [], 0.0, 0.0))
            if result is None:
                return
