"""Patience with a PostgreSQL that is away: what a process does that works the belt without a broker to repeat it.

A restart, a failover or a refused connection is waited out, up to `seconds` of one absence; everything else is raised.
Nothing is repeated here: the rows say what is still to be done.
"""

import logging
import time
from types import TracebackType
from typing import Self

from django.db import InterfaceError, OperationalError, connection

logger = logging.getLogger(__name__)
AWAY = (OperationalError, InterfaceError)
PAUSE_SECONDS = 0.5


class Patience:
    """Use as a context around each turn of a loop: a turn that finds PostgreSQL away is passed over."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.away_since: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            self.away_since = None
        return isinstance(error, AWAY) and self.wait(error)

    def wait(self, error: BaseException) -> bool:
        """Pause; False where the absence has lasted too long."""
        now = time.monotonic()
        if self.away_since is None:
            self.away_since = now
            logger.warning("PostgreSQL is away (%s); waiting for it", type(error).__name__)
        if now - self.away_since > self.seconds:
            return False
        # the next turn begins with a new connection
        connection.close()
        time.sleep(PAUSE_SECONDS)
        return True
