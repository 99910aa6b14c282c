"""What is known of adjudications, read set-based from AdjudicatedLine: a practice's history, and its claims' labels.

Columns are coded as risk.features.line_columns codes a claim's own, so that a rate is asked by what it was counted by.
A claim that was denied as a whole counts as a denial of each of its lines. The history is kept in the process until a
new adjudication comes, HISTORY_SECONDS at most, for an old one may be put right under its own id.
"""

import time
from threading import Lock
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from numpy.typing import NDArray

from risk.facts import EPOCH, Field, number, read_binary, text, yes
from risk.features import THURSDAY
from risk.history import CHARGE_EDGES, DELAY_EDGES, History

HISTORY_SECONDS: Final = 600
MOST_KEPT: Final = 4

FIELDS: Final = (
    number("claim", "a.claim_id"),
    number("payer", "coalesce(a.payer_id, 0)"),
    number("billing", "coalesce(a.billing_provider_id, 0)"),
    number("rendering", "coalesce(a.rendering_provider_id, 0)"),
    text("procedure", 12, "a.procedure_code"),
    text("modifiers", 20, "array_to_string(a.modifiers, ',')"),
    text("diagnosis", 12, "a.diagnosis"),
    text("place", 4, "a.place_of_service_code"),
    yes("authorization", "a.has_authorization"),
    yes("duplicate", "a.is_duplicate"),
    number("delay", "coalesce(a.days_to_submission, -1)"),
    number("charge", "coalesce(a.charge_amount * 100, 0)"),
    number("submitted", f"a.submitted_date - {EPOCH}"),
    number("day", f"a.adjudicated_date - {EPOCH}"),
    yes("denied", "a.is_denied"),
)
LINES: Final = """
SELECT {{columns}} FROM risk_adjudicatedline a
WHERE a.practice_id = {practice} AND a.submitted_date IS NOT NULL AND a.adjudicated_date > {since}
ORDER BY a.claim_id, a.id
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
    columns: dict[str, NDArray[Any]] = rows | {
        "weekday": (rows["submitted"] + THURSDAY) % 7,
        "delay": np.digitize(rows["delay"], DELAY_EDGES),
        "charge_cents": rows["charge"],
        "charge": np.digitize(rows["charge"], CHARGE_EDGES),
        "authorization": rows["authorization"].astype(np.int64),
        "duplicate": rows["duplicate"].astype(np.int64),
    }
    return History(columns, rows["day"], rows["denied"].astype(np.int8))


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
