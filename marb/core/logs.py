"""Log lines without PHI: PostgreSQL errors are cut down to their SQLSTATE and constraint, control characters escaped.

PostgreSQL puts the offending row's values into DETAIL and CONTEXT, and psycopg puts both into the exception's text. A
traceback is printed with every such text replaced.
"""

import logging
import traceback
from types import TracebackType

import psycopg

CONTROL = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), 127)}


class PlainFormatter(logging.Formatter):
    """Time, level, logger and message on a line; below it a traceback whose database errors carry no values."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} {message}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).translate(CONTROL)

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        if ei[1] is None:
            return ""
        lines = traceback.TracebackException.from_exception(ei[1])
        conceal(lines, ei[1])
        return "".join(lines.format()).rstrip()


def conceal(lines: traceback.TracebackException, error: BaseException | None) -> None:
    """Replace the texts of database errors along a chain of causes."""
    chain: traceback.TracebackException | None = lines
    while chain is not None and error is not None:
        if psycopg_error(error) is not None:
            chain._str = plain_reason(error)  # type: ignore[attr-defined]
        chain, error = (chain.__cause__, error.__cause__) if error.__cause__ else (chain.__context__, error.__context__)


def psycopg_error(error: BaseException) -> psycopg.Error | None:
    if isinstance(error, psycopg.Error):
        return error
    return error.__cause__ if isinstance(error.__cause__, psycopg.Error) else None


def plain_reason(error: BaseException) -> str:
    """Name an error without its values: a database error by SQLSTATE and constraint, others by their type."""
    found = psycopg_error(error)
    if found is None:
        return type(error).__name__
    constraint = f" ({found.diag.constraint_name})" if found.diag.constraint_name else ""
    return f"SQLSTATE {found.sqlstate or 'none'}{constraint}"
