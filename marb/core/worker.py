"""What a Dramatiq worker process does beside its messages: warms its pool, and asks for a fresh start when it grows.

Dramatiq cannot renew one process of a group. SIGHUP to the parent lets every process of the group finish what it has
in hand and starts the group anew in place, so nothing is broken off. The jitter keeps groups from doing it together.
"""

import logging
import os
import random
import signal
import threading
from typing import Any

import psutil
from django.conf import settings
from dramatiq import Worker
from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware

from marb.core import pool

logger = logging.getLogger(__name__)
JITTER_SECONDS = 5.0


class WarmPool(Middleware):
    """Opens the connections of a worker process before its first message."""

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        pool.warm()


class MemoryLimit(Middleware):
    """Starts the worker group anew between two messages once a process holds more than WORKER_MEMORY_MB."""

    def __init__(self) -> None:
        self.parent = 0
        self.has_asked = threading.Event()

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        self.parent = os.getppid()

    def after_process_message(self, broker: Broker, message: MessageProxy, **_: Any) -> None:
        held = psutil.Process().memory_info().rss >> 20
        if self.parent and held > settings.WORKER_MEMORY_MB and not self.has_asked.is_set():
            self.has_asked.set()
            logger.warning("a worker holds %s MB of %s: its group starts anew", held, settings.WORKER_MEMORY_MB)
            self.ask()

    def ask(self) -> None:
        self.timer = threading.Timer(random.uniform(0, JITTER_SECONDS), self.start_anew)
        self.timer.daemon = True
        self.timer.start()

    def start_anew(self) -> None:
        # an orphan's parent is somebody else
        if os.getppid() == self.parent:
            os.kill(self.parent, signal.SIGHUP)
