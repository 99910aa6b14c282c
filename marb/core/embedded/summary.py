"""What `up --once` prints at its end: files, claims, remittances and episodes, counted in the database.

marb.core is the floor, so tables that stand above it are named here as text.
"""

from decimal import Decimal
from typing import LiteralString, NamedTuple

import psycopg

UNFINISHED = "SELECT count(*) FROM pipeline_edifile WHERE status IN ('received', 'running')"
PROGRESS = (
    "SELECT coalesce(sum(chunks_done), 0) + count(*) FILTER (WHERE finished_at IS NOT NULL) FROM pipeline_edifile"
)
ANY_FILE = "SELECT EXISTS (SELECT FROM pipeline_edifile)"
PARTS: dict[str, LiteralString] = {
    "files": "SELECT status, count(*), NULL::numeric FROM pipeline_edifile GROUP BY 1 ORDER BY 1",
    "claims": "SELECT status, count(*), sum(charge_amount) FROM claims_claim GROUP BY 1 ORDER BY 1",
    "remittances": "SELECT status, count(*), sum(paid_amount) FROM remits_remittance GROUP BY 1 ORDER BY 1",
    "episodes": "SELECT status, count(*), sum(paid_amount) FROM episodes_episode GROUP BY 1 ORDER BY 1",
}
MONEY = {"claims": "charges", "remittances": "paid", "episodes": "paid"}


class Row(NamedTuple):
    """`amount` in dollars; None where the part has no money."""

    part: str
    status: str
    row_count: int
    amount: Decimal | None


def ask(database_url: str, query: LiteralString) -> int:
    """Answer one whole number from the database."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def count_all(database_url: str) -> list[Row]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        return [Row(part, *found) for part, query in PARTS.items() for found in connection.execute(query).fetchall()]


def write_table(rows: list[Row]) -> str:
    """Write the rows as a table, each part followed by its sum."""
    lines = [f"{'':<14}{'status':<14}{'count':>10}{'dollars':>18}", "-" * 56]
    for part in PARTS:
        mine = [row for row in rows if row.part == part]
        lines += [write_row(part, row.status, row.row_count, row.amount) for row in mine]
        lines.append(write_row(part, "all", sum(row.row_count for row in mine), total(part, mine)))
    return "\n".join(lines)


def total(part: str, rows: list[Row]) -> Decimal | None:
    return sum((row.amount or Decimal() for row in rows), Decimal("0.00")) if part in MONEY else None


def write_row(part: str, status: str, row_count: int, amount: Decimal | None) -> str:
    money = "" if amount is None else f"{amount:,.2f} {MONEY[part]}"
    return f"{part:<14}{status:<14}{row_count:>10,}{money:>26}".rstrip()
