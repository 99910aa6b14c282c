"""Which lines a payer allowed less for than its contract says (DOMAIN 4.5), in set-based SQL.

What a payer allowed of a line is what it paid (SVC03), what it left to the patient (CAS of PR), and sequestration
(253), by which the payment is cut and not what is allowed; AMT*B6 where the patient's share stands at the claim and
not at its lines. All answers of a payer to a line are netted, so what was reversed counts for nothing and a correction
stands; a denial that the payer later paid is no part of it. Against it stands the line's expected amount, as claims
were priced by contract or fee schedule. CO-45 says nothing here: a payer that allows too little writes off the rest by
it.

A line is a candidate where more than the payer's tolerance is missing, in dollars and in percent, and the line is not
explained: no denial reason, not paid by capitation (24), not taken back whole. Only the claim's first payer is asked.
Its row is kept up by every file that reaches the claim; once a person has taken it up it stays, and what the payer has
made good since then shows as nothing missing.

Left out: what an inpatient stay is paid at the claim, without lines.
"""

from typing import Any

from django.db.backends.utils import CursorWrapper

from episodes.denials import denial_carcs
from episodes.underpaid import DEFAULT_AMOUNT, DEFAULT_PERCENT

CAPITATION, SEQUESTRATION = "24", "253"

TABLES = ("underpaying_answer", "underpaying_line", "underpaying_fresh", "underpaying_former", "underpaying_changed")
CLEAR = "DROP TABLE IF EXISTS " + ", ".join(f"pg_temp.{table}" for table in TABLES)

# a payer's answers to the lines of the gathered claims that have a price
ANSWERS = """
CREATE TEMP TABLE underpaying_answer ON COMMIT DROP AS
SELECT s.id AS service_line_id, r.id AS remittance_id, r.payer_id, r.claim_status_code AS code, line.charge_amount,
    line.paid_amount, own.patient, own.refused, own.capitated, f.sha256, r.byte_offset,
    coalesce(p.payment_date, p.production_date, (r.created_at AT TIME ZONE 'UTC')::date) AS day,
    CASE WHEN own.whole THEN line.allowed_amount ELSE line.paid_amount + own.patient + own.withheld END AS allowed
FROM linking_claim c
JOIN claims_serviceline s ON s.claim_id = c.id AND s.expected_amount IS NOT NULL
JOIN episodes_linelink link ON link.service_line_id = s.id AND link.claim_id = c.id
JOIN remits_remittanceline line ON line.id = link.remittance_line_id
JOIN remits_remittance r ON r.id = link.remittance_id AND r.claim_status_code IN ('1', '19', '4', '22')
JOIN remits_payment p ON p.id = r.payment_id
JOIN pipeline_edifile f ON f.id = r.file_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount) FILTER (WHERE line_id = line.id AND group_code = 'PR'
            AND NOT carc = ANY(%(denials)s)), 0) AS patient,
        coalesce(sum(amount) FILTER (WHERE line_id = line.id AND carc = %(withheld)s), 0) AS withheld,
        coalesce(sum(amount) FILTER (WHERE (line_id = line.id OR line_id IS NULL) AND carc = ANY(%(denials)s)), 0)
            AS refused,
        coalesce(sum(amount) FILTER (WHERE (line_id = line.id OR line_id IS NULL) AND carc = %(capitation)s), 0)
            AS capitated,
        coalesce(bool_or(line_id IS NULL AND group_code = 'PR' AND amount <> 0), false) AS whole
    FROM remits_adjustment WHERE remittance_id = r.id
) own
WHERE NOT c.secondary
"""

# one row per line: the net of the payer that answered as the first one
LINES = """
CREATE TEMP TABLE underpaying_line ON COMMIT DROP AS
WITH answered AS (
    SELECT *, paid_amount = 0 AND patient = 0 AND refused <> 0 AS is_refusal,
        bool_or(code <> '22' AND (paid_amount <> 0 OR patient <> 0))
            OVER (PARTITION BY service_line_id, payer_id) AS is_answered
    FROM underpaying_answer
), netted AS (
    SELECT service_line_id, payer_id, sum(charge_amount) AS charge, sum(paid_amount) AS paid, sum(allowed) AS allowed,
        sum(refused) AS refused, sum(capitated) AS capitated, bool_and(allowed IS NOT NULL) AS is_known,
        (array_agg(remittance_id ORDER BY day DESC, code = '22', sha256 DESC, byte_offset DESC))[1] AS remittance_id,
        max(day) AS day
    FROM answered WHERE NOT (is_refusal AND is_answered)
    GROUP BY service_line_id, payer_id HAVING bool_or(code IN ('1', '19'))
)
SELECT DISTINCT ON (service_line_id) * FROM netted ORDER BY service_line_id, allowed DESC NULLS LAST, payer_id
"""

COLUMNS = """
    service_line_id, practice_id, payer_id, provider_id, claim_id, remittance_id, procedure_code, paid_on, month,
    charge_amount, expected_amount, allowed_amount, paid_amount, variance_amount
"""
# what a person has taken up stays, with what is still missing
FRESH = f"""
CREATE TEMP TABLE underpaying_fresh ON COMMIT DROP AS
WITH candidates AS (
    SELECT s.id AS service_line_id, s.practice_id, c.payer_id, c.billing_provider_id AS provider_id,
        s.claim_id, net.remittance_id, coalesce(nullif(s.procedure_code, ''), s.revenue_code) AS procedure_code,
        net.day AS paid_on, date_trunc('month', net.day)::date AS month, s.charge_amount, s.expected_amount,
        net.allowed AS allowed_amount, net.paid AS paid_amount, s.expected_amount - net.allowed AS variance_amount
    FROM underpaying_line net
    JOIN claims_serviceline s ON s.id = net.service_line_id
    JOIN claims_claim c ON c.id = s.claim_id
    LEFT JOIN LATERAL (
        SELECT amount, percent FROM episodes_tolerance t
        WHERE t.practice_id = s.practice_id AND (t.payer_id = c.payer_id OR t.payer_id IS NULL)
        ORDER BY t.payer_id NULLS LAST LIMIT 1
    ) tolerance ON true
    WHERE net.is_known AND net.charge > 0 AND net.refused <= 0 AND net.capitated <= 0
        AND s.expected_amount - net.allowed > coalesce(tolerance.amount, %(amount)s)
        AND s.expected_amount - net.allowed > s.expected_amount * coalesce(tolerance.percent, %(percent)s) / 100
)
SELECT {COLUMNS} FROM candidates
UNION ALL
SELECT kept.service_line_id, kept.practice_id, kept.payer_id, kept.provider_id, kept.claim_id, kept.remittance_id,
    kept.procedure_code, kept.paid_on, kept.month, kept.charge_amount, kept.expected_amount,
    coalesce(net.allowed, kept.allowed_amount), coalesce(net.paid, kept.paid_amount), 0
FROM episodes_underpaidline kept LEFT JOIN underpaying_line net ON net.service_line_id = kept.service_line_id
WHERE kept.claim_id IN (SELECT id FROM linking_claim)
    AND NOT EXISTS (SELECT FROM candidates WHERE candidates.service_line_id = kept.service_line_id)
    AND (kept.status <> 'open' OR kept.assigned_to_id IS NOT NULL
        OR EXISTS (SELECT FROM episodes_underpaidchange change WHERE change.line_id = kept.id))
"""
FORMER = f"""
CREATE TEMP TABLE underpaying_former ON COMMIT DROP AS
SELECT {COLUMNS} FROM episodes_underpaidline WHERE claim_id IN (SELECT id FROM linking_claim)
"""
CHANGED = """
CREATE TEMP TABLE underpaying_changed ON COMMIT DROP AS
(TABLE underpaying_former EXCEPT TABLE underpaying_fresh) UNION ALL
(TABLE underpaying_fresh EXCEPT TABLE underpaying_former)
"""
DROP = """
DELETE FROM episodes_underpaidline row USING underpaying_changed changed
WHERE row.service_line_id = changed.service_line_id
    AND NOT EXISTS (SELECT FROM underpaying_fresh fresh WHERE fresh.service_line_id = row.service_line_id)
"""
KEPT_UP = [name.strip() for name in COLUMNS.split(",")][1:]
KEEP = f"""
INSERT INTO episodes_underpaidline ({COLUMNS})
SELECT {COLUMNS} FROM underpaying_fresh WHERE service_line_id IN (SELECT service_line_id FROM underpaying_changed)
ON CONFLICT (service_line_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in KEPT_UP)}
"""
# the sums that a line was in and is in (episodes.roll)
MARK = """
INSERT INTO rolling_month SELECT DISTINCT practice_id, payer_id, provider_id, month FROM underpaying_changed
"""


def find_underpaid(cursor: CursorWrapper, practice_id: int) -> int:
    """Bring the underpaid lines of the gathered claims up to their rows; answers how many changed.

    Marks in `rolling_month` the sums that change with them.
    """
    values: dict[str, Any] = {"denials": denial_carcs(practice_id), "amount": DEFAULT_AMOUNT}
    values |= {"percent": DEFAULT_PERCENT, "withheld": SEQUESTRATION, "capitation": CAPITATION}
    cursor.execute(CLEAR)
    cursor.execute(ANSWERS, values)
    cursor.execute("ANALYZE underpaying_answer")
    cursor.execute(LINES)
    cursor.execute("ANALYZE underpaying_line")
    for statement in (FRESH, FORMER, CHANGED):
        cursor.execute(statement, values)
    cursor.execute("SELECT count(DISTINCT service_line_id) FROM underpaying_changed")
    changed: int = cursor.fetchone()[0]
    if changed:
        for statement in (DROP, KEEP, MARK):
            cursor.execute(statement)
    return changed
