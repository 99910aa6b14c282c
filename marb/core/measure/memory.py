"""Memory of this process and machine in megabytes of 2**20 bytes, and the thresholds that it exceeds.

Names and thresholds are those of mARB 2.0. Where psutil is missing or fails every figure is 0.0: measuring memory
never breaks what is measured.
"""

import logging
import os
import resource
import sys
import time
from typing import Any, NamedTuple

from django.conf import settings

try:
    import psutil
except ImportError:  # the figures are 0.0 then
    psutil = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)
MEGABYTE = 2**20
SYSTEM_SECONDS = 1.0
# Linux counts the peak in kilobytes, macOS in bytes
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


class Memory(NamedTuple):
    """Resident memory of the process, its peak since it began, and the machine's memory."""

    process_mb: float
    peak_mb: float
    system_total_mb: float
    system_available_mb: float
    system_percent: float


class Said:
    """What was already said once in this process."""

    words: set[str] = set()

    @classmethod
    def once(cls, text: str) -> None:
        if text not in cls.words:
            cls.words.add(text)
            logger.warning(text)


class Kept:
    """This process as psutil knows it, and the machine's memory for SYSTEM_SECONDS: asking costs a chunk's time."""

    def __init__(self) -> None:
        self.process: Any = None
        self.system: Any = None
        self.until = 0.0

    def own(self) -> Any:
        if self.process is None:
            self.process = psutil.Process()
        return self.process

    def machine(self) -> Any:
        now = time.monotonic()
        if self.system is None or now >= self.until:
            self.system, self.until = psutil.virtual_memory(), now + SYSTEM_SECONDS
        return self.system


KEPT = Kept()
os.register_at_fork(after_in_child=KEPT.__init__)  # type: ignore[misc]


def read() -> Memory:
    """Read the memory now; the machine's is up to SYSTEM_SECONDS old."""
    if psutil is None:
        Said.once("psutil is missing: memory is told as 0")
        return Memory(0.0, 0.0, 0.0, 0.0, 0.0)
    try:
        process, system = KEPT.own().memory_info(), KEPT.machine()
    except (psutil.Error, OSError, ValueError, RuntimeError) as error:
        Said.once(f"psutil failed with {type(error).__name__}: memory is told as 0")
        return Memory(0.0, 0.0, 0.0, 0.0, 0.0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT
    own = (process.rss / MEGABYTE, max(peak, process.rss) / MEGABYTE)
    return Memory(*own, system.total / MEGABYTE, system.available / MEGABYTE, system.percent)


def thresholds_exceeded(memory: Memory, delta_mb: float) -> dict[str, bool]:
    """Say for each threshold whether it is exceeded; critical implies warning."""
    limits = settings.MEMORY_THRESHOLDS
    measured = {"process": memory.process_mb, "delta": delta_mb, "system": memory.system_percent}
    return {
        f"{what}_{level}": value > limits[f"{what}_{level}"]
        or (level == "warning" and value > limits[f"{what}_critical"])
        for what, value in measured.items()
        for level in ("warning", "critical")
    }
