"""A breaker: after the first failure nobody waits for a dead cache, and one caller at a time tries whether it is back.

With time limits of a quarter of a second on the socket it opens within that; while it is open every call is a miss at
once. No Django here: the clock is given.
"""

import threading
from collections.abc import Callable

PAUSE_SECONDS = 0.5


class Breaker:
    """Closed until a call fails, then open for PAUSE_SECONDS; then one call goes through and decides."""

    def __init__(self, clock: Callable[[], float], pause: float = PAUSE_SECONDS):
        self.clock = clock
        self.pause = pause
        self.open_until: float | None = None
        self.lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        return self.open_until is not None

    def allows(self) -> bool:
        """Say whether a call may be tried now."""
        if self.open_until is None:
            return True
        with self.lock:
            now = self.clock()
            if self.open_until is None or now < self.open_until:
                return self.open_until is None
            # the others go on waiting while this one tries
            self.open_until = now + self.pause
            return True

    def failed(self) -> bool:
        """Open it. True where it was closed before."""
        with self.lock:
            was_closed = self.open_until is None
            self.open_until = self.clock() + self.pause
            return was_closed

    def succeeded(self) -> None:
        if self.open_until is not None:
            with self.lock:
                self.open_until = None
