"""`@cached`: a function of a scope and plain arguments, answered from the cache while its stamps stand.

    @cached("dashboard", "tiles", depends=("claim+", "episode"))
    def count_tiles(practice_ids: tuple[int, ...]) -> JSON: ...

The first argument is the scope, practice ids or (EVERYBODY,), the others JSON values; what it answers must be JSON,
and comes back as JSON gives it (a tuple as a list, a Decimal as text).
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import orjson

from marb.core.cache.fill import Filled, fetch
from marb.core.cache.keys import MOST_PRACTICES, want_page
from marb.core.renderer import plain


def cached(kind: str, name: str, *, depends: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Cache what a function answers, by its scope and arguments, for the kind's time and as long as `depends` stand."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def answer(practice_ids: Sequence[int], *arguments: Any) -> Any:
            if not 0 < len(practice_ids) <= MOST_PRACTICES:
                return orjson.loads(orjson.dumps(function(practice_ids, *arguments), default=plain))
            wanted = want_page(kind, name, practice_ids, arguments, tuple(depends))

            def fill() -> Filled:
                return Filled(orjson.dumps(function(practice_ids, *arguments), default=plain))

            return orjson.loads(fetch([wanted], fill).body or b"null")

        return answer

    return decorate
