"""The first level: entries of the last moments in this process, bounded by count and by bytes.

What is here was read from the second level or put there by this process. A record is still answered only after its
stamps were compared, so that the server sends a few bytes instead of the whole answer; only what may be a second old
(Kind.is_trusted) is answered without asking.
"""

import threading
import time
from typing import Any, NamedTuple

from django.conf import settings

MOST_ENTRIES = 4_096
MOST_BYTES = 32 * 1024 * 1024


class Kept(NamedTuple):
    entry: Any
    size: int
    until: float


class Memory:
    """Entries by key; the oldest goes first. Reading takes no lock: a dictionary's own operations are whole."""

    def __init__(self, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES):
        self.most_entries = most_entries
        self.most_bytes = most_bytes
        self.kept: dict[str, Kept] = {}
        self.bytes = 0
        self.lock = threading.Lock()

    def get(self, key: str) -> Any:
        """Get an entry, or None where it is not there or too old."""
        found = self.kept.get(key)
        if found is None or found.until < time.monotonic():
            return None
        return found.entry

    def put(self, key: str, entry: Any, size: int) -> None:
        if size > self.most_bytes // 8 or settings.CACHE_MEMORY_SECONDS <= 0:
            return
        with self.lock:
            self.drop(key)
            while self.kept and (len(self.kept) >= self.most_entries or self.bytes + size > self.most_bytes):
                self.drop(next(iter(self.kept)))
            self.kept[key] = Kept(entry, size, time.monotonic() + settings.CACHE_MEMORY_SECONDS)
            self.bytes += size

    def drop(self, key: str) -> None:
        found = self.kept.pop(key, None)
        if found is not None:
            self.bytes -= found.size

    def clear(self) -> None:
        with self.lock:
            self.kept.clear()
            self.bytes = 0


MEMORY = Memory()
