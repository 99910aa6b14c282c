"""The supervisor: starts programs, starts again those that die, and leaves none behind.

It holds the var folder's lock and the pipe to a guard (marb.core.embedded.guard). Whatever ends it, the guard then
ends the programs. Signals become the exception Stopped, whose handlers are in place before the first child.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Self

from marb.core.embedded.folder import hold
from marb.core.embedded.guard import kill_group
from marb.core.embedded.program import Program, guard_line, launch, ward_of

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STEP = 0.05
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0


class Stopped(BaseException):
    """Somebody asked the supervisor to end. Not an Exception: no library may swallow it."""


class Running:
    """A program and its process; how often it died of late, and when it may be started again."""

    def __init__(self, program: Program, process: subprocess.Popen[bytes]):
        self.program = program
        self.process = process
        self.started = time.monotonic()
        self.ward = ward_of(program, process.pid)
        self.deaths = 0
        self.again_at: float | None = None


class Supervisor:
    """Use as a context: leaving it, in whatever way, ends every program and waits for their end."""

    def __init__(self, var: Path, report: Callable[[str], Any]):
        self.var = var
        self.report = report
        self.running: dict[str, Running] = {}
        self.handlers: dict[int, Any] = {}
        self.asked = ""

    def __enter__(self) -> Self:
        self.lock = hold(self.var)
        self.handlers = {number: signal.signal(number, self.stop) for number in SIGNALS}
        self.start_guard()
        return self

    def __exit__(self, *_: object) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        os.close(self.pipe)
        while self.guard.poll() is None:
            self.bury()
            time.sleep(STEP)
        self.bury()
        os.close(self.lock)
        for each, handler in self.handlers.items():
            signal.signal(each, handler)

    def stop(self, number: int, frame: FrameType | None) -> None:
        # kept as well as raised: an exception that a signal raises inside a __del__ is lost
        self.asked = signal.Signals(number).name
        raise Stopped(self.asked)

    def start_guard(self) -> None:
        """Start the guard with the reading end of a new pipe and a share of the lock."""
        reading, self.pipe = os.pipe()
        argv = [sys.executable, "-m", "marb.core.embedded.guard"]
        here = Path(__file__).resolve().parents[3]
        self.guard = subprocess.Popen(argv, cwd=here, stdin=reading, pass_fds=[self.lock], start_new_session=True)
        os.close(reading)
        for running in self.running.values():
            os.write(self.pipe, guard_line(running.program, running.process.pid))

    def start(self, program: Program) -> Running:
        """Start a program; the child tells the guard of itself before it becomes the program."""
        pipe = self.pipe
        process = launch(program, lambda: tell(pipe, program))
        running = self.running[program.name] = Running(program, process)
        return running

    def run(self, program: Program) -> int:
        """Run a program to its end, watching the others, and answer its exit status."""
        running = self.start(program)
        while running.process.poll() is None:
            self.watch(but=program.name)
            time.sleep(STEP)
        self.forget(program.name)
        return running.process.returncode

    def end(self, name: str) -> None:
        """End one program before the others."""
        running = self.running[name]
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.process.pid, running.program.stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.process.wait(running.program.grace)
        self.forget(name)

    def forget(self, name: str) -> None:
        running = self.running.pop(name)
        kill_group(running.ward)
        running.process.wait()
        os.write(self.pipe, f"-{running.process.pid}\n".encode())

    def watch(self, but: str = "") -> None:
        """Start again what has died, with a pause that doubles up to half a minute; look after the guard too."""
        if self.asked:
            raise Stopped(self.asked)
        if self.guard.poll() is not None:
            os.close(self.pipe)
            self.start_guard()
        for name, running in list(self.running.items()):
            if name != but and running.process.poll() is not None:
                self.start_again(running)

    def start_again(self, running: Running) -> None:
        now = time.monotonic()
        if running.again_at is None:
            kill_group(running.ward)
            steady = now - running.started > STEADY_SECONDS
            running.deaths = 1 if steady else running.deaths + 1
            running.again_at = now + min(LONGEST_PAUSE, 2.0 ** (running.deaths - 2))
            self.report(f"{running.program.name} ended ({running.process.returncode}); starting it again.")
        elif now >= running.again_at:
            os.write(self.pipe, f"-{running.process.pid}\n".encode())
            self.start(running.program).deaths = running.deaths

    def bury(self) -> None:
        for running in self.running.values():
            running.process.poll()


def tell(pipe: int, program: Program) -> None:
    """Write a child's own line to the guard, between fork and exec; exec closes the child's end of the pipe."""
    os.write(pipe, guard_line(program, os.getpid()))
