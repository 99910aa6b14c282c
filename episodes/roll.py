"""The rows that key figures are summed from, and their sums, in set-based SQL: the last stage of the belt.

A start's claims and remittances are gathered and adjudicated as episodes.status does it; what each chain and remittance
adds to the sums is worked out from its rows (episodes.rollups) and compared with what it added until now. Where that
differs, the sums of the months and days that it was in and is in are made anew from their rows. Nothing is ever added
to a sum, so a file that runs twice, a late reversal or a link that moves end the same.

Days: a claim is submitted on the day that its file says (BHT04, GS04), else on the day after its service; without
either it is the day of its first answer, and without one the day that it came in. A remittance is of the day of its
payment, else of the file's production date, else of the day that it came in.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from episodes.denials import COST_SHARE_CARCS, PRIOR_PAYER_CARC, denial_carcs
from episodes.scope import Start, gather
from episodes.status import adjudicate
from episodes.underpayment import find_underpaid
from marb.core.cache import touch
from marb.pipeline.jobs import FileJob

TABLES = ("rolling_fresh", "rolling_former", "rolling_changed", "rolling_month", "rolling_day", "rolling_seen")
CLEAR = "DROP TABLE IF EXISTS " + ", ".join(f"pg_temp.{table}" for table in TABLES)

# 22 takes back, 23 is another payer's claim, 25 decides nothing
ADJUDICATES = "NOT IN ('22', '23', '25')"
SAID_ON = "coalesce(p.payment_date, p.production_date, (r.created_at AT TIME ZONE 'UTC')::date)"

FRESH_CHAINS = f"""
CREATE TEMP TABLE rolling_fresh ON COMMIT DROP AS
WITH answers AS (
    SELECT s.episode_id, s.place, s.level, s.is_denied, s.charge_amount, {SAID_ON} AS day
    FROM settling_remittance s JOIN remits_remittance r ON r.id = s.id JOIN remits_payment p ON p.id = r.payment_id
    WHERE s.code {ADJUDICATES}
), first AS (
    SELECT DISTINCT ON (episode_id) * FROM answers ORDER BY episode_id, place
), answered AS (
    SELECT episode_id, count(*) FILTER (WHERE level = 1) AS primaries FROM answers GROUP BY episode_id
), said AS (
    SELECT episode_id, coalesce(sum(adjusted - refused) FILTER (WHERE counts), 0) AS contractual,
        bool_or(code = '22') AS is_reversed
    FROM settling_remittance GROUP BY episode_id
), follows AS (
    SELECT touched.id AS episode_id, bool_or(c.frequency_code IN ('7', '8')) AS is_followed
    FROM settling_episode touched JOIN episodes_episodeclaim place ON place.episode_id = touched.id
    JOIN claims_claim c ON c.id = place.claim_id
    GROUP BY touched.id
), chains AS (
    SELECT e.*, balance, balance <> 0 AND e.status = 'complete' AS is_void, c.payer_id,
        c.billing_provider_id AS provider_id, c.status = 'processed' AS is_clean, c.line_count,
        c.expected_amount, first.day, first.is_denied, answered.primaries, said.is_reversed, follows.is_followed,
        first.charge_amount AS answered_charge, coalesce(said.contractual, 0) AS contractual,
        coalesce(c.submitted_date, coalesce(c.service_to_date, c.service_from_date) + 1, first.day,
            (c.created_at AT TIME ZONE 'UTC')::date) AS submitted_on
    FROM settling_episode touched JOIN episodes_episode e ON e.id = touched.id JOIN claims_claim c ON c.id = e.claim_id
    LEFT JOIN first ON first.episode_id = e.id LEFT JOIN answered ON answered.episode_id = e.id
    LEFT JOIN said ON said.episode_id = e.id JOIN follows ON follows.episode_id = e.id
    CROSS JOIN LATERAL (
        SELECT e.charge_amount - e.paid_amount - e.adjustment_amount - e.patient_responsibility_amount AS balance
    ) open
)
SELECT claim_id, practice_id, payer_id, provider_id, submitted_on,
    date_trunc('month', submitted_on)::date AS submitted_month,
    date_trunc('month', day)::date AS answered_month, is_clean, coalesce(is_denied, false) AS is_denied_first,
    (status = 'complete' AND NOT is_denied AND NOT is_reversed AND NOT is_followed AND primaries <= 1) IS TRUE
        AS is_first_pass,
    line_count, greatest(day - submitted_on, 0) AS lag_days, charge_amount,
    CASE WHEN is_void THEN 0 WHEN day IS NULL THEN coalesce(expected_amount, charge_amount)
        ELSE charge_amount - contractual END AS net_amount,
    CASE WHEN is_void OR day IS NULL THEN 0 ELSE charge_amount - contractual - patient_responsibility_amount END
        AS due_amount,
    paid_amount, CASE WHEN is_void THEN 0 ELSE balance END AS open_amount,
    CASE WHEN is_void THEN 0 WHEN day IS NULL THEN coalesce(expected_amount, charge_amount) ELSE balance END
        AS net_open_amount
FROM chains
"""
FORMER_CHAINS = """
CREATE TEMP TABLE rolling_former ON COMMIT DROP AS
SELECT {columns} FROM episodes_countedchain WHERE claim_id IN (
    SELECT id FROM linking_claim
    UNION SELECT e.claim_id FROM settling_episode touched JOIN episodes_episode e ON e.id = touched.id
)
"""

SEEN = """
CREATE TEMP TABLE rolling_seen ON COMMIT DROP AS
SELECT id FROM linking_remittance UNION SELECT id FROM settling_remittance
"""
FRESH_REMITTANCES = f"""
CREATE TEMP TABLE rolling_fresh ON COMMIT DROP AS
SELECT r.id AS remittance_id, r.practice_id, r.payer_id, coalesce(c.billing_provider_id, p.payee_id) AS provider_id,
    date_trunc('month', {SAID_ON})::date AS month, r.claim_status_code {ADJUDICATES} AS is_adjudication,
    r.claim_status_code {ADJUDICATES} AND coalesce(weighed.is_denied, lone.is_denied, false) AS is_denied,
    l.id IS NOT NULL AS is_linked,
    balanced.said AS is_balanced, balanced.said AND (l.method <> 'manual') IS TRUE AS is_posted
FROM rolling_seen seen JOIN remits_remittance r ON r.id = seen.id JOIN remits_payment p ON p.id = r.payment_id
LEFT JOIN settling_remittance weighed ON weighed.id = r.id
LEFT JOIN episodes_episoderemittance l ON l.remittance_id = r.id LEFT JOIN claims_claim c ON c.id = l.claim_id
CROSS JOIN LATERAL (
    SELECT r.status = 'processed' AND coalesce(p.difference_amount, 0) = 0 AS said
) balanced
LEFT JOIN LATERAL (
    SELECT r.paid_amount = 0 AND (r.claim_status_code = '4' OR (
        coalesce(bool_or(a.carc = ANY(%(denials)s)), false)
        AND NOT coalesce(bool_or(a.group_code = 'PR' AND a.carc = ANY(%(shares)s)), false)
        AND (coalesce(bool_or(a.line_id IS NULL AND a.carc = ANY(%(denials)s)), false)
            OR count(DISTINCT coalesce(a.line_id, 0)) FILTER (WHERE a.carc = ANY(%(denials)s))
                = count(DISTINCT coalesce(a.line_id, 0)) FILTER (WHERE a.carc <> %(prior)s)))) AS is_denied
    FROM remits_adjustment a WHERE a.remittance_id = r.id AND a.amount > 0 AND weighed.id IS NULL
) lone ON weighed.id IS NULL
"""
FORMER_REMITTANCES = """
CREATE TEMP TABLE rolling_former ON COMMIT DROP AS
SELECT {columns} FROM episodes_countedremittance WHERE remittance_id IN (SELECT id FROM rolling_seen)
"""

CHANGED = """
CREATE TEMP TABLE rolling_changed ON COMMIT DROP AS
(TABLE rolling_former EXCEPT TABLE rolling_fresh) UNION ALL (TABLE rolling_fresh EXCEPT TABLE rolling_former)
"""
REPLACE = (
    "DELETE FROM {table} old USING rolling_changed changed WHERE old.{key} = changed.{key}",
    """
    INSERT INTO {table} ({columns}) SELECT {columns} FROM rolling_fresh
    WHERE {key} IN (SELECT {key} FROM rolling_changed)
    """,
)

PLACE = "practice_id, payer_id, provider_id"
MONTHS = f"CREATE TEMP TABLE rolling_month ON COMMIT DROP AS SELECT {PLACE}, month FROM episodes_monthsum LIMIT 0"
DAYS = f"CREATE TEMP TABLE rolling_day ON COMMIT DROP AS SELECT {PLACE}, day FROM episodes_daybalance LIMIT 0"
MARK_CHAINS = (
    f"""
    INSERT INTO rolling_month SELECT DISTINCT {PLACE}, month FROM rolling_changed
    CROSS JOIN LATERAL (VALUES (submitted_month), (answered_month)) of (month) WHERE month IS NOT NULL
    """,
    f"INSERT INTO rolling_day SELECT DISTINCT {PLACE}, submitted_on FROM rolling_changed",
)
MARK_REMITTANCES = (f"INSERT INTO rolling_month SELECT DISTINCT {PLACE}, month FROM rolling_changed",)

CHAIN_COLUMNS = (
    *("claim_id", "practice_id", "payer_id", "provider_id", "submitted_on", "submitted_month", "answered_month"),
    *("is_clean", "is_denied_first", "is_first_pass", "line_count", "lag_days", "charge_amount", "net_amount"),
    *("due_amount", "paid_amount", "open_amount", "net_open_amount"),
)
REMITTANCE_COLUMNS = (
    *("remittance_id", "practice_id", "payer_id", "provider_id", "month", "is_adjudication", "is_denied"),
    *("is_linked", "is_balanced", "is_posted"),
)

# what each kind of row gives to the sums of a month: (table, its column of the month, {sum: what is summed})
GIVEN: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        *("episodes_countedchain", "submitted_month"),
        {
            "claim_count": "count(*)",
            "clean_count": "count(*) FILTER (WHERE is_clean)",
            **{name: f"sum({name})" for name in ("line_count", "charge_amount", "net_amount", "due_amount")},
            "paid_amount": "sum(paid_amount)",
        },
    ),
    (
        *("episodes_countedchain", "answered_month"),
        {
            "answered_count": "count(*)",
            "first_denied_count": "count(*) FILTER (WHERE is_denied_first)",
            "first_denied_amount": "coalesce(sum(charge_amount) FILTER (WHERE is_denied_first), 0)",
            "first_pass_count": "count(*) FILTER (WHERE is_first_pass)",
            "lag_days": "sum(lag_days)",
        },
    ),
    (
        *("episodes_countedremittance", "month"),
        {
            "remittance_count": "count(*)",
            "adjudicated_count": "count(*) FILTER (WHERE is_adjudication)",
            "denied_count": "count(*) FILTER (WHERE is_denied)",
            "linked_count": "count(*) FILTER (WHERE is_linked)",
            "posted_count": "count(*) FILTER (WHERE is_posted)",
            "unbalanced_count": "count(*) FILTER (WHERE NOT is_balanced)",
        },
    ),
    (
        *("episodes_underpaidline", "month"),
        {
            "underpaid_count": "count(*) FILTER (WHERE status IN ('open', 'disputed') AND variance_amount > 0)",
            "underpaid_amount": "coalesce(sum(variance_amount) FILTER (WHERE status IN ('open', 'disputed')), 0)",
        },
    ),
)
SUMS = tuple(name for _, _, sums in GIVEN for name in sums)
ABOUT = """
    {row}.practice_id = touched.practice_id AND {row}.{at} = touched.{at_of}
    AND coalesce({row}.payer_id, 0) = coalesce(touched.payer_id, 0)
    AND coalesce({row}.provider_id, 0) = coalesce(touched.provider_id, 0)
"""


def part_of(table: str, month: str, sums: dict[str, str]) -> str:
    """Write the SELECT of one kind of row for the touched months, every sum in its place and the others zero.

    A month's rows are read once, however many of its places are touched.
    """
    shown = ", ".join(f"{sums.get(name, '0')} AS {name}" for name in SUMS)
    return f"""
    SELECT {PLACE}, {month} AS month, {shown} FROM {table}
    WHERE (practice_id, {month}) IN (SELECT practice_id, month FROM rolling_month) GROUP BY {PLACE}, {month}
    """


SUM_MONTHS = (
    "DELETE FROM episodes_monthsum old USING rolling_month touched WHERE "
    + ABOUT.format(row="old", at="month", at_of="month"),
    f"""
    INSERT INTO episodes_monthsum ({PLACE}, month, {", ".join(SUMS)})
    SELECT {PLACE}, month, {", ".join(f"sum({name})" for name in SUMS)}
    FROM ({" UNION ALL ".join(part_of(*given) for given in GIVEN)}) part
    WHERE EXISTS (SELECT FROM rolling_month touched WHERE {ABOUT.format(row="part", at="month", at_of="month")})
    GROUP BY {PLACE}, month
    """,
)
SUM_DAYS = (
    "DELETE FROM episodes_daybalance old USING rolling_day touched WHERE "
    + ABOUT.format(row="old", at="day", at_of="day"),
    f"""
    INSERT INTO episodes_daybalance ({PLACE}, day, open_amount, net_open_amount)
    SELECT * FROM (
        SELECT {PLACE}, submitted_on AS day, sum(open_amount) AS open_amount, sum(net_open_amount) AS net_open_amount
        FROM episodes_countedchain
        WHERE (practice_id, submitted_on) IN (SELECT practice_id, day FROM rolling_day)
        GROUP BY {PLACE}, submitted_on HAVING bool_or(open_amount <> 0 OR net_open_amount <> 0)
    ) part WHERE EXISTS (SELECT FROM rolling_day touched WHERE {ABOUT.format(row="part", at="day", at_of="day")})
    """,
)


def roll_file(job: FileJob) -> dict[str, int]:
    """Bring the key figures and underpaid lines up to what a file's claims and remittances reach.

    Answers how many chains, remittances and underpaid lines changed. Safe to run twice.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        return roll_start(cursor, Start.of(job))


def roll_start(cursor: CursorWrapper, start: Start) -> dict[str, int]:
    """Bring all up to what a start reaches, inside the caller's transaction."""
    gather(cursor, start)
    adjudicate(cursor, start.practice_id)
    return roll(cursor, start.practice_id)


def roll(cursor: CursorWrapper, practice_id: int) -> dict[str, int]:
    """Bring all up to what is gathered and adjudicated; answers how many rows of each kind changed."""
    values: dict[str, Any] = {
        "denials": denial_carcs(practice_id),
        "prior": PRIOR_PAYER_CARC,
        "shares": COST_SHARE_CARCS,
    }
    cursor.execute(CLEAR)
    cursor.execute(MONTHS)
    cursor.execute(DAYS)
    counts = {"underpaid": find_underpaid(cursor, practice_id)}
    chains = [FRESH_CHAINS, FORMER_CHAINS.format(columns=", ".join(CHAIN_COLUMNS))]
    counts["chains_counted"] = replace(cursor, values, "countedchain", CHAIN_COLUMNS, chains, MARK_CHAINS)
    cursor.execute("DROP TABLE rolling_fresh, rolling_former, rolling_changed")
    remittances = [SEEN, FRESH_REMITTANCES, FORMER_REMITTANCES.format(columns=", ".join(REMITTANCE_COLUMNS))]
    counts["remittances_counted"] = replace(
        cursor, values, "countedremittance", REMITTANCE_COLUMNS, remittances, MARK_REMITTANCES
    )
    if any(counts.values()):
        sum_up(cursor)
        touch(practice_id, "kpi")
    if counts["underpaid"]:
        touch(practice_id, "underpaid")
    return counts


def replace(
    cursor: CursorWrapper,
    values: dict[str, Any],
    name: str,
    columns: tuple[str, ...],
    reads: Iterable[str],
    marks: Iterable[str],
) -> int:
    """Put the fresh rows of a kind in the place of those that differ, and mark the sums that either is in."""
    for statement in (*reads, CHANGED):
        cursor.execute(statement, values)
    cursor.execute("SELECT count(*) FROM rolling_changed")
    changed: int = cursor.fetchone()[0]
    if changed:
        for statement in (*REPLACE, *marks):
            cursor.execute(statement.format(table=f"episodes_{name}", key=columns[0], columns=", ".join(columns)))
    return changed


def sum_up(cursor: CursorWrapper) -> None:
    """Make the sums of the marked months and days anew."""
    cursor.execute("ANALYZE rolling_month, rolling_day")
    for statement in (*SUM_MONTHS, *SUM_DAYS):
        cursor.execute(statement)


def sum_month(cursor: CursorWrapper, line_id: int) -> None:
    """Make the sums anew that one underpaid line is in, inside the caller's transaction."""
    cursor.execute(CLEAR)
    cursor.execute(MONTHS)
    cursor.execute(
        f"INSERT INTO rolling_month SELECT {PLACE}, month FROM episodes_underpaidline WHERE id = %s", [line_id]
    )
    for statement in SUM_MONTHS:
        cursor.execute(statement)


FORGET = ("episodes_countedchain", "episodes_countedremittance", "episodes_monthsum", "episodes_daybalance")
FILES = "SELECT id FROM pipeline_edifile WHERE practice_id = %s AND finished_at IS NOT NULL ORDER BY id"


def rebuild(practice_id: int) -> Iterator[dict[str, int]]:
    """Forget a practice's key figures and make them anew from its rows, a file at a time; yields each one's counts.

    Underpaid lines are looked at again and keep what people did. Each file is a transaction: until the last of them
    the figures are those of a part of the practice.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        for table in FORGET:
            cursor.execute(f"DELETE FROM {table} WHERE practice_id = %s", [practice_id])
        cursor.execute(FILES, [practice_id])
        files = [pk for (pk,) in cursor.fetchall()]
        touch(practice_id, "kpi")
    for file_id in files:
        with transaction.atomic(), connection.cursor() as cursor:
            yield roll_start(cursor, Start(practice_id, file_id))
