"""The denials that staff work on, derived from the rows of settled episodes (DOMAIN 2.4 and 2.8).

An episode whose payer denied it or a part of it has one item: the last answer in which something was denied, what that
denied in all, and the meaning of the reason that denied most. The item is closed by the rows when the payer has paid
since (`paid`), when a claim of the chain replaces or voids the denied one (`resubmitted`: frequency 7 or 8 with its
CLP07 in REF F8), or when the payer took the answer back (`reversed`). All of this is a function of rows: files in any
order give the same items. People's part (assignee, status, resolution, notes) stays, until another answer denies
again, which opens the item anew.

The deadline is that of what is to be done. To correct and resubmit: the payer's timely filing days after the day of
service (Medicare: a year). To appeal, or before giving up: the payer's appeal days after the payment's date (Medicare:
120 days after receipt, which is presumed 5 days after the notice). Remark MA130 says that there is no appeal: the
claim is to be mended and sent again. A payer without days of its own has no deadline.
"""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from episodes.denials import MEANING
from marb.core.cache import touch
from marb.parties.models import Payer

# the last answer of each episode that denies something, and what came after it
FIND = """
CREATE TEMP TABLE settling_denial ON COMMIT DROP AS
WITH last AS (
    SELECT DISTINCT ON (episode_id) episode_id, id, payer_id, payer_number, place, level, charge_amount,
        payment_date, is_denied
    FROM settling_remittance WHERE code NOT IN ('22', '25') AND (denials > 0 OR is_denied)
    ORDER BY episode_id, place DESC
), after AS (
    SELECT last.episode_id, sum(s.paid_amount) AS paid, bool_or(s.code = '22' AND s.level = last.level) AS is_reversed
    FROM last JOIN settling_remittance s ON s.episode_id = last.episode_id AND s.code <> '25' AND s.place > last.place
    GROUP BY last.episode_id
)
SELECT last.*, l.claim_id, coalesce(after.paid > 0, false) AS is_paid,
    coalesce(after.is_reversed, false) AS is_reversed, EXISTS (
        SELECT FROM episodes_episodeclaim link JOIN claims_claim next ON next.id = link.claim_id
        JOIN claims_claim denied ON denied.id = l.claim_id
        WHERE link.episode_id = last.episode_id AND next.id <> l.claim_id AND next.frequency_code IN ('7', '8')
            AND CASE WHEN last.payer_number = '' THEN denied.frequency_code NOT IN ('7', '8')
                ELSE next.payer_claim_control_number = last.payer_number END
    ) AS is_resubmitted
FROM last JOIN episodes_episoderemittance l ON l.remittance_id = last.id
LEFT JOIN after ON after.episode_id = last.episode_id
"""

# of `t`: strategy, is_appealable, denied_date; of its payer p, remittance r and claim c
IS_MEDICARE = "(p.payer_type = 'medicare' OR r.filing_indicator_code IN ('MA', 'MB'))"
FILING = f"""coalesce(c.service_from_date + p.timely_filing_days::int,
    CASE WHEN {IS_MEDICARE} THEN (c.service_from_date + interval '1 year')::date END)"""
APPEAL = f"""CASE WHEN t.is_appealable THEN coalesce(t.denied_date + p.appeal_days::int,
    CASE WHEN {IS_MEDICARE} THEN t.denied_date + 125 END) END"""
APPEAL_BASIS = f"""CASE WHEN {APPEAL} IS NULL THEN '' WHEN p.appeal_days IS NULL THEN 'redetermination'
    ELSE 'appeal_days' END"""
DEADLINE = f"CASE t.strategy WHEN 'CORRECT_AND_RESUBMIT' THEN coalesce({FILING}, {APPEAL}) ELSE {APPEAL} END"
BASIS = f"""CASE WHEN t.strategy = 'CORRECT_AND_RESUBMIT' AND {FILING} IS NOT NULL THEN 'timely_filing'
    ELSE {APPEAL_BASIS} END"""

WRITTEN = (
    *("remittance_id", "payer_id", "group_code", "carc", "remark_codes", "reasons", "category", "strategy"),
    *("is_whole", "is_correctable", "is_appealable", "denied_amount", "denied_date", "deadline_date"),
    *("deadline_basis", "closed_by"),
)

# another answer denies, or what had closed the item by itself is gone
REOPENS = "(i.remittance_id <> excluded.remittance_id OR (i.closed_by <> '' AND i.resolution = ''))"

KEEP = f"""
WITH denying AS (
    SELECT d.episode_id, a.practice_id, a.group_code, a.carc, a.amount,
        r.remark_codes || coalesce(line.remark_codes, '{{}}') AS remarks
    FROM settling_denial d JOIN remits_remittance r ON r.id = d.id
    JOIN remits_adjustment a ON a.remittance_id = r.id AND a.amount > 0
    LEFT JOIN remits_remittanceline line ON line.id = a.line_id
), meant AS (
    SELECT said.*, found.category, found.strategy, found.is_correctable
    FROM (SELECT DISTINCT practice_id, group_code, carc, remarks FROM denying) said
    CROSS JOIN LATERAL ({MEANING}) found WHERE found.is_denial
), told AS (
    SELECT d.episode_id, d.amount, m.* FROM denying d JOIN meant m USING (practice_id, group_code, carc, remarks)
), summed AS (
    SELECT episode_id, sum(amount) AS amount, bool_or('MA130' = ANY(remarks)) AS is_final,
        array_agg(DISTINCT group_code || '-' || carc ORDER BY group_code || '-' || carc) AS reasons
    FROM told GROUP BY episode_id
), main AS (
    SELECT DISTINCT ON (episode_id) * FROM told ORDER BY episode_id, amount DESC, group_code, carc, remarks
), t AS (
    SELECT d.episode_id, d.id AS remittance_id, d.payer_id, d.claim_id, coalesce(main.group_code, '') AS group_code,
        coalesce(main.carc, '') AS carc, coalesce(main.remarks, '{{}}') AS remark_codes,
        coalesce(summed.reasons, '{{}}') AS reasons, coalesce(main.category, 'eligibility') AS category,
        CASE WHEN main.carc IS NULL OR summed.is_final THEN 'CORRECT_AND_RESUBMIT' ELSE main.strategy END AS strategy,
        d.is_denied AS is_whole, coalesce(main.is_correctable OR summed.is_final, true) AS is_correctable,
        summed.is_final IS NOT TRUE AS is_appealable, coalesce(summed.amount, d.charge_amount) AS denied_amount,
        d.payment_date AS denied_date,
        CASE WHEN is_paid THEN 'paid' WHEN is_resubmitted THEN 'resubmitted' WHEN is_reversed THEN 'reversed'
            ELSE '' END AS closed_by
    FROM settling_denial d LEFT JOIN main USING (episode_id) LEFT JOIN summed USING (episode_id)
), due AS (
    SELECT t.*, {DEADLINE} AS deadline_date, {BASIS} AS deadline_basis
    FROM t JOIN remits_remittance r ON r.id = t.remittance_id JOIN claims_claim c ON c.id = t.claim_id
    LEFT JOIN parties_payer p ON p.id = t.payer_id
)
INSERT INTO episodes_denialitem AS i (practice_id, episode_id, status, resolution, resolved_at, {", ".join(WRITTEN)})
SELECT %(practice)s, episode_id, CASE WHEN closed_by = '' THEN 'open' ELSE 'resolved' END, '',
    CASE WHEN closed_by <> '' THEN now() END, {", ".join(WRITTEN)}
FROM due
ON CONFLICT (episode_id) DO UPDATE SET
    {", ".join(f"{name} = excluded.{name}" for name in WRITTEN)},
    status = CASE WHEN excluded.closed_by <> '' THEN 'resolved' WHEN {REOPENS} THEN 'open' ELSE i.status END,
    resolution = CASE WHEN {REOPENS} THEN '' ELSE i.resolution END,
    resolved_at = CASE WHEN excluded.closed_by <> '' THEN coalesce(i.resolved_at, now())
        WHEN {REOPENS} THEN NULL ELSE i.resolved_at END,
    updated_at = now()
WHERE ({", ".join(f"i.{name}" for name in WRITTEN)})
    IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in WRITTEN)})
"""

# an episode in which nothing is denied any more: its item goes, unless people have worked on it
GONE = """
FROM settling_episode touched WHERE touched.id = i.episode_id
    AND NOT EXISTS (SELECT FROM settling_denial d WHERE d.episode_id = i.episode_id)
"""
FORGET = f"""
DELETE FROM episodes_denialitem i USING {GONE.strip().removeprefix("FROM ")}
    AND i.resolution = '' AND i.assignee_id IS NULL
    AND NOT EXISTS (SELECT FROM episodes_denialnote note WHERE note.item_id = i.id)
"""
CLOSE = f"""
UPDATE episodes_denialitem i SET closed_by = 'mapped', status = 'resolved',
    resolved_at = coalesce(i.resolved_at, now()), updated_at = now()
{GONE} AND i.closed_by <> 'mapped'
"""

# an episode that joins another takes its item and what people did along (linking, before the episode goes)
JOINED = "linking_heir heir WHERE heir.kept_id <> heir.episode_id AND heir.episode_id = i.episode_id"
MOVE_ITEM = f"""
UPDATE episodes_denialitem i SET episode_id = moved.kept_id, updated_at = now() FROM (
    SELECT DISTINCT ON (heir.kept_id) heir.kept_id, i.id FROM episodes_denialitem i, {JOINED}
        AND NOT EXISTS (SELECT FROM episodes_denialitem kept WHERE kept.episode_id = heir.kept_id)
    ORDER BY heir.kept_id, i.assignee_id IS NULL, i.id
) moved WHERE moved.id = i.id
"""
MOVE_NOTES = """
UPDATE episodes_denialnote note SET item_id = kept.id
FROM linking_heir heir JOIN episodes_denialitem i ON i.episode_id = heir.episode_id
JOIN episodes_denialitem kept ON kept.episode_id = heir.kept_id
WHERE heir.kept_id <> heir.episode_id AND note.item_id = i.id
"""
DROP_ITEM = f"DELETE FROM episodes_denialitem i USING {JOINED}"

REDATE = f"""
WITH due AS (
    SELECT t.id, {DEADLINE} AS deadline_date, {BASIS} AS deadline_basis
    FROM episodes_denialitem t JOIN parties_payer p ON p.id = t.payer_id
    JOIN remits_remittance r ON r.id = t.remittance_id
    JOIN episodes_episoderemittance l ON l.remittance_id = r.id JOIN claims_claim c ON c.id = l.claim_id
    WHERE t.payer_id = %(payer)s
)
UPDATE episodes_denialitem i SET deadline_date = due.deadline_date, deadline_basis = due.deadline_basis
FROM due WHERE due.id = i.id
    AND (i.deadline_date, i.deadline_basis) IS DISTINCT FROM (due.deadline_date, due.deadline_basis)
"""


def keep_items(cursor: CursorWrapper, practice_id: int) -> int:
    """Bring the items of the episodes that have just been settled up to date; answers how many rows were written."""
    cursor.execute("DROP TABLE IF EXISTS pg_temp.settling_denial")
    cursor.execute(FIND)
    cursor.execute("ANALYZE settling_denial")
    written = 0
    for statement in (KEEP, FORGET, CLOSE):
        cursor.execute(statement, {"practice": practice_id})
        written += cursor.rowcount
    if written:
        touch(practice_id, "denial")
    return written


def redate_items(payer: Payer) -> int:
    """Reckon the deadlines of a payer's denials anew, after its days were changed; answers how many moved."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(REDATE, {"payer": payer.pk})
        if cursor.rowcount:
            touch(payer.practice_id, "denial")
        return cursor.rowcount
