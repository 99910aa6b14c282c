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

# a file's rows are joined and sorted in memory; the temporary tables need only rough statistics
ROOM = "SET LOCAL work_mem = '64MB'; SET LOCAL default_statistics_target = 20"

LOCK = "SELECT pg_advisory_xact_lock(%(lock)s, hashint8(%(practice)s))"

# The practice is always a column to join by, never a constant: the planner takes a constant that its statistics have
# not seen (a new practice) for one row, and then reads the whole practice by any index that begins with it.
NUMBERS = """
CREATE TEMP TABLE linking_number ON COMMIT DROP AS
SELECT practice_id, patient_control_number AS number, 0 AS round FROM (
    SELECT practice_id, patient_control_number FROM claims_claim WHERE file_id = %(file)s
    UNION SELECT practice_id, patient_control_number FROM remits_remittance WHERE file_id = %(file)s
) own WHERE patient_control_number <> ''
"""

CLAIMS_OF = """
SELECT c.id, c.practice_id, c.patient_control_number AS number, n.round, c.payer_id, c.charge_amount,
    c.service_from_date, c.service_to_date, c.frequency_code, c.frequency_code IN ('7', '8') AS follows,
    c.payer_sequence_code NOT IN ('P', 'U', '') AS secondary, c.payer_claim_control_number AS payer_number,
    f.sha256, c.byte_offset, count(*) OVER (PARTITION BY c.patient_control_number) AS alike
FROM linking_number n
JOIN claims_claim c ON c.practice_id = n.practice_id AND c.patient_control_number = n.number
JOIN pipeline_edifile f ON f.id = c.file_id
WHERE n.round = %(round)s
"""

CLAIMS = f"""
CREATE TEMP TABLE linking_claim ON COMMIT DROP AS {CLAIMS_OF}
UNION ALL
SELECT c.id, c.practice_id, '', 0, c.payer_id, c.charge_amount, c.service_from_date, c.service_to_date,
    c.frequency_code, c.frequency_code IN ('7', '8'), c.payer_sequence_code NOT IN ('P', 'U', ''),
    c.payer_claim_control_number, f.sha256, c.byte_offset, %(most)s + 1
FROM claims_claim c JOIN pipeline_edifile f ON f.id = c.file_id
WHERE c.file_id = %(file)s AND c.patient_control_number = ''
"""

REMITTANCES_OF = """
SELECT r.id, r.practice_id, r.patient_control_number AS number, n.round, r.payer_id, r.charge_amount,
    r.service_from_date, r.service_to_date, r.frequency_code, r.payer_claim_control_number AS payer_number,
    l.method = 'manual' AS by_hand, count(*) OVER (PARTITION BY r.patient_control_number) AS alike
FROM linking_number n
JOIN remits_remittance r ON r.practice_id = n.practice_id AND r.patient_control_number = n.number
LEFT JOIN episodes_episoderemittance l ON l.remittance_id = r.id
WHERE n.round = %(round)s
"""

REMITTANCES = f"CREATE TEMP TABLE linking_remittance ON COMMIT DROP AS {REMITTANCES_OF}"

# the numbers that those of this round lead to: by the payer's number, or by a link made by hand
REACH = """
INSERT INTO linking_number
SELECT DISTINCT near.practice_id, near.number, %(round)s + 1 FROM (
    SELECT r.practice_id, r.patient_control_number AS number
    FROM linking_claim c JOIN remits_remittance r
        ON r.practice_id = c.practice_id AND r.payer_claim_control_number = c.payer_number
        AND r.payer_claim_control_number <> ''
    WHERE c.round = %(round)s AND c.follows AND c.payer_number <> '' AND c.number <> ''
    UNION ALL
    SELECT c.practice_id, c.patient_control_number
    FROM linking_remittance r JOIN claims_claim c
        ON c.practice_id = r.practice_id AND c.payer_claim_control_number = r.payer_number
        AND c.payer_claim_control_number <> '' AND c.frequency_code IN ('7', '8')
    WHERE r.round = %(round)s AND r.payer_number <> ''
    UNION ALL
    SELECT r.practice_id, r.patient_control_number
    FROM linking_claim c JOIN episodes_episoderemittance l ON l.claim_id = c.id AND l.method = 'manual'
    JOIN remits_remittance r ON r.id = l.remittance_id
    WHERE c.round = %(round)s AND c.number <> ''
    UNION ALL
    SELECT c.practice_id, c.patient_control_number
    FROM linking_remittance r JOIN episodes_episoderemittance l ON l.remittance_id = r.id
    JOIN claims_claim c ON c.id = l.claim_id
    WHERE r.round = %(round)s AND r.by_hand
) near
WHERE near.number <> '' AND NOT EXISTS (SELECT FROM linking_number known WHERE known.number = near.number)
"""


def gather(cursor: CursorWrapper, job: FileJob) -> dict[str, int]:
    """Lock the practice and gather the rows; answers the parameters of the statements that follow.

    Must run inside a transaction: the lock and the tables `linking_number`, `linking_claim` and
    `linking_remittance` end with it.
    """
    values = {"practice": job.practice_id, "file": job.file_id, "lock": LOCK_CLASS, "most": MOST_ALIKE, "round": 0}
    cursor.execute(ROOM)
    cursor.execute(LOCK, values)
    cursor.execute(CLEAR)
    cursor.execute(NUMBERS, values)
    cursor.execute("ANALYZE linking_number")
    cursor.execute(CLAIMS, values)
    cursor.execute(REMITTANCES, values)
    cursor.execute("ANALYZE linking_claim, linking_remittance")
    reach(cursor, values)
    return values


def reach(cursor: CursorWrapper, values: dict[str, int]) -> None:
    """Gather, round by round, the rows of the numbers that those gathered lead to. Mostly one round, of few rows."""
    cursor.execute(REACH, values)
    while cursor.rowcount:
        values["round"] += 1
        cursor.execute(f"INSERT INTO linking_claim {CLAIMS_OF}", values)
        cursor.execute(f"INSERT INTO linking_remittance {REMITTANCES_OF}", values)
        cursor.execute(REACH, values)
