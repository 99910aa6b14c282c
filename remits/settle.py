"""Settle the payments of a file whose chunks are all in: what they come to, and which were sent before.

Payment: sum of CLP04 - sum of PLB = BPR02 (DOMAIN 2.3); beside that difference stand those of its claims and lines.
One that does not balance is stored with its difference and a finding; claim payments of it that are no rows
(quarantined, or in a parked chunk) are counted in the sentence, since their money cannot be. A payment with the payer,
trace number and amount of an earlier one is noted (R7); the earlier is the one with the lower file, then the lower
offset, so that the order of arrival does not matter.

Three statements over sets, safe to run twice; a lock per practice keeps two runs from noting the same thing.
"""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from marb.core.cache import touch
from marb.pipeline.jobs import FileJob

# the class of this module's advisory locks, beside the practice
LOCK_CLASS = 835


def settle_file(job: FileJob) -> dict[str, int]:
    """Settle every payment of a file. Answers the counts of payments, of unbalanced and of repeated ones."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, job.practice_id % 2**31])
        payments = run(cursor, SETTLE, job)
        cursor.execute(FORGET, [job.practice_id, job.file_id])
        unbalanced = run(cursor, NOTE_UNBALANCED, job)
        repeated = run(cursor, NOTE_REPEATED, job)
        if payments:
            touch(job.practice_id, "payment")
    return {"payments": payments, "payments_unbalanced": unbalanced, "payments_repeated": repeated}


def run(cursor: CursorWrapper, statement: str, job: FileJob) -> int:
    cursor.execute(statement, {"practice": job.practice_id, "file": job.file_id})
    return cursor.rowcount


SETTLE = """
UPDATE remits_payment p SET
    claim_paid_amount = s.claims,
    provider_adjustment_amount = s.plb,
    difference_amount = p.payment_amount - (s.claims - s.plb),
    claim_difference_amount = s.claim_difference,
    line_difference_amount = s.line_difference,
    unbalanced_count = s.unbalanced
FROM (
    SELECT p.id, r.*,
        (SELECT coalesce(sum(a.amount), 0) FROM remits_provideradjustment a WHERE a.payment_id = p.id) AS plb,
        (SELECT coalesce(sum(abs(l.difference_amount)), 0) FROM remits_remittance r
            JOIN remits_remittanceline l ON l.remittance_id = r.id
            WHERE r.payment_id = p.id AND r.status = 'error') AS line_difference
    FROM remits_payment p
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(r.paid_amount), 0) AS claims,
            coalesce(sum(abs(r.claim_difference_amount)), 0) AS claim_difference,
            count(*) FILTER (WHERE r.status = 'error') AS unbalanced
        FROM remits_remittance r WHERE r.payment_id = p.id
    ) r
    WHERE p.practice_id = %(practice)s AND p.file_id = %(file)s
) s
WHERE p.id = s.id
"""

FORGET = """
DELETE FROM pipeline_finding
WHERE practice_id = %s AND file_id = %s AND chunk_id IS NULL AND code_set = 'EDIT' AND code = 'payment_balance'
"""

FINDING_COLUMNS = """practice_id, file_id, level, code_set, code, message, byte_offset, segment_position, segment_id,
    loop, element, component, interchange_control, group_control, set_control"""

# a payment's transaction set is found by its place: the payment's offset is its ST's
SET_OF_PAYMENT = """
LEFT JOIN LATERAL (
    SELECT s.interchange_control, s.group_control, s.remittance_count FROM pipeline_transactionset s
    WHERE s.file_id = p.file_id AND s.byte_from <= p.byte_offset AND p.byte_offset < s.byte_to LIMIT 1
) s ON true
"""
CONTROLS = "coalesce(s.interchange_control, ''), coalesce(s.group_control, ''), p.set_control"

# `missing` are the claim payments that the scan counted and that are no rows
NOTE_UNBALANCED = f"""
INSERT INTO pipeline_finding ({FINDING_COLUMNS})
SELECT p.practice_id, p.file_id, 'T', 'EDIT', 'payment_balance',
    format('The payment does not balance: its claim payments come to %%s and its provider adjustments (PLB) to %%s, '
        'so %%s should be paid, but the payment amount (BPR02) is %%s.',
        p.claim_paid_amount, p.provider_adjustment_amount,
        p.claim_paid_amount - p.provider_adjustment_amount, p.payment_amount)
    || CASE WHEN m.missing > 0
        THEN format(' Claim payments of it that could not be read, and are not counted: %%s.', m.missing) ELSE '' END,
    p.byte_offset, 1, 'BPR', '1000', 2, 0, {CONTROLS}
FROM remits_payment p
{SET_OF_PAYMENT}
CROSS JOIN LATERAL (
    SELECT s.remittance_count - count(*) AS missing FROM remits_remittance r WHERE r.payment_id = p.id
) m
WHERE p.practice_id = %(practice)s AND p.file_id = %(file)s AND p.difference_amount <> 0
"""

# Over every file, since this one may be the earlier one of a file that was settled before it.
NOTE_REPEATED = f"""
INSERT INTO pipeline_finding ({FINDING_COLUMNS})
SELECT p.practice_id, p.file_id, 'W', 'EDIT', 'payment_duplicate',
    'An earlier payment of this payer has the same trace number (TRN02) and the same amount (BPR02).',
    p.byte_offset, 1, 'TRN', '1000', 2, 0, {CONTROLS}
FROM (
    SELECT p.*, row_number() OVER (
        PARTITION BY p.payer_id, p.trace_number, p.payment_amount ORDER BY p.file_id, p.byte_offset) AS nth
    FROM remits_payment p
    WHERE p.practice_id = %(practice)s AND p.trace_number <> '' AND p.trace_number IN (
        SELECT trace_number FROM remits_payment WHERE practice_id = %(practice)s AND file_id = %(file)s)
) p
{SET_OF_PAYMENT}
WHERE p.nth > 1 AND NOT EXISTS (
    SELECT FROM pipeline_finding f
    WHERE f.file_id = p.file_id AND f.byte_offset = p.byte_offset AND f.code = 'payment_duplicate'
)
"""
