"""The ledger of this process, new in each fork, and the three calls that write to it. Nothing is written when off."""

import os

from django.conf import settings

from marb.core.measure.ledger import Ledger


class Holder:
    """Holds this process's ledger: a child that was forked begins its own."""

    def __init__(self) -> None:
        self.ledger = Ledger()


HELD = Holder()
os.register_at_fork(after_in_child=HELD.__init__)  # type: ignore[misc]


def ledger() -> Ledger:
    """Get the ledger of this process."""
    return HELD.ledger


def is_on() -> bool:
    return bool(settings.MONITORING)


def record(kind: str, name: str, seconds: float, *, is_error: bool = False, is_retry: bool = False) -> None:
    """Sum up one timed thing. `kind` and `name` as in marb.core.measure.ledger.Timing."""
    if is_on():
        HELD.ledger.record(kind, name[:150], seconds, is_error=is_error, is_retry=is_retry)


def count(name: str, number: float = 1, label: str = "") -> None:
    """Add to a counter."""
    if is_on():
        HELD.ledger.sample(name, number, label)


def gauge(name: str, value: float, label: str = "") -> None:
    """Sample a gauge."""
    if is_on():
        HELD.ledger.sample(name, value, label)
