"""What a part of the control room is made of, ready to be sent as JSON: texts are written here, never in the script.

A cell's `sort` is what its column is ordered by where the text is not: 1.2 s after 800 ms. Tones are good, warn, bad,
info, or nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Sort = float | str | None


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    sort: Sort = None
    tone: str = ""
    url: str = ""
    # a bar of so many percent instead of a plain text
    bar: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    is_number: bool = False
    help: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`empty` is said where there are no rows, `note` below the rows."""

    columns: list[Column]
    rows: list[list[Cell]]
    empty: str
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        columns = [{"title": each.title, "number": each.is_number, "help": each.help} for each in self.columns]
        rows = [[cell_json(cell) for cell in row] for row in self.rows]
        return {"columns": columns, "rows": rows, "empty": self.empty, "note": self.note}


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure at the head of the page."""

    title: str
    value: str
    note: str = ""
    tone: str = ""
    url: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"title": self.title, "value": self.value, "note": self.note, "tone": self.tone, "url": self.url}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart; `values` has None where nothing was measured. `axis` 1 is the right one."""

    title: str
    values: list[float | None]
    color: str
    axis: int = 0
    is_target: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    labels: list[str]
    lines: list[Line]
    units: list[str] = field(default_factory=list)
    most: float | None = None

    def as_json(self) -> dict[str, Any]:
        told = ("title", "values", "color", "axis")
        lines = [{name: getattr(line, name) for name in told} | {"target": line.is_target} for line in self.lines]
        return {"labels": self.labels, "lines": lines, "units": self.units, "most": self.most}


def cell_json(cell: Cell) -> dict[str, Any]:
    """Write a cell without what is empty: a page has hundreds."""
    told: dict[str, Any] = {"text": cell.text}
    if cell.sort is not None:
        told["sort"] = cell.sort
    return told | {key: getattr(cell, key) for key in ("tone", "url") if getattr(cell, key)} | bar_json(cell)


def bar_json(cell: Cell) -> dict[str, int]:
    return {} if cell.bar is None else {"bar": cell.bar}


def numbers(titles: Iterable[str]) -> list[Column]:
    return [Column(title, is_number=True) for title in titles]
