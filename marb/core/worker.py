"""What a Dramatiq worker process does beside its messages: warms its pool, asks for a fresh start when it grows, and
ends where a message outlasts the hard limit.

Dramatiq cannot renew one process of a group. SIGHUP to the parent lets every process of the group finish what it has
in hand and starts the group anew in place, so nothing is broken off. The jitter keeps groups from doing it together.
"""

import faulthandler
import logging
import os
import random
import signal
import threading
import time
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


class HardLimit(Middleware):
    """Ends the process where a message has lasted for HARD_LIMIT_SECONDS and heeded no softer limit.

    The watchdog is a thread of the interpreter's that needs no Python to run, so work that hangs in C is ended too. It
    prints where each thread stood (no values). The group ends with its process and is started again; the row's lease
    has run out by then, and attempts that end like this park it.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.deadlines: dict[str, float] = {}

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        with self.lock:
            self.deadlines[message.message_id] = time.monotonic() + settings.HARD_LIMIT_SECONDS
            self.watch()

    def after_process_message(self, broker: Broker, message: MessageProxy, **_: Any) -> None:
        with self.lock:
            self.deadlines.pop(message.message_id, None)
            self.watch()

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:
        self.after_process_message(broker, message)

    def watch(self) -> None:
        """Set the process's one watchdog to the message that ends first."""
        if self.deadlines:
            left = min(self.deadlines.values()) - time.monotonic()
            faulthandler.dump_traceback_later(max(left, 0.001), exit=True)
        else:
            faulthandler.cancel_dump_traceback_later()
