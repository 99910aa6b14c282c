"""How a lower room is seen from above: apps register parts for pages and answers of apps they may import.

`register("claim", "episode", render=..., expand=...)` in an AppConfig.ready(); the lower app asks `sections("claim")`
and never learns who answered. A section's `render(obj, request)` gives a template name and its context; `expand(ids,
user)` gives {id: JSON value} for many objects in a fixed number of queries, the same to everybody who reaches them;
`depends` names what it stands on (marb.core.cache.stamps), and without it no answer with that part is cached.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

Expand = Callable[[Sequence[int], Any], dict[int, Any]]


class Section(NamedTuple):
    """One part added to a kind of page: `name` is its key in the API's expand= and its place on the page."""

    name: str
    title: str
    render: Callable[[Any, Any], tuple[str, dict[str, Any]]] | None
    expand: Expand | None
    depends: tuple[str, ...] = ()


REGISTERED: dict[str, dict[str, Section]] = {}


def register(
    kind: str,
    name: str,
    *,
    title: str = "",
    render: Callable[[Any, Any], tuple[str, dict[str, Any]]] | None = None,
    expand: Expand | None = None,
    depends: tuple[str, ...] = (),
) -> None:
    """Add a section to every page and answer of a kind ("claim", "remittance", "payer").

    Its page and its answer may be registered apart: what is not given now stays as it was.
    """
    known = REGISTERED.setdefault(kind, {}).get(name, Section(name, name.capitalize(), None, None))
    draws, answers = render or known.render, expand or known.expand
    REGISTERED[kind][name] = Section(name, title or known.title, draws, answers, depends or known.depends)


def find_depends(kind: str, names: Sequence[str]) -> tuple[str, ...] | None:
    """Find what these parts of answers of a kind stand on; None where one is not known, told twice, or does not say."""
    parts = REGISTERED.get(kind, {})
    found = [parts[name].depends for name in names if name in parts and parts[name].expand]
    if len(found) < len(names) or len(set(names)) < len(names) or not all(found):
        return None
    return tuple(dict.fromkeys(stamp for depends in found for stamp in depends))


def sections(kind: str) -> list[Section]:
    """Get the sections of a kind, in the order of INSTALLED_APPS."""
    return list(REGISTERED.get(kind, {}).values())
