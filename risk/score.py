"""Scoring: claims to rows of RiskScore, a slice of claims in one transaction, set-based (the belt's last step).

Facts are read and judged under the practice's lock, so two runs follow each other and the last one knows the newest
rules. What says the same as a claim's newest row is not written: running twice changes nothing. A new row takes
`is_newest` from the one before it, which stays as history. Memory is bound by the slice.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from marb.core.cache import touch
from marb.core.copy import copy_texts
from marb.core.measure import checkpoint, mark
from marb.pipeline.jobs import FileJob
from risk.basis import Basis, read_basis
from risk.facts import choose, read_facts
from risk.judge import judge
from risk.models import RiskScore
from risk.rows import COLUMNS, Written, write_rows
from risk.ruleset import keep_version

LOCK_CLASS = 8_350_750
SLICE_CLAIMS = 20_000
LOCK = "SELECT pg_advisory_xact_lock(%s, hashint8(%s))"
OF_FILE = "SELECT id FROM claims_claim WHERE file_id = %(file)s ORDER BY id"
OF_PRACTICE = "SELECT id FROM claims_claim WHERE practice_id = %(practice)s ORDER BY id"
UNSCORED = """
SELECT c.id FROM claims_claim c WHERE c.practice_id = %(practice)s
    AND NOT EXISTS (SELECT FROM risk_riskscore s WHERE s.claim_id = c.id AND s.is_newest)
ORDER BY c.id
"""
# whose outcome is still open: a score is about what will happen, and stays as it was once that is known
OPEN = """
SELECT c.id FROM claims_claim c WHERE c.practice_id = %(practice)s
    AND (%(payer)s::bigint IS NULL OR c.payer_id = %(payer)s)
    AND NOT EXISTS (SELECT FROM episodes_episoderemittance link WHERE link.claim_id = c.id)
ORDER BY c.id
"""
NEWEST = """
SELECT s.claim_id, s.digest FROM risk_given given JOIN risk_riskscore s ON s.claim_id = given.id AND s.is_newest
"""
RETIRE = "UPDATE risk_riskscore SET is_newest = false WHERE is_newest AND claim_id = ANY(%s::bigint[])"


class Scored(NamedTuple):
    """How many claims were looked at, and for how many a new row was written."""

    claims: int
    written: int
    problems: tuple[str, ...] = ()

    def plus(self, other: "Scored") -> "Scored":
        told = tuple(dict.fromkeys((*self.problems, *other.problems)))
        return Scored(self.claims + other.claims, self.written + other.written, told)


def score_file(job: FileJob) -> dict[str, int]:
    """Score the claims of a file; the belt's stage. Safe to run twice."""
    scored = score_found(job.practice_id, OF_FILE, file=job.file_id)
    return {"scored": scored.written} if scored.claims else {}


def score_practice(practice_id: int, *, again: bool = False) -> Scored:
    """Score a practice's claims that have no score, or `again` all of them."""
    return score_found(practice_id, OF_PRACTICE if again else UNSCORED)


def score_open(practice_id: int, payer_id: int | None = None) -> Scored:
    """Score again what no remittance has answered yet, of one payer or of all."""
    return score_found(practice_id, OPEN, payer=payer_id)


def score_found(practice_id: int, query: str, **values: int | None) -> Scored:
    with connection.cursor() as cursor:
        cursor.execute(query, {"practice": practice_id, "file": None, "payer": None} | values)
        ids = [claim_id for (claim_id,) in cursor.fetchall()]
    return score_claims(practice_id, ids)


def score_claims(practice_id: int, claim_ids: Sequence[int]) -> Scored:
    """Score these claims of one practice, SLICE_CLAIMS in a transaction. Ids of other practices are left out."""
    scored = Scored(0, 0)
    with checkpoint("score_claims", when=bool(claim_ids), practice_id=practice_id, claims=len(claim_ids)):
        for slice_ids in slices(claim_ids):
            with transaction.atomic(), connection.cursor() as cursor:
                scored = scored.plus(score_slice(cursor, practice_id, slice_ids))
    return scored


def slices(claim_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(claim_ids), SLICE_CLAIMS):
        yield claim_ids[first : first + SLICE_CLAIMS]


def score_slice(cursor: CursorWrapper, practice_id: int, claim_ids: Sequence[int]) -> Scored:
    """Score a slice in the caller's transaction."""
    cursor.execute(LOCK, [LOCK_CLASS, practice_id])
    basis = read_basis(practice_id)
    mark("basis_loaded")
    choose(cursor, claim_ids)
    batch = read_facts(cursor, table="risk_given")
    batch = batch.take(batch.practice_id == practice_id) if (batch.practice_id != practice_id).any() else batch
    mark("features_extracted", claims=len(batch))
    judgement = judge(batch, basis)
    mark("prediction_complete", claims=len(batch))
    rows = write_rows(batch, judgement, basis)
    written = write_changed(cursor, batch.claim_id.tolist(), rows)
    if written:
        keep_rules(basis)
        touch(practice_id, "risk_score")
    return Scored(len(batch), written, tuple(judgement.problems))


def keep_rules(basis: Basis) -> None:
    keep_version(basis.practice_id, basis.rules)


def write_changed(cursor: CursorWrapper, claim_ids: list[int], rows: Written) -> int:
    """Write the rows that differ from the claim's newest; answers how many."""
    cursor.execute(NEWEST)
    newest = dict(cursor.fetchall())
    changed = [place for place, key in enumerate(claim_ids) if newest.get(key) != rows.digests[place]]
    retired = [claim_ids[place] for place in changed if claim_ids[place] in newest]
    if retired:
        cursor.execute(RETIRE, [retired])
    if changed:
        copy_texts(cursor, RiskScore, COLUMNS, (rows.texts[place] for place in changed))
    return len(changed)
