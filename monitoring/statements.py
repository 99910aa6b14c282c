"""What PostgreSQL itself knows of its work: the statements that took most time, the indexes used and not, the tables.

pg_stat_statements keeps a text with $1 in place of each value; a command that is no query may keep a literal, so texts
are masked once more. All counts are since PostgreSQL's statistics were reset. Without the extension the reason is told.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import DatabaseError, transaction

from marb.core.measure.statements import masked
from monitoring.reading import rows

MOST_TEXT = 2_000
# an index of less than this is not worth a word
SMALL_BYTES = 2**20
EXTENSION = "pg_stat_statements"
NOT_LOADED = f"Add {EXTENSION} to shared_preload_libraries and start PostgreSQL again."
NOT_CREATED = f"As the database's owner or a superuser: CREATE EXTENSION {EXTENSION};"


class Top(NamedTuple):
    """A statement: calls, milliseconds in all, on average and at most, rows, share of blocks found in memory."""

    text: str
    calls: int
    total_ms: float
    average_ms: float
    most_ms: float
    rows: int
    hit_percent: float | None


class Index(NamedTuple):
    """An index: how often it was scanned, how many entries were read, how large it is."""

    table: str
    name: str
    scans: int
    entries: int
    bytes: int


class Scanned(NamedTuple):
    """A table: how often and how many rows were read without an index, scans by index, rows, dead rows."""

    table: str
    scans: int
    rows_read: int
    index_scans: int
    rows: int
    dead_rows: int


TOP = f"""
SELECT query, calls, total_exec_time, mean_exec_time, max_exec_time, rows,
    100.0 * shared_blks_hit / NULLIF(shared_blks_hit + shared_blks_read, 0)
FROM {EXTENSION} WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY total_exec_time DESC LIMIT %(most)s
"""
STATE = """
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = %(name)s),
    COALESCE(current_setting('shared_preload_libraries', true), '') LIKE '%%' || %(name)s || '%%'
"""
UNUSED = """
SELECT u.relname, u.indexrelname, u.idx_scan, u.idx_tup_read, pg_relation_size(u.indexrelid)
FROM pg_stat_user_indexes u JOIN pg_index i USING (indexrelid)
WHERE u.idx_scan = 0 AND NOT i.indisunique AND NOT i.indisprimary AND pg_relation_size(u.indexrelid) >= %(least)s
ORDER BY 5 DESC LIMIT %(most)s
"""
USED = """
SELECT relname, indexrelname, idx_scan, idx_tup_read, pg_relation_size(indexrelid)
FROM pg_stat_user_indexes WHERE idx_scan > 0 ORDER BY idx_scan DESC LIMIT %(most)s
"""
SCANNED = """
SELECT relname, seq_scan, seq_tup_read, COALESCE(idx_scan, 0), n_live_tup, n_dead_tup
FROM pg_stat_user_tables WHERE seq_scan > 0 ORDER BY seq_tup_read DESC LIMIT %(most)s
"""


def why_not() -> str:
    """Say what to do so that statements are counted; empty where they are."""
    [(is_created, is_loaded)] = rows(STATE, {"name": EXTENSION})
    if not is_loaded:
        return NOT_LOADED
    return "" if is_created else NOT_CREATED


def top(most: int = 20) -> tuple[list[Top], str]:
    """Read the statements that took most time in all, or the reason why they are not known."""
    reason = why_not()
    if reason:
        return [], reason
    try:
        with transaction.atomic():
            found = list(rows(TOP, {"most": most}))
    except DatabaseError:
        return [], f"This user may not read {EXTENSION}: GRANT pg_read_all_stats TO it."
    return [Top._make((text_of(row[0]), *row[1:6], number(row[6]))) for row in found], ""


def text_of(text: str | None) -> str:
    """A statement's text on one line, without literals."""
    return " ".join(masked((text or "")[:MOST_TEXT]).split())


def unused_indexes(most: int = 20, least_bytes: int = SMALL_BYTES) -> list[Index]:
    """Find the indexes that no scan has used and no constraint needs, the largest first."""
    return made(Index, rows(UNUSED, {"most": most, "least": least_bytes}))


def used_indexes(most: int = 20) -> list[Index]:
    """Find the indexes that are scanned most."""
    return made(Index, rows(USED, {"most": most}))


def scanned_tables(most: int = 20) -> list[Scanned]:
    """Find the tables of which most rows are read without an index."""
    return made(Scanned, rows(SCANNED, {"most": most}))


def made(kind: Any, found: Iterable[tuple[Any, ...]]) -> list[Any]:
    return [kind(*row) for row in found]


def number(value: Any) -> float | None:
    return None if value is None else round(float(value), 1)
