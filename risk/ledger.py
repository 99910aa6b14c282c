"""What is known of adjudications, read set-based from AdjudicatedLine: a practice's history, and its claims' labels.

Columns are coded as risk.features.line_columns codes a claim's own, so that a rate is asked by what it was counted by.
A claim that was denied as a whole counts as a denial of each of its lines. The history is kept in the process until a
new adjudication comes, HISTORY_SECONDS at most, for an old one may be put right under its own id. The causes known at
the beginning of a month are kept for CAUSES_SECONDS: what comes now was seldom adjudicated then.
"""

import time
from threading import Lock
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from numpy.typing import NDArray

from risk.chances import Causes, Chances, learn
from risk.facts import EPOCH, Field, number, read_binary, text, yes
from risk.features import Past
from risk.history import History
from risk.reading import read_lines

HISTORY_SECONDS: Final = 600
CAUSES_SECONDS: Final = 3_600
MOST_KEPT: Final = 4
MOST_CAUSES_KEPT: Final = 100

FIELDS: Final = (
    number("payer", "coalesce(a.payer_id, 0)"),
    text("procedure", 12, "a.procedure_code"),
    number("charge_cents", "coalesce(a.charge_amount * 100, 0)"),
    number("day", f"a.adjudicated_date - {EPOCH}"),
    yes("denied", "a.is_denied"),
)
LINES: Final = """
SELECT {{columns}} FROM risk_adjudicatedline a
WHERE a.practice_id = {practice} AND a.submitted_date IS NOT NULL AND a.adjudicated_date > {since}
"""
LABEL_FIELDS: Final[tuple[Field, ...]] = (
    number("claim_id", "claim_id"),
    yes("is_denied", "bool_or(is_denied)"),
    number("submitted_date", f"min(submitted_date) - {EPOCH}"),
)
LABELS: Final = """
SELECT {{columns}} FROM risk_adjudicatedline
WHERE practice_id = {practice} AND submitted_date < {until} AND adjudicated_date < {until}
GROUP BY claim_id ORDER BY claim_id
"""
NEWEST: Final = "SELECT max(id) FROM risk_adjudicatedline WHERE practice_id = %s"


def day_sql(day: int) -> str:
    """Write a day since the epoch as SQL: COPY takes no parameters."""
    return f"({EPOCH} + {int(day)})"


def read_history(cursor: CursorWrapper, practice_id: int) -> History:
    """Read a practice's adjudications of the last RISK_HISTORY_DAYS before its newest one."""
    newest = f"(SELECT max(adjudicated_date) FROM risk_adjudicatedline WHERE practice_id = {int(practice_id)})"
    since = f"{newest} - {int(settings.RISK_HISTORY_DAYS)}"
    query = LINES.format(practice=int(practice_id), since=since)
    rows = read_binary(cursor, query, FIELDS, "")
    return History(rows, rows["day"], rows["denied"].astype(np.int8))


def read_labels(cursor: CursorWrapper, practice_id: int, until: int) -> dict[str, NDArray[Any]]:
    """Read claim_id, is_denied and submitted_date of the claims sent and answered before a day since the epoch."""
    return read_binary(cursor, LABELS.format(practice=int(practice_id), until=day_sql(until)), LABEL_FIELDS, "")


class Kept:
    """A history with the newest adjudication that it knows, and when it was read."""

    def __init__(self, history: History, newest: int | None):
        self.history = history
        self.newest = newest
        self.read_at = time.monotonic()

    def is_good(self, newest: int | None) -> bool:
        return self.newest == newest and time.monotonic() - self.read_at < HISTORY_SECONDS


KEPT: dict[int, Kept] = {}
READING = Lock()


def history_of(practice_id: int) -> History:
    """Get a practice's history, read anew where an adjudication has come since; one thread reads, the others wait."""
    with connection.cursor() as cursor, READING:
        cursor.execute(NEWEST, [practice_id])
        (newest,) = cursor.fetchone()
        kept = KEPT.get(practice_id)
        if kept is None or not kept.is_good(newest):
            kept = KEPT[practice_id] = Kept(read_history(cursor, practice_id), newest)
            while len(KEPT) > MOST_KEPT:
                KEPT.pop(min(KEPT, key=lambda each: KEPT[each].read_at))
        return kept.history


def read_past(cursor: CursorWrapper, practice_id: int) -> Past:
    """Read all that training asks: the history, and lines in memory whose causes are found month by month."""
    lines, window = read_lines(cursor, practice_id), int(settings.RISK_HISTORY_DAYS)
    found: dict[int, Causes | None] = {}

    def causes_of(day: int) -> Causes | None:
        if day not in found:
            found[day] = learn(lines, day, window)
        return found[day]

    return Past(read_history(cursor, practice_id), Chances(causes_of))


CAUSES: dict[tuple[int, int], tuple[float, Causes | None]] = {}
FINDING = Lock()


def past_of(practice_id: int) -> Past:
    """Get what scoring asks: the history as it is now, and causes that are read when a claim's month asks for them."""
    return Past(history_of(practice_id), Chances(lambda day: causes_of(practice_id, day)))


def causes_of(practice_id: int, day: int) -> Causes | None:
    """Get the causes that were known on a day since the epoch; one thread finds, the others wait."""
    with FINDING:
        read_at, causes = CAUSES.get((practice_id, day), (None, None))
        if read_at is not None and time.monotonic() - read_at < CAUSES_SECONDS:
            return causes
        causes = find_causes(practice_id, day)
        CAUSES.pop((practice_id, day), None)
        CAUSES[practice_id, day] = time.monotonic(), causes
        while len(CAUSES) > MOST_CAUSES_KEPT:
            del CAUSES[next(iter(CAUSES))]
        return causes


def find_causes(practice_id: int, day: int) -> Causes | None:
    """Read the lines that were known on a day, and find their causes."""
    window, until = int(settings.RISK_HISTORY_DAYS), np.datetime64(day, "D")
    with connection.cursor() as cursor:
        lines = read_lines(cursor, practice_id, (until - window).item(), until.item())
    return learn(lines, day, window)
