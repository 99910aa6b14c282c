"""Forgetting entries by name or pattern.

Nothing that is right depends on it: what a writer changed falls by its stamp. It is for a person who wants a key gone,
and for room. A lease goes with its entry, so that what is being filled at the moment is not kept.
"""

from typing import Any

from marb.core.cache.keys import named
from marb.core.cache.memory import MEMORY
from marb.core.cache.server import ask

SCAN_COUNT = 1_000


def forget(kind: str, number: int | str) -> int:
    """Forget one object as anybody sees it: `forget("claim", 17)`. Answers how many names went."""
    return forget_pattern(f"{kind}:{number}:*")


def forget_pattern(pattern: str) -> int:
    """Forget every name that a pattern of the server's meets, below the product's own: `claim:*`."""
    MEMORY.clear()

    def call(client: Any) -> int:
        count = 0
        batch: list[bytes] = []
        for key in client.scan_iter(match=named(pattern), count=SCAN_COUNT):
            batch.append(key)
            if len(batch) >= SCAN_COUNT:
                count += client.unlink(*batch)
                batch = []
        return count + (client.unlink(*batch) if batch else 0)

    return ask(call, 0)
