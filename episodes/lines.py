"""Lines: which line of its claim each line of a linked remittance answers (DOMAIN 2.6), in set-based SQL.

By the line's control number (REF*6R) first, then by procedure, modifiers, day and charge; then without the modifiers,
which payers drop; last by procedure or revenue code and charge. The procedure is the one submitted (SVC06) where the
payer recoded. Within a remittance every line stands once on either side; equal lines are paired in their order. What
is left has no row: a line that the payer bundled, split or invented.

A stage after linking: it looks at the links of a file's claims and remittances, and writes where the lines in hand are
of another claim or not there. Safe to run twice. A link that goes takes its lines with it (episodes.link).
"""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from episodes.scope import LOCK, LOCK_CLASS
from marb.core.cache import touch
from marb.pipeline.jobs import FileJob

CLEAR = "DROP TABLE IF EXISTS pg_temp.lining_link, pg_temp.lining_said, pg_temp.lining_sent, pg_temp.lining_pair"

OF_FILE = """
CREATE TEMP TABLE lining_link ON COMMIT DROP AS
SELECT l.practice_id, l.remittance_id, l.claim_id FROM episodes_episoderemittance l
JOIN remits_remittance r ON r.id = l.remittance_id WHERE r.file_id = %(file)s
UNION
SELECT l.practice_id, l.remittance_id, l.claim_id FROM episodes_episoderemittance l
JOIN claims_claim c ON c.id = l.claim_id WHERE c.file_id = %(file)s
"""
OF_ROWS = """
CREATE TEMP TABLE lining_link ON COMMIT DROP AS
SELECT practice_id, remittance_id, claim_id FROM episodes_episoderemittance WHERE remittance_id = ANY(%(remittances)s)
"""

# lines of another claim than the one linked now
STALE = """
DELETE FROM episodes_linelink line USING lining_link l
WHERE line.remittance_id = l.remittance_id AND line.claim_id <> l.claim_id
"""
UNLINKED = """
DELETE FROM episodes_linelink line WHERE line.remittance_id = ANY(%(remittances)s)
    AND NOT EXISTS (SELECT FROM episodes_episoderemittance l WHERE l.remittance_id = line.remittance_id)
"""
DONE = """
DELETE FROM lining_link l USING episodes_linelink line WHERE line.remittance_id = l.remittance_id
"""

SAID = """
CREATE TEMP TABLE lining_said ON COMMIT DROP AS
SELECT line.id, line.remittance_id, l.claim_id, line.line_number, line.line_control_number AS control,
    coalesce(nullif(line.submitted_procedure_code, ''), nullif(line.procedure_code, ''), line.revenue_code)
        AS procedure,
    line.modifiers, line.service_from_date AS day, abs(line.charge_amount) AS charge
FROM lining_link l JOIN remits_remittanceline line ON line.remittance_id = l.remittance_id
"""
SENT = """
CREATE TEMP TABLE lining_sent ON COMMIT DROP AS
SELECT line.id, l.remittance_id, line.line_number, line.line_control_number AS control,
    coalesce(nullif(line.procedure_code, ''), line.revenue_code) AS procedure,
    line.modifiers, line.service_from_date AS day, line.charge_amount AS charge
FROM lining_link l JOIN claims_serviceline line ON line.claim_id = l.claim_id
"""
PAIR = """
CREATE TEMP TABLE lining_pair (
    line_id bigint, service_line_id bigint, remittance_id bigint, claim_id bigint, method text
) ON COMMIT DROP
"""

# equal lines are paired the first with the first, so that each stands once
MATCH = """
INSERT INTO lining_pair
WITH said AS (
    SELECT *, row_number() OVER (PARTITION BY remittance_id, {key} ORDER BY line_number) AS place
    FROM lining_said line WHERE {told} AND NOT EXISTS (SELECT FROM lining_pair pair WHERE pair.line_id = line.id)
), sent AS (
    SELECT *, row_number() OVER (PARTITION BY remittance_id, {key} ORDER BY line_number) AS place
    FROM lining_sent line WHERE {told} AND NOT EXISTS (SELECT FROM lining_pair pair
        WHERE pair.service_line_id = line.id AND pair.remittance_id = line.remittance_id)
)
SELECT said.id, sent.id, remittance_id, said.claim_id, '{method}'
FROM said JOIN sent USING (remittance_id, place, {key})
"""
LEFT = """
SELECT EXISTS (
    SELECT FROM lining_said line WHERE NOT EXISTS (SELECT FROM lining_pair pair WHERE pair.line_id = line.id)
)
"""

# method, the columns that must be equal, and what a line must have for them to say anything
STEPS = (
    ("control_number", "control", "control <> ''"),
    ("procedure", "procedure, modifiers, day, charge", "procedure <> '' AND day IS NOT NULL"),
    ("without_modifiers", "procedure, day, charge", "procedure <> '' AND day IS NOT NULL"),
    ("charge", "procedure, charge", "procedure <> ''"),
)

WRITE = """
INSERT INTO episodes_linelink (remittance_line_id, practice_id, remittance_id, claim_id, service_line_id, method)
SELECT pair.line_id, l.practice_id, pair.remittance_id, pair.claim_id, pair.service_line_id, pair.method
FROM lining_pair pair JOIN lining_link l ON l.remittance_id = pair.remittance_id
ON CONFLICT DO NOTHING
"""


def link_lines(job: FileJob) -> dict[str, int]:
    """Link the lines of what a file's claims and remittances are linked to. Answers how many were linked."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK, {"lock": LOCK_CLASS, "practice": job.practice_id})
        cursor.execute(CLEAR)
        cursor.execute(OF_FILE, {"file": job.file_id})
        linked = link_chosen(cursor)
        if linked:
            touch(job.practice_id, "episode")
        return {"lines_linked": linked}


def link_lines_of(cursor: CursorWrapper, remittance_ids: list[int]) -> int:
    """Link the lines of some remittances anew, inside the caller's transaction, under the practice's lock."""
    cursor.execute(CLEAR)
    cursor.execute(UNLINKED, {"remittances": remittance_ids})
    cursor.execute(OF_ROWS, {"remittances": remittance_ids})
    return link_chosen(cursor)


def link_chosen(cursor: CursorWrapper) -> int:
    cursor.execute("ANALYZE lining_link")
    cursor.execute(STALE)
    cursor.execute(DONE)
    for statement in (SAID, SENT, PAIR):
        cursor.execute(statement)
    cursor.execute("ANALYZE lining_said, lining_sent")
    for method, key, told in STEPS:
        cursor.execute(LEFT)
        if cursor.fetchone()[0]:
            cursor.execute(MATCH.format(method=method, key=key, told=told))
            cursor.execute("ANALYZE lining_pair")
    cursor.execute(WRITE)
    return cursor.rowcount
