"""What a file came to: its counts, and from them a status and a sentence for the biller.

The law: what the scan counted = committed + quarantined + rejected, where the claims of rejected sets and of parked
chunks are rejected. Claims that the law misses are said, never passed over. Findings alone change no status.
"""

from typing import NamedTuple

from django.db import connection

from marb.pipeline.models import FileStatus


class Counts(NamedTuple):
    """Sums over one file's chunks and sets. Amounts are integer cents; `first_reason` is the first bad set's."""

    scan_claims: int
    scan_remittances: int
    claims: int
    claims_quarantined: int
    claims_rejected: int
    remittances: int
    remittances_quarantined: int
    remittances_rejected: int
    charge_cents: int
    paid_cents: int
    findings: int
    chunks: int
    parked: int
    broken_interchanges: int
    sets_accepted: int
    sets_rejected: int
    sets_kept: int
    first_reason: str

    @property
    def committed(self) -> int:
        return self.claims + self.remittances

    @property
    def lost(self) -> int:
        return self.quarantined + self.rejected + self.unexplained

    @property
    def quarantined(self) -> int:
        return self.claims_quarantined + self.remittances_quarantined

    @property
    def rejected(self) -> int:
        return self.claims_rejected + self.remittances_rejected

    @property
    def unexplained(self) -> int:
        """Claims and remittances by which the law is broken, either way: a fault of ours."""
        claims = self.scan_claims - self.claims - self.claims_quarantined - self.claims_rejected
        paid = self.scan_remittances - self.remittances - self.remittances_quarantined - self.remittances_rejected
        return abs(claims) + abs(paid)


COUNT = """
SELECT f.scan_claim_count, f.scan_remittance_count,
    c.claims, c.claims_quarantined, c.claims_parked + s.claims,
    c.remittances, c.remittances_quarantined, c.remittances_parked + s.remittances,
    c.charge_cents, c.paid_cents, n.findings, c.chunks, c.claims_parked + c.remittances_parked,
    n.broken, s.accepted, s.rejected, s.kept,
    COALESCE((SELECT reason FROM pipeline_transactionset WHERE file_id = f.id AND status <> 'accepted'
        ORDER BY status DESC, byte_from LIMIT 1), '')
FROM pipeline_edifile f,
LATERAL (SELECT COALESCE(sum(claim_count), 0) AS claims, COALESCE(sum(claims_quarantined), 0) AS claims_quarantined,
    COALESCE(sum(remittance_count), 0) AS remittances,
    COALESCE(sum(remittances_quarantined), 0) AS remittances_quarantined,
    COALESCE(sum(scan_claim_count) FILTER (WHERE state = 'parked' AND kind = '837'), 0) AS claims_parked,
    COALESCE(sum(scan_claim_count) FILTER (WHERE state = 'parked' AND kind = '835'), 0) AS remittances_parked,
    (COALESCE(sum(charge_amount), 0) * 100)::bigint AS charge_cents,
    (COALESCE(sum(paid_amount), 0) * 100)::bigint AS paid_cents,
    count(*) AS chunks
    FROM pipeline_chunk WHERE file_id = f.id) c,
LATERAL (SELECT COALESCE(sum(claim_count) FILTER (WHERE status = 'rejected'), 0) AS claims,
    COALESCE(sum(remittance_count) FILTER (WHERE status = 'rejected'), 0) AS remittances,
    count(*) FILTER (WHERE status = 'accepted') AS accepted, count(*) FILTER (WHERE status = 'rejected') AS rejected,
    count(*) FILTER (WHERE status = 'kept') AS kept
    FROM pipeline_transactionset WHERE file_id = f.id) s,
LATERAL (SELECT count(*) AS findings, count(*) FILTER (WHERE level IN ('X', 'G') AND chunk_id IS NULL) AS broken
    FROM pipeline_finding WHERE file_id = f.id) n
WHERE f.id = %s
"""


def count_file(file_id: int) -> Counts:
    """Sum up a file from its chunks, sets and findings, in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [file_id])
        row = cursor.fetchone()
    return Counts(*row)


def judge(counts: Counts, failure: str = "") -> tuple[FileStatus, str]:
    """Say a file's status, and why it is not accepted. `failure` is the sentence of a last step that kept failing."""
    sentences = [*lost_sentences(counts), *([failure] if failure else [])]
    spoiled = bool(sentences) or counts.sets_rejected > 0 or counts.broken_interchanges > 0
    if not spoiled:
        return kept_or_accepted(counts)
    if not sentences:
        sentences = [counts.first_reason or "An interchange in this file is broken; the findings say where."]
    status = (
        FileStatus.PARTIAL if counts.committed or (counts.sets_accepted and not counts.lost) else FileStatus.REJECTED
    )
    return status, " ".join(sentences)


def kept_or_accepted(counts: Counts) -> tuple[FileStatus, str]:
    if counts.sets_accepted:
        return FileStatus.ACCEPTED, ""
    return FileStatus.KEPT, counts.first_reason or "The interchange holds no transaction set; it is kept as it came."


def lost_sentences(counts: Counts) -> list[str]:
    """One sentence for each way in which claims did not become rows."""
    total = counts.scan_claims + counts.scan_remittances
    name = "claims" if counts.scan_claims else "remittances"
    in_sets = counts.rejected - counts.parked
    found = []
    if counts.quarantined:
        found.append(f"{counts.quarantined:,} of {total:,} {name} cannot be read and are in quarantine.")
    if in_sets:
        found.append(f"{in_sets:,} of {total:,} {name} are in rejected sets: {counts.first_reason}")
    if counts.parked:
        found.append(f"{counts.parked:,} of {total:,} {name} could not be loaded; their chunks can be retried.")
    if counts.unexplained:
        found.append(f"{counts.unexplained:,} of {total:,} {name} are not accounted for; please report this file.")
    return found
