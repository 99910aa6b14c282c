"""Places where a test may let a process die: `reach("after_commit")` does nothing, unless MARB_FAIL names that place.

MARB_FAIL=after_commit:17 kills the process's whole group, as a power cut would, when the place is reached for the
17th time; read_chunk#3 does so whenever it is reached with that number; before_commit@2 stops the group in its tracks
(SIGSTOP) at the second time. Armed only where settings.FAILPOINTS is on, which no environment variable does:
marb.core.checks refuses to start with MARB_FAIL set and the setting off.
"""

import contextlib
import os
import re
import signal
import threading
from collections import Counter
from typing import NamedTuple

import psutil
from django.conf import settings

VARIABLE = "MARB_FAIL"
FORM = re.compile(r"(?P<place>[a-z_]+)(?P<sign>[:#@])(?P<number>\d+)")


class Trap(NamedTuple):
    """`sign` ":" and "@" wait for the n-th time, "#" for the number n."""

    place: str
    sign: str
    number: int


def read_traps(text: str) -> tuple[Trap, ...]:
    """Read MARB_FAIL: traps with a comma between them. Raises ValueError where one is not understood."""
    traps = []
    for word in filter(None, text.split(",")):
        found = FORM.fullmatch(word)
        if found is None:
            raise ValueError(f"{VARIABLE} names places as after_commit:17 or read_chunk#3, not as {word!r}.")
        traps.append(Trap(found["place"], found["sign"], int(found["number"])))
    return tuple(traps)


TRAPS = read_traps(os.environ.get(VARIABLE, ""))
reached: Counter[str] = Counter()


def reach(place: str, number: int = -1) -> None:
    """Say that a place is reached; `number` is what the place works on."""
    if TRAPS:
        spring(place, number)


def spring(place: str, number: int) -> None:
    reached[place] += 1
    for trap in TRAPS:
        is_here = (number if trap.sign == "#" else reached[place]) == trap.number
        if trap.place == place and is_here and settings.FAILPOINTS:
            stop_group() if trap.sign == "@" else os.killpg(os.getpgrp(), signal.SIGKILL)


def stop_group() -> None:
    """Stop every process of our group, this thread at this very place.

    A stop that is sent to a process is taken by any of its threads, and this one would go on until that is woken;
    sent to the thread, it takes hold before another instruction.
    """
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError):
            if process.pid != os.getpid() and os.getpgid(process.pid) == os.getpgrp():
                os.kill(process.pid, signal.SIGSTOP)
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
