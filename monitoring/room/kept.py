"""What is dear to read, kept for a few seconds on the cache server: many who look cost as much as one.

Not through marb.core.cache's entries: nothing is stamped, and what the control room asks must not be counted among
the hit rates that it shows. With the server away everything is read from PostgreSQL.
"""

from collections.abc import Callable
from typing import Any

import orjson

from marb.core.cache.keys import named
from marb.core.cache.server import ask


def kept(name: str, seconds: int, read: Callable[[], Any]) -> Any:
    """Answer what `read` answered at most so many seconds ago: JSON values. With 0 seconds it is always read."""
    if not seconds:
        return read()
    key = named(f"room:{name}")
    found: bytes | None = ask(lambda client: client.get(key), None)
    if found is not None:
        return orjson.loads(found)
    fresh = read()
    ask(lambda client: client.set(key, orjson.dumps(fresh), ex=seconds), None)
    return fresh
