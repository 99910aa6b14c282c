"""SQL: each statement's time by verb and table, and the slow ones by a fingerprint of their text.

Parameters are never looked at. Texts that differ by the length of an IN list are one, and literals are masked before
a text is kept. COPY passes by Django's cursor and is timed by its callers.
"""

import hashlib
import re
import time
from functools import lru_cache
from typing import Any

from django.conf import settings

from marb.core.measure.process import HELD, is_on

VERB = re.compile(r"[A-Za-z]+")
TABLE = re.compile(r'\b(?:FROM|INTO|UPDATE|TABLE)\s+(?:ONLY\s+)?"?([a-z_][a-z0-9_]*)', re.IGNORECASE)
LIST = re.compile(r"%s(?:\s*,\s*%s)+")
ROWS = re.compile(r"\(%s, \.\.\.\)(?:\s*,\s*\(%s, \.\.\.\))+")
TEXT = re.compile(r"'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.DOTALL)
NUMBER = re.compile(r"(?<![\w$%])\d+(?:\.\d+)?(?!\w)")
MOST_TEXT = 8_000


def measure(execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Time a statement: Django's execute_wrapper."""
    if not is_on():
        return execute(sql, params, many, context)
    started = time.perf_counter()
    is_error = True
    try:
        answer = execute(sql, params, many, context)
        is_error = False
        return answer
    finally:
        keep(sql if isinstance(sql, str) else "", time.perf_counter() - started, is_error)


def keep(sql: str, seconds: float, is_error: bool) -> None:
    ledger = HELD.ledger
    ledger.record("sql", subject_of(sql), seconds, is_error=is_error)
    if seconds * 1000 >= settings.SLOW_QUERY_MS and sql:
        fingerprint = fingerprint_of(sql)
        ledger.record("slow_sql", fingerprint, seconds, is_error=is_error)
        ledger.keep_statement(fingerprint, sql)


def watch(connection: Any, **_: Any) -> None:
    """Measure a connection's statements (receiver of connection_created, which a pool sends at each checkout)."""
    is_measured = getattr(connection, "is_measured", True)
    if is_measured and measure not in connection.execute_wrappers:
        connection.execute_wrappers.append(measure)


@lru_cache(maxsize=2_000)
def subject_of(sql: str) -> str:
    """Name a statement by its verb and first table: "SELECT claims_claim"."""
    verb, table = VERB.search(sql), TABLE.search(sql)
    return f"{verb.group().upper()[:20] if verb else '(other)'} {table.group(1)[:63] if table else ''}".strip()


@lru_cache(maxsize=500)
def masked(sql: str) -> str:
    """A statement's text without literals, with one form for lists of any length."""
    text = NUMBER.sub("?", TEXT.sub("?", sql[:MOST_TEXT]))
    return ROWS.sub("(%s, ...), ...", LIST.sub("%s, ...", text)).strip()


@lru_cache(maxsize=500)
def fingerprint_of(sql: str) -> str:
    return hashlib.blake2s(" ".join(masked(sql).split()).encode(), digest_size=8).hexdigest()
