"""The guard ends what it was told of, and nobody else."""

import os
import signal
import subprocess
import sys
import time

import psutil

from marb.core.embedded.guard import Ward, is_alive, kill_group, started_at, stop

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
PATIENCE_SECONDS = 60
STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
os.write(1, b"ready\\n")  # one write: the two processes share the pipe
time.sleep(60)
"""


def start(argv: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(argv, start_new_session=True, stdout=subprocess.PIPE)


def ward(pid: int, grace: int = 60, rank: int = 0) -> Ward:
    return Ward(pid, started_at(pid), signal.SIGTERM, grace, rank)


def members(group: int) -> list[int]:
    found = []
    for process in psutil.process_iter(["status"]):
        try:
            if os.getpgid(process.pid) == group and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except ProcessLookupError:
            continue
    return found


def test_a_process_that_hears_ends_at_once():
    with start(SLEEP) as process:
        stop([ward(process.pid)])
        assert process.wait(PATIENCE_SECONDS) == -signal.SIGTERM


def test_a_process_that_does_not_hear_is_killed_with_its_children():
    with start([sys.executable, "-c", STUBBORN]) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline(), process.stdout.readline()]
        assert lines == [b"ready\n", b"ready\n"]
        assert len(members(process.pid)) == 2
        stop([ward(process.pid, grace=1)])
        assert process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        deadline = time.monotonic() + PATIENCE_SECONDS
        while members(process.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert members(process.pid) == []


def test_higher_ranks_end_before_lower_ones():
    with start(SLEEP) as service, start(SLEEP) as product:
        stop([ward(service.pid, rank=0), ward(product.pid, rank=1)])
        assert product.poll() is not None
        assert service.wait(PATIENCE_SECONDS) == -signal.SIGTERM


def test_a_dead_process_that_nobody_buried_is_not_alive():
    with start([sys.executable, "-c", ""]) as process:
        mine = ward(process.pid)
        assert process.stdout is not None
        process.stdout.read()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while is_alive(mine) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not is_alive(mine)


def test_a_later_process_with_the_same_id_is_left_alone():
    with start(SLEEP) as process:
        earlier = ward(process.pid)._replace(started=started_at(process.pid) - 100)
        stop([earlier])
        kill_group(earlier)
        assert process.poll() is None
        process.kill()
