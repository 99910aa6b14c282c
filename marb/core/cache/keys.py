"""Names in the cache, and the stamps that an entry stands or falls with.

    marb:claim:17:5:full               claim 17 as members of practice 5 see it who may see identifiers
    marb:claim:list:5-9:9f86d081884c7d65  a page, by scope and a hash of its parameters
    marb:stamp:5:claim                 the rows of practice 5 that are there: changed by an update
    marb:stamp:5:claim+                which rows are there: changed by an insert or a delete, and by an update

Ids are surrogates: no key holds a control number, a name or a text that a person sent. The scope is in every key, so
that nobody is answered from another's entry. EVERYBODY is the scope of a superuser.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

import orjson
from django.conf import settings

EVERYBODY = 0
# the most practices of one person whose answers are cached: each costs a few names per reading
MOST_PRACTICES = 256
# which rows there are, beside what stands in them
SET = "+"


class Namespace:
    """The first part of every name; tests give each test its own."""

    prefix: str = str(settings.CACHES["default"]["KEY_PREFIX"])


def make_key(key: str, prefix: str, version: int) -> str:
    """Name what goes through Django's cache as the rest is named (CACHES: KEY_FUNCTION)."""
    return f"{Namespace.prefix}:{key}"


def named(rest: str) -> str:
    return f"{Namespace.prefix}:{rest}"


def stamp_key(practice_id: int, name: str) -> str:
    return f"{Namespace.prefix}:stamp:{practice_id}:{name}"


def entry_key(kind: str, number: str, scope: str, variant: str) -> str:
    return f"{Namespace.prefix}:{kind}:{number}:{scope}:{variant}"


def scope_name(practice_ids: Sequence[int]) -> str:
    """Name a scope; long ones by their hash."""
    name = "-".join(map(str, sorted(practice_ids)))
    return name if len(name) <= 40 else digest(name)


def digest(value: object) -> str:
    """Hash JSON values to 32 hexadecimal digits, with the product's secret: who reads keys guesses no member id."""
    data = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return blake2b(data, digest_size=16, key=settings.SECRET_KEY.encode()[:64]).hexdigest()


def hash_parameters(parameters: Mapping[str, Sequence[str]]) -> str:
    return digest({name: list(values) for name, values in parameters.items()})


class Wanted(NamedTuple):
    """What a reader asks for.

    `label` is how statistics name it (`claim:17`, `claim:list`); `depends` are the names of the stamps that hold the
    answer up, and `missing` those that hold up that there is none, each for every practice of `practice_ids`.
    """

    kind: str
    key: str
    label: str
    practice_ids: tuple[int, ...]
    depends: tuple[str, ...]
    missing: tuple[str, ...] = ()

    def stamp_keys(self) -> list[str]:
        return [stamp_key(each, name) for each in self.practice_ids for name in (*self.depends, *self.missing)]


def want_row(kind: str, pk: int, practice_id: int, variant: str, depends: tuple[str, ...]) -> Wanted:
    """Name a row as one practice (or EVERYBODY) sees it."""
    key = entry_key(kind, str(pk), str(practice_id), variant)
    return Wanted(kind, key, f"{kind}:{pk}", (practice_id,), depends, (f"{kind}{SET}",))


def want_page(
    kind: str, name: str, practice_ids: Sequence[int], parameters: object, depends: tuple[str, ...]
) -> Wanted:
    """Name a page or a figure of a scope by its parameters."""
    key = entry_key(kind, name, scope_name(practice_ids), digest(parameters))
    return Wanted(kind, key, f"{kind}:{name}", tuple(sorted(practice_ids)), depends)
