"""Our clock against a server's: leases go by PostgreSQL's, heartbeats and delays by the broker's."""

import time
from collections.abc import Callable

from monitoring.doctor.finding import Finding, bad, good, warn

WARN_SECONDS, BAD_SECONDS = 2, 30
MEND = "Let NTP set the clocks of all machines."


def check(name: str, read: Callable[[], float]) -> Finding:
    """Compare our clock with a server's, whose `read` answers seconds since the epoch."""
    before = time.time()
    there = read()
    return judge(name, before, there, time.time())


def judge(name: str, before: float, there: float, after: float) -> Finding:
    """Judge a clock that was read between two looks at ours."""
    off = max(0.0, before - there, there - after)
    if off > BAD_SECONDS:
        return bad("Clock", f"is {off:.0f} s away from that of {name}.", MEND)
    if off > WARN_SECONDS:
        return warn("Clock", f"is {off:.1f} s away from that of {name}.", MEND)
    return good("Clock", f"agrees with that of {name}.")
