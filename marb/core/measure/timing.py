"""`measured`: a decorator that times each call, notes what memory it took, and logs the slow ones.

Only the function's own name is told, never an argument: arguments may hold a patient's data.
"""

import functools
import logging
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from django.conf import settings

from marb.core.measure import memory
from marb.core.measure.process import gauge, is_on, record

logger = logging.getLogger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


def measured(
    name: str = "", *, slow_ms: float | None = None, with_memory: bool = False, with_allocations: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Time a function as kind `call`. A call over `slow_ms` (SLOW_CALL_MS by default) is logged.

    `with_memory` samples the change of resident memory (`call_memory_mb`), `with_allocations` the peak of what Python
    allocated meanwhile (`call_allocated_mb`), by tracemalloc, which makes the call several times slower.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        told = name or f"{function.__module__}.{function.__qualname__}"

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if not is_on():
                return function(*args, **kwargs)
            with timed(told, slow_ms), resident(told, with_memory), allocated(told, with_allocations):
                return function(*args, **kwargs)

        return call

    return decorate


@contextmanager
def timed(name: str, slow_ms: float | None = None) -> Iterator[None]:
    """Time a block as kind `call`."""
    started = time.perf_counter()
    is_error = True
    try:
        yield
        is_error = False
    finally:
        seconds = time.perf_counter() - started
        record("call", name, seconds, is_error=is_error)
        if seconds * 1000 >= (settings.SLOW_CALL_MS if slow_ms is None else slow_ms):
            logger.warning("Slow call: %s took %.0f ms", name, seconds * 1000)


@contextmanager
def resident(name: str, is_wanted: bool) -> Iterator[None]:
    before = memory.read().process_mb if is_wanted else 0.0
    yield
    if is_wanted:
        gauge("call_memory_mb", memory.read().process_mb - before, name)


@contextmanager
def allocated(name: str, is_wanted: bool) -> Iterator[None]:
    if not is_wanted or tracemalloc.is_tracing():
        # tracing is the whole process's: an inner call would end its outer one's
        yield
        return
    tracemalloc.start()
    try:
        yield
        gauge("call_allocated_mb", tracemalloc.get_traced_memory()[1] / memory.MEGABYTE, name)
    finally:
        tracemalloc.stop()
