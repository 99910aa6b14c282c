"""Memory checkpoints round heavy operations, as mARB 2.0 names them: `process_edi_file` at `task_started`, and so on.

    with checkpoint("process_edi_file", last="database_commit_complete", file_id=7):
        mark("parsing_complete")

Each is kept with the process's memory, its change since the operation began, the peak, the machine's memory and the
thresholds exceeded. Metadata holds ids, counts and words of ours: what is not on the list is left out, so no text of
a person's gets in.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from marb.core.measure import memory
from marb.core.measure.ledger import Note
from marb.core.measure.process import is_on, ledger

logger = logging.getLogger(__name__)
NUMBERS = frozenset(
    {
        *("file_id", "chunk_id", "practice_id", "payer_id", "claim_id", "remittance_id", "episode_id"),
        *("count", "claims", "remittances", "bytes", "chunks", "rows", "features", "patterns", "attempt", "days_back"),
    }
)
WORDS = frozenset({"kind", "stage", "model_version", "error"})
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,39}")


class Operation:
    """An operation under way: its name, its ids, and the memory it began with."""

    def __init__(self, name: str, metadata: dict[str, Any]):
        self.name = name
        self.metadata = allowed(metadata)
        self.started = time.monotonic()
        self.before = memory.read()

    def note(self, name: str, now: memory.Memory | None = None, **metadata: Any) -> None:
        """Note a point: with the memory of now, or as it was read already."""
        now = now or memory.read()
        delta = now.process_mb - self.before.process_mb
        exceeded = memory.thresholds_exceeded(now, delta)
        more = {**self.metadata, **allowed(metadata)}
        seconds = round(time.monotonic() - self.started, 6)
        place = (0, datetime.now(UTC), self.name[:60], name[:60])
        ledger().note(Note(*place, now.process_mb, round(delta, 3), *now[1:], more, exceeded, seconds))
        if any(exceeded.values()):
            told = ", ".join(key for key, is_exceeded in exceeded.items() if is_exceeded)
            logger.warning("Memory checkpoint %s %s: %s exceeded, %.0f MB", self.name, name, told, now.process_mb)


OPEN: ContextVar[Operation | None] = ContextVar("marb_operation", default=None)


@contextmanager
def checkpoint(
    operation: str, *, first: str = "task_started", last: str = "task_complete", when: bool = True, **metadata: Any
) -> Iterator[None]:
    """Note memory before and after an operation, or `error` where it raises. Also a decorator.

    With `when` false, or monitoring off, nothing is noted, by `mark` neither.
    """
    if not (when and is_on()):
        yield
        return
    begun = Operation(operation, metadata)
    begun.note(first, begun.before)
    token = OPEN.set(begun)
    try:
        yield
    except BaseException as error:
        begun.note("error", error=type(error).__name__)
        raise
    else:
        begun.note(last)
    finally:
        OPEN.reset(token)


def mark(name: str, **metadata: Any) -> None:
    """Note a point of the operation that is open here, if one is."""
    operation = OPEN.get()
    if operation is not None:
        operation.note(name, **metadata)


def allowed(metadata: dict[str, Any]) -> dict[str, Any]:
    """Keep what may be kept: known ids and counts that are numbers, known words that are words of ours."""
    return {key: value for key, value in metadata.items() if is_allowed(key, value)}


def is_allowed(key: str, value: Any) -> bool:
    if key in NUMBERS:
        return isinstance(value, int | float) and abs(value) < 2**53
    return key in WORDS and isinstance(value, str) and WORD.fullmatch(value) is not None
