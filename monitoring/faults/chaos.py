"""What goes wrong between a worker and its broker: a clock that is off, messages that come twice.

MARB_SKEW_MS shifts the clock that Dramatiq's heartbeats and delays go by; MARB_TWICE sends every message twice.
"""

import os
import threading
from typing import Any

import dramatiq.brokers.redis
import dramatiq.worker
from dramatiq.broker import Broker
from dramatiq.common import current_millis
from dramatiq.message import Message
from dramatiq.middleware import Middleware


class Skew(Middleware):
    """Shifts Dramatiq's clock in this process."""

    def __init__(self) -> None:
        skew = int(os.environ.get("MARB_SKEW_MS", "0"))
        if skew:
            shifted: Any = lambda: current_millis() + skew  # noqa: E731
            dramatiq.brokers.redis.current_millis = shifted
            dramatiq.worker.current_millis = shifted


class Twice(Middleware):
    """Sends each message a second time."""

    def __init__(self) -> None:
        self.second = threading.local()

    def after_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        if not os.environ.get("MARB_TWICE") or getattr(self.second, "is_now", False):
            return
        self.second.is_now = True
        try:
            broker.enqueue(message, delay=delay)
        finally:
            self.second.is_now = False
