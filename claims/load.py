"""Loading claims: a chunk's bytes to rows of claims and service lines, in one transaction (marb.pipeline.jobs).

The bytes are read and edited first, payers and providers resolved next, each in a short statement of its own, and the
lines priced (claims.expected); then the chunk's transaction proves its lease and writes by COPY, claims before their
lines, ids reserved ahead. A claim with a finding of level C is `incomplete` (not clean), any other `processed`. Nothing
of a quarantined claim becomes a row.
"""

from collections.abc import Iterator
from typing import NamedTuple

from claims import models
from claims.edi837 import ParsedClaim, ParsedLine, Party, QuarantinedClaim, parse_claims
from claims.edits import check_claim, repeated_control_numbers
from claims.expected import Cell, Expected, expect_claims
from marb.core.cache import touch
from marb.core.copy import NULL, copy_rows, copy_text, copy_texts, reserve_ids, row_text
from marb.edi.findings import CLAIM, Finding, Quarantined
from marb.edi.values import dollars
from marb.parties.resolve import ProviderName, payer_code, provider_code, resolve_payers, resolve_providers
from marb.pipeline.jobs import ChunkJob, Outcome

# fields of the parsed rows up to here are columns of the same name
CLAIM_FIELDS = ParsedClaim._fields[: ParsedClaim._fields.index("charge_cents")]
LINE_FIELDS = ParsedLine._fields[: ParsedLine._fields.index("charge_cents")]
CLAIM_WIDTH, LINE_WIDTH = len(CLAIM_FIELDS), len(LINE_FIELDS)
CLAIM_COLUMNS = (
    *("id", "practice_id", "file_id", "chunk_id", "status", "finding_count", "payer_id", "plan_id"),
    *("billing_provider_id", "rendering_provider_id", "charge_amount", "expected_amount"),
    *CLAIM_FIELDS,
)
CONTROL_NUMBER, SERVICE_TO_DATE = LINE_FIELDS.index("line_control_number"), LINE_FIELDS.index("service_to_date")
LINE_PLACE = (
    *("practice_id", "claim_id", "line_number", "byte_offset", "line_control_number"),
    *("service_from_date", "service_to_date"),
)
LINE_COLUMNS = (
    *LINE_PLACE,
    *("charge_amount", "expected_amount", "expected_reason"),
    *(name for name in LINE_FIELDS if name not in LINE_PLACE),
)
LINE_DOCUMENTS = [LINE_COLUMNS.index(name) - len(LINE_PLACE) for name in ("adjudications", "detail")]
Row = tuple[object, ...]


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
    expected = expect_claims(job.practice_id, claims, payers)
    charge_cents = sum(claim.charge_cents for claim in claims)
    outcome = Outcome(len(claims), 0, charge_cents, 0, reading.findings, reading.quarantined)
    with job.commit(outcome) as cursor:
        ids = reserve_ids(cursor, models.Claim, len(claims))
        copy_rows(
            cursor, models.Claim, CLAIM_COLUMNS, claim_rows(job, ids, reading.claims, expected, payers, providers)
        )
        copy_texts(cursor, models.ServiceLine, LINE_COLUMNS, list(line_texts(job, ids, claims, expected)))
        touch(job.practice_id, "claim+")


def read_chunk(job: ChunkJob) -> Reading:
    """Read and edit every CLM of the chunk."""
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
    for _, found in reading.claims:
        reading.findings.extend(found)
    return reading


def payer_names(claims: list[ParsedClaim]) -> dict[str, str]:
    """List the payers that the claims name: payer code to name."""
    parties = {claim.payer for claim in claims}
    return {code: party.name for party in sorted(parties) if (code := payer_code(party.code, party.name))}


def provider_names(claims: list[ParsedClaim]) -> dict[str, ProviderName]:
    """List the billing and rendering providers that the claims name: provider code to what is said of them."""
    parties = {claim.rendering_provider for claim in claims} | {claim.billing_provider for claim in claims}
    return {code: ProviderName(*party) for party in sorted(parties) if (code := provider_code(party.code, party.name))}


def claim_rows(
    job: ChunkJob,
    ids: list[int],
    claims: list[tuple[ParsedClaim, list[Finding]]],
    expected: list[Expected],
    payers: dict[str, int],
    providers: dict[str, int],
) -> Iterator[Row]:
    """Yield the rows of CLAIM_COLUMNS."""
    owner = (job.practice_id, job.file_id, job.chunk_id)
    payer_ids: dict[Party, int | None] = {}
    provider_ids: dict[Party, int | None] = {}
    for claim, _ in claims:
        payer_ids[claim.payer] = payers.get(payer_code(claim.payer.code, claim.payer.name))
        for party in (claim.billing_provider, claim.rendering_provider):
            provider_ids[party] = providers.get(provider_code(party.code, party.name))
    for claim_id, (claim, found), (amount, _) in zip(ids, claims, expected, strict=True):
        yield (
            claim_id,
            *owner,
            status_of(found),
            len(found),
            payer_ids[claim.payer],
            None,
            provider_ids[claim.billing_provider],
            provider_ids[claim.rendering_provider],
            dollars(claim.charge_cents),
            amount,
            *claim[:CLAIM_WIDTH],
        )


def status_of(found: list[Finding]) -> str:
    """Say whether a claim is clean: it is not when one of its findings costs it that (level C)."""
    if any(finding.level == CLAIM for finding in found):
        return models.ClaimStatus.INCOMPLETE.value
    return models.ClaimStatus.PROCESSED.value


# what lines of the same SVx and price say beside LINE_PLACE, as COPY's text; the SVx bears its separators
SERVICE_TEXTS: dict[tuple[str, Cell], str] = {}
MOST_REMEMBERED = 20_000


def line_texts(job: ChunkJob, ids: list[int], claims: list[ParsedClaim], expected: list[Expected]) -> Iterator[str]:
    """Yield the rows of LINE_COLUMNS as COPY's text with its line end, the part that repeats written once."""
    if len(SERVICE_TEXTS) > MOST_REMEMBERED:
        SERVICE_TEXTS.clear()
    for claim_id, claim, (_, cells) in zip(ids, claims, expected, strict=True):
        owner = f"{job.practice_id}\t{claim_id}"
        for line, cell in zip(claim.lines, cells, strict=True):
            rest = SERVICE_TEXTS.get((line.service_key, cell))
            if rest is None or has_more(line):
                rest = row_text(line_rest(line, cell), LINE_DOCUMENTS) + "\n"
                if not has_more(line):
                    SERVICE_TEXTS[line.service_key, cell] = rest
            number, days = line.line_control_number, f"{line.service_from_date or NULL}\t{line.service_to_date or NULL}"
            number = number if number.isalnum() else copy_text(number)
            yield f"{owner}\t{line.line_number}\t{line.byte_offset}\t{number}\t{days}\t{rest}"


def has_more(line: ParsedLine) -> bool:
    """Say whether a line says anything that its service and days do not."""
    has_drug = line.drug_code or line.drug_unit_code or line.drug_unit_count is not None
    return bool(has_drug or line.detail or line.adjudications)


def line_rest(line: ParsedLine, cell: Cell) -> Row:
    """List a line's values of LINE_COLUMNS behind LINE_PLACE."""
    values = (line.unit_count, line.drug_unit_count, *line[SERVICE_TO_DATE + 1 : LINE_WIDTH])
    drug = (line.drug_code, line.drug_unit_code)
    return (dollars(line.charge_cents), *cell, *line[:CONTROL_NUMBER], *drug, *values)
