"""What was first decided of each line: rows of AdjudicatedLine from claims, links and remittances, in set-based SQL.

The first final adjudication of a claim is its earliest linked remittance (payment date, then the file's sha256 and byte
offset) by the claim's own payer that is no reversal (CLP02 = 22) and no predetermination (25). A line of it is denied
when it is paid nothing and has a denial reason with an amount above zero, when the whole claim has such a reason, or
when CLP02 = 4. What the remittance says beside the claim's lines is a row with no service line.

A function of the rows, not of their order: a file's stage takes every claim that linking could have touched, a link by
hand tells its claims by `episodes.followers`, and each claim's rows are made anew and compared with those that are
there. Run twice, nothing is written the second time. Left out: later adjudications, which episodes sum up.
"""

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from episodes.denials import denial_carcs
from episodes.scope import LOCK, LOCK_CLASS, ROOM, Start, gather
from marb.pipeline.jobs import FileJob

REBUILD_CLAIMS = 50_000
# the claim's own date, as risk.facts takes it
SUBMITTED_DATE = "coalesce(c.submitted_date, coalesce(c.service_to_date, c.service_from_date) + 1)"
TABLES = ("noting_claim", "noting_first", "noting_line", "noting_whole", "noting_copy", "noting_row")
CLEAR = "DROP TABLE IF EXISTS " + ", ".join(f"pg_temp.{table}" for table in TABLES)

OF_FILE = "CREATE TEMP TABLE noting_claim ON COMMIT DROP AS SELECT id FROM linking_claim"
OF_ROWS = """
CREATE TEMP TABLE noting_claim ON COMMIT DROP AS
SELECT unnest(%(claims)s::bigint[]) AS id
UNION SELECT claim_id FROM episodes_episoderemittance WHERE remittance_id = ANY(%(remittances)s)
"""
OF_PRACTICE = """
CREATE TEMP TABLE noting_claim ON COMMIT DROP AS
SELECT id FROM claims_claim WHERE practice_id = %(practice)s AND id > %(after)s ORDER BY id LIMIT %(most)s
"""

# a claim that comes in may be the first of a service that another one repeats
ALSO_COPIES = """
INSERT INTO noting_claim
SELECT DISTINCT o.id FROM noting_claim n JOIN claims_claim c ON c.id = n.id
JOIN claims_claim o ON o.practice_id = c.practice_id AND o.subscriber_member_id = c.subscriber_member_id
    AND o.service_from_date = c.service_from_date AND o.billing_provider_id = c.billing_provider_id
WHERE c.subscriber_member_id <> '' AND o.id <> c.id AND o.frequency_code IN ('', '1')
    AND NOT EXISTS (SELECT FROM noting_claim there WHERE there.id = o.id)
"""

FIRST = """
CREATE TEMP TABLE noting_first ON COMMIT DROP AS
SELECT DISTINCT ON (c.id) c.id AS claim_id, r.id AS remittance_id, p.payment_date, r.paid_amount, r.charge_amount,
    r.claim_status_code = '4' AS is_unknown
FROM noting_claim n JOIN claims_claim c ON c.id = n.id
JOIN episodes_episoderemittance l ON l.claim_id = c.id
JOIN remits_remittance r ON r.id = l.remittance_id
JOIN remits_payment p ON p.id = r.payment_id
JOIN pipeline_edifile f ON f.id = r.file_id
WHERE r.claim_status_code NOT IN ('22', '25') AND (r.payer_id = c.payer_id) IS NOT FALSE
ORDER BY c.id, p.payment_date NULLS LAST, f.sha256, r.byte_offset
"""

# each line of those remittances with the line that it answers, and its denial reasons
LINES = """
CREATE TEMP TABLE noting_line ON COMMIT DROP AS
SELECT said.claim_id, line.id, link.service_line_id, line.charge_amount, line.paid_amount,
    coalesce(reason.carcs, '{}') AS carcs, coalesce(reason.amount, 0) AS amount
FROM noting_first said JOIN remits_remittanceline line ON line.remittance_id = said.remittance_id
LEFT JOIN episodes_linelink link ON link.remittance_line_id = line.id AND link.claim_id = said.claim_id
LEFT JOIN (
    SELECT a.line_id, array_agg(DISTINCT a.carc::text ORDER BY a.carc::text) AS carcs, sum(a.amount) AS amount
    FROM noting_first said JOIN remits_adjustment a ON a.remittance_id = said.remittance_id
    WHERE a.line_id IS NOT NULL AND a.amount > 0 AND a.carc = ANY(%(denials)s) GROUP BY a.line_id
) reason ON reason.line_id = line.id
"""

# the denial reasons of a whole claim
WHOLE = """
CREATE TEMP TABLE noting_whole ON COMMIT DROP AS
SELECT said.claim_id, array_agg(DISTINCT a.carc::text ORDER BY a.carc::text) AS carcs, sum(a.amount) AS amount
FROM noting_first said JOIN remits_adjustment a ON a.remittance_id = said.remittance_id
WHERE a.line_id IS NULL AND a.amount > 0 AND a.carc = ANY(%(denials)s) GROUP BY said.claim_id
"""

# The earlier of two is the one that was sent first, by interchange; a tie is decided by the files' bytes.
COPIES = f"""
CREATE TEMP TABLE noting_copy ON COMMIT DROP AS
WITH sent AS (
    SELECT c.id, c.practice_id, c.subscriber_member_id, c.service_from_date, c.billing_provider_id,
        c.patient_first_name, c.patient_birth_date, {SUBMITTED_DATE} AS submitted, f.sha256, c.byte_offset
    FROM noting_claim n JOIN claims_claim c ON c.id = n.id JOIN pipeline_edifile f ON f.id = c.file_id
    WHERE c.subscriber_member_id <> '' AND c.frequency_code IN ('', '1')
), twin AS (
    SELECT later.id, earlier.id AS earlier_id FROM sent later JOIN sent earlier
        USING (practice_id, subscriber_member_id, service_from_date, billing_provider_id, patient_first_name)
    WHERE earlier.patient_birth_date IS NOT DISTINCT FROM later.patient_birth_date AND earlier.id <> later.id
        AND (earlier.submitted, earlier.sha256, earlier.byte_offset)
            < (later.submitted, later.sha256, later.byte_offset)
)
SELECT DISTINCT line.id AS line_id, twin.id AS claim_id
FROM twin JOIN claims_serviceline line ON line.claim_id = twin.id
JOIN claims_serviceline other ON other.claim_id = twin.earlier_id AND other.procedure_code = line.procedure_code
    AND other.revenue_code = line.revenue_code AND other.charge_amount = line.charge_amount
    AND other.service_from_date IS NOT DISTINCT FROM line.service_from_date
"""

COLUMNS = (
    *("practice_id", "claim_id", "service_line_id", "remittance_id", "payer_id", "billing_provider_id"),
    *("rendering_provider_id", "procedure_code", "modifiers", "diagnosis", "place_of_service_code", "claim_frequency"),
    *("has_authorization", "is_duplicate", "days_to_submission", "charge_amount", "service_date", "submitted_date"),
    *("adjudicated_date", "is_denied", "carcs", "denied_amount"),
)
NAMES = ", ".join(COLUMNS)
# what a claim says of all its lines; `{day}` is the day of service that its days are counted from
OF_CLAIM = f"""
    coalesce(nullif(c.frequency_code, ''), '1') AS claim_frequency,
    c.prior_authorization_number <> '' AS has_authorization, {{copy}} AS is_duplicate,
    greatest(0, {SUBMITTED_DATE} - coalesce(c.service_to_date, c.service_from_date)) AS days_to_submission,
    {{charge}} AS charge_amount, coalesce({{day}}, c.service_from_date) AS service_date,
    {SUBMITTED_DATE} AS submitted_date, said.payment_date AS adjudicated_date
"""
FROM_CLAIM = """
FROM noting_first said JOIN claims_claim c ON c.id = said.claim_id
LEFT JOIN noting_whole whole ON whole.claim_id = c.id
"""
OF_LINES = f"""
SELECT c.practice_id, c.id AS claim_id, line.id AS service_line_id, said.remittance_id, c.payer_id,
    c.billing_provider_id, c.rendering_provider_id, line.procedure_code, line.modifiers,
    coalesce(c.diagnosis_codes[line.diagnosis_pointers[1]], c.principal_diagnosis_code) AS diagnosis,
    coalesce(nullif(line.place_of_service_code, ''), c.place_of_service_code) AS place_of_service_code,
    {OF_CLAIM.format(copy="copy.line_id IS NOT NULL", charge="line.charge_amount", day="line.service_from_date")},
    said.is_unknown OR whole.claim_id IS NOT NULL OR (answer.paid_amount = 0 AND answer.amount > 0) AS is_denied,
    coalesce(whole.carcs, '{{}}') AS whole_carcs, answer.carcs AS line_carcs, answer.amount
{FROM_CLAIM}
JOIN noting_line answer ON answer.claim_id = c.id JOIN claims_serviceline line ON line.id = answer.service_line_id
LEFT JOIN noting_copy copy ON copy.line_id = line.id
"""
# where no line of the claim is answered, or a line is answered that the claim has not
OF_WHOLE = f"""
SELECT c.practice_id, c.id AS claim_id, NULL::bigint AS service_line_id, said.remittance_id, c.payer_id,
    c.billing_provider_id, c.rendering_provider_id, '' AS procedure_code, '{{}}'::varchar[] AS modifiers,
    c.principal_diagnosis_code AS diagnosis, c.place_of_service_code,
    {
    OF_CLAIM.format(
        copy="EXISTS (SELECT FROM noting_copy copy WHERE copy.claim_id = c.id)",
        charge="coalesce(stray.charge, abs(said.charge_amount))",
        day="c.service_from_date",
    )
},
    said.is_unknown OR whole.claim_id IS NOT NULL OR coalesce(stray.is_denied, false) AS is_denied,
    coalesce(whole.carcs, '{{}}') AS whole_carcs, coalesce(stray.carcs, '{{}}') AS line_carcs,
    coalesce(stray.amount, 0) AS amount
{FROM_CLAIM}
LEFT JOIN (
    SELECT claim_id, count(service_line_id) AS answered, count(*) - count(service_line_id) AS strays
    FROM noting_line GROUP BY claim_id
) lines ON lines.claim_id = c.id
LEFT JOIN LATERAL (
    SELECT sum(line.charge_amount) AS charge, bool_or(line.is_denied) AS is_denied,
        sum(line.amount) FILTER (WHERE line.is_denied) AS amount,
        array_agg(DISTINCT carc ORDER BY carc) FILTER (WHERE line.is_denied AND carc IS NOT NULL) AS carcs
    FROM (
        SELECT DISTINCT answer.id, answer.charge_amount, answer.paid_amount = 0 AND answer.amount > 0 AS is_denied,
            answer.amount, answer.carcs
        FROM noting_line answer WHERE answer.claim_id = c.id AND answer.service_line_id IS NULL
    ) line LEFT JOIN LATERAL unnest(line.carcs) AS carc ON true
) stray ON lines.strays > 0
WHERE coalesce(lines.answered, 0) = 0 OR lines.strays > 0
"""
ROWS = f"""
CREATE TEMP TABLE noting_row ON COMMIT DROP AS
SELECT {NAMES.replace("carcs, denied_amount", "")}
    CASE WHEN NOT is_denied THEN '{{}}'::varchar[]
        ELSE ARRAY(SELECT DISTINCT unnest(whole_carcs || line_carcs)::varchar ORDER BY 1) END AS carcs,
    CASE WHEN NOT is_denied THEN 0 WHEN amount > 0 THEN amount ELSE greatest(charge_amount, 0) END AS denied_amount
FROM ({OF_LINES} UNION ALL {OF_WHOLE}) said
"""

STALE = """
DELETE FROM risk_adjudicatedline a USING noting_claim n
WHERE a.claim_id = n.id AND NOT EXISTS (SELECT FROM noting_row r
    WHERE r.claim_id = a.claim_id AND r.service_line_id IS NOT DISTINCT FROM a.service_line_id)
"""
COMPARED = COLUMNS[3:]
WRITE = f"""
INSERT INTO risk_adjudicatedline AS a ({NAMES}) SELECT {NAMES} FROM noting_row ORDER BY claim_id, service_line_id
ON CONFLICT (claim_id, service_line_id) DO UPDATE
SET ({", ".join(COMPARED)}) = ROW({", ".join(f"excluded.{name}" for name in COMPARED)})
WHERE ({", ".join(f"a.{name}" for name in COMPARED)})
    IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in COMPARED)})
"""

# whose patterns are to be searched anew
DUE = """
INSERT INTO risk_duepayer (payer_id, practice_id)
SELECT DISTINCT payer_id, practice_id FROM risk_adjudicatedline a JOIN noting_claim n ON n.id = a.claim_id
WHERE payer_id IS NOT NULL ON CONFLICT DO NOTHING
"""


def note_file(job: FileJob) -> dict[str, int]:
    """Note what was first decided of every claim that a file reaches; after episodes.status.settle_file.

    Answers how many rows were written or deleted (`adjudicated`).
    """
    with transaction.atomic(), connection.cursor() as cursor:
        gather(cursor, Start.of(job))
        cursor.execute(CLEAR)
        cursor.execute(OF_FILE)
        return {"adjudicated": note_chosen(cursor, job.practice_id)}


def note_rows(cursor: CursorWrapper, start: Start) -> int:
    """Note single claims, and those that single remittances are linked to, inside the caller's transaction and lock."""
    values = {"claims": sorted(start.claims), "remittances": sorted(start.remittances)}
    cursor.execute(CLEAR)
    cursor.execute(OF_ROWS, values)
    return note_chosen(cursor, start.practice_id)


def note_practice(practice_id: int) -> int:
    """Note all of a practice's claims anew, some at a time. Answers how many rows changed."""
    changed, after = 0, 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            values = {"practice": practice_id, "lock": LOCK_CLASS, "after": after, "most": REBUILD_CLAIMS}
            cursor.execute(ROOM)
            cursor.execute(LOCK, values)
            cursor.execute(CLEAR)
            cursor.execute(OF_PRACTICE, values)
            cursor.execute("SELECT max(id) FROM noting_claim")
            (last,) = cursor.fetchone()
            if last is None:
                return changed
            changed += note_chosen(cursor, practice_id)
            after = last


def note_chosen(cursor: CursorWrapper, practice_id: int) -> int:
    """Make the rows of the claims in `noting_claim` anew and write what differs."""
    cursor.execute("ANALYZE noting_claim")
    cursor.execute(ALSO_COPIES)
    values = {"denials": list(denial_carcs(practice_id))}
    for table, statement in (("first", FIRST), ("line", LINES), ("whole", WHOLE), ("copy", COPIES), ("row", ROWS)):
        cursor.execute(statement, values)
        cursor.execute(f"ANALYZE noting_{table}")
    changed = 0
    for statement in (STALE, WRITE):
        cursor.execute(statement)
        changed += cursor.rowcount
    if changed:
        cursor.execute(DUE)
    return changed


def note_links(cursor: CursorWrapper, practice_id: int, claims: Iterable[int], remittances: Iterable[int]) -> None:
    """Follow links that changed beside a file's own (episodes.followers)."""
    note_rows(cursor, Start(practice_id).also(claims, remittances))
