"""A supervisor leaves nothing behind, however it ends, and starts again what dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from marb.core.embedded import supervisor as supervising
from marb.core.embedded.folder import Busy, holder
from marb.core.embedded.program import Program
from marb.core.embedded.supervisor import Stopped, Supervisor

BASE = Path(__file__).resolve().parents[3]
# a supervisor of two programs, one of which does not hear SIGTERM and has a child
SCRIPT = """
import sys, time
from pathlib import Path
from marb.core.embedded.program import Program
from marb.core.embedded.supervisor import Supervisor, Stopped
var = Path(sys.argv[1])
deaf = "import os, signal, time; signal.signal(15, signal.SIG_IGN); os.fork(); time.sleep(600)"
with Supervisor(var, print) as supervisor:
    supervisor.start(Program("plain", ["sleep", "600"], var))
    supervisor.start(Program("deaf", [sys.executable, "-c", deaf, str(var)], var, grace=1))
    print("ready", flush=True)
    try:
        while True:
            supervisor.watch()
            time.sleep(0.05)
    except Stopped as stopped:
        print("stopped by", stopped, flush=True)
"""


def in_folder(folder: Path) -> list[int]:
    """Find the processes that work in a folder."""
    found = []
    for process in psutil.process_iter(["cwd", "status"]):
        if process.info["cwd"] == str(folder) and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_signal_that_ends_a_supervisor_leaves_a_process(tmp_path: Path, number: signal.Signals):
    argv = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    with subprocess.Popen(argv, cwd=BASE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        # the third is the child of the deaf one, which hears nothing by then
        assert wait_until(lambda: len(in_folder(tmp_path)) == 3)
        process.send_signal(number)
        assert wait_until(lambda: not in_folder(tmp_path))
        process.wait(60)
        said = process.stdout.read()
    assert said == ("" if number == signal.SIGKILL else f"stopped by {number.name}\n")
    assert wait_until(lambda: holder(tmp_path) == 0)


def test_a_program_that_dies_is_started_again(tmp_path: Path):
    told: list[str] = []
    with Supervisor(tmp_path, told.append) as supervisor:
        first = supervisor.start(Program("plain", ["sleep", "600"], tmp_path)).process
        first.kill()

        def again() -> bool:
            supervisor.watch()
            return supervisor.running["plain"].process.pid != first.pid

        assert wait_until(again)
        assert in_folder(tmp_path) == [supervisor.running["plain"].process.pid]
    assert told == ["plain ended (-9); starting it again."]
    assert in_folder(tmp_path) == []


def test_a_program_that_dies_at_once_waits_longer_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    clock = [1000.0]
    monkeypatch.setattr(supervising, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=time.sleep))
    pauses = []
    with Supervisor(tmp_path, lambda told: None) as supervisor:
        supervisor.start(Program("brief", ["false"], tmp_path))
        for _ in range(8):
            running = supervisor.running["brief"]
            running.process.wait(60)
            supervisor.watch()
            assert running.again_at is not None
            pauses.append(running.again_at - clock[0])
            clock[0] = running.again_at
            supervisor.watch()
            assert supervisor.running["brief"] is not running
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_guard_that_is_killed_is_replaced_and_knows_everybody(tmp_path: Path):
    with Supervisor(tmp_path, print) as supervisor:
        supervisor.start(Program("plain", ["sleep", "600"], tmp_path))
        supervisor.guard.kill()
        supervisor.guard.wait()
        supervisor.watch()
    assert in_folder(tmp_path) == []


def test_a_folder_has_one_supervisor(tmp_path: Path):
    with Supervisor(tmp_path, print):
        assert holder(tmp_path) == os.getpid()
        with pytest.raises(Busy, match=f"process {os.getpid()}"), Supervisor(tmp_path, print):
            pass
    assert holder(tmp_path) == 0


def test_a_program_that_ends_answers_its_status(tmp_path: Path):
    with Supervisor(tmp_path, print) as supervisor:
        assert supervisor.run(Program("brief", ["sh", "-c", "exit 3"], tmp_path)) == 3
        assert supervisor.running == {}


def test_a_signal_becomes_an_exception_that_no_library_swallows(tmp_path: Path):
    with pytest.raises(Stopped, match="SIGTERM"), Supervisor(tmp_path, print):
        signal.raise_signal(signal.SIGTERM)
    assert not issubclass(Stopped, Exception)


def test_a_signal_whose_exception_is_lost_stops_at_the_next_watch(tmp_path: Path):
    with Supervisor(tmp_path, print) as supervisor:
        with pytest.raises(Stopped):
            supervisor.stop(signal.SIGTERM, None)
        with pytest.raises(Stopped, match="SIGTERM"):
            supervisor.watch()
