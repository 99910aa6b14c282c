"""What must always be true of the rows, as queries that name each violation: `manage.py verify` runs them.

Each query answers (what, id, detail) for every row that breaks its law, and nothing where all is well. They read the
tables afresh and trust no count that a loader kept. `%(file)s` is one file's id, or null for all. No query shows PHI.
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection

SHOWN = 20


class Invariant(NamedTuple):
    """A law of the rows: `sql` finds what breaks it."""

    code: str
    sentence: str
    sql: str


class Violation(NamedTuple):
    """One row that breaks a law."""

    code: str
    subject: str
    subject_id: int
    detail: str


FINISHED = "('accepted', 'partial', 'rejected')"

# what stands at a place of a file and was written in a chunk's transaction
HELD = """
    SELECT 'claim' AS kind, id, practice_id, file_id, chunk_id, byte_offset FROM claims_claim
    UNION ALL SELECT 'remittance', id, practice_id, file_id, chunk_id, byte_offset FROM remits_remittance
    UNION ALL SELECT 'quarantined claim', id, practice_id, file_id, chunk_id, byte_from FROM pipeline_quarantine
    WHERE chunk_id IS NOT NULL
"""

INVARIANTS = (
    Invariant(
        "I1a",
        "every CLM and CLP of a finished file is committed, quarantined, in a rejected set or in a parked chunk",
        f"""
        SELECT 'file', id, format('claims %%s of %%s, remittances %%s of %%s',
            claim_count + claims_quarantined + claims_rejected, scan_claim_count,
            remittance_count + remittances_quarantined + remittances_rejected, scan_remittance_count)
        FROM pipeline_edifile
        WHERE status IN {FINISHED} AND (%(file)s::bigint IS NULL OR id = %(file)s)
        AND (claim_count + claims_quarantined + claims_rejected <> scan_claim_count
            OR remittance_count + remittances_quarantined + remittances_rejected <> scan_remittance_count)
        """,
    ),
    Invariant(
        "I1b",
        "a finished file's counts and dollars are those of its rows",
        f"""
        SELECT 'file', f.id, format('claims %%s, rows %%s; remittances %%s, rows %%s', f.claim_count,
            coalesce(c.count, 0), f.remittance_count, coalesce(r.count, 0))
        FROM pipeline_edifile f
        LEFT JOIN (SELECT file_id, count(*), sum(charge_amount) AS charge FROM claims_claim
            WHERE (%(file)s::bigint IS NULL OR file_id = %(file)s) GROUP BY file_id) c ON c.file_id = f.id
        LEFT JOIN (SELECT file_id, count(*), sum(paid_amount) AS paid FROM remits_remittance
            WHERE (%(file)s::bigint IS NULL OR file_id = %(file)s) GROUP BY file_id) r ON r.file_id = f.id
        WHERE f.status IN {FINISHED} AND (%(file)s::bigint IS NULL OR f.id = %(file)s)
        AND (f.claim_count, f.charge_amount, f.remittance_count, f.paid_amount) IS DISTINCT FROM
            (coalesce(c.count, 0), coalesce(c.charge, 0), coalesce(r.count, 0), coalesce(r.paid, 0))
        """,
    ),
    Invariant(
        "I2a",
        "no claim is there twice",
        """
        SELECT 'claim', max(id), format('byte %%s of file %%s', byte_offset, file_id) FROM claims_claim
        WHERE (%(file)s::bigint IS NULL OR file_id = %(file)s)
        GROUP BY file_id, byte_offset HAVING count(*) > 1
        """,
    ),
    Invariant(
        "I2b",
        "no remittance is there twice",
        """
        SELECT 'remittance', max(id), format('byte %%s of file %%s', byte_offset, file_id) FROM remits_remittance
        WHERE (%(file)s::bigint IS NULL OR file_id = %(file)s)
        GROUP BY file_id, byte_offset HAVING count(*) > 1
        """,
    ),
    Invariant(
        "I3a",
        "every claim has all of its lines, of its own practice",
        """
        SELECT 'claim', c.id, format('lines %%s of %%s', count(l.id), c.line_count)
        FROM claims_claim c
        LEFT JOIN claims_serviceline l ON l.claim_id = c.id AND l.practice_id = c.practice_id
        WHERE (%(file)s::bigint IS NULL OR c.file_id = %(file)s)
        GROUP BY c.id HAVING count(l.id) <> c.line_count
        """,
    ),
    Invariant(
        "I3b",
        "a claim called clean has a charge that is the sum of its lines",
        """
        SELECT 'claim', c.id, 'charge is not the sum of its lines'
        FROM claims_claim c JOIN claims_serviceline l ON l.claim_id = c.id
        WHERE c.status = 'processed' AND (%(file)s::bigint IS NULL OR c.file_id = %(file)s)
        GROUP BY c.id HAVING c.charge_amount <> sum(l.charge_amount)
        """,
    ),
    Invariant(
        "I3c",
        "every remittance has all of its lines, of its own practice",
        """
        SELECT 'remittance', r.id, format('lines %%s of %%s', count(l.id), r.line_count)
        FROM remits_remittance r
        LEFT JOIN remits_remittanceline l ON l.remittance_id = r.id AND l.practice_id = r.practice_id
        WHERE (%(file)s::bigint IS NULL OR r.file_id = %(file)s)
        GROUP BY r.id HAVING count(l.id) <> r.line_count
        """,
    ),
    Invariant(
        "I3d",
        "no line, adjustment or provider adjustment stands without its parent (looked for over all files only)",
        """
        SELECT * FROM (
            SELECT 'service line', l.id, 'has no claim of its practice' FROM claims_serviceline l
            WHERE NOT EXISTS (SELECT FROM claims_claim c WHERE c.id = l.claim_id AND c.practice_id = l.practice_id)
            UNION ALL SELECT 'remittance line', l.id, 'has no remittance of its practice' FROM remits_remittanceline l
            WHERE NOT EXISTS (SELECT FROM remits_remittance r
                WHERE r.id = l.remittance_id AND r.practice_id = l.practice_id)
            UNION ALL SELECT 'adjustment', a.id, 'has no remittance of its practice' FROM remits_adjustment a
            WHERE NOT EXISTS (SELECT FROM remits_remittance r
                WHERE r.id = a.remittance_id AND r.practice_id = a.practice_id)
            UNION ALL SELECT 'adjustment', a.id, 'has no line of its remittance' FROM remits_adjustment a
            WHERE a.line_id IS NOT NULL AND NOT EXISTS (SELECT FROM remits_remittanceline l
                WHERE l.id = a.line_id AND l.remittance_id = a.remittance_id)
            UNION ALL SELECT 'provider adjustment', b.id, 'has no payment of its practice'
            FROM remits_provideradjustment b WHERE NOT EXISTS (SELECT FROM remits_payment p
                WHERE p.id = b.payment_id AND p.practice_id = b.practice_id)
        ) orphan WHERE %(file)s::bigint IS NULL
        """,
    ),
    Invariant(
        "I3e",
        "every claim, remittance, finding and quarantined claim is of a chunk of its file, inside its bytes",
        f"""
        SELECT held.kind, held.id, CASE WHEN k.id IS NULL THEN 'has no chunk' ELSE 'is not of its chunk' END
        FROM ({HELD}) AS held LEFT JOIN pipeline_chunk k ON k.id = held.chunk_id
        WHERE (%(file)s::bigint IS NULL OR held.file_id = %(file)s)
        AND (k.id IS NULL OR (k.file_id, k.practice_id) <> (held.file_id, held.practice_id)
            OR held.byte_offset < k.byte_from OR held.byte_offset >= k.byte_to)
        UNION ALL SELECT 'finding', n.id, 'has no file of its practice, or no chunk of its file' FROM pipeline_finding n
        LEFT JOIN pipeline_edifile f ON f.id = n.file_id LEFT JOIN pipeline_chunk k ON k.id = n.chunk_id
        WHERE (%(file)s::bigint IS NULL OR n.file_id = %(file)s)
        AND (n.practice_id IS DISTINCT FROM f.practice_id OR n.chunk_id IS NOT NULL AND k.file_id IS DISTINCT FROM f.id)
        """,
    ),
    Invariant(
        "I4",
        "a done chunk's counts and dollars are those of its rows",
        """
        SELECT 'chunk', k.id, format('claims %%s, rows %%s; remittances %%s, rows %%s', k.claim_count,
            coalesce(c.count, 0), k.remittance_count, coalesce(r.count, 0))
        FROM pipeline_chunk k
        LEFT JOIN (SELECT chunk_id, count(*), sum(charge_amount) AS charge FROM claims_claim
            WHERE (%(file)s::bigint IS NULL OR file_id = %(file)s) GROUP BY chunk_id) c ON c.chunk_id = k.id
        LEFT JOIN (SELECT chunk_id, count(*), sum(paid_amount) AS paid FROM remits_remittance
            WHERE (%(file)s::bigint IS NULL OR file_id = %(file)s) GROUP BY chunk_id) r ON r.chunk_id = k.id
        WHERE (%(file)s::bigint IS NULL OR k.file_id = %(file)s)
        AND CASE WHEN k.state = 'done'
            THEN (k.claim_count, k.charge_amount, k.remittance_count, k.paid_amount) IS DISTINCT FROM
                (coalesce(c.count, 0), coalesce(c.charge, 0), coalesce(r.count, 0), coalesce(r.paid, 0))
            ELSE coalesce(c.count, 0) + coalesce(r.count, 0) > 0 END
        """,
    ),
    Invariant(
        "I5",
        "a finished file has no chunk that is still to do",
        f"""
        SELECT 'file', f.id, format('chunk %%s is %%s', k.seq, k.state)
        FROM pipeline_edifile f JOIN pipeline_chunk k ON k.file_id = f.id
        WHERE f.status IN {FINISHED} AND (%(file)s::bigint IS NULL OR f.id = %(file)s)
        AND (k.state IN ('waiting', 'leased') OR (f.status = 'accepted' AND k.state <> 'done'))
        """,
    ),
    Invariant(
        "I6a",
        "a remittance's stored difference is its charge less its adjustments less what is paid, to the cent",
        """
        SELECT 'remittance', r.id, format('stored %%s, rows say %%s', r.claim_difference_amount,
            r.charge_amount - r.paid_amount - coalesce(sum(a.amount), 0))
        FROM remits_remittance r LEFT JOIN remits_adjustment a ON a.remittance_id = r.id
        WHERE (%(file)s::bigint IS NULL OR r.file_id = %(file)s)
        GROUP BY r.id
        HAVING (r.claim_difference_amount, r.adjustment_amount) IS DISTINCT FROM
            (r.charge_amount - r.paid_amount - coalesce(sum(a.amount), 0), coalesce(sum(a.amount), 0))
        """,
    ),
    Invariant(
        "I6b",
        "a settled payment's difference is what its remittances and provider adjustments say",
        """
        SELECT 'payment', p.id, format('stored %%s, rows say %%s', p.difference_amount,
            p.payment_amount - (coalesce(r.paid, 0) - coalesce(b.amount, 0)))
        FROM remits_payment p
        LEFT JOIN (SELECT payment_id, sum(paid_amount) AS paid FROM remits_remittance GROUP BY payment_id) r
            ON r.payment_id = p.id
        LEFT JOIN (SELECT payment_id, sum(amount) AS amount FROM remits_provideradjustment GROUP BY payment_id) b
            ON b.payment_id = p.id
        WHERE p.difference_amount IS NOT NULL AND (%(file)s::bigint IS NULL OR p.file_id = %(file)s)
        AND p.difference_amount <> p.payment_amount - (coalesce(r.paid, 0) - coalesce(b.amount, 0))
        """,
    ),
    Invariant(
        "I6c",
        "a remittance line's stored difference is its charge less its adjustments less what is paid, to the cent",
        """
        SELECT 'remittance line', l.id, format('stored %%s, rows say %%s', l.difference_amount,
            l.charge_amount - l.paid_amount - coalesce(sum(a.amount), 0))
        FROM remits_remittanceline l JOIN remits_remittance r ON r.id = l.remittance_id
        LEFT JOIN remits_adjustment a ON a.remittance_id = l.remittance_id AND a.line_id = l.id
        WHERE (%(file)s::bigint IS NULL OR r.file_id = %(file)s)
        GROUP BY l.id HAVING l.difference_amount <> l.charge_amount - l.paid_amount - coalesce(sum(a.amount), 0)
        """,
    ),
    Invariant(
        "I7a",
        "every claim of a finished file is in one episode",
        f"""
        SELECT 'claim', c.id, 'is in no episode' FROM claims_claim c JOIN pipeline_edifile f ON f.id = c.file_id
        WHERE f.status IN {FINISHED} AND (%(file)s::bigint IS NULL OR c.file_id = %(file)s)
        AND NOT EXISTS (SELECT FROM episodes_episodeclaim e WHERE e.claim_id = c.id)
        """,
    ),
    Invariant(
        "I7b",
        "a remittance's link names a claim of the same episode and practice",
        """
        SELECT 'link of remittance', e.remittance_id, 'names no claim of its episode and practice'
        FROM episodes_episoderemittance e LEFT JOIN remits_remittance r ON r.id = e.remittance_id
        LEFT JOIN claims_claim c ON c.id = e.claim_id
        WHERE (%(file)s::bigint IS NULL OR r.file_id = %(file)s OR c.file_id = %(file)s)
        AND (r.practice_id IS DISTINCT FROM e.practice_id OR c.practice_id IS DISTINCT FROM e.practice_id
            OR NOT EXISTS (SELECT FROM episodes_episodeclaim k
                WHERE k.claim_id = e.claim_id AND k.episode_id = e.episode_id))
        UNION ALL SELECT 'link of claim', k.claim_id, 'names no episode or claim of its practice'
        FROM episodes_episodeclaim k LEFT JOIN claims_claim c ON c.id = k.claim_id
        LEFT JOIN episodes_episode e ON e.id = k.episode_id
        WHERE (%(file)s::bigint IS NULL OR c.file_id = %(file)s)
        AND (c.practice_id IS DISTINCT FROM k.practice_id OR e.practice_id IS DISTINCT FROM k.practice_id)
        """,
    ),
    Invariant(
        "I7c",
        "an episode's paid sum is that of its remittances but predeterminations (CLP02 = 25) and what is held",
        """
        SELECT 'episode', e.id, format('paid %%s, remittances say %%s; remittances %%s of %%s; claims %%s of %%s',
            e.paid_amount, coalesce(r.paid, 0), e.remittance_count, coalesce(r.count, 0), e.claim_count,
            coalesce(k.count, 0))
        FROM episodes_episode e
        LEFT JOIN (SELECT l.episode_id, count(*), sum(r.paid_amount) FILTER (WHERE r.claim_status_code <> '25'
                AND p.difference_amount IS NOT NULL AND NOT EXISTS (SELECT FROM episodes_hold h
                    WHERE h.payment_id = r.payment_id AND h.state IN ('held', 'kept', 'discarded')
                    AND coalesce(h.remittance_id, r.id) = r.id)) AS paid
            FROM episodes_episoderemittance l JOIN remits_remittance r ON r.id = l.remittance_id
            JOIN remits_payment p ON p.id = r.payment_id
            GROUP BY l.episode_id) r ON r.episode_id = e.id
        LEFT JOIN (SELECT episode_id, count(*) FROM episodes_episodeclaim GROUP BY episode_id) k ON k.episode_id = e.id
        WHERE (%(file)s::bigint IS NULL OR e.id IN (
            SELECT k.episode_id FROM episodes_episodeclaim k JOIN claims_claim c ON c.id = k.claim_id
            WHERE c.file_id = %(file)s
            UNION SELECT l.episode_id FROM episodes_episoderemittance l JOIN remits_remittance r
            ON r.id = l.remittance_id WHERE r.file_id = %(file)s))
        AND (e.paid_amount, e.remittance_count, e.claim_count) IS DISTINCT FROM
            (coalesce(r.paid, 0), coalesce(r.count, 0), coalesce(k.count, 0))
        """,
    ),
    Invariant(
        "I7g",
        "a payment that does not balance has a hold, and what a person is said to have ruled she ruled",
        """
        SELECT 'payment', p.id, 'does not balance and is not held' FROM remits_payment p
        JOIN pipeline_edifile f ON f.id = p.file_id
        WHERE (p.difference_amount <> 0 OR p.unbalanced_count > 0) AND f.status IN ('accepted', 'partial')
        AND (%(file)s::bigint IS NULL OR p.file_id = %(file)s)
        AND NOT EXISTS (SELECT FROM episodes_hold h WHERE h.payment_id = p.id AND h.remittance_id IS NULL
            AND h.state <> 'cleared')
        UNION ALL SELECT 'hold', h.id, format('is %%s, and nobody said so', h.state)
        FROM episodes_hold h JOIN remits_payment p ON p.id = h.payment_id
        WHERE h.state IN ('released', 'kept', 'discarded') AND (%(file)s::bigint IS NULL OR p.file_id = %(file)s)
        AND h.state IS DISTINCT FROM (SELECT c.to_state FROM episodes_holdchange c WHERE c.hold_id = h.id
            ORDER BY c.id DESC LIMIT 1)
        """,
    ),
    Invariant(
        "I7d",
        "a remittance of a finished file is linked by its number or by hand, or stands in the queue, never both",
        f"""
        SELECT 'remittance', r.id, CASE WHEN o.remittance_id IS NULL THEN 'is neither linked nor in the queue'
            ELSE format('is %%s in the queue, and its link is %%s', o.state, coalesce(l.method, 'not there')) END
        FROM remits_remittance r JOIN pipeline_edifile f ON f.id = r.file_id
        LEFT JOIN episodes_episoderemittance l ON l.remittance_id = r.id
        LEFT JOIN episodes_openremittance o ON o.remittance_id = r.id
        WHERE f.status IN {FINISHED} AND (%(file)s::bigint IS NULL OR r.file_id = %(file)s)
        AND CASE WHEN l.method IN ('control_number', 'manual') THEN o.remittance_id IS NOT NULL
            WHEN l.method IS NOT NULL THEN o.state IS DISTINCT FROM 'linked'
            ELSE o.state IS NULL OR o.state = 'linked' END
        UNION ALL SELECT 'open remittance', o.remittance_id, 'has no remittance of its practice'
        FROM episodes_openremittance o LEFT JOIN remits_remittance r ON r.id = o.remittance_id
        WHERE r.practice_id IS DISTINCT FROM o.practice_id AND (%(file)s::bigint IS NULL OR r.file_id = %(file)s)
        """,
    ),
    Invariant(
        "I7e",
        "a line's link is of a line of its remittance and a line of the claim that this is linked to, in one practice",
        """
        SELECT 'link of remittance line', k.remittance_line_id, 'is not of its remittance and its claim'
        FROM episodes_linelink k LEFT JOIN remits_remittance r ON r.id = k.remittance_id
        LEFT JOIN remits_remittanceline a ON a.id = k.remittance_line_id
        LEFT JOIN claims_serviceline b ON b.id = k.service_line_id
        LEFT JOIN episodes_episoderemittance l ON l.remittance_id = k.remittance_id
        WHERE (%(file)s::bigint IS NULL OR r.file_id = %(file)s)
        AND (a.remittance_id, b.claim_id, l.claim_id, a.practice_id, b.practice_id) IS DISTINCT FROM
            (k.remittance_id, k.claim_id, k.claim_id, k.practice_id, k.practice_id)
        """,
    ),
    Invariant(
        "I7f",
        "the last thing that a person did to a link still stands",
        """
        SELECT 'remittance', last.remittance_id, format('was %%s by hand, and is not', last.action)
        FROM (SELECT DISTINCT ON (remittance_id) * FROM episodes_linkchange ORDER BY remittance_id, id DESC) last
        JOIN remits_remittance r ON r.id = last.remittance_id
        LEFT JOIN episodes_episoderemittance l ON l.remittance_id = last.remittance_id
        LEFT JOIN episodes_openremittance o ON o.remittance_id = last.remittance_id
        WHERE (%(file)s::bigint IS NULL OR r.file_id = %(file)s) AND CASE last.action
            WHEN 'link' THEN (l.method, l.claim_id) IS DISTINCT FROM ('manual', last.claim_id)
            WHEN 'unlink' THEN l.id IS NOT NULL OR o.state IS DISTINCT FROM 'apart'
            ELSE l.method = 'manual' OR o.state = 'apart' END
        UNION ALL SELECT 'link of remittance', l.remittance_id, 'is by hand, and nothing tells who made it'
        FROM episodes_episoderemittance l JOIN remits_remittance r ON r.id = l.remittance_id
        WHERE l.method = 'manual' AND (%(file)s::bigint IS NULL OR r.file_id = %(file)s)
        AND NOT EXISTS (SELECT FROM episodes_linkchange c WHERE c.remittance_id = l.remittance_id)
        """,
    ),
    Invariant(
        "I8",
        "nothing is stuck but what somebody has paused",
        """
        SELECT 'chunk', k.id, format('is %%s, lease until %%s', k.state, k.lease_until)
        FROM pipeline_chunk k JOIN pipeline_edifile f ON f.id = k.file_id
        WHERE k.state IN ('waiting', 'leased') AND k.lease_until < now() - interval '2 minutes' AND f.hold = ''
        AND (%(file)s::bigint IS NULL OR k.file_id = %(file)s)
        UNION ALL SELECT 'file', id, format('is %%s, lease until %%s', status, lease_until) FROM pipeline_edifile f
        WHERE status IN ('received', 'running') AND hold = '' AND (%(file)s::bigint IS NULL OR id = %(file)s)
        AND coalesce(lease_until + interval '2 minutes', received_at + interval '15 minutes') < now()
        AND NOT EXISTS (SELECT FROM pipeline_chunk k WHERE k.file_id = f.id AND k.state IN ('waiting', 'leased'))
        """,
    ),
)

DIGESTS = {
    "claims": """
        SELECT md5(coalesce(string_agg(md5(ROW(c.byte_offset, c.patient_control_number, c.charge_amount, c.status,
            p.payer_code, c.line_count, c.finding_count)::text), '' ORDER BY c.byte_offset), ''))
        FROM claims_claim c LEFT JOIN parties_payer p ON p.id = c.payer_id WHERE c.file_id = %(file)s
    """,
    "remittances": """
        SELECT md5(coalesce(string_agg(md5(ROW(r.byte_offset, r.patient_control_number, r.charge_amount, r.paid_amount,
            r.status, p.payer_code, r.line_count, r.adjustment_amount)::text), '' ORDER BY r.byte_offset), ''))
        FROM remits_remittance r LEFT JOIN parties_payer p ON p.id = r.payer_id WHERE r.file_id = %(file)s
    """,
}


def find_violations(file_id: int | None = None) -> Iterator[Violation]:
    """Run every invariant, over one file or all; yield at most SHOWN violations of each."""
    with connection.cursor() as cursor:
        for invariant in INVARIANTS:
            cursor.execute(f"SELECT * FROM ({invariant.sql}) v LIMIT {SHOWN}", {"file": file_id})
            for subject, subject_id, detail in cursor.fetchall():
                yield Violation(invariant.code, subject, subject_id, detail)


def digest(file_id: int) -> dict[str, str]:
    """Say what a file's rows come to in one line each: equal after a calm run and a faulty one (I9)."""
    with connection.cursor() as cursor:
        answers = {}
        for kind, sql in DIGESTS.items():
            cursor.execute(sql, {"file": file_id})
            answers[kind] = cursor.fetchone()[0]
    return answers
