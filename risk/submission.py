"""When claims were sent: the date of the interchange that holds them (ISA09), read once a chunk from the file's bytes.

The rows of a claim keep no date of their own, and when a row was loaded says nothing of when its claim was sent. A
chunk is of one interchange, so one short row a chunk says it for all of its claims. SUBMITTED_DATE is the claim's own
date in SQL: the interchange's, else the day after its last day of service.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, Final

from django.db.backends.utils import CursorWrapper

from marb.pipeline.models import FileBlock
from marb.pipeline.reading import read

# over a claim `c`, with `LEFT JOIN risk_submission sent ON sent.chunk_id = c.chunk_id`
SUBMITTED_DATE: Final = "coalesce(sent.submitted_date, coalesce(c.service_to_date, c.service_from_date) + 1)"
ISA09, WRITTEN = 9, "%y%m%d"

MISSING = """
SELECT k.id, k.practice_id, k.file_id, k.context
FROM (SELECT DISTINCT chunk_id FROM {claims} given JOIN claims_claim c ON c.id = given.id) needed
JOIN pipeline_chunk k ON k.id = needed.chunk_id
WHERE NOT EXISTS (SELECT FROM risk_submission sent WHERE sent.chunk_id = k.id)
"""
KEEP = """
INSERT INTO risk_submission (chunk_id, practice_id, submitted_date)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::date[]) ON CONFLICT DO NOTHING
"""


def keep_submissions(cursor: CursorWrapper, table: str) -> int:
    """Keep the dates of the chunks whose claims' ids a temporary table names. Answers how many were not known."""
    cursor.execute(MISSING.format(claims=table))
    found = cursor.fetchall()
    if found:
        dates = read_dates(found)
        cursor.execute(KEEP, [[row[0] for row in found], [row[1] for row in found], dates])
    return len(found)


def read_dates(chunks: Iterable[tuple[Any, ...]]) -> list[date | None]:
    """Read the dates of chunks (id, practice, file, context); each interchange's header is read once."""
    known: dict[tuple[int, int, int], date | None] = {}
    dates = []
    for _, _, file_id, context in chunks:
        heads = context if isinstance(context, list) else []
        place = (file_id, *heads[0][:2]) if heads else (file_id, 0, 0)
        if place not in known:
            known[place] = read_date(*place)
        dates.append(known[place])
    return dates


def read_date(file_id: int, byte_from: int, byte_to: int) -> date | None:
    """Read the date of the interchange whose ISA stands in these bytes; None where there is none."""
    try:
        head = read(file_id, byte_from, byte_to)
    except FileBlock.DoesNotExist:
        return None
    elements = head.decode("latin-1").split(chr(head[3])) if head[:3] == b"ISA" and len(head) > 3 else []
    return parse_date(elements[ISA09]) if len(elements) > ISA09 else None


def parse_date(text: str) -> date | None:
    try:
        return datetime.strptime(text, WRITTEN).replace(tzinfo=UTC).date()
    except ValueError:
        return None
