"""What a run came to: a digest of everything that must be the same however it went, and the laws it broke.

Ids, times, leases and attempts differ from run to run and are left out. Files are known by the hash of their bytes.
"""

from typing import NamedTuple

from django.db import connection

from marb.pipeline.models import EdiFile
from monitoring import invariants

# an episode is known by its first claim's place
EPISODES = """
SELECT md5(coalesce(string_agg(line, '' ORDER BY line), '')) FROM (
    SELECT ROW(f.sha256, c.byte_offset, e.status, e.charge_amount, e.paid_amount, e.adjustment_amount,
        e.patient_responsibility_amount, e.claim_count, e.remittance_count, e.denial_count)::text AS line
    FROM episodes_episode e JOIN claims_claim c ON c.id = e.claim_id JOIN pipeline_edifile f ON f.id = c.file_id) each
"""
LINKS = """
SELECT md5(coalesce(string_agg(line, '' ORDER BY line), '')) FROM (
    SELECT ROW(g.sha256, r.byte_offset, f.sha256, c.byte_offset)::text AS line
    FROM episodes_episoderemittance l JOIN claims_claim c ON c.id = l.claim_id
    JOIN remits_remittance r ON r.id = l.remittance_id
    JOIN pipeline_edifile f ON f.id = c.file_id JOIN pipeline_edifile g ON g.id = r.file_id) each
"""
LINES = """
SELECT md5(coalesce(string_agg(line, '' ORDER BY line), '')) FROM (
    SELECT md5(ROW(f.sha256, c.byte_offset, l.line_number, l.procedure_code, l.charge_amount)::text) AS line
    FROM claims_serviceline l JOIN claims_claim c ON c.id = l.claim_id JOIN pipeline_edifile f ON f.id = c.file_id
    UNION ALL
    SELECT md5(ROW(f.sha256, r.byte_offset, l.line_number, l.procedure_code, l.charge_amount, l.paid_amount)::text)
    FROM remits_remittanceline l JOIN remits_remittance r ON r.id = l.remittance_id
    JOIN pipeline_edifile f ON f.id = r.file_id) each
"""
ADJUSTMENTS = """
SELECT md5(coalesce(string_agg(line, '' ORDER BY line), '')) FROM (
    SELECT md5(ROW(f.sha256, r.byte_offset, a.seq, a.group_code, a.carc, a.amount)::text) AS line
    FROM remits_adjustment a JOIN remits_remittance r ON r.id = a.remittance_id
    JOIN pipeline_edifile f ON f.id = r.file_id) each
"""
FINDINGS = """
SELECT md5(coalesce(string_agg(line, '' ORDER BY line), '')) FROM (
    SELECT ROW(f.sha256, n.byte_offset, n.code_set, n.code, n.segment_position, n.claim_offset)::text AS line
    FROM pipeline_finding n JOIN pipeline_edifile f ON f.id = n.file_id) each
"""
WHOLE = {"episodes": EPISODES, "links": LINKS, "lines": LINES, "adjustments": ADJUSTMENTS, "findings": FINDINGS}


class Outcome(NamedTuple):
    """`digest`: part by part. `violations`: sentences."""

    digest: dict[str, str]
    violations: list[str]


def take_stock() -> Outcome:
    """Look at all that is in the database."""
    digest: dict[str, str] = {}
    for file in EdiFile.objects.order_by("sha256"):
        found = {**invariants.digest(file.pk), "status": file.status, "findings": str(file.finding_count)}
        digest |= {f"{file.name} {kind}": value for kind, value in found.items()}
    for name, statement in WHOLE.items():
        with connection.cursor() as cursor:
            cursor.execute(statement)
            digest[name] = cursor.fetchone()[0]
    violations = [
        f"{each.code} {each.subject} {each.subject_id}: {each.detail}" for each in invariants.find_violations()
    ]
    return Outcome(digest, violations)


def differences(calm: Outcome, faulty: Outcome) -> list[str]:
    """Name the parts of the digest that differ from the calm run's."""
    names = sorted({*calm.digest, *faulty.digest})
    return [name for name in names if calm.digest.get(name) != faulty.digest.get(name)]
