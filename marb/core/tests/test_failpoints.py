"""Failpoints: read as written, armed by settings alone, and refused where people work."""

import os
import select
import signal
import subprocess
import sys
import time

import psutil
import pytest
from django.conf import settings

from marb.core import failpoints
from marb.core.checks import check_failpoints
from marb.core.failpoints import Trap, reach, read_traps


@pytest.fixture
def signals(monkeypatch) -> list[int]:
    sent: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda group, number: sent.append(number))
    monkeypatch.setattr(failpoints, "stop_group", lambda: sent.append(signal.SIGSTOP))
    monkeypatch.setattr(failpoints, "reached", failpoints.Counter())
    return sent


def test_traps_are_read_as_they_are_written():
    traps = (Trap("after_commit", ":", 17), Trap("read_chunk", "#", 3), Trap("before_commit", "@", 2))
    assert read_traps("after_commit:17,read_chunk#3,before_commit@2") == traps
    with pytest.raises(ValueError, match="after_commit:17"):
        read_traps("after_commit")


def test_a_trap_springs_at_its_time_or_its_number(monkeypatch, settings, signals):
    settings.FAILPOINTS = True
    monkeypatch.setattr(failpoints, "TRAPS", read_traps("after_commit:2,read_chunk#3,before_commit@1"))
    reach("after_commit")
    assert signals == []
    reach("after_commit")
    reach("read_chunk", 2)
    assert signals == [signal.SIGKILL]
    reach("read_chunk", 3)
    reach("before_commit")
    assert signals == [signal.SIGKILL, signal.SIGKILL, signal.SIGSTOP]


def test_no_trap_springs_where_the_settings_do_not_arm_it(monkeypatch, signals):
    monkeypatch.setattr(failpoints, "TRAPS", read_traps("after_commit:1"))
    assert settings.FAILPOINTS is False
    reach("after_commit")
    assert signals == []


GROUP = """
import os, sys, threading, time
from marb.core.failpoints import stop_group
child = os.fork()
if not child:
    time.sleep(600)
for _ in range(20):
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
print(child, flush=True)
worker = threading.Thread(target=lambda: (stop_group(), print("went on", flush=True)))
worker.start()
worker.join()
"""


def test_a_stopped_group_stands_at_the_very_place():
    with subprocess.Popen(
        [sys.executable, "-c", GROUP], cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        group = [process.pid, int(process.stdout.readline())]
        wait_until_stopped(group)
        assert select.select([process.stdout], [], [], 0)[0] == []
        os.killpg(process.pid, signal.SIGCONT)
        assert process.stdout.readline() == "went on\n"
        os.killpg(process.pid, signal.SIGKILL)


def wait_until_stopped(pids: list[int]) -> None:
    deadline = time.monotonic() + 60
    while {psutil.Process(pid).status() for pid in pids} != {psutil.STATUS_STOPPED}:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_variable_is_refused_in_production(monkeypatch, settings):
    assert check_failpoints() == []
    monkeypatch.setenv("MARB_FAIL", "after_commit:1")
    assert [error.id for error in check_failpoints()] == ["core.E007"]
    settings.FAILPOINTS = True
    assert check_failpoints() == []
    settings.HTTPS = True
    assert [error.id for error in check_failpoints()] == ["core.E007"]


def test_a_command_does_not_start_with_the_variable_set():
    environ = {**os.environ, "MARB_FAIL": "after_commit:1"}
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environ, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"core.E007" in done.stderr
