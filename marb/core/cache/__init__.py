"""The cache: answers as JSON bytes, beside PostgreSQL and never instead of it.

An entry stands under `marb:{kind}:{id}:{scope}:{variant}` with the stamps that held before its rows were read; it is
good as long as each stamp still stands (marb.core.cache.stamps). A writer says what it changes by `touch`, inside its
transaction, and no reader that asks after the commit sees the old value: the stamp goes before the commit and comes
anew after it. A process that dies in between, or a stamp that the server forgot, costs fills and nothing else.

keys       names, and the stamps that they need
server     the one way to Valkey: raw bytes, short time limits, a breaker; what cannot be asked is a miss
stamps     who may still be believed: `touch`, `touching`
entries    an answer as bytes with what must be known of it
memory     entries of the last second or two in this process
fill       reading, and filling once where many ask
decorator  `@cached` for a function of a scope
statistics hits and misses of all processes
"""

from marb.core.cache.decorator import cached
from marb.core.cache.fill import Answer, fetch, fetch_many, read_hits
from marb.core.cache.keys import EVERYBODY, Wanted
from marb.core.cache.purge import forget, forget_pattern
from marb.core.cache.stamps import touch, touch_everywhere, touching

__all__ = [
    "EVERYBODY",
    "Answer",
    "Wanted",
    "cached",
    "fetch",
    "fetch_many",
    "forget",
    "forget_pattern",
    "read_hits",
    "touch",
    "touch_everywhere",
    "touching",
]
