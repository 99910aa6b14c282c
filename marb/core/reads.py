"""What a request read, said by whoever read it: lists, details, pages and exports call `note`, marb.access keeps it.

The invariant: ids and practices only, never a value of a row. A request that notes nothing is still recorded, by its
address alone (marb.access.audit).
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

NOTED = "marb_reads"
# of one request; an export is recorded by its parameters
MOST_IDS = 1_000


class Reads(NamedTuple):
    """The rows that a request read, as (id, practice id or None), and what was done with them."""

    rows: list[tuple[int, int | None]]
    action: str


def note(request: Any, rows: Iterable[tuple[int, int | None]], action: str = "") -> None:
    """Say that a request (Django's or DRF's) reads these rows; the last word stands.

    `action` is said where the address does not say it, such as "export".
    """
    setattr(getattr(request, "_request", request), NOTED, Reads(list(rows)[:MOST_IDS], action))


def note_values(request: Any, rows: Iterable[Mapping[str, Any]]) -> None:
    """Say that a request reads rows that are dictionaries with `id` and `practice_id`."""
    note(request, [(row["id"], row["practice_id"]) for row in rows])


def note_objects(request: Any, rows: Iterable[Any], action: str = "") -> None:
    """Say that a request reads model instances. Keys that are no numbers are left out."""
    found = [(row.pk, getattr(row, "practice_id", None)) for row in rows]
    note(request, [pair for pair in found if isinstance(pair[0], int)], action)


def noted(request: Any) -> Reads | None:
    reads: Reads | None = getattr(request, NOTED, None)
    return reads
