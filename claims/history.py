"""Edits that ask more than the claim: what was sent before, and CMS's NCCI tables. A stage of a file, set-based.

- A duplicate has the member, patient, billing provider, payer, days, charge and lines of another claim, both original
  (CLM05-3 = 1). The later one is told: by the day it was sent, then by its file's bytes and its place, so that the
  order of arrival does not matter. One whose earlier twin was rejected by an acknowledgement is none.
- NCCI pairs: two procedures of one claim and day, where the second is part of the first, and no modifier parts them.
- NCCI units: more units of a procedure than are likely, of a line or of a day, as the table says.

A finding's level is what the practice's rules say for the payer (claims.policy). NCCI is Medicare's and Medicaid's: for
other payers it is a note unless a rule says more. Safe to run twice: the claims at hand are told anew each time.
"""

from typing import Any, Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from claims.models import ClaimStatus, NcciPair, UnitLimit
from claims.policy import EDITS
from marb.core.cache import touch
from marb.pipeline.jobs import FileJob

# modifiers that NCCI takes for a sign that two procedures stand apart (CMS's policy manual, chapter I)
PARTING_MODIFIERS: Final = [
    *("E1", "E2", "E3", "E4", "FA", "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9"),
    *("TA", "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8", "T9", "LT", "RT", "LC", "LD", "RC", "LM", "RI"),
    *("24", "25", "57", "58", "78", "79", "27", "59", "91", "XE", "XS", "XP", "XU"),
]
# CLM filing indicators of the programs that NCCI is made for
NCCI_FILING: Final = ["MA", "MB", "MC"]
CODES: Final = ["claim_duplicate", "ncci_pair", "ncci_units"]
LOCK_CLASS = 8371


def edit_file(job: FileJob) -> dict[str, int]:
    """Tell the claims of a file, and those that they repeat or that repeat them. Answers how many findings stand."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashint8(%s))", [LOCK_CLASS, job.practice_id])
        cursor.execute(CLEAR)
        given: dict[str, Any] = {"file": job.file_id, "codes": CODES, "parting": PARTING_MODIFIERS}
        for statement in (OF_FILE, ALIKE, AT_HAND):
            cursor.execute(statement, given)
        counts = {"claim_duplicate": run(cursor, TELL_DUPLICATES, given)}
        if NcciPair.objects.exists():
            counts["ncci_pair"] = run(cursor, TELL_PAIRS, given)
        if UnitLimit.objects.exists():
            counts["ncci_units"] = run(cursor, TELL_UNITS, given)
        if run(cursor, WRITE, given | {"filing": NCCI_FILING, "default": EDITS["ncci_pair"].level}):
            touch(job.practice_id, "claim")
        return counts


def run(cursor: CursorWrapper, statement: str, given: dict[str, Any]) -> int:
    cursor.execute(statement, given)
    return cursor.rowcount


CLEAR = "DROP TABLE IF EXISTS pg_temp.editing_claim, pg_temp.editing_alike, pg_temp.editing_finding"
OF_FILE = """
CREATE TEMP TABLE editing_claim ON COMMIT DROP AS
SELECT id FROM claims_claim WHERE file_id = %(file)s
"""

# what two claims share that ask for the same, beside their lines
SHARED = """practice_id, subscriber_member_id, payer_id, billing_provider_id, payer_sequence_code, claim_type,
    service_from_date, service_to_date, charge_amount, line_count, patient_last_name, patient_first_name"""
# Linear in the claims that share it, whatever somebody sends a thousand times; hardly any are left with another.
ALIKE = f"""
CREATE TEMP TABLE editing_alike ON COMMIT DROP AS
WITH wanted AS (
    SELECT DISTINCT {SHARED}, coalesce(patient_birth_date, '-infinity') AS born FROM claims_claim
    WHERE file_id = %(file)s AND frequency_code = '1' AND subscriber_member_id <> ''
), numbered AS (SELECT *, row_number() OVER () AS alike FROM wanted), found AS (
    SELECT c.id, alike, count(*) OVER (PARTITION BY alike) AS claims
    FROM numbered JOIN claims_claim c USING ({SHARED})
    WHERE c.frequency_code = '1' AND coalesce(c.patient_birth_date, '-infinity') = born
        AND NOT EXISTS (SELECT FROM claims_claimanswer a
            WHERE a.claim_id = c.id AND a.is_current AND a.verdict = 'rejected')
)
SELECT id, alike FROM found WHERE claims > 1
"""
AT_HAND = """
INSERT INTO editing_claim SELECT id FROM editing_alike WHERE id NOT IN (SELECT id FROM editing_claim);
CREATE TEMP TABLE editing_finding (
    claim_id bigint, code text, message text, byte_offset bigint, segment_position int, segment_id text, loop text,
    element int
) ON COMMIT DROP;
ANALYZE editing_claim
"""
# one value for all that a claim's lines ask for
SERVICES = """
    SELECT array_agg(concat_ws('|', l.revenue_code, l.procedure_code, array_to_string(l.modifiers, ','),
        l.service_from_date, l.unit_count, l.charge_amount) ORDER BY l.revenue_code, l.procedure_code, l.charge_amount,
        l.line_number) AS services
    FROM claims_serviceline l WHERE l.claim_id = c.id
"""
TELL_DUPLICATES = f"""
INSERT INTO editing_finding
WITH placed AS (
    SELECT c.id, c.byte_offset, c.segment_position, first_value(c.id) OVER (PARTITION BY alike, services
        ORDER BY c.submitted_date NULLS FIRST, f.sha256, c.byte_offset) AS first_id
    FROM editing_alike JOIN claims_claim c USING (id) JOIN pipeline_edifile f ON f.id = c.file_id
    CROSS JOIN LATERAL ({SERVICES}) said
)
SELECT id, 'claim_duplicate',
    format('The same services of this patient were sent before, on claim %%s: a payer denies the second (CARC 18).',
        first_id), byte_offset, segment_position, 'CLM', '2300', 0
FROM placed WHERE id <> first_id
"""
TABLE = "CASE c.claim_type WHEN 'I' THEN 'hospital' ELSE 'practitioner' END"
TELL_PAIRS = f"""
INSERT INTO editing_finding
SELECT DISTINCT ON (two.id) c.id, 'ncci_pair',
    format('Line %%s: NCCI takes this procedure for a part of the one of line %%s on the same day%%s.',
        two.line_number, one.line_number, CASE pair.modifier_indicator
        WHEN '1' THEN ', and no modifier says that they stand apart' ELSE ', whatever the modifiers' END),
    two.byte_offset, 0, 'SV' || CASE c.claim_type WHEN 'I' THEN '2' ELSE '1' END, '2400', 1
FROM editing_claim e JOIN claims_claim c ON c.id = e.id AND c.line_count > 1
JOIN claims_serviceline one ON one.claim_id = c.id
JOIN claims_serviceline two ON two.claim_id = c.id AND two.id <> one.id
    AND coalesce(two.service_from_date, c.service_from_date) = coalesce(one.service_from_date, c.service_from_date)
JOIN claims_nccipair pair ON pair.table = {TABLE} AND pair.column_one_code = one.procedure_code
    AND pair.column_two_code = two.procedure_code AND pair.modifier_indicator IN ('0', '1')
    AND pair.effective_from_date <= coalesce(two.service_from_date, c.service_from_date)
    AND coalesce(pair.effective_to_date, 'infinity') >= coalesce(two.service_from_date, c.service_from_date)
WHERE pair.modifier_indicator = '0' OR NOT (one.modifiers || two.modifiers)::text[] && %(parting)s::text[]
ORDER BY two.id, one.line_number
"""
TELL_UNITS = f"""
INSERT INTO editing_finding
WITH line AS (
    SELECT l.*, {TABLE} AS kind, coalesce(l.service_from_date, c.service_from_date) AS day, c.claim_type,
        sum(l.unit_count) OVER (PARTITION BY c.id, l.procedure_code, coalesce(l.service_from_date, c.service_from_date))
            AS day_units,
        row_number() OVER (PARTITION BY c.id, l.procedure_code, coalesce(l.service_from_date, c.service_from_date)
            ORDER BY l.line_number) AS place
    FROM editing_claim e JOIN claims_claim c ON c.id = e.id JOIN claims_serviceline l ON l.claim_id = c.id
    WHERE l.unit_code = 'UN' AND l.procedure_code <> '' AND l.unit_count IS NOT NULL
)
SELECT line.claim_id, 'ncci_units',
    format('Line %%s: %%s units of this procedure, and NCCI allows %%s of a %%s.', line.line_number,
        trim_scale(CASE most.adjudication_indicator WHEN '1' THEN line.unit_count ELSE line.day_units END),
        most.unit_count, CASE most.adjudication_indicator WHEN '1' THEN 'line' ELSE 'day' END),
    line.byte_offset, 0, 'SV' || CASE line.claim_type WHEN 'I' THEN '2' ELSE '1' END, '2400',
    CASE line.claim_type WHEN 'I' THEN 5 ELSE 4 END
FROM line CROSS JOIN LATERAL (
    SELECT * FROM claims_unitlimit u WHERE u.table = line.kind AND u.procedure_code = line.procedure_code
        AND u.effective_from_date <= line.day ORDER BY u.effective_from_date DESC LIMIT 1
) most
WHERE CASE most.adjudication_indicator WHEN '1' THEN line.unit_count > most.unit_count
    ELSE line.place = 1 AND line.day_units > most.unit_count END
"""

# the practice's rule for the payer, else for all; NCCI is a note where it is not the payer's program
LEVEL = """coalesce(
    (SELECT r.level FROM claims_editrule r WHERE r.practice_id = c.practice_id AND r.code = f.code
        AND (r.payer_id = c.payer_id OR r.payer_id IS NULL) ORDER BY r.payer_id NULLS LAST LIMIT 1),
    CASE WHEN f.code LIKE 'ncci%%' AND c.filing_indicator_code <> ALL(%(filing)s) THEN 'W' ELSE %(default)s END
)"""
WRITE = f"""
WITH weighed AS (
    SELECT c.practice_id, c.file_id, c.byte_offset AS claim_offset, c.set_control, {LEVEL} AS level, f.*
    FROM editing_finding f JOIN claims_claim c ON c.id = f.claim_id
), gone AS (
    DELETE FROM pipeline_finding old USING editing_claim e, claims_claim c
    WHERE c.id = e.id AND old.file_id = c.file_id AND old.claim_offset = c.byte_offset AND old.code_set = 'EDIT'
        AND old.code = ANY(%(codes)s) RETURNING c.id, old.level
), told AS (
    INSERT INTO pipeline_finding (practice_id, file_id, level, code_set, code, message, byte_offset, segment_position,
        segment_id, loop, element, component, interchange_control, group_control, set_control, claim_offset)
    SELECT w.practice_id, w.file_id, w.level, 'EDIT', w.code, w.message, w.byte_offset, w.segment_position,
        w.segment_id, w.loop, w.element, 0, coalesce(s.interchange_control, ''), coalesce(s.group_control, ''),
        w.set_control, w.claim_offset
    FROM weighed w LEFT JOIN LATERAL (
        SELECT interchange_control, group_control FROM pipeline_transactionset s WHERE s.file_id = w.file_id
            AND s.byte_from <= w.claim_offset AND w.claim_offset < s.byte_to LIMIT 1
    ) s ON true
    WHERE w.level <> 'off' RETURNING file_id, claim_offset, level
), changed AS (
    SELECT id, sum(number) AS number FROM (
        SELECT id, -1 AS number FROM gone
        UNION ALL SELECT c.id, 1 FROM told JOIN claims_claim c ON c.file_id = told.file_id
            AND c.byte_offset = told.claim_offset
    ) counted GROUP BY id
), faulty AS (
    SELECT changed.id, bool_or(old.level = 'C') AS is_faulty FROM changed JOIN claims_claim c USING (id)
    LEFT JOIN pipeline_finding old ON old.file_id = c.file_id AND old.claim_offset = c.byte_offset
        AND NOT (old.code_set = 'EDIT' AND old.code = ANY(%(codes)s))
    GROUP BY changed.id
)
UPDATE claims_claim c SET finding_count = c.finding_count + changed.number,
    status = CASE WHEN faulty.is_faulty OR EXISTS (SELECT FROM told WHERE told.file_id = c.file_id
        AND told.claim_offset = c.byte_offset AND told.level = 'C') THEN '{ClaimStatus.INCOMPLETE}'
        ELSE '{ClaimStatus.PROCESSED}' END
FROM changed JOIN faulty USING (id) WHERE c.id = changed.id
"""
