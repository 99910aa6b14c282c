"""The rows that a file can change: every claim and remittance that its control numbers reach.

Linking and settling are functions of rows, never of the order in which they came, so both look at whole groups: the
control numbers (CLM01, CLP01) of the file, and those reached from them by the payer's number (REF*F8 = CLP07) or by a
link made by hand. The rows are gathered in temporary tables of the transaction, slim and analysed, under a lock of
the practice: files of one practice link one after the other and cannot deadlock; other practices are not held up.

A control number that more than MOST_ALIKE claims or remittances share says nothing (some systems send a constant);
it neither links nor chains.
"""

from django.db.backends.utils import CursorWrapper

from marb.pipeline.jobs import FileJob

LOCK_CLASS = 8_350_837
MOST_ALIKE = 1_000

TABLES = (
    *("linking_number", "linking_claim", "linking_remittance", "linking_pair", "linking_edge", "linking_chain"),
    *("linking_heir", "settling_episode", "settling_remittance"),
)
# what an earlier stage of the same transaction gathered is gathered anew
CLEAR = "DROP TABLE IF EXISTS " + ", ".join(f"pg_temp.{table}" for table in TABLES)

LOCK = "SELECT pg_advisory_xact_lock(%(lock)s, hashint8(%(practice)s))"

# The practice is always a column to join by, never a constant: the planner takes a constant that its statistics have
# not seen (a new practice) for one row, and then reads the whole practice by any index that begins with it.
NUMBERS = """
CREATE TEMP TABLE linking_number ON COMMIT DROP AS
WITH RECURSIVE reached (practice_id, number) AS (
    SELECT practice_id, patient_control_number FROM (
        SELECT practice_id, patient_control_number FROM claims_claim WHERE file_id = %(file)s
        UNION SELECT practice_id, patient_control_number FROM remits_remittance WHERE file_id = %(file)s
        UNION SELECT c.practice_id, c.patient_control_number FROM remits_remittance r
            JOIN episodes_episoderemittance l ON l.remittance_id = r.id AND l.method = 'manual'
            JOIN claims_claim c ON c.id = l.claim_id WHERE r.file_id = %(file)s
    ) own WHERE patient_control_number <> ''
    UNION
    SELECT reached.practice_id, near.number FROM reached CROSS JOIN LATERAL (
        SELECT r.patient_control_number AS number FROM claims_claim c JOIN remits_remittance r
            ON r.practice_id = c.practice_id AND r.payer_claim_control_number = c.payer_claim_control_number
            AND r.payer_claim_control_number <> ''
        WHERE c.practice_id = reached.practice_id AND c.patient_control_number = reached.number
            AND c.frequency_code IN ('7', '8') AND c.payer_claim_control_number <> ''
        UNION ALL
        SELECT c.patient_control_number FROM remits_remittance r JOIN claims_claim c
            ON c.practice_id = r.practice_id AND c.payer_claim_control_number = r.payer_claim_control_number
            AND c.payer_claim_control_number <> '' AND c.frequency_code IN ('7', '8')
        WHERE r.practice_id = reached.practice_id AND r.patient_control_number = reached.number
            AND r.payer_claim_control_number <> ''
        UNION ALL
        SELECT r.patient_control_number FROM claims_claim c
            JOIN episodes_episoderemittance l ON l.claim_id = c.id AND l.method = 'manual'
            JOIN remits_remittance r ON r.id = l.remittance_id
        WHERE c.practice_id = reached.practice_id AND c.patient_control_number = reached.number
        UNION ALL
        SELECT c.patient_control_number FROM remits_remittance r
            JOIN episodes_episoderemittance l ON l.remittance_id = r.id AND l.method = 'manual'
            JOIN claims_claim c ON c.id = l.claim_id
        WHERE r.practice_id = reached.practice_id AND r.patient_control_number = reached.number
    ) near WHERE near.number <> ''
)
SELECT practice_id, number FROM reached
"""

CLAIMS = """
CREATE TEMP TABLE linking_claim ON COMMIT DROP AS
SELECT c.id, c.patient_control_number AS number, c.payer_id, c.charge_amount, c.service_from_date, c.service_to_date,
    c.frequency_code, c.frequency_code IN ('7', '8') AS follows,
    c.payer_sequence_code NOT IN ('P', 'U', '') AS secondary, c.payer_claim_control_number AS payer_number,
    f.sha256, c.byte_offset, count(*) OVER (PARTITION BY c.patient_control_number) AS alike
FROM linking_number n
JOIN claims_claim c ON c.practice_id = n.practice_id AND c.patient_control_number = n.number
JOIN pipeline_edifile f ON f.id = c.file_id
UNION ALL
SELECT c.id, '', c.payer_id, c.charge_amount, c.service_from_date, c.service_to_date, c.frequency_code,
    c.frequency_code IN ('7', '8'), c.payer_sequence_code NOT IN ('P', 'U', ''), c.payer_claim_control_number,
    f.sha256, c.byte_offset, %(most)s + 1
FROM claims_claim c JOIN pipeline_edifile f ON f.id = c.file_id
WHERE c.file_id = %(file)s AND c.patient_control_number = ''
"""

REMITTANCES = """
CREATE TEMP TABLE linking_remittance ON COMMIT DROP AS
SELECT r.id, r.patient_control_number AS number, r.payer_id, r.charge_amount, r.service_from_date, r.service_to_date,
    r.frequency_code, r.payer_claim_control_number AS payer_number, l.method = 'manual' AS by_hand,
    count(*) OVER (PARTITION BY r.patient_control_number) AS alike
FROM linking_number n
JOIN remits_remittance r ON r.practice_id = n.practice_id AND r.patient_control_number = n.number
LEFT JOIN episodes_episoderemittance l ON l.remittance_id = r.id
"""


def gather(cursor: CursorWrapper, job: FileJob) -> dict[str, int]:
    """Lock the practice and gather the rows; answers the parameters of the statements that follow.

    Must run inside a transaction: the lock and the tables `linking_number`, `linking_claim` and
    `linking_remittance` end with it.
    """
    values = {"practice": job.practice_id, "file": job.file_id, "lock": LOCK_CLASS, "most": MOST_ALIKE}
    cursor.execute(LOCK, values)
    cursor.execute(CLEAR)
    cursor.execute(NUMBERS, values)
    cursor.execute("ANALYZE linking_number")
    cursor.execute(CLAIMS, values)
    cursor.execute(REMITTANCES, values)
    cursor.execute("ANALYZE linking_claim, linking_remittance")
    return values
