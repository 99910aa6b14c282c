"""The guard: a small process that ends everything its supervisor started, however the supervisor ended.

It reads lines from a pipe whose other end only the supervisor holds, so the end of the pipe is the supervisor's end,
by Ctrl-C or by SIGKILL alike. A child writes its own line between fork and exec: none is ever unknown here. There is
no other way by which programs are stopped, so the way is used, and proven, at every stop.

A line is `PID SIGNAL GRACE RANK`, or `-PID` for one that ended by itself. Higher ranks end first.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable
from typing import NamedTuple

import psutil

STEP = 0.02


class Ward(NamedTuple):
    """A process to be ended: by `stop_signal`, and after `grace` seconds by SIGKILL to its whole group."""

    pid: int
    started: float
    stop_signal: int
    grace: int
    rank: int


def parse_ward(line: str) -> Ward:
    """Read a line and note when that process began, so that a later one with the same id is not taken for it."""
    pid, stop_signal, grace, rank = map(int, line.split())
    return Ward(pid, started_at(pid), stop_signal, grace, rank)


def started_at(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def is_alive(ward: Ward) -> bool:
    """Tell whether the process still runs; a zombie that nobody has buried does not."""
    try:
        process = psutil.Process(ward.pid)
        return process.create_time() == ward.started and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stop(wards: Iterable[Ward]) -> None:
    """End processes, the higher ranks before the lower, those of one rank together."""
    ranks: dict[int, list[Ward]] = {}
    for ward in wards:
        ranks.setdefault(ward.rank, []).append(ward)
    for rank in sorted(ranks, reverse=True):
        stop_together(ranks[rank])


def stop_together(wards: list[Ward]) -> None:
    for ward in wards:
        if is_alive(ward):
            with contextlib.suppress(ProcessLookupError):
                os.kill(ward.pid, ward.stop_signal)
    began = time.monotonic()
    while waiting := [ward for ward in wards if is_alive(ward)]:
        for ward in waiting:
            if time.monotonic() - began > ward.grace:
                kill_group(ward)
        time.sleep(STEP)
    for ward in wards:
        kill_group(ward)


def kill_group(ward: Ward) -> None:
    """Kill what is left of a process's group: itself, or children that outlived it."""
    if started_at(ward.pid) not in (0.0, ward.started):
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(ward.pid, signal.SIGKILL)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    wards: dict[int, Ward] = {}
    for line in sys.stdin:
        if line.startswith("-"):
            wards.pop(-int(line), None)
        else:
            ward = parse_ward(line)
            wards[ward.pid] = ward
    stop(wards.values())


if __name__ == "__main__":
    main()
