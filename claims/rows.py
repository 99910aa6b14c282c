"""Rows of claims and service lines as COPY's text, in the order of their columns.

A row is joined from what its fields say and looked at once: hardly any needs escapes, and one that does is written
value by value (marb.core.copy). Lines of the same service and price share the text of what they say beside their
place. Ids of payers and providers are given; cents become dollars here.
"""

from collections.abc import Iterator
from typing import Any

from claims import models
from claims.edi837 import ParsedClaim, ParsedLine, Party
from claims.expected import Cell, Expected
from marb.core.copy import NULL, array_text, copy_text, document_text, row_text, stands
from marb.edi.findings import CLAIM, Finding
from marb.edi.values import dollars
from marb.parties.resolve import payer_code, provider_code
from marb.pipeline.jobs import ChunkJob

# fields of the parsed rows up to here are columns of the same name
CLAIM_FIELDS = ParsedClaim._fields[: ParsedClaim._fields.index("charge_cents")]
LINE_FIELDS = ParsedLine._fields[: ParsedLine._fields.index("charge_cents")]
CLAIM_WIDTH, LINE_WIDTH = len(CLAIM_FIELDS), len(LINE_FIELDS)
CLAIM_COLUMNS = (
    *("id", "practice_id", "file_id", "chunk_id", "status", "finding_count", "payer_id", "plan_id"),
    *("billing_provider_id", "rendering_provider_id", "charge_amount", "expected_amount"),
    *CLAIM_FIELDS,
)
PLACE, DAYS = CLAIM_FIELDS.index("byte_offset"), CLAIM_FIELDS.index("subscriber_birth_date")
CODES, DOCUMENTS = CLAIM_FIELDS.index("diagnosis_codes"), CLAIM_FIELDS.index("diagnoses")
CLAIM_DOCUMENTS = range(DOCUMENTS, CLAIM_WIDTH)
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
INCOMPLETE, PROCESSED = models.ClaimStatus.INCOMPLETE.value, models.ClaimStatus.PROCESSED.value


def claim_texts(
    job: ChunkJob,
    ids: list[int],
    claims: list[tuple[ParsedClaim, list[Finding]]],
    expected: list[Expected],
    payers: dict[str, int],
    providers: dict[str, int],
) -> Iterator[str]:
    """Yield the rows of CLAIM_COLUMNS, each with its line end."""
    owner = f"{job.practice_id}\t{job.file_id}\t{job.chunk_id}"
    payer_ids: dict[Party, int | str] = {}
    provider_ids: dict[Party, int | str] = {}
    for claim, _ in claims:
        if claim.payer not in payer_ids:
            payer_ids[claim.payer] = payers.get(payer_code(claim.payer.code, claim.payer.name), NULL)
        for party in (claim.billing_provider, claim.rendering_provider):
            if party not in provider_ids:
                provider_ids[party] = providers.get(provider_code(party.code, party.name), NULL)
    for claim_id, (claim, found), (amount, _) in zip(ids, claims, expected, strict=True):
        payer, billing = payer_ids[claim.payer], provider_ids[claim.billing_provider]
        yield claim_text(
            f"{claim_id}\t{owner}\t{status_of(found)}\t{len(found)}\t{payer}\t{NULL}\t{billing}"
            f"\t{provider_ids[claim.rendering_provider]}\t{dollars(claim.charge_cents)}\t{amount or NULL}",
            claim,
        )


def claim_text(head: str, claim: ParsedClaim) -> str:
    """Write a claim's row behind what its head says, the columns before CLAIM_FIELDS."""
    fields: tuple[Any, ...] = claim[:CLAIM_WIDTH]
    days = fields[DAYS:CODES]
    values = (
        *(head, *fields[:PLACE], *map(str, fields[PLACE:DAYS])),
        *[day or NULL for day in days],
        array_text(fields[CODES]),
        *map(document_text, fields[DOCUMENTS:]),
    )
    text = "\t".join(values)
    if stands(text, len(CLAIM_COLUMNS), head.count(NULL) + days.count(None)):
        return text + "\n"
    return f"{head}\t{row_text(fields, CLAIM_DOCUMENTS)}\n"


def status_of(found: list[Finding]) -> str:
    """Say whether a claim is clean: it is not when one of its findings costs it that (level C)."""
    return INCOMPLETE if found and any(finding.level == CLAIM for finding in found) else PROCESSED


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
