"""The thread that hands on what was measured: every MEASURE_SECONDS, and once more at a clean end.

It has a database connection of its own beside the pool, so that it neither waits for the pool nor takes from it, with
short time limits. Where the sink fails, the batch is kept, in bounded memory, and that is said once until it works
again. A clean end is the interpreter's, a multiprocessing child's, a SIGTERM that nobody else handles, or `stop`.
"""

import logging
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.util import Finalize
from types import FrameType
from typing import Any

import redis
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.utils.module_loading import import_string

from marb.core.logs import plain_reason
from marb.core.measure import gauges
from marb.core.measure.ledger import Batch
from marb.core.measure.process import HELD, is_on

logger = logging.getLogger(__name__)
CONNECT_SECONDS = 3
STATEMENT_MS = 5_000
# a clean end waits no longer than this for the last flush
STOP_SECONDS = 10
FAULTS = (Error, redis.RedisError, OSError)


class Flusher:
    """One thread per process. `flush` may also be called without it, by whoever holds a connection."""

    def __init__(self) -> None:
        self.thread: threading.Thread | None = None
        self.asked = threading.Event()
        self.is_failing = False

    def start(self, role: str) -> None:
        """Begin to hand on. Called again it changes nothing."""
        if self.thread is not None or not (is_on() and settings.MEASURE_SINK):
            return
        HELD.ledger.origin = HELD.ledger.origin._replace(role=role, pid=os.getpid())
        self.thread = threading.Thread(target=self.live, name="measure", daemon=True)
        self.thread.start()
        # runs at a multiprocessing child's end, where atexit does not, and at the interpreter's
        Finalize(None, self.stop, exitpriority=10)
        hear_sigterm()

    def live(self) -> None:
        shared = leave_pool()
        meters = gauges.meters(shared)
        while not self.asked.wait(settings.MEASURE_SECONDS):
            gauges.sample(meters)
            if not self.flush():
                # the next flush connects anew
                connections[DEFAULT_DB_ALIAS].close()
        gauges.sample(meters)
        self.flush(is_last=True)
        connections[DEFAULT_DB_ALIAS].close()

    def stop(self) -> None:
        """Hand on the rest and end the thread."""
        thread = self.thread
        if thread is not None and thread is not threading.current_thread():
            self.asked.set()
            thread.join(STOP_SECONDS)

    def flush(self, *, is_last: bool = False) -> bool:
        """Hand on what is new; tell whether the sink took it."""
        ledger = HELD.ledger
        batch = ledger.take(is_last=is_last)
        try:
            find_sink()(batch)
        except FAULTS as error:
            ledger.put_back(batch)
            self.tell(error)
            return False
        ledger.settle(batch)
        self.is_failing = False
        return True

    def tell(self, error: BaseException) -> None:
        if not self.is_failing:
            logger.warning("measures cannot be handed on (%s); they are kept for a while", plain_reason(error))
        self.is_failing = True


FLUSHER = Flusher()
os.register_at_fork(after_in_child=FLUSHER.__init__)  # type: ignore[misc]


def start(role: str) -> None:
    """Begin to hand on what this process measures. `role` is web, worker, ingest, scheduler or command."""
    FLUSHER.start(role)


def stop() -> None:
    """Hand on the rest; for processes whose end nobody announces."""
    FLUSHER.stop()


def find_sink() -> Callable[[Batch], Any]:
    """Get the sink, a function of a Batch; it raises a database, broker or OS error where it cannot take it."""
    sink: Callable[[Batch], Any] = import_string(settings.MEASURE_SINK)
    return sink


def leave_pool() -> list[Any]:
    """Give this thread a connection of its own; answer the shared ones, whose pools are measured."""
    shared = connections.all()
    own = connections[DEFAULT_DB_ALIAS].copy()
    options = {key: value for key, value in own.settings_dict["OPTIONS"].items() if key != "pool"}
    limit = f"-c statement_timeout={STATEMENT_MS} -c lock_timeout={STATEMENT_MS}"
    options |= {"application_name": "marb-measure", "connect_timeout": CONNECT_SECONDS, "options": limit}
    own.settings_dict["OPTIONS"] = options
    # its statements are not among those that are measured
    own.is_measured = False  # type: ignore[attr-defined]
    connections[DEFAULT_DB_ALIAS] = own
    return list(shared)


def hear_sigterm() -> None:
    """Hand on the rest before a SIGTERM that nobody handles ends this process, as it would have."""
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, end)


def end(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    FLUSHER.stop()
    os.kill(os.getpid(), number)
