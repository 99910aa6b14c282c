"""A program that a supervisor runs: its command line, where it writes, and how it is ended."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from marb.core.embedded.guard import Ward, started_at

SERVICE, PRODUCT = 0, 1
LOG_BYTES = 20_000_000


class Program(NamedTuple):
    """`rank`: programs of the product end before the services. `log` None: our own output."""

    name: str
    argv: list[str]
    folder: Path
    log: Path | None = None
    environ: Mapping[str, str] = {}
    stop_signal: int = signal.SIGTERM
    grace: int = 15
    rank: int = PRODUCT


class NotStarted(Exception):
    """A program ended, or stayed silent, before it was ready."""

    def __init__(self, program: Program):
        where = f" Its log: {program.log}" if program.log else ""
        super().__init__(f"{program.name} did not start.{where}")


def launch(program: Program, before_exec: Callable[[], None] | None = None) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that a Ctrl-C reaches only the supervisor."""
    log = open_log(program.log) if program.log else None
    try:
        return subprocess.Popen(
            program.argv,
            cwd=program.folder,
            env={**os.environ, **program.environ},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT if log else None,
            start_new_session=True,
            preexec_fn=before_exec,
        )
    finally:
        if log is not None:
            os.close(log)


def open_log(path: Path) -> int:
    """Open a log to be added to; one that has grown past LOG_BYTES makes room and is kept once."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def ward_of(program: Program, pid: int) -> Ward:
    return Ward(pid, started_at(pid), program.stop_signal, program.grace, program.rank)


def guard_line(program: Program, pid: int) -> bytes:
    return f"{pid} {program.stop_signal} {program.grace} {program.rank}\n".encode()
