"""Every address below /api/ as the resolver knows it, so that a new one is in the tests by being there."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.urls import URLPattern, URLResolver, get_resolver, reverse


class Address(NamedTuple):
    """A named address and the arguments that it takes."""

    name: str
    arguments: tuple[str, ...]

    def path(self, **arguments: Any) -> str:
        return reverse(self.name, kwargs=arguments)


def find_addresses(prefix: str = "api/") -> list[Address]:
    """Find the API's addresses in the order of the resolver."""
    return list(walk(get_resolver().url_patterns, prefix, ""))


def walk(patterns: list[URLPattern | URLResolver], prefix: str, route: str) -> Iterator[Address]:
    for pattern in patterns:
        below = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if below.startswith(prefix) or prefix.startswith(below):
                yield from walk(pattern.url_patterns, prefix, below)
        elif below.startswith(prefix):
            assert pattern.name, f"{below} has no name"
            yield Address(pattern.name, tuple(pattern.pattern.regex.groupindex) or converters(pattern))


def converters(pattern: URLPattern) -> tuple[str, ...]:
    return tuple(pattern.pattern.converters)
