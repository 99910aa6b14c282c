"""The queue of remittances that no control number links: their candidates, weighed, and links beyond doubt made.

Weighed are the gathered remittances without a claim of their number, and those waiting in the queue that a new claim
or a newly known payer's number may concern. Candidates come from indexes only: the control number written otherwise
or cut short, the payer's number, the member within NEAR_DAYS of the service, the patient's last name and initial in
the same days. A key that more than MOST_ALIKE claims share says nothing. So a remittance costs a few probes, whatever
the practice's size; a file of claims costs one look at the practice's queue, and nothing where that is empty.

What is linked so is again a function of the rows: every change among a remittance's candidates weighs it anew. Known
payer's numbers are those of links by number and by hand alone, so that no guess stands on another.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson
from django.db.backends.utils import CursorWrapper

from episodes.match import CLEAR_BITS, NEAR_DAYS, Line, Side, Weighed, choose, method_of, rank, weigh
from episodes.scope import OF_FILE, OF_ROWS, Values

MOST_ALIKE = 50
BATCH = 1_000
SHOWN = 5

# episodes.match.normalise in SQL; the two are held together by a test
NUMBER_KEY = "ltrim(upper(regexp_replace({}, '[^A-Za-z0-9]', '', 'g')), '0')"
# the last name and the first one's initial
NAME_KEY = """
    coalesce(nullif(upper(regexp_replace({0}, '[^A-Za-z]', '', 'g')), '') || ' '
        || left(upper(regexp_replace({1}, '[^A-Za-z]', '', 'g')), 1), '')
"""
DAY = "to_char({}, 'YYYYMMDD')"
LAST_NAME = "coalesce(nullif(c.patient_last_name, ''), c.subscriber_last_name)"
FIRST_NAME = "CASE WHEN c.patient_last_name <> '' THEN c.patient_first_name ELSE c.subscriber_first_name END"
PERSON_KEY = f"""
    coalesce(nullif({NAME_KEY.format(LAST_NAME, FIRST_NAME)}, '') || {DAY.format("c.service_from_date")}, '')
"""

SAID_NAME = NAME_KEY.format("r.patient_last_name", "r.patient_first_name")

KEYS = "id, practice_id, number_key, payer_number, member_id, name_key, service_from_date, service_to_date"
JUDGED = f"""
CREATE TEMP TABLE linking_judged ON COMMIT DROP AS
SELECT r.id, r.practice_id, {NUMBER_KEY.format("r.patient_control_number")} AS number_key,
    r.payer_claim_control_number AS payer_number, r.member_id, {SAID_NAME} AS name_key,
    r.service_from_date, coalesce(r.service_to_date, r.service_from_date) AS service_to_date,
    (o.state = 'apart') IS TRUE AS apart
FROM linking_remittance gathered JOIN remits_remittance r ON r.id = gathered.id
LEFT JOIN episodes_openremittance o ON o.remittance_id = r.id
WHERE (NOT gathered.by_hand OR o.state = 'apart')
    AND NOT EXISTS (SELECT FROM linking_pair pair WHERE pair.remittance_id = gathered.id)
"""

WAITING = """
SELECT EXISTS (
    SELECT FROM episodes_openremittance o WHERE o.practice_id = %(practice)s
        AND NOT EXISTS (SELECT FROM linking_remittance r WHERE r.id = o.remittance_id)
)
"""

# from the queue: what a claim of the start, or the payer's number of a gathered remittance, may concern
CALLED = f"""
CREATE TEMP TABLE linking_waiting ON COMMIT DROP AS
SELECT o.* FROM episodes_openremittance o WHERE o.practice_id = %(practice)s
    AND NOT EXISTS (SELECT FROM linking_remittance r WHERE r.id = o.remittance_id)
;
CREATE TEMP TABLE linking_fresh ON COMMIT DROP AS
SELECT place.number_key, left(place.person_key, -8) AS name_key, c.subscriber_member_id AS member_id,
    c.payer_claim_control_number AS payer_number, c.service_from_date - {NEAR_DAYS} AS first_day,
    coalesce(c.service_to_date, c.service_from_date) + {NEAR_DAYS} AS last_day
FROM claims_claim c JOIN episodes_episodeclaim place ON place.claim_id = c.id WHERE c.{{claims}}
;
ANALYZE linking_waiting, linking_fresh
;
INSERT INTO linking_judged
WITH called AS (
    SELECT o.remittance_id FROM linking_waiting o JOIN linking_fresh fresh ON fresh.number_key = o.number_key
    WHERE o.number_key <> ''
    UNION
    SELECT o.remittance_id FROM linking_waiting o JOIN (
        SELECT left(number_key, size) AS number_key FROM linking_fresh, generate_series(12, length(number_key) - 1) size
    ) cut ON cut.number_key = o.number_key
    UNION
    SELECT o.remittance_id FROM linking_waiting o JOIN linking_fresh fresh ON fresh.member_id = o.member_id
        AND o.service_to_date >= fresh.first_day AND o.service_from_date <= fresh.last_day
    WHERE o.member_id <> ''
    UNION
    SELECT o.remittance_id FROM linking_waiting o JOIN linking_fresh fresh ON fresh.name_key = o.name_key
        AND o.service_to_date >= fresh.first_day AND o.service_from_date <= fresh.last_day
    WHERE o.name_key <> ''
    UNION
    SELECT o.remittance_id FROM linking_waiting o JOIN (
        SELECT payer_number FROM linking_fresh UNION SELECT payer_number FROM linking_remittance
    ) known ON known.payer_number = o.payer_number
    WHERE o.payer_number <> ''
)
SELECT remittance_id AS {KEYS}, state = 'apart' FROM linking_waiting
WHERE remittance_id IN (SELECT remittance_id FROM called)
"""

QUEUE = f"""
INSERT INTO episodes_openremittance (remittance_id, {KEYS.removeprefix("id, ")})
SELECT {KEYS} FROM linking_judged ON CONFLICT (remittance_id) DO NOTHING
"""

KEEP_APART = f"""
INSERT INTO episodes_openremittance (remittance_id, {KEYS.removeprefix("id, ")}, state)
SELECT r.id, r.practice_id, {NUMBER_KEY.format("r.patient_control_number")}, r.payer_claim_control_number, r.member_id,
    {SAID_NAME}, r.service_from_date, coalesce(r.service_to_date, r.service_from_date),
    'apart'
FROM remits_remittance r WHERE r.id = %s
ON CONFLICT (remittance_id) DO UPDATE SET state = 'apart'
"""

# each probe answers at most one more than MOST_ALIKE claims, and then none of them
PROBES = f"""
    SELECT 'number', place.claim_id FROM episodes_episodeclaim place
    WHERE place.practice_id = j.practice_id AND j.number_key <> '' AND place.number_key >= j.number_key
        AND place.number_key <= j.number_key || CASE WHEN length(j.number_key) >= 12 THEN '~' ELSE '' END
;
    SELECT 'person', place.claim_id FROM episodes_episodeclaim place
    WHERE place.practice_id = j.practice_id AND j.name_key <> ''
        AND place.person_key >= j.name_key || {DAY.format(f"j.service_from_date - {NEAR_DAYS}")}
        AND place.person_key <= j.name_key || {DAY.format(f"j.service_to_date + {NEAR_DAYS}")}
;
    SELECT 'member', c.id FROM claims_claim c
    WHERE c.practice_id = j.practice_id AND j.member_id <> '' AND c.subscriber_member_id = j.member_id
        AND c.service_from_date <= j.service_to_date + {NEAR_DAYS}
        AND coalesce(c.service_to_date, c.service_from_date) >= j.service_from_date - {NEAR_DAYS}
        AND EXISTS (SELECT FROM episodes_episodeclaim place WHERE place.claim_id = c.id)
;
    SELECT 'known', l.claim_id FROM remits_remittance other
    JOIN episodes_episoderemittance l ON l.remittance_id = other.id AND l.method IN ('control_number', 'manual')
    WHERE other.practice_id = j.practice_id AND j.payer_number <> '' AND other.payer_claim_control_number <> ''
        AND other.payer_claim_control_number = j.payer_number AND other.id <> j.id
;
    SELECT 'quoted', c.id FROM claims_claim c
    WHERE c.practice_id = j.practice_id AND j.payer_number <> '' AND c.payer_claim_control_number <> ''
        AND c.payer_claim_control_number = j.payer_number
        AND EXISTS (SELECT FROM episodes_episodeclaim place WHERE place.claim_id = c.id)
""".split(";")

CANDIDATES = f"""
CREATE TEMP TABLE linking_candidate ON COMMIT DROP AS
SELECT DISTINCT remittance_id, claim_id FROM (
    {
    " UNION ALL ".join(
        f"SELECT j.id AS remittance_id, found.* FROM linking_judged j CROSS JOIN LATERAL "
        f"(SELECT claim_id, count(*) OVER () AS alike FROM ({probe} LIMIT {MOST_ALIKE + 1}) "
        f"AS probed (probe, claim_id)) found"
        for probe in PROBES
    )
}
) found WHERE alike <= {MOST_ALIKE}
"""

FORGET = """
UPDATE episodes_openremittance o SET state = CASE WHEN j.apart THEN 'apart' ELSE 'open' END,
    candidates = '[]', candidate_count = 0, best_score = NULL
FROM linking_judged j WHERE j.id = o.remittance_id AND o.candidate_count > 0
    AND NOT EXISTS (SELECT FROM linking_candidate k WHERE k.remittance_id = o.remittance_id)
"""

SIDES = f"""
SELECT k.remittance_id, k.claim_id,
    r.patient_control_number, r.payer_claim_control_number, r.payer_id, r.member_id, r.patient_last_name,
    r.patient_first_name, r.service_from_date, r.service_to_date, (abs(r.charge_amount) * 100)::bigint,
    r.frequency_code, array_remove(ARRAY[r.rendering_provider_id, p.payee_id], NULL),
    c.patient_control_number, c.payer_claim_control_number, c.payer_id, c.subscriber_member_id,
    {LAST_NAME}, {FIRST_NAME},
    c.service_from_date, c.service_to_date, (abs(c.charge_amount) * 100)::bigint, c.frequency_code,
    array_remove(ARRAY[c.rendering_provider_id, c.billing_provider_id], NULL),
    EXISTS (SELECT FROM episodes_episoderemittance l JOIN remits_remittance other ON other.id = l.remittance_id
        WHERE l.claim_id = c.id AND l.method IN ('control_number', 'manual') AND other.id <> r.id
            AND other.payer_claim_control_number = r.payer_claim_control_number)
FROM {{pairs}} k JOIN remits_remittance r ON r.id = k.remittance_id
JOIN remits_payment p ON p.id = r.payment_id JOIN claims_claim c ON c.id = k.claim_id
ORDER BY k.remittance_id, k.claim_id
"""
SIDE_FIELDS = Side._fields[:10]
SIDE_COLUMNS = 1 + len(SIDE_FIELDS)
FOUND = "(SELECT * FROM linking_candidate WHERE remittance_id = ANY(%(ids)s))"
GIVEN_PAIRS = "(SELECT %(remittance)s::bigint AS remittance_id, unnest(%(claims)s::bigint[]) AS claim_id)"

CLAIM_LINES = """
SELECT claim_id, line_control_number, coalesce(nullif(procedure_code, ''), revenue_code) FROM claims_serviceline
WHERE claim_id = ANY(%(ids)s) ORDER BY claim_id, line_number
"""
# SVC06 is what was submitted where the payer recoded
REMITTANCE_LINES = """
SELECT remittance_id, line_control_number, coalesce(nullif(submitted_procedure_code, ''), nullif(procedure_code, ''),
    revenue_code) FROM remits_remittanceline
WHERE remittance_id = ANY(%(ids)s) ORDER BY remittance_id, line_number
"""

GUESSED = """
SELECT l.remittance_id, l.claim_id FROM episodes_episoderemittance l JOIN linking_judged j ON j.id = l.remittance_id
WHERE l.method NOT IN ('control_number', 'manual')
"""
DROP = """
DELETE FROM episodes_episoderemittance WHERE remittance_id = ANY(%(ids)s) AND method NOT IN ('control_number', 'manual')
"""

# `rows` is a JSON array of Judgement
GIVEN = """
jsonb_to_recordset(%(rows)s::jsonb) AS given (remittance_id bigint, state text, candidates jsonb, candidate_count int,
    best_score numeric, claim_id bigint, method text, evidence jsonb)
"""
KEEP = f"""
UPDATE episodes_openremittance o SET state = given.state, candidates = given.candidates,
    candidate_count = given.candidate_count, best_score = given.best_score
FROM {GIVEN} WHERE given.remittance_id = o.remittance_id
    AND (o.state, o.candidates, o.candidate_count, o.best_score)
    IS DISTINCT FROM (given.state, given.candidates, given.candidate_count, given.best_score)
"""
LINK = f"""
INSERT INTO episodes_episoderemittance (practice_id, episode_id, claim_id, remittance_id, method, confidence, evidence)
SELECT place.practice_id, place.episode_id, given.claim_id, given.remittance_id, given.method, given.best_score,
    given.evidence
FROM {GIVEN} JOIN episodes_episodeclaim place ON place.claim_id = given.claim_id
LEFT JOIN episodes_episoderemittance l ON l.remittance_id = given.remittance_id
WHERE (l.claim_id, l.method, l.confidence, l.evidence)
    IS DISTINCT FROM (given.claim_id, given.method, given.best_score, given.evidence)
ON CONFLICT (remittance_id) DO UPDATE SET episode_id = excluded.episode_id, claim_id = excluded.claim_id,
    method = excluded.method, confidence = excluded.confidence, evidence = excluded.evidence
    WHERE episodes_episoderemittance.method NOT IN ('control_number', 'manual')
"""


class Judgement(NamedTuple):
    """What the candidates of a remittance come to: a row of the queue, and the link where one claim is beyond doubt."""

    remittance_id: int
    state: str
    candidates: list[dict[str, Any]]
    candidate_count: int
    best_score: float
    claim_id: int | None
    method: str
    evidence: dict[str, Any]


class Changed(NamedTuple):
    """Whose links are others than before, and how many rows of the queue were written."""

    claims: set[int]
    remittances: set[int]
    queued: int


def weigh_open(cursor: CursorWrapper, values: Values) -> Changed:
    """Weigh what the gathered rows leave open, after link_gathered; answers what that changed."""
    own = OF_ROWS if values["file"] is None else OF_FILE
    cursor.execute(JUDGED)
    cursor.execute(WAITING, values)
    if cursor.fetchone()[0]:
        for statement in CALLED.format(**own).split(";"):
            cursor.execute(statement, values)
    cursor.execute("SELECT array_agg(id ORDER BY id) FROM linking_judged")
    ids: list[int] = cursor.fetchone()[0] or []
    return weigh_judged(cursor, ids) if ids else Changed(set(), set(), 0)


def weigh_judged(cursor: CursorWrapper, ids: list[int]) -> Changed:
    cursor.execute("ANALYZE linking_judged")
    cursor.execute(QUEUE)
    queued = cursor.rowcount
    cursor.execute(CANDIDATES)
    cursor.execute("ANALYZE linking_candidate")
    cursor.execute(FORGET)
    queued += cursor.rowcount
    cursor.execute(GUESSED)
    before = dict(cursor.fetchall())
    cursor.execute("SELECT id FROM linking_judged WHERE apart")
    apart = {key for (key,) in cursor.fetchall()}
    after: dict[int, int] = {}
    for judgements in judge(cursor, ids, apart):
        rows = {"rows": orjson.dumps([judgement._asdict() for judgement in judgements]).decode()}
        cursor.execute(KEEP, rows)
        queued += cursor.rowcount
        cursor.execute(LINK, rows)
        after |= {each.remittance_id: each.claim_id for each in judgements if each.claim_id is not None}
    cursor.execute(DROP, {"ids": sorted(set(before) - set(after))})
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    claims = {claim for links in (before, after) for key, claim in links.items() if key in changed}
    return Changed(claims, changed, queued)


def judge(cursor: CursorWrapper, ids: list[int], apart: set[int]) -> Iterator[list[Judgement]]:
    """Yield the judgements of remittances that have candidates, a batch at a time; those kept apart are not linked."""
    for start in range(0, len(ids), BATCH):
        cursor.execute(SIDES.format(pairs=FOUND), {"ids": ids[start : start + BATCH]})
        weighed = weigh_rows(cursor, cursor.fetchall())
        if weighed:
            yield [judgement_of(key, found, is_apart=key in apart) for key, found in weighed.items()]


def weigh_claims(cursor: CursorWrapper, remittance_id: int, claim_ids: Iterable[int]) -> list[Weighed]:
    """Weigh some claims against a remittance as the rows are now, the best first. The caller has scoped the ids."""
    cursor.execute(SIDES.format(pairs=GIVEN_PAIRS), {"remittance": remittance_id, "claims": sorted(set(claim_ids))})
    return list(rank(weigh_rows(cursor, cursor.fetchall()).get(remittance_id, [])))


def weigh_rows(cursor: CursorWrapper, rows: list[Any]) -> dict[int, list[Weighed]]:
    said = read_lines(cursor, REMITTANCE_LINES, {row[0] for row in rows})
    sent = read_lines(cursor, CLAIM_LINES, {row[1] for row in rows})
    found: dict[int, list[Weighed]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(weigh_row(row, said, sent))
    return found


def read_lines(cursor: CursorWrapper, statement: str, ids: Iterable[int]) -> dict[int, list[Line]]:
    cursor.execute(statement, {"ids": sorted(ids)})
    lines: dict[int, list[Line]] = defaultdict(list)
    for key, control, procedure in cursor.fetchall():
        lines[key].append(Line(control, procedure))
    return lines


def weigh_row(row: Any, said: dict[int, list[Line]], sent: dict[int, list[Line]]) -> Weighed:
    remittance_id, claim_id = row[:2]
    known = frozenset([row[3]]) if row[-1] else frozenset[str]()
    remittance = side_of(row[2 : 2 + SIDE_COLUMNS], said.get(remittance_id, []))
    claim = side_of(row[2 + SIDE_COLUMNS : -1], sent.get(claim_id, []))
    return weigh(remittance, claim_id, claim._replace(known_numbers=known))


def side_of(columns: Any, lines: list[Line]) -> Side:
    *_, providers = columns
    plain = dict(zip(SIDE_FIELDS, columns, strict=False))
    return Side(**plain, providers=frozenset(providers), lines=tuple(lines))


def judgement_of(remittance_id: int, candidates: list[Weighed], *, is_apart: bool) -> Judgement:
    ordered, chosen = rank(candidates), None if is_apart else choose(candidates)
    shown = [
        {"claim": each.claim_id, "score": each.score, "reasons": [[*reason] for reason in each.reasons]}
        for each in ordered[:SHOWN]
    ]
    state = "apart" if is_apart else "linked" if chosen else "open"
    head = (remittance_id, state, shown, len(ordered), ordered[0].score)
    if chosen is None:
        return Judgement(*head, None, "", {})
    return Judgement(*head, chosen.claim_id, method_of(chosen), evidence_of(chosen, ordered))


def evidence_of(chosen: Weighed, ordered: Any) -> dict[str, Any]:
    """Write what a link stands on: each finding, its bits, and how far the second is behind (CLEAR_BITS at least)."""
    behind = chosen.bits - ordered[1].bits if len(ordered) > 1 else None
    findings = {reason.feature: reason.finding for reason in chosen.reasons}
    return {**findings, "bits": chosen.bits, "ahead": behind, "least": CLEAR_BITS, "candidates": len(ordered)}
