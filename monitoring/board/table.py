"""The board as CSV: one row per measure of the period, for a spreadsheet or another program.

Milliseconds, megabytes and percent, as the column `unit` says; what a measure does not have is empty.
"""

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from marb.core.export import plain_cell
from monitoring.board.read import Board
from monitoring.prometheus.names import COUNTED

COLUMNS = (
    *("start", "end", "kind", "name", "label", "unit", "count", "errors", "retries", "per_second", "total"),
    *("average", "least", "p50", "p95", "p99", "most", "last"),
)
TIMED = ("count", "errors", "retries", "per_second")
UNITS = {"_mb": "MB", "_percent": "%", "_ms": "ms", "_seconds": "s"}


def export(board: Board, path: Path) -> int:
    """Write the board to a file, whole or not at all; answer the number of rows. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    found = [{key: cell(value) for key, value in row.items()} for row in rows_of(board)]
    try:
        with draft.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(found)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return len(found)


def cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else plain_cell(value)


def rows_of(board: Board) -> Iterator[dict[str, Any]]:
    span = {"start": board.within.start.isoformat(), "end": board.within.end.isoformat()}
    for row in (*work_rows(board), *level_rows(board), *hit_rows(board)):
        yield span | row


def work_rows(board: Board) -> Iterator[dict[str, Any]]:
    for kind, found in board.work.items():
        for work in found:
            spread = {word: getattr(work, f"{word}_ms") for word in ("average", "p50", "p95", "p99", "most")}
            counted = {word: getattr(work, word) for word in TIMED}
            yield (
                {"kind": kind, "name": work.name, "unit": "ms", "total": work.average_ms * work.count}
                | counted
                | spread
            )


def level_rows(board: Board) -> Iterator[dict[str, Any]]:
    for level in board.levels:
        row: dict[str, Any] = {"name": level.name, "label": level.label, "unit": unit_of(level.name)}
        if level.name in COUNTED:
            yield row | {"kind": "counter", "total": level.total, "per_second": level.total / board.within.seconds}
        else:
            words = ("count", "average", "least", "most", "last")
            yield row | {"kind": "gauge"} | {word: getattr(level, word) for word in words}


def hit_rows(board: Board) -> Iterator[dict[str, Any]]:
    for kind, counts in sorted(board.hits.items()):
        for name, total in zip(("cache_hits", "cache_misses"), counts, strict=True):
            yield {"kind": "counter", "name": name, "label": kind, "total": total}


def unit_of(name: str) -> str:
    return next((unit for ending, unit in UNITS.items() if name.endswith(ending)), "")
