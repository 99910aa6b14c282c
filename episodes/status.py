"""Totals, counts, status and stage of the episodes that a file touches, from their rows alone (DOMAIN 2.3 to 2.6).

Totals are signed sums over the chain's remittances, so a reversal (CLP02 = 22) takes back what it reverses:
- paid_amount: CLP04 of all.
- adjustment_amount: CAS of CO, OA, PI and CR but reason 23, by which a later payer repeats what an earlier one did;
  contractual (CO), payer reductions (PI) and the others are its parts.
- patient_responsibility_amount: CAS of PR of the last payer in the order of CLP02 (1 and 19, 2 and 20, 3 and 21) whose
  adjudication stands; what the first payer leaves to the patient the second may pay.
- allowed_amount: what the first of them allowed.
Three kinds count for nothing: what is held (episodes.holds, and the two reasons below), a predetermination (25), and a
denial that the payer never reversed but that a later adjudication at the same payer replaces (a resubmission after a
full denial). The charge is that of the chain's last claim that is not a void.

Held, one remittance at a time: a reversal of a payer that takes back more charges than it ever answered (of several
the later ones), and what contradicts itself: a denial (4) or a forwarding (23) that pays, a reversal that gives, an
answer that is no reversal and is negative. Both are functions of the rows, so a hold clears by itself when the
original comes.

Status: `pending` without remittance that counts; `denied` when the last adjudication pays nothing, leaves no
deductible, coinsurance or copayment, and gives a denial reason for the claim or for every line (or is CLP02 = 4);
`complete` when charge - paid - adjustments - patient responsibility is zero, or the chain is voided and the payer took
everything back, or a person closed it; else `linked`: a lone reversal, a part of the lines, a missing payer.

Stage is finer. Without remittance: `rejected` where the last claim was by 999, TA1 or 277CA, `in_adjudication` where it
was accepted or its answer is held, else `submitted`; so too after a denial that a replacement follows which nobody has
answered. Then, in this order: `voided`, `denied` (`partially_denied` where another payer paid), `reversed` where a lone
reversal is last, `partially_denied` where denial reasons stand in what counts, `paid` or `patient_responsibility` where
nothing is open, `partially_paid`. What a person says (hand_stage) is kept beside. The patient's own payments are not
known here.
"""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from episodes.denials import COST_SHARE_CARCS, PRIOR_PAYER_CARC, read_denials, recognise
from episodes.scope import Start, gather
from episodes.takebacks import NAMED_EPISODES, attach
from episodes.worklist import keep_items
from marb.core.cache import touch
from marb.pipeline.jobs import FileJob

TOUCHED = """
CREATE TEMP TABLE settling_episode ON COMMIT DROP AS
SELECT DISTINCT place.episode_id AS id
FROM linking_claim c JOIN episodes_episodeclaim place ON place.claim_id = c.id
"""

# one row per linked remittance, with what its adjustments say; `is_posted` as far as its payment goes
SAID = """
CREATE TEMP TABLE settling_said ON COMMIT DROP AS
SELECT l.episode_id, l.claim_id, r.id, r.payment_id, r.practice_id, r.claim_status_code AS code, r.charge_amount,
    r.paid_amount, r.allowed_amount, r.payer_id, r.payer_claim_control_number AS payer_number, p.payment_date, f.sha256,
    r.byte_offset, r.crossover_payer_name <> '' AS is_crossed,
    CASE WHEN r.claim_status_code IN ('1', '19') THEN 1 WHEN r.claim_status_code IN ('2', '20') THEN 2
        WHEN r.claim_status_code IN ('3', '21') THEN 3 END AS said_level,
    p.difference_amount IS NOT NULL AND NOT EXISTS (
        SELECT FROM episodes_hold h WHERE h.payment_id = p.id AND h.remittance_id IS NULL
            AND h.state IN ('held', 'kept', 'discarded')
    ) AS is_posted,
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
        coalesce(sum(amount) FILTER (WHERE is_denial), 0) AS denied,
        coalesce(sum(amount) FILTER (WHERE group_code = 'PR'), 0) AS patient,
        coalesce(sum(amount) FILTER (WHERE group_code <> 'PR' AND carc <> %(prior)s), 0) AS adjusted,
        coalesce(sum(amount) FILTER (WHERE group_code <> 'PR' AND is_denial), 0) AS refused,
        coalesce(sum(amount) FILTER (WHERE group_code = 'CO' AND carc <> %(prior)s), 0) AS contractual,
        coalesce(sum(amount) FILTER (WHERE group_code = 'PI' AND carc <> %(prior)s), 0) AS reduced,
        coalesce(bool_or(group_code = 'PR' AND amount > 0 AND carc = ANY(%(shares)s)), false) AS is_shared
    FROM (
        SELECT a.amount, a.line_id, a.group_code, a.carc, {is_denial} AS is_denial
        FROM remits_adjustment a WHERE a.remittance_id = r.id
    ) adjustment
) a
"""

# what is wrong with a remittance by itself; a reversal is weighed against what its payer answered in the episode
HELD = """
CREATE TEMP TABLE settling_held ON COMMIT DROP AS
WITH contradiction AS (
    SELECT id, payment_id, practice_id, CASE
        WHEN code = '22' AND (charge_amount > 0 OR paid_amount > 0)
            THEN format('It is a reversal (CLP02 = 22), yet its charge is %%s and it pays %%s: a reversal is negative.',
                charge_amount, paid_amount)
        WHEN code IN ('4', '23') AND paid_amount <> 0
            THEN format('It says that nothing is paid (CLP02 = %%s), and yet pays %%s.', code, paid_amount)
        WHEN code <> '22' AND charge_amount < 0
            THEN format('Its charge is %%s, as in a reversal, but it is none (CLP02 = %%s).', charge_amount, code)
        END AS sentence
    FROM settling_said
    WHERE is_posted AND (charge_amount < 0 OR paid_amount <> 0 OR charge_amount > 0 AND code = '22')
), answer AS (
    SELECT * FROM settling_said s WHERE is_posted AND code <> '25'
        AND EXISTS (SELECT FROM settling_said v WHERE v.episode_id = s.episode_id AND v.code = '22')
        AND NOT EXISTS (SELECT FROM contradiction c WHERE c.id = s.id AND c.sentence IS NOT NULL)
        AND NOT EXISTS (SELECT FROM episodes_hold h WHERE h.remittance_id = s.id AND h.state IN ('kept', 'discarded'))
), weighed AS (
    SELECT *, coalesce(sum(charge_amount) FILTER (WHERE code <> '22') OVER payer, 0) AS given,
        count(*) FILTER (WHERE code <> '22') OVER payer AS answers,
        -coalesce(sum(charge_amount) FILTER (WHERE code = '22') OVER (
            payer ORDER BY payment_date NULLS FIRST, sha256, byte_offset), 0) AS taken
    FROM answer WINDOW payer AS (PARTITION BY episode_id, payer_id)
)
SELECT id, payment_id, practice_id, 'contradiction' AS reason, sentence FROM contradiction WHERE sentence IS NOT NULL
UNION ALL
SELECT id, payment_id, practice_id, 'reversal', CASE WHEN answers = 0
    THEN format('It takes back a charge of %%s, but no answer of this payer to the claim is there.', -charge_amount)
    ELSE format('With it %%s of charges are taken back, but this payer answered only %%s.', taken, given) END
FROM weighed WHERE code = '22' AND (answers = 0 OR taken > given)
"""

HOLD = """
INSERT INTO episodes_hold (practice_id, payment_id, remittance_id, reason, sentence)
SELECT practice_id, payment_id, id, reason, sentence FROM settling_held
ON CONFLICT (remittance_id) WHERE remittance_id IS NOT NULL DO UPDATE SET reason = excluded.reason,
    sentence = excluded.sentence, state = CASE WHEN episodes_hold.state = 'cleared'
        OR episodes_hold.state = 'released' AND episodes_hold.reason <> excluded.reason THEN 'held'
        ELSE episodes_hold.state END
    WHERE (episodes_hold.reason, episodes_hold.sentence) IS DISTINCT FROM (excluded.reason, excluded.sentence)
        OR episodes_hold.state = 'cleared'
"""

# what a person ruled stands; what stands with its payment alone, which is held, is told there
CLEAR = """
UPDATE episodes_hold h SET state = 'cleared' FROM settling_said s
WHERE h.remittance_id = s.id AND h.state = 'held'
    AND NOT EXISTS (SELECT FROM settling_held held WHERE held.id = s.id)
"""

# the remittances that count, in the order of their payers and days
ADJUDICATED = """
CREATE TEMP TABLE settling_remittance ON COMMIT DROP AS
WITH levelled AS (
    SELECT *, coalesce(said_level, max(said_level) OVER (PARTITION BY episode_id, payer_id, payer_number),
            max(said_level) OVER (PARTITION BY episode_id, payer_id), 1) AS level,
        code NOT IN ('22', '25') AND paid_amount = 0 AND (code = '4' OR (denials > 0 AND NOT is_shared
            AND (is_denied_whole OR denied_lines = lines))) AS is_denied,
        bool_or(code = '22') OVER (PARTITION BY episode_id, payer_id, payer_number) AS is_reversed
    FROM settling_said s
    WHERE is_posted AND NOT EXISTS (
        SELECT FROM episodes_hold h WHERE h.remittance_id = s.id AND h.state IN ('held', 'kept', 'discarded'))
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

# a table of its own, since its size is known to the planner when it is joined with the sums
CHAINS = """
CREATE TEMP TABLE settling_chain ON COMMIT DROP AS
SELECT touched.id AS episode_id, count(*) AS claims, bool_or(c.frequency_code = '8') AS is_void,
    bool_or(c.frequency_code = '7') AS is_replaced, bool_or(c.other_payers <> '[]'::jsonb) AS has_next,
    bool_or(c.payer_sequence_code NOT IN ('P', 'U', '')) AS is_secondary,
    (array_agg(ARRAY[c.id::text, c.charge_amount::text, coalesce(v.verdict, '')]
        ORDER BY c.frequency_code = '7' DESC, c.payer_sequence_code IN ('P', 'U', '') DESC, f.sha256, c.byte_offset)
        FILTER (WHERE c.frequency_code <> '8'))[1:1] AS latest
FROM settling_episode touched
JOIN episodes_episodeclaim place ON place.episode_id = touched.id
JOIN claims_claim c ON c.id = place.claim_id
JOIN pipeline_edifile f ON f.id = c.file_id
LEFT JOIN claims_claimanswer v ON v.claim_id = c.id AND v.is_current
GROUP BY touched.id
"""

SETTLE = """
WITH levels AS (
    SELECT episode_id, level, sum(charge_amount) AS charge, sum(patient) AS patient,
        coalesce(sum(allowed_amount), 0) AS allowed
    FROM settling_remittance WHERE counts GROUP BY episode_id, level
), patients AS (
    SELECT DISTINCT ON (episode_id) episode_id, patient FROM levels WHERE charge <> 0 ORDER BY episode_id, level DESC
), allowances AS (
    SELECT DISTINCT ON (episode_id) episode_id, allowed FROM levels ORDER BY episode_id, level
), last AS (
    SELECT DISTINCT ON (episode_id) episode_id, claim_id, code, is_denied FROM settling_remittance WHERE code <> '25'
    ORDER BY episode_id, place DESC
), linked AS (
    SELECT episode_id, count(*) AS remittances FROM settling_said GROUP BY episode_id
), summed AS (
    SELECT episode_id, count(*) AS posted, coalesce(sum(denials) FILTER (WHERE code <> '22'), 0) AS denials,
        sum(adjustments) AS adjustments, coalesce(sum(paid_amount) FILTER (WHERE counts), 0) AS paid,
        coalesce(sum(adjusted) FILTER (WHERE counts), 0) AS adjusted,
        coalesce(sum(contractual) FILTER (WHERE counts), 0) AS contractual,
        coalesce(sum(reduced) FILTER (WHERE counts), 0) AS reduced,
        coalesce(sum(denied) FILTER (WHERE counts), 0) AS denied,
        coalesce(sum(charge_amount) FILTER (WHERE counts), 0) AS remitted,
        bool_or(is_crossed OR code IN ('19', '20', '21')) OR max(level) > 1 AS is_forwarded
    FROM settling_remittance GROUP BY episode_id
), settled AS (
    SELECT chain.episode_id, coalesce(chain.latest[1][2]::numeric, 0) AS charge, chain.claims,
        chain.latest[1][1]::bigint AS latest_id, coalesce(chain.latest[1][3], '') AS verdict,
        chain.is_void AND summed.remitted = 0 AND summed.paid = 0 AS is_void, chain.is_replaced,
        coalesce(summed.paid, 0) AS paid, coalesce(summed.adjusted, 0) AS adjusted,
        coalesce(summed.contractual, 0) AS contractual, coalesce(summed.reduced, 0) AS reduced,
        coalesce(summed.denied, 0) AS denied, coalesce(summed.remitted, 0) AS remitted,
        coalesce(patients.patient, 0) AS patient, coalesce(allowances.allowed, 0) AS allowed,
        coalesce(linked.remittances, 0) AS remittances, coalesce(summed.posted, 0) AS posted,
        coalesce(summed.denials, 0) AS denials, coalesce(summed.adjustments, 0) AS adjustments,
        last.claim_id, last.code, last.is_denied,
        chain.has_next AND NOT chain.is_secondary AND NOT summed.is_forwarded AND NOT last.is_denied
            AND patients.patient > 0 AS is_secondary_due
    FROM settling_chain chain LEFT JOIN linked USING (episode_id) LEFT JOIN summed USING (episode_id)
    LEFT JOIN patients USING (episode_id) LEFT JOIN allowances USING (episode_id) LEFT JOIN last USING (episode_id)
), judged AS (
    SELECT *, CASE WHEN posted = 0 THEN 'pending'
            WHEN is_denied THEN 'denied'
            WHEN charge - paid - adjusted - patient = 0 OR is_void THEN 'complete'
            ELSE 'linked' END AS status,
        CASE WHEN posted = 0 AND verdict = 'rejected' THEN 'rejected'
            WHEN posted = 0 AND (verdict IN ('accepted', 'errors') OR remittances > 0) THEN 'in_adjudication'
            WHEN posted = 0 THEN 'submitted'
            WHEN is_void THEN 'voided'
            WHEN is_denied AND is_replaced AND latest_id <> claim_id AND paid = 0
                THEN CASE verdict WHEN 'rejected' THEN 'rejected' WHEN 'accepted' THEN 'in_adjudication'
                    WHEN 'errors' THEN 'in_adjudication' ELSE 'submitted' END
            WHEN is_denied THEN CASE WHEN paid > 0 THEN 'partially_denied' ELSE 'denied' END
            WHEN code = '22' AND remitted = 0 AND paid = 0 THEN 'reversed'
            WHEN code IS NULL OR code IN ('5', '23') THEN 'in_adjudication'
            WHEN denied > 0 THEN 'partially_denied'
            WHEN charge - paid - adjusted - patient = 0 AND paid = 0 AND patient > 0 THEN 'patient_responsibility'
            WHEN charge - paid - adjusted - patient = 0 THEN 'paid'
            WHEN paid = 0 AND adjusted = 0 AND patient = 0 THEN 'in_adjudication'
            ELSE 'partially_paid' END AS stage
    FROM settled
), written AS (
    UPDATE episodes_episode e SET status = CASE WHEN e.hand_stage IN ('closed', 'written_off') THEN 'complete'
            ELSE s.status END,
        stage = s.stage, charge_amount = s.charge, paid_amount = s.paid, adjustment_amount = s.adjusted,
        patient_responsibility_amount = s.patient, allowed_amount = s.allowed, contractual_amount = s.contractual,
        payer_reduction_amount = s.reduced, other_adjustment_amount = s.adjusted - s.contractual - s.reduced,
        is_secondary_due = coalesce(s.is_secondary_due, false), claim_count = s.claims,
        remittance_count = s.remittances, held_count = s.remittances - s.posted, denial_count = s.denials,
        adjustment_count = s.adjustments,
        linked_at = CASE WHEN s.remittances > 0 THEN coalesce(e.linked_at, now()) END, updated_at = now()
    FROM judged s
    WHERE s.episode_id = e.id AND (e.status, e.stage, e.charge_amount, e.paid_amount, e.adjustment_amount,
        e.patient_responsibility_amount, e.allowed_amount, e.contractual_amount, e.payer_reduction_amount,
        e.is_secondary_due, e.claim_count, e.remittance_count, e.held_count, e.denial_count, e.adjustment_count)
        IS DISTINCT FROM (
            CASE WHEN e.hand_stage IN ('closed', 'written_off') THEN 'complete' ELSE s.status END, s.stage, s.charge,
            s.paid, s.adjusted, s.patient, s.allowed, s.contractual, s.reduced, coalesce(s.is_secondary_due, false),
            s.claims, s.remittances, s.remittances - s.posted, s.denials, s.adjustments)
    RETURNING e.id, e.practice_id, old.stage AS was, new.stage AS stage, old.linked_at AS linked_at
), told AS (
    INSERT INTO episodes_stagechange (practice_id, episode_id, from_stage, to_stage, file_id, reason)
    SELECT practice_id, id, was, stage, %(file)s, %(cause)s FROM written
    WHERE was <> stage AND (linked_at IS NOT NULL OR was = 'rejected' OR stage = 'rejected')
)
SELECT count(*) FROM written
"""

COUNTS = """
SELECT e.status, count(*) FROM settling_episode touched JOIN episodes_episode e ON e.id = touched.id GROUP BY e.status
"""


def settle_file(job: FileJob) -> dict[str, int]:
    """Settle every episode that this file's claims, remittances and takebacks reach; to be run after link_file.

    Answers how many rows changed (`settled`) and how many of the touched episodes have each status.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        gather(cursor, Start.of(job))
        changed = settle(cursor, job.practice_id, file_id=job.file_id)
        if changed:
            touch(job.practice_id, "episode", "hold+")
        cursor.execute(COUNTS)
        return {"settled": changed} | dict(cursor.fetchall())


def settle(cursor: CursorWrapper, practice_id: int, *, file_id: int | None = None, cause: str = "") -> int:
    """Settle the episodes of the claims that are gathered; answers how many rows changed.

    `file_id` is the file that the change comes from, `cause` a person's reason: both are told in the history.
    """
    cursor.execute(TOUCHED)
    if file_id is not None:
        cursor.execute(NAMED_EPISODES, {"file": file_id})
    return settle_touched(cursor, practice_id, file_id=file_id, cause=cause)


def settle_touched(cursor: CursorWrapper, practice_id: int, *, file_id: int | None = None, cause: str = "") -> int:
    """Settle the episodes of `settling_episode`, and the denials to work on; answers how many rows changed."""
    held = weigh(cursor, practice_id)
    cursor.execute(CHAINS)
    cursor.execute("ANALYZE settling_chain")
    cursor.execute(SETTLE, {"file": file_id, "cause": cause})
    changed: int = cursor.fetchone()[0]
    keep_items(cursor, practice_id)
    return changed + held + attach(cursor, file_id)


def adjudicate(cursor: CursorWrapper, practice_id: int) -> None:
    """Weigh the remittances of the gathered claims' episodes: `settling_episode` and `settling_remittance`."""
    cursor.execute(TOUCHED)
    weigh(cursor, practice_id)


def weigh(cursor: CursorWrapper, practice_id: int) -> int:
    """Say what each remittance of `settling_episode` decides, and hold what must be; answers how many holds changed."""
    known = recognise(read_denials(practice_id))
    cursor.execute("ANALYZE settling_episode")
    values = known.values | {"prior": PRIOR_PAYER_CARC, "shares": COST_SHARE_CARCS}
    cursor.execute(SAID.format(is_denial=known.sql), values)
    cursor.execute("ANALYZE settling_said")
    held = hold_remittances(cursor)
    cursor.execute(ADJUDICATED)
    cursor.execute("ANALYZE settling_remittance")
    return held


def hold_remittances(cursor: CursorWrapper) -> int:
    """Hold, and clear, single remittances of the episodes that are settled; answers how many rows changed."""
    changed = 0
    cursor.execute(HELD, {})
    for statement in (HOLD, CLEAR):
        cursor.execute(statement)
        changed += cursor.rowcount
    return changed
