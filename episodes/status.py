"""Totals, counts and status of the episodes that a file touches, from their rows alone (DOMAIN 2.4 to 2.6).

Totals are signed sums over the chain's remittances, so a reversal (CLP02 = 22) takes back what it reverses:
- paid_amount: CLP04 of all.
- adjustment_amount: CAS of CO, OA, PI and CR but reason 23, by which a later payer repeats what an earlier one did.
- patient_responsibility_amount: CAS of PR of the last payer in the order of CLP02 (1 and 19, 2 and 20, 3 and 21) whose
  adjudication stands; what the first payer leaves to the patient the second may pay.
Two kinds count for nothing: a predetermination (25), and a denial that the payer never reversed but that a later
adjudication at the same payer replaces (a resubmission after a full denial). The charge is that of the chain's last
claim that is not a void.

Status: `pending` without remittance; `denied` when the last adjudication pays nothing, leaves no deductible,
coinsurance or copayment, and gives a denial reason for the claim or for every line (or is CLP02 = 4); `complete` when
charge - paid - adjustments - patient responsibility is zero, or the chain is voided and the payer took everything back;
else `linked`: a lone reversal, a part of the lines, a missing payer.
The patient's own payments are not known here.
"""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from episodes.denials import COST_SHARE_CARCS, PRIOR_PAYER_CARC, read_denials, recognise
from episodes.scope import Start, gather
from episodes.worklist import keep_items
from marb.core.cache import touch
from marb.pipeline.jobs import FileJob

TOUCHED = """
CREATE TEMP TABLE settling_episode ON COMMIT DROP AS
SELECT DISTINCT place.episode_id AS id
FROM linking_claim c JOIN episodes_episodeclaim place ON place.claim_id = c.id
"""

# one row per linked remittance, with what its adjustments say
ADJUDICATED = """
CREATE TEMP TABLE settling_remittance ON COMMIT DROP AS
WITH summed AS (
    SELECT l.episode_id, r.id, r.claim_status_code AS code, r.charge_amount, r.paid_amount, r.payer_id,
        r.payer_claim_control_number AS payer_number, p.payment_date, f.sha256, r.byte_offset,
        CASE WHEN r.claim_status_code IN ('1', '19') THEN 1 WHEN r.claim_status_code IN ('2', '20') THEN 2
            WHEN r.claim_status_code IN ('3', '21') THEN 3 END AS said_level,
        a.*
    FROM settling_episode touched
    JOIN episodes_episoderemittance l ON l.episode_id = touched.id
    JOIN remits_remittance r ON r.id = l.remittance_id
    JOIN remits_payment p ON p.id = r.payment_id
    JOIN pipeline_edifile f ON f.id = r.file_id
    CROSS JOIN LATERAL (
        SELECT count(*) AS adjustments,
            count(*) FILTER (WHERE amount > 0 AND is_denial) AS denials,
            count(DISTINCT coalesce(line_id, 0)) FILTER (WHERE amount > 0 AND carc <> %(prior)s) AS lines,
            count(DISTINCT coalesce(line_id, 0)) FILTER (WHERE amount > 0 AND is_denial) AS denied_lines,
            coalesce(bool_or(line_id IS NULL AND amount > 0 AND is_denial), false) AS is_denied_whole,
            coalesce(sum(amount) FILTER (WHERE group_code = 'PR'), 0) AS patient,
            coalesce(sum(amount) FILTER (WHERE group_code <> 'PR' AND carc <> %(prior)s), 0) AS adjusted,
            coalesce(sum(amount) FILTER (WHERE group_code <> 'PR' AND is_denial), 0) AS refused,
            coalesce(bool_or(group_code = 'PR' AND amount > 0 AND carc = ANY(%(shares)s)), false) AS is_shared
        FROM (
            SELECT a.*, {is_denial} AS is_denial FROM remits_adjustment a WHERE a.remittance_id = r.id
        ) said
    ) a
), levelled AS (
    SELECT *, coalesce(said_level, max(said_level) OVER (PARTITION BY episode_id, payer_id, payer_number),
            max(said_level) OVER (PARTITION BY episode_id, payer_id), 1) AS level,
        code NOT IN ('22', '25') AND paid_amount = 0 AND (code = '4' OR (denials > 0 AND NOT is_shared
            AND (is_denied_whole OR denied_lines = lines))) AS is_denied,
        bool_or(code = '22') OVER (PARTITION BY episode_id, payer_id, payer_number) AS is_reversed
    FROM summed
), placed AS (
    SELECT *, row_number() OVER (
            PARTITION BY episode_id, code = '25'
            ORDER BY payment_date NULLS FIRST, code = '22' DESC, level, sha256, byte_offset
        ) AS place,
        row_number() OVER (
            PARTITION BY episode_id, level, code NOT IN ('22', '25')
            ORDER BY payment_date DESC NULLS LAST, sha256 DESC, byte_offset DESC
        ) AS later
    FROM levelled
)
SELECT *, code <> '25' AND NOT (is_denied AND later > 1 AND NOT is_reversed) AS counts FROM placed
"""

SETTLE = """
WITH levels AS (
    SELECT episode_id, level, sum(charge_amount) AS charge, sum(patient) AS patient
    FROM settling_remittance WHERE counts GROUP BY episode_id, level
), patients AS (
    SELECT DISTINCT ON (episode_id) episode_id, patient FROM levels WHERE charge <> 0 ORDER BY episode_id, level DESC
), last AS (
    SELECT DISTINCT ON (episode_id) episode_id, is_denied FROM settling_remittance WHERE code <> '25'
    ORDER BY episode_id, place DESC
), summed AS (
    SELECT episode_id, count(*) AS remittances, coalesce(sum(denials) FILTER (WHERE code <> '22'), 0) AS denials,
        sum(adjustments) AS adjustments, coalesce(sum(paid_amount) FILTER (WHERE counts), 0) AS paid,
        coalesce(sum(adjusted) FILTER (WHERE counts), 0) AS adjusted,
        coalesce(sum(charge_amount) FILTER (WHERE counts), 0) AS remitted
    FROM settling_remittance GROUP BY episode_id
), chain AS (
    SELECT touched.id AS episode_id, count(*) AS claims, bool_or(c.frequency_code = '8') AS is_void,
        coalesce((array_agg(c.charge_amount ORDER BY c.frequency_code = '7' DESC,
            c.payer_sequence_code IN ('P', 'U', '') DESC, f.sha256, c.byte_offset)
            FILTER (WHERE c.frequency_code <> '8'))[1], 0) AS charge
    FROM settling_episode touched
    JOIN episodes_episodeclaim place ON place.episode_id = touched.id
    JOIN claims_claim c ON c.id = place.claim_id
    JOIN pipeline_edifile f ON f.id = c.file_id
    GROUP BY touched.id
), settled AS (
    SELECT chain.episode_id, chain.charge, chain.claims, coalesce(summed.paid, 0) AS paid,
        coalesce(summed.adjusted, 0) AS adjusted, coalesce(patients.patient, 0) AS patient,
        coalesce(summed.remittances, 0) AS remittances, coalesce(summed.denials, 0) AS denials,
        coalesce(summed.adjustments, 0) AS adjustments,
        CASE WHEN summed.episode_id IS NULL THEN 'pending'
            WHEN last.is_denied THEN 'denied'
            WHEN chain.charge - summed.paid - summed.adjusted - coalesce(patients.patient, 0) = 0 THEN 'complete'
            WHEN chain.is_void AND summed.remitted = 0 AND summed.paid = 0 THEN 'complete'
            ELSE 'linked' END AS status
    FROM chain LEFT JOIN summed USING (episode_id) LEFT JOIN patients USING (episode_id)
    LEFT JOIN last USING (episode_id)
)
UPDATE episodes_episode e SET status = s.status, charge_amount = s.charge, paid_amount = s.paid,
    adjustment_amount = s.adjusted, patient_responsibility_amount = s.patient, claim_count = s.claims,
    remittance_count = s.remittances, denial_count = s.denials, adjustment_count = s.adjustments,
    linked_at = CASE WHEN s.remittances > 0 THEN coalesce(e.linked_at, now()) END, updated_at = now()
FROM settled s
WHERE s.episode_id = e.id AND (e.status, e.charge_amount, e.paid_amount, e.adjustment_amount,
    e.patient_responsibility_amount, e.claim_count, e.remittance_count, e.denial_count, e.adjustment_count)
    IS DISTINCT FROM (s.status, s.charge, s.paid, s.adjusted, s.patient, s.claims, s.remittances, s.denials,
    s.adjustments)
"""

COUNTS = """
SELECT e.status, count(*) FROM settling_episode touched JOIN episodes_episode e ON e.id = touched.id GROUP BY e.status
"""


def settle_file(job: FileJob) -> dict[str, int]:
    """Settle every episode that this file's claims and remittances reach; to be run after link_file.

    Answers how many rows changed (`settled`) and how many of the touched episodes have each status.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        gather(cursor, Start.of(job))
        changed = settle(cursor, job.practice_id)
        if changed:
            touch(job.practice_id, "episode")
        cursor.execute(COUNTS)
        return {"settled": changed} | dict(cursor.fetchall())


def settle(cursor: CursorWrapper, practice_id: int) -> int:
    """Settle the episodes of the claims that are gathered; answers how many rows changed."""
    cursor.execute(TOUCHED)
    return settle_touched(cursor, practice_id)


def settle_touched(cursor: CursorWrapper, practice_id: int) -> int:
    """Settle the episodes of `settling_episode`, and the denials to work on; answers how many episodes changed."""
    weigh(cursor, practice_id)
    cursor.execute(SETTLE)
    changed = cursor.rowcount
    keep_items(cursor, practice_id)
    return changed


def adjudicate(cursor: CursorWrapper, practice_id: int) -> None:
    """Weigh the remittances of the gathered claims' episodes: `settling_episode` and `settling_remittance`."""
    cursor.execute(TOUCHED)
    weigh(cursor, practice_id)


def weigh(cursor: CursorWrapper, practice_id: int) -> None:
    cursor.execute("ANALYZE settling_episode")
    known = recognise(read_denials(practice_id))
    values = known.values | {"prior": PRIOR_PAYER_CARC, "shares": COST_SHARE_CARCS}
    cursor.execute(ADJUDICATED.format(is_denial=known.sql), values)
    cursor.execute("ANALYZE settling_remittance")
