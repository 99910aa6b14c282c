"""Loading claims: a chunk's bytes to rows of claims and service lines, in one transaction (marb.pipeline.jobs).

The bytes are read and edited first, payers and providers resolved next, each in a short statement of its own, and the
lines priced (claims.expected); then the chunk's transaction proves its lease and writes by COPY (claims.rows), claims
before their lines, ids reserved ahead. A claim with a finding of level C is `incomplete` (not clean), any other
`processed`. Nothing of a quarantined claim becomes a row.
"""

from typing import NamedTuple

from claims import models
from claims.edi837 import ParsedClaim, QuarantinedClaim, parse_claims
from claims.edits import check_claim, repeated_control_numbers
from claims.expected import expect_claims
from claims.policies import read_policies
from claims.policy import judge
from claims.rows import CLAIM_COLUMNS, LINE_COLUMNS, claim_texts, line_texts
from marb.core.cache import touch
from marb.core.copy import copy_texts, reserve_ids
from marb.edi.findings import Finding, Quarantined
from marb.parties.resolve import ProviderName, payer_code, provider_code, resolve_payers, resolve_providers
from marb.pipeline.jobs import ChunkJob, Outcome


class Reading(NamedTuple):
    """What a chunk holds: its claims with their findings, and those that go into quarantine."""

    claims: list[tuple[ParsedClaim, list[Finding]]]
    quarantined: list[Quarantined]
    findings: list[Finding]


def load_chunk(job: ChunkJob) -> None:
    """Read, edit and write one chunk. LeaseLost is raised, and nothing written, if the lease is somebody else's."""
    reading = read_chunk(job)
    claims = [claim for claim, _ in reading.claims]
    payers = resolve_payers(job.practice_id, payer_names(claims))
    providers = resolve_providers(job.practice_id, provider_names(claims))
    reading = weigh_reading(job.practice_id, reading, payers)
    expected = expect_claims(job.practice_id, claims, payers)
    charge_cents = sum(claim.charge_cents for claim in claims)
    outcome = Outcome(len(claims), 0, charge_cents, 0, reading.findings, reading.quarantined)
    with job.commit(outcome) as cursor:
        ids = reserve_ids(cursor, models.Claim, len(claims))
        rows = claim_texts(job, ids, reading.claims, expected, payers, providers)
        copy_texts(cursor, models.Claim, CLAIM_COLUMNS, rows)
        copy_texts(cursor, models.ServiceLine, LINE_COLUMNS, line_texts(job, ids, claims, expected))
        touch(job.practice_id, "claim+")


def weigh_reading(practice_id: int, reading: Reading, payers: dict[str, int]) -> Reading:
    """Weigh what was found of each claim as its payer does (claims.policy)."""
    policies = read_policies(practice_id, payers.values())
    claims = []
    for claim, found in reading.claims:
        payer_id = payers.get(payer_code(claim.payer.code, claim.payer.name))
        claims.append((claim, judge(policies[payer_id], claim, found)))
    return reading._replace(claims=claims, findings=reading.findings + [each for _, found in claims for each in found])


def read_chunk(job: ChunkJob) -> Reading:
    """Read and edit every CLM of the chunk; `findings` are those of claims in quarantine."""
    today = job.today.isoformat()
    reading = Reading([], [], [])
    for result in parse_claims(job.excerpt):
        if isinstance(result, QuarantinedClaim):
            reading.quarantined.append(result.quarantined)
            reading.findings.extend(result.findings)
        else:
            found = [*result.findings, *check_claim(result, today)]
            reading.claims.append((result, found))
    owners = {claim.byte_offset: found for claim, found in reading.claims}
    for note in repeated_control_numbers(claim for claim, _ in reading.claims):
        owners[note.claim_offset or 0].append(note)
    return reading


def payer_names(claims: list[ParsedClaim]) -> dict[str, str]:
    """List the payers that the claims name: payer code to name."""
    parties = {claim.payer for claim in claims}
    return {code: party.name for party in sorted(parties) if (code := payer_code(party.code, party.name))}


def provider_names(claims: list[ParsedClaim]) -> dict[str, ProviderName]:
    """List the billing and rendering providers that the claims name: provider code to what is said of them."""
    parties = {claim.rendering_provider for claim in claims} | {claim.billing_provider for claim in claims}
    return {code: ProviderName(*party) for party in sorted(parties) if (code := provider_code(party.code, party.name))}
