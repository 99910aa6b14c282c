"""The rows that a file can change: every claim and remittance that its control numbers reach.

Linking and settling are functions of rows, never of the order in which they came, so both look at whole groups: the
control numbers (CLM01, CLP01) of the file or of the rows that it starts from, and those reached from them by the
payer's number (REF*F8 = CLP07) or by a link that is not by number (by hand, by likeness). The rows are gathered in
temporary tables of the transaction, slim and analysed, under a lock of the practice: files of one practice link one
after the other and cannot deadlock; other practices are not held up.

A control number that more than MOST_ALIKE claims or remittances share says nothing (some systems send a constant);
it neither links nor chains. What has no control number at all is gathered by itself.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from marb.pipeline.jobs import FileJob

LOCK_CLASS = 8_350_837
MOST_ALIKE = 1_000

TABLES = (
    *("linking_number", "linking_claim", "linking_remittance", "linking_pair", "linking_edge", "linking_chain"),
    *("linking_heir", "linking_judged", "linking_candidate", "linking_waiting", "linking_fresh"),
    *(
        "settling_episode",
        "settling_said",
        "settling_held",
        "settling_remittance",
        "settling_chain",
        "settling_plb",
        "settling_denial",
    ),
)
# what an earlier stage of the same transaction gathered is gathered anew
CLEAR = "DROP TABLE IF EXISTS " + ", ".join(f"pg_temp.{table}" for table in TABLES)

Values = dict[str, Any]


class Start(NamedTuple):
    """Where gathering begins: a file's rows (`file_id`), or single claims and remittances by id."""

    practice_id: int
    file_id: int | None = None
    claims: frozenset[int] = frozenset()
    remittances: frozenset[int] = frozenset()

    @classmethod
    def of(cls, job: FileJob) -> "Start":
        return cls(job.practice_id, job.file_id)

    def also(self, claims: Iterable[int], remittances: Iterable[int]) -> "Start":
        return self._replace(claims=self.claims.union(claims), remittances=self.remittances.union(remittances))


# a file's rows are joined and sorted in memory; the temporary tables need only rough statistics
ROOM = "SET LOCAL work_mem = '64MB'; SET LOCAL default_statistics_target = 20"

LOCK = "SELECT pg_advisory_xact_lock(%(lock)s, hashint8(%(practice)s))"

# The practice is always a column to join by, never a constant: the planner takes a constant that its statistics have
# not seen (a new practice) for one row, and then reads the whole practice by any index that begins with it.
NUMBERS = """
CREATE TEMP TABLE linking_number ON COMMIT DROP AS
SELECT practice_id, patient_control_number AS number, 0 AS round FROM (
    SELECT practice_id, patient_control_number FROM claims_claim WHERE {claims}
    UNION SELECT practice_id, patient_control_number FROM remits_remittance WHERE {remittances}
) own WHERE patient_control_number <> ''
"""

# how a start's own claims and remittances are found: of a file, or by their ids
OF_FILE = {"claims": "file_id = %(file)s", "remittances": "file_id = %(file)s"}
OF_ROWS = {"claims": "id = ANY(%(claims)s)", "remittances": "id = ANY(%(remittances)s)"}

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
WHERE c.{{claims}} AND c.patient_control_number = ''
"""

# `by_hand`: a person has said what it answers, or that it answers nothing here
STATED = """
    (l.method = 'manual') IS TRUE OR (o.state = 'apart') IS TRUE AS by_hand,
    (l.method NOT IN ('control_number', 'manual')) IS TRUE AS guessed
"""
STATED_FROM = """
LEFT JOIN episodes_episoderemittance l ON l.remittance_id = r.id
LEFT JOIN episodes_openremittance o ON o.remittance_id = r.id
"""

REMITTANCES_OF = f"""
SELECT r.id, r.practice_id, r.patient_control_number AS number, n.round, r.payer_id, r.charge_amount,
    r.service_from_date, r.service_to_date, r.frequency_code, r.payer_claim_control_number AS payer_number,
    count(*) OVER (PARTITION BY r.patient_control_number) AS alike, {STATED}
FROM linking_number n
JOIN remits_remittance r ON r.practice_id = n.practice_id AND r.patient_control_number = n.number
{STATED_FROM}
WHERE n.round = %(round)s
"""

REMITTANCES = f"""
CREATE TEMP TABLE linking_remittance ON COMMIT DROP AS {REMITTANCES_OF}
UNION ALL
SELECT r.id, r.practice_id, '', 0, r.payer_id, r.charge_amount, r.service_from_date, r.service_to_date,
    r.frequency_code, r.payer_claim_control_number, %(most)s + 1, {STATED}
FROM remits_remittance r {STATED_FROM}
WHERE r.{{remittances}} AND r.patient_control_number = ''
"""

# the numbers that those of this round lead to: by the payer's number, or by a link that is not by number
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
    FROM linking_claim c JOIN episodes_episoderemittance l ON l.claim_id = c.id AND NOT (l.method = 'control_number')
    JOIN remits_remittance r ON r.id = l.remittance_id
    WHERE c.round = %(round)s AND c.number <> ''
    UNION ALL
    SELECT c.practice_id, c.patient_control_number
    FROM linking_remittance r JOIN episodes_episoderemittance l ON l.remittance_id = r.id
    JOIN claims_claim c ON c.id = l.claim_id
    WHERE r.round = %(round)s AND (r.by_hand OR r.guessed)
) near
WHERE near.number <> '' AND NOT EXISTS (SELECT FROM linking_number known WHERE known.number = near.number)
"""


def gather(cursor: CursorWrapper, start: Start) -> Values:
    """Lock the practice and gather the rows; answers the parameters of the statements that follow.

    Must run inside a transaction: the lock and the tables `linking_number`, `linking_claim` and
    `linking_remittance` end with it.
    """
    values: Values = {"practice": start.practice_id, "file": start.file_id, "lock": LOCK_CLASS, "most": MOST_ALIKE}
    values |= {"claims": sorted(start.claims), "remittances": sorted(start.remittances), "round": 0}
    own = OF_ROWS if start.file_id is None else OF_FILE
    cursor.execute(ROOM)
    cursor.execute(LOCK, values)
    cursor.execute(CLEAR)
    cursor.execute(NUMBERS.format(**own), values)
    cursor.execute("ANALYZE linking_number")
    cursor.execute(CLAIMS.format(**own), values)
    cursor.execute(REMITTANCES.format(**own), values)
    cursor.execute("ANALYZE linking_claim, linking_remittance")
    reach(cursor, values)
    return values


def reach(cursor: CursorWrapper, values: Values) -> None:
    """Gather, round by round, the rows of the numbers that those gathered lead to. Mostly one round, of few rows."""
    cursor.execute(REACH, values)
    while cursor.rowcount:
        values["round"] += 1
        cursor.execute(f"INSERT INTO linking_claim {CLAIMS_OF}", values)
        cursor.execute(f"INSERT INTO linking_remittance {REMITTANCES_OF}", values)
        cursor.execute(REACH, values)
