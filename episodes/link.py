"""Linking: every claim gets an episode, every remittance its claim (DOMAIN 2.6), in set-based SQL.

A remittance belongs to a claim of the same practice with CLP01 = CLM01. Among several the order is: payer, charge
(CLP03 = CLM02, reversals by size), service date, frequency (CLP09, none means 1), and last the claim that does not
quote the payment's own number in REF*F8, for who quotes it came after it. One clear best is linked; a tie, a best
that another beats on charge and date together, or no payer, charge or date in common is left alone. CLP09 stands
behind charge and date because many payers echo 1.

Claims of one chain share an episode: a replacement or void (CLM05-3 = 7, 8) joins the claims answered by the
remittances whose CLP07 is its REF*F8 (same payer), else the one original of the same control number and payer (of the
same day, where there are several), else, with no original in sight, its fellows of that day; a claim to a secondary
payer joins the one primary claim of its control number (day and charge decide among several). Ambiguous: an episode
of its own. `Episode.claim` is the chain's first: originals before 7 and 8, primary before secondary, then by the
file's sha256 and byte offset.

All of it is a function of the rows and not of their order of arrival: run twice, at the same time, or with the
835 first, the state is the same. Links made by hand are never changed. What no number links is weighed by
episodes.candidates; where that changes a link, the rows around it are linked and settled once more.
"""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from episodes.candidates import NUMBER_KEY, PERSON_KEY, weigh_open
from episodes.followers import tell_followers
from episodes.lines import link_lines_of
from episodes.roll import roll
from episodes.scope import Start, Values, gather
from episodes.status import settle
from episodes.worklist import DROP_ITEM, MOVE_ITEM, MOVE_NOTES
from marb.core.cache import touch
from marb.core.measure import checkpoint, mark
from marb.pipeline.jobs import FileJob

PAIRS = """
CREATE TEMP TABLE linking_pair ON COMMIT DROP AS
WITH compared AS (
    SELECT r.id AS remittance_id, c.id AS claim_id,
        (r.payer_id = c.payer_id) IS TRUE AS payer,
        abs(r.charge_amount) = abs(c.charge_amount) AS charge,
        (r.service_from_date BETWEEN c.service_from_date AND coalesce(c.service_to_date, c.service_from_date)) IS TRUE
            AS service_date,
        coalesce(nullif(r.frequency_code, ''), '1') = coalesce(nullif(c.frequency_code, ''), '1') AS frequency,
        NOT (c.payer_number <> '' AND c.payer_number = r.payer_number) AS unquoted
    FROM linking_remittance r JOIN linking_claim c ON c.number = r.number
    WHERE c.alike <= %(most)s AND r.alike <= %(most)s AND NOT r.by_hand
), ranked AS (
    SELECT *, rank() OVER (
            PARTITION BY remittance_id
            ORDER BY payer DESC, charge DESC, service_date DESC, frequency DESC, unquoted DESC
        ) AS place,
        count(*) OVER (PARTITION BY remittance_id) AS candidates,
        bool_or(charge AND service_date) OVER (PARTITION BY remittance_id) AS any_exact
    FROM compared
), best AS (
    SELECT *, count(*) OVER (PARTITION BY remittance_id) AS ties FROM ranked WHERE place = 1
)
SELECT remittance_id, claim_id,
    1 - 0.05 * ((NOT payer)::int + (NOT charge)::int + (NOT service_date)::int + (candidates > 1)::int) AS confidence,
    jsonb_build_object('control_number', true, 'payer', payer, 'charge', charge, 'service_date', service_date,
        'frequency', frequency, 'candidates', candidates) AS evidence
FROM best
WHERE ties = 1 AND (payer OR charge OR service_date) AND ((charge AND service_date) OR NOT any_exact)
"""

# What a replacement or void follows, and what a secondary claim stands beside. Fellows of a day are joined by way of
# one of them: each to each would be a million edges where a sender gives a thousand claims one number.
EDGES = """
CREATE TEMP TABLE linking_edge ON COMMIT DROP AS
WITH answered AS (
    SELECT remittance_id, claim_id FROM linking_pair
    UNION ALL
    SELECT l.remittance_id, l.claim_id FROM episodes_episoderemittance l
        JOIN linking_remittance r ON r.id = l.remittance_id AND (r.by_hand OR r.guessed)
    WHERE NOT EXISTS (SELECT FROM linking_pair pair WHERE pair.remittance_id = r.id)
), quoting AS (
    SELECT DISTINCT later.id AS claim_id, earlier.id AS other_id, earlier.follows
    FROM linking_claim later
    JOIN linking_remittance r ON r.payer_number = later.payer_number
    JOIN answered ON answered.remittance_id = r.id
    JOIN linking_claim earlier ON earlier.id = answered.claim_id
    WHERE later.follows AND later.payer_number <> '' AND earlier.id <> later.id
        AND later.number <> '' AND earlier.number <> ''
        AND (earlier.payer_id = later.payer_id) IS NOT FALSE
), quoted AS (
    SELECT claim_id FROM quoting GROUP BY claim_id HAVING count(*) FILTER (WHERE NOT follows) <= 1
), numbered AS (
    SELECT later.id AS claim_id, earlier.id AS other_id, earlier.service_from_date = later.service_from_date AS same_day
    FROM linking_claim later JOIN linking_claim earlier
        ON earlier.number = later.number AND earlier.payer_id IS NOT DISTINCT FROM later.payer_id
    WHERE later.follows AND NOT earlier.follows AND later.alike <= %(most)s
        AND NOT EXISTS (SELECT FROM quoted WHERE quoted.claim_id = later.id)
), beside AS (
    SELECT later.id AS claim_id, earlier.id AS other_id,
        earlier.service_from_date = later.service_from_date AND earlier.charge_amount = later.charge_amount AS same_day
    FROM linking_claim later JOIN linking_claim earlier ON earlier.number = later.number
    WHERE later.secondary AND NOT later.follows AND NOT earlier.secondary AND NOT earlier.follows
        AND later.alike <= %(most)s
), ranked AS (
    SELECT *, rank() OVER (PARTITION BY claim_id ORDER BY same_day IS TRUE DESC) AS place
    FROM (SELECT * FROM numbered UNION ALL SELECT * FROM beside) candidate
), single AS (
    SELECT claim_id, min(other_id) AS other_id FROM ranked WHERE place = 1 GROUP BY claim_id HAVING count(*) = 1
), gathered AS (
    SELECT id AS claim_id, min(id) OVER day AS other_id, bool_or(alike <= %(most)s
            AND NOT EXISTS (SELECT FROM quoted WHERE quoted.claim_id = fellow.id)
            AND NOT EXISTS (SELECT FROM numbered WHERE numbered.claim_id = fellow.id)) OVER day AS is_joined
    FROM linking_claim fellow WHERE follows AND number <> '' AND service_from_date IS NOT NULL
    WINDOW day AS (PARTITION BY number, payer_id, service_from_date)
), fellow AS (
    SELECT claim_id, other_id FROM gathered WHERE is_joined AND claim_id <> other_id
), edge AS (
    SELECT quoting.claim_id, quoting.other_id FROM quoting JOIN quoted USING (claim_id)
    UNION SELECT claim_id, other_id FROM single
    UNION SELECT claim_id, other_id FROM fellow
)
SELECT claim_id, other_id FROM edge UNION SELECT other_id, claim_id FROM edge
"""

CHAINS = """
CREATE TEMP TABLE linking_chain ON COMMIT DROP AS
WITH RECURSIVE reached (claim_id, member_id) AS (
    SELECT DISTINCT claim_id, claim_id FROM linking_edge
    UNION
    SELECT reached.claim_id, edge.other_id FROM reached JOIN linking_edge edge ON edge.claim_id = reached.member_id
)
SELECT id AS claim_id, id AS root_id FROM linking_claim
WHERE NOT EXISTS (SELECT FROM linking_edge edge WHERE edge.claim_id = linking_claim.id)
UNION ALL
(SELECT DISTINCT ON (reached.claim_id) reached.claim_id, member.id
FROM reached JOIN linking_claim member ON member.id = reached.member_id
ORDER BY reached.claim_id, member.follows, member.secondary, member.frequency_code, member.sha256, member.byte_offset)
"""

# an episode goes where its claim goes; of several in one chain the first's stays
HEIRS = """
CREATE TEMP TABLE linking_heir ON COMMIT DROP AS
SELECT e.id AS episode_id, chain.root_id,
    first_value(e.id) OVER (PARTITION BY chain.root_id ORDER BY e.claim_id = chain.root_id DESC, e.id) AS kept_id
FROM linking_chain chain JOIN episodes_episode e ON e.claim_id = chain.claim_id
"""

REROOT = """
UPDATE episodes_episode e SET claim_id = heir.root_id, updated_at = now()
FROM linking_heir heir
WHERE heir.episode_id = e.id AND heir.kept_id = e.id AND e.claim_id <> heir.root_id
"""

OPEN = """
INSERT INTO episodes_episode (practice_id, claim_id, status, charge_amount, paid_amount, adjustment_amount,
    patient_responsibility_amount, claim_count, remittance_count, denial_count, adjustment_count)
SELECT %(practice)s, chain.root_id, 'pending', 0, 0, 0, 0, 1, 0, 0, 0
FROM linking_chain chain
WHERE chain.claim_id = chain.root_id AND NOT EXISTS (SELECT FROM linking_heir heir WHERE heir.root_id = chain.root_id)
ORDER BY chain.root_id
"""

PLACE = f"""
WITH moved AS MATERIALIZED (
    SELECT e.id AS episode_id, chain.claim_id
    FROM linking_chain chain JOIN episodes_episode e ON e.claim_id = chain.root_id
    LEFT JOIN episodes_episodeclaim place ON place.claim_id = chain.claim_id
    WHERE place.episode_id IS DISTINCT FROM e.id
)
INSERT INTO episodes_episodeclaim (practice_id, episode_id, claim_id, number_key, person_key)
SELECT %(practice)s, moved.episode_id, moved.claim_id, {NUMBER_KEY.format("c.patient_control_number")}, {PERSON_KEY}
FROM moved JOIN claims_claim c ON c.id = moved.claim_id
ON CONFLICT (claim_id) DO UPDATE SET episode_id = excluded.episode_id
"""

# what is numbered now and was linked by something else: claim and remittance
OVERTAKEN = """
SELECT l.claim_id, l.remittance_id FROM linking_remittance r JOIN episodes_episoderemittance l ON l.remittance_id = r.id
WHERE r.guessed AND EXISTS (SELECT FROM linking_pair pair WHERE pair.remittance_id = r.id)
"""

# lines go with their link
UNLINE = """
DELETE FROM episodes_linelink line USING linking_remittance r, episodes_episoderemittance l
WHERE l.remittance_id = r.id AND l.method = 'control_number' AND line.remittance_id = r.id
    AND NOT EXISTS (SELECT FROM linking_pair pair WHERE pair.remittance_id = r.id)
"""

UNLINK = """
DELETE FROM episodes_episoderemittance l USING linking_remittance r
WHERE r.id = l.remittance_id AND l.method = 'control_number'
    AND NOT EXISTS (SELECT FROM linking_pair pair WHERE pair.remittance_id = r.id)
"""

LINK = """
INSERT INTO episodes_episoderemittance (practice_id, episode_id, claim_id, remittance_id, method, confidence, evidence)
SELECT %(practice)s, place.episode_id, pair.claim_id, pair.remittance_id, 'control_number', pair.confidence,
    pair.evidence
FROM linking_pair pair JOIN episodes_episodeclaim place ON place.claim_id = pair.claim_id
LEFT JOIN episodes_episoderemittance l ON l.remittance_id = pair.remittance_id
WHERE l.method IS DISTINCT FROM 'manual' AND (l.episode_id, l.claim_id, l.method, l.confidence, l.evidence)
    IS DISTINCT FROM (place.episode_id, pair.claim_id, 'control_number', pair.confidence, pair.evidence)
ON CONFLICT (remittance_id) DO UPDATE SET episode_id = excluded.episode_id, claim_id = excluded.claim_id,
    method = excluded.method, confidence = excluded.confidence, evidence = excluded.evidence
    WHERE episodes_episoderemittance.method <> 'manual'
"""

FOLLOW = """
UPDATE episodes_episoderemittance l SET episode_id = place.episode_id
FROM linking_chain chain JOIN episodes_episodeclaim place ON place.claim_id = chain.claim_id
WHERE l.claim_id = chain.claim_id AND l.episode_id <> place.episode_id
"""

CLOSE = "DELETE FROM episodes_episode e USING linking_heir heir WHERE heir.episode_id = e.id AND heir.kept_id <> e.id"

# the queue keeps what has neither a number nor a person's word
TAKE = """
DELETE FROM episodes_openremittance o USING episodes_episoderemittance l
WHERE o.practice_id = %(practice)s AND l.remittance_id = o.remittance_id AND l.method IN ('control_number', 'manual')
    AND EXISTS (SELECT FROM linking_remittance r WHERE r.id = o.remittance_id)
"""

UNLINKED = """
SELECT count(*) FROM remits_remittance r
WHERE r.file_id = %(file)s AND NOT EXISTS (SELECT FROM episodes_episoderemittance l WHERE l.remittance_id = r.id)
"""


WRITES = {
    "rerooted": REROOT,
    "opened": OPEN,
    "placed": PLACE,
    "unlined": UNLINE,
    "unlinked": UNLINK,
    "linked": LINK,
    "followed": FOLLOW,
    "denials_moved": MOVE_ITEM,
    "notes_moved": MOVE_NOTES,
    "denials_dropped": DROP_ITEM,
    "joined": CLOSE,
    "taken": TAKE,
}


def link_file(job: FileJob) -> dict[str, int]:
    """Link the claims and remittances of a file, both ways, with all rows that their numbers reach.

    Answers how many episodes were opened and joined, links made or changed and dropped, and how many remittances of
    this file have no claim. Safe to run twice: the second time changes nothing.
    """
    noted = checkpoint("link_episodes", practice_id=job.practice_id, file_id=job.file_id)
    with noted, transaction.atomic(), connection.cursor() as cursor:
        counts = link_rows(cursor, Start.of(job))
        cursor.execute(UNLINKED, {"file": job.file_id})
        counts["without_claim"] = cursor.fetchone()[0]
        return counts


def link_rows(cursor: CursorWrapper, start: Start, *, is_settled: bool = False, cause: str = "") -> dict[str, int]:
    """Link what a start reaches, weigh what no number links, and link and settle anew around what that changed.

    Inside the caller's transaction. With `is_settled` all that the start reaches is settled too, as a file's stage
    after this one does. Answers how many rows of each kind were written, and the links weighed anew.
    """
    values = gather(cursor, start)
    mark("remittance_loaded")
    counts, overtaken = link_gathered(cursor, values)
    weighed = weigh_open(cursor, values)
    if is_settled:
        settle(cursor, start.practice_id, cause=cause)
    changed = Start(start.practice_id).also(
        [*overtaken.claims, *weighed.claims], [*overtaken.remittances, *weighed.remittances]
    )
    counts |= {"queued": weighed.queued, "weighed": len(changed.remittances)}
    if changed.remittances:
        around = gather(cursor, changed)
        link_gathered(cursor, around)
        settle(cursor, start.practice_id, file_id=start.file_id, cause=cause)
        link_lines_of(cursor, sorted(changed.remittances))
        roll(cursor, start.practice_id)
        tell_followers(cursor, start.practice_id, changed.claims, changed.remittances)
    if any(counts.values()):
        touch(start.practice_id, "episode")
    return counts


def link_gathered(cursor: CursorWrapper, values: Values) -> tuple[dict[str, int], Start]:
    """Link what is gathered by its numbers. Answers the counts, and what was linked by something else until now."""
    for statement in (PAIRS, EDGES):
        cursor.execute(statement, values)
    mark("control_number_matching_complete")
    cursor.execute("ANALYZE linking_pair, linking_edge")
    for statement in (CHAINS, HEIRS):
        cursor.execute(statement, values)
    cursor.execute("ANALYZE linking_chain, linking_heir")
    cursor.execute(OVERTAKEN)
    found = cursor.fetchall()
    overtaken = Start(values["practice"]).also((claim for claim, _ in found), (remittance for _, remittance in found))
    return write(cursor, values), overtaken


def write(cursor: CursorWrapper, values: Values) -> dict[str, int]:
    counts = {}
    for name, statement in WRITES.items():
        cursor.execute(statement, values)
        counts[name] = cursor.rowcount
    return counts
