"""Places where a test may let a process die: `reach("after_commit")` does nothing, unless MARB_FAIL names that place.

MARB_FAIL=after_commit:17 kills the process's whole group, as a power cut would, when the place is reached for the
17th time; read_chunk#3 does so whenever it is reached with that number; before_commit@2 stops the group in its tracks
(SIGSTOP) at the second time. Armed only where settings.FAILPOINTS is on, which no environment variable does:
marb.core.checks refuses to start with MARB_FAIL set and the setting off.
"""

import os
import re
import signal
from collections import Counter
from typing import NamedTuple

from django.conf import settings

VARIABLE = "MARB_FAIL"
FORM = re.compile(r"(?P<place>[a-z_]+)(?P<sign>[:#@])(?P<number>\d+)")
SIGNALS = {":": signal.SIGKILL, "#": signal.SIGKILL, "@": signal.SIGSTOP}


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
            os.killpg(os.getpgrp(), SIGNALS[trap.sign])
