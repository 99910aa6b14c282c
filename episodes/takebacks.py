"""Takebacks: the provider adjustments (PLB) that name a claim in PLB03-2, given to its episode (DOMAIN 2.5).

A reference names an episode by the payer's own number (CLP07 of a remittance of that payer) or by the control number
(CLM01 of a claim to that payer). One that fits several episodes is given to none, one that fits none waits for its
claim. A takeback is no part of what was paid for the claim: the payer has it back out of another payment. So it stands
beside the episode's amounts, and interest (L6, 51) apart from it; both count only where their payment is posted.

Whatever the order of arrival: a file brings PLBs that name old claims, or claims that old PLBs name.
"""

from typing import Final

from django.db.backends.utils import CursorWrapper

INTEREST_CODES: Final = ("L6", "51")

# the episodes that some PLBs name, and by how many
FITS = """
    SELECT DISTINCT a.id, l.episode_id
    FROM {plbs} a JOIN remits_payment p ON p.id = a.payment_id
    JOIN remits_remittance r ON r.practice_id = a.practice_id AND r.payer_claim_control_number = a.reference_number
        AND r.payer_claim_control_number <> '' AND r.payer_id IS NOT DISTINCT FROM p.payer_id
    JOIN episodes_episoderemittance l ON l.remittance_id = r.id
    UNION
    SELECT DISTINCT a.id, k.episode_id
    FROM {plbs} a JOIN remits_payment p ON p.id = a.payment_id
    JOIN claims_claim c ON c.practice_id = a.practice_id AND c.patient_control_number = a.reference_number
        AND c.payer_id IS NOT DISTINCT FROM p.payer_id
    JOIN episodes_episodeclaim k ON k.claim_id = c.id
"""

# a file's PLBs bring the episodes that they name among those to settle
NAMED_EPISODES = f"""
INSERT INTO settling_episode
SELECT DISTINCT fit.episode_id FROM ({
    FITS.format(
        plbs="(SELECT own.* FROM remits_provideradjustment own JOIN remits_payment paid ON paid.id = own.payment_id "
        "WHERE paid.file_id = %(file)s AND own.reference_number <> '')"
    )
}) fit
WHERE NOT EXISTS (SELECT FROM settling_episode known WHERE known.id = fit.episode_id)
"""

# the PLBs that name what is settled, those of the file, and those that were given to it
NAMED = """
CREATE TEMP TABLE settling_plb ON COMMIT DROP AS
SELECT a.id, a.practice_id, a.payment_id, a.reference_number
FROM (SELECT DISTINCT practice_id, payer_number AS number FROM settling_said WHERE payer_number <> '') named
JOIN remits_provideradjustment a ON a.practice_id = named.practice_id AND a.reference_number = named.number
    AND a.reference_number <> ''
UNION
SELECT a.id, a.practice_id, a.payment_id, a.reference_number
FROM settling_episode touched JOIN episodes_episodeclaim k ON k.episode_id = touched.id
JOIN claims_claim c ON c.id = k.claim_id JOIN remits_provideradjustment a ON a.practice_id = c.practice_id
    AND a.reference_number = c.patient_control_number AND a.reference_number <> ''
UNION
SELECT a.id, a.practice_id, a.payment_id, a.reference_number
FROM episodes_takeback t JOIN settling_episode touched ON touched.id = t.episode_id
JOIN remits_provideradjustment a ON a.id = t.provider_adjustment_id
UNION
SELECT a.id, a.practice_id, a.payment_id, a.reference_number
FROM remits_payment p JOIN remits_provideradjustment a ON a.payment_id = p.id
WHERE p.file_id = %(file)s AND a.reference_number <> ''
"""

# what a PLB was given to before, and is given to now
GIVE = f"""
WITH fit AS ({FITS.format(plbs="settling_plb")}), single AS (
    SELECT id, min(episode_id) AS episode_id FROM fit GROUP BY id HAVING count(*) = 1
), gone AS (
    DELETE FROM episodes_takeback t USING settling_plb plb
    WHERE t.provider_adjustment_id = plb.id AND NOT EXISTS (SELECT FROM single WHERE single.id = plb.id)
    RETURNING t.episode_id
), given AS (
    INSERT INTO episodes_takeback (provider_adjustment_id, practice_id, episode_id)
    SELECT single.id, plb.practice_id, single.episode_id FROM single JOIN settling_plb plb ON plb.id = single.id
    ON CONFLICT (provider_adjustment_id) DO UPDATE SET episode_id = excluded.episode_id
        WHERE episodes_takeback.episode_id <> excluded.episode_id
    RETURNING old.episode_id AS was, new.episode_id AS now
)
SELECT episode_id FROM gone UNION SELECT was FROM given WHERE was IS NOT NULL UNION SELECT now FROM given
UNION SELECT t.episode_id FROM episodes_takeback t JOIN settling_plb plb ON plb.id = t.provider_adjustment_id
"""

SUM = """
UPDATE episodes_episode e SET takeback_amount = s.takeback, interest_amount = s.interest, updated_at = now()
FROM (
    SELECT touched.id, coalesce(sum(a.amount) FILTER (WHERE NOT a.reason_code = ANY(%(interest)s)), 0) AS takeback,
        -coalesce(sum(a.amount) FILTER (WHERE a.reason_code = ANY(%(interest)s)), 0) AS interest
    FROM unnest(%(episodes)s::bigint[]) touched (id)
    LEFT JOIN (episodes_takeback t JOIN remits_provideradjustment a ON a.id = t.provider_adjustment_id
        JOIN remits_payment p ON p.id = a.payment_id AND p.difference_amount IS NOT NULL
            AND NOT EXISTS (SELECT FROM episodes_hold h WHERE h.payment_id = p.id AND h.remittance_id IS NULL
                AND h.state IN ('held', 'kept', 'discarded'))
    ) ON t.episode_id = touched.id
    GROUP BY touched.id
) s
WHERE e.id = s.id AND (e.takeback_amount, e.interest_amount) IS DISTINCT FROM (s.takeback, s.interest)
"""


def attach(cursor: CursorWrapper, file_id: int | None) -> int:
    """Give the PLBs that name the episodes that are settled to them, and sum theirs; answers how many rows changed."""
    cursor.execute(NAMED, {"file": file_id})
    if not cursor.rowcount:
        return 0
    cursor.execute("ANALYZE settling_plb")
    cursor.execute(GIVE)
    touched = [episode_id for (episode_id,) in cursor.fetchall()]
    cursor.execute(SUM, {"episodes": touched, "interest": list(INTEREST_CODES)})
    return cursor.rowcount
