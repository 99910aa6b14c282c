"""Reading alone: X12 text to rows and their COPY text, in this process, without a database.

The scan cuts the file as it does on the belt, and each chunk is read with the cycle collector off. The functions are
the loaders' own; only ids, which the database would give, are counted here. What is timed is reading, edits, rows and
COPY text of claims, lines and findings (or of remittances, lines, adjustments and findings), not the scan.
"""

import gc
import time
from collections.abc import Callable, Iterator
from datetime import date
from itertools import chain, count
from pathlib import Path

from django.conf import settings

import claims.load
import claims.models
import remits.load
import remits.models
import remits.rows
from claims.expected import expect_claims
from marb.core.copy import copy_blocks
from marb.edi.scan import ScannedChunk, build_excerpt, scan
from marb.pipeline import models
from marb.pipeline.jobs import FINDING_COLUMNS, ChunkJob, finding_row
from monitoring.bench.figures import Figure, Target, rate
from monitoring.bench.files import Input

TODAY = date(2026, 7, 1)
CLAIMS_TARGET = Target(20_000, "claims/s")


def measure_claims(given: Input, runs: int) -> Figure:
    """Read a file of claims in this one process."""
    seconds = [run(given.path, read_claims) for _ in range(runs)]
    details = {"lines": given.lines, "megabytes": given.bytes // 10**6}
    work = "837P text to finished rows and COPY text, one process"
    return Figure("parse", work, given.total, seconds, rate(given.total, seconds), CLAIMS_TARGET, details)


def measure_remittances(given: Input, runs: int) -> Figure:
    """Read a file of remittances in this one process."""
    seconds = [run(given.path, read_remittances) for _ in range(runs)]
    work = "835 text to finished rows and COPY text, one process"
    details = {"lines": given.lines, "megabytes": given.bytes // 10**6}
    return Figure("parse835", work, given.total, seconds, rate(given.total, seconds), None, details)


def run(path: Path, read: Callable[[ChunkJob], object]) -> float:
    """Time the reading of all chunks, in CPU seconds of this process: what else the machine does is not in it."""
    data, total = path.read_bytes(), 0.0
    for chunk in cut(data):
        excerpt = build_excerpt(lambda start, end: data[start:end], chunk)
        job = ChunkJob(1, 1, 1, 1, chunk.kind, excerpt, TODAY)
        gc.disable()
        started = time.process_time()
        read(job)
        total += time.process_time() - started
        gc.enable()
    return total


def cut(data: bytes) -> Iterator[ScannedChunk]:
    blocks = (data[start : start + (1 << 20)] for start in range(0, len(data), 1 << 20))
    for item in scan(blocks, chunk_claims=settings.EDI_CHUNK_CLAIMS):
        if isinstance(item, ScannedChunk):
            yield item


def read_claims(job: ChunkJob) -> int:
    """Do what claims.load does before its transaction, and write what it would COPY. Answers the bytes."""
    reading = claims.load.read_chunk(job)
    parsed = [claim for claim, _ in reading.claims]
    payers = dict.fromkeys(claims.load.payer_names(parsed), 1)
    providers = dict.fromkeys(claims.load.provider_names(parsed), 1)
    ids = list(range(1, len(parsed) + 1))
    expected = expect_claims(job.practice_id, parsed, payers)
    rows = claims.load.claim_rows(job, ids, reading.claims, expected, payers, providers)
    lines = claims.load.line_rows(job, ids, parsed, expected)
    return (
        length(copy_blocks(claims.models.Claim, claims.load.CLAIM_COLUMNS, rows))
        + length(copy_blocks(claims.models.ServiceLine, claims.load.LINE_COLUMNS, lines))
        + length(copy_blocks(models.Finding, FINDING_COLUMNS, (finding_row((1, 1, 1), f) for f in reading.findings)))
    )


def read_remittances(job: ChunkJob) -> int:
    """Do what remits.load does before its transaction, and write what it would COPY. Answers the bytes."""
    reading = remits.load.read_chunk(job.excerpt)
    place = count(1)
    numbered = [
        remits.rows.Numbered(next(place), each, balance, [next(place) for _ in each.lines])
        for each, balance in reading.remittances
    ]
    rows = (remits.rows.remittance_row(job, each, 1, 1, 1) for each in numbered)
    lines = chain.from_iterable(remits.rows.line_rows(job, each) for each in numbered)
    adjustments = chain.from_iterable(remits.rows.adjustment_rows(job, each) for each in numbered)
    return (
        length(copy_blocks(remits.models.Remittance, remits.rows.REMITTANCE_COLUMNS, rows))
        + length(copy_blocks(remits.models.RemittanceLine, remits.rows.LINE_COLUMNS, lines))
        + length(copy_blocks(remits.models.Adjustment, remits.rows.ADJUSTMENT_COLUMNS, adjustments))
        + length(copy_blocks(models.Finding, FINDING_COLUMNS, (finding_row((1, 1, 1), f) for f in reading.findings)))
    )


def length(blocks: Iterator[bytes]) -> int:
    return sum(map(len, blocks))
