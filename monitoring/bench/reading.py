"""Reading alone: X12 text to rows and their COPY text, in this process; the database is asked for payers only.

The scan cuts the file as it does on the belt, and each chunk is read with the cycle collector off. The functions are
the loaders' own; only ids, which the database would give, are counted here. What is timed is reading, edits, prices,
rows and COPY text of claims, lines and findings (or of remittances, lines, adjustments and findings), not the scan.
"""

import gc
import time
from collections.abc import Callable, Iterator
from datetime import date
from itertools import count
from pathlib import Path

from django.conf import settings

import claims.load
import claims.rows
import remits.load
import remits.models
import remits.rows
from claims.edi837 import ParsedClaim
from claims.expected import expect_claims
from claims.pricing import statistics
from marb.core.copy import copy_blocks
from marb.edi.scan import ScannedChunk, build_excerpt, scan
from marb.parties.resolve import resolve_payers
from marb.pipeline import models
from marb.pipeline.jobs import FINDING_COLUMNS, ChunkJob, finding_row
from monitoring.bench.figures import Figure, Target, rate
from monitoring.bench.files import Input

TODAY = date(2026, 7, 1)
CLAIMS_TARGET = Target(20_000, "claims/s")


def measure_claims(given: Input, practice_id: int, runs: int) -> Figure:
    """Read a file of claims in this one process."""
    seconds = [run(given.path, practice_id, read_claims) for _ in range(runs)]
    details = {"lines": given.lines, "megabytes": given.bytes // 10**6}
    work = "837P text to finished rows and COPY text, one process"
    return Figure("parse", work, given.total, seconds, rate(given.total, seconds), CLAIMS_TARGET, details)


def measure_remittances(given: Input, practice_id: int, runs: int) -> Figure:
    """Read a file of remittances in this one process."""
    seconds = [run(given.path, practice_id, read_remittances) for _ in range(runs)]
    work = "835 text to finished rows and COPY text, one process"
    details = {"lines": given.lines, "megabytes": given.bytes // 10**6}
    return Figure("parse835", work, given.total, seconds, rate(given.total, seconds), None, details)


def measure_prices(given: Input, practice_id: int, runs: int) -> Figure:
    """Price all lines of a file of claims again and again, once the tables are warm."""
    known: list[list[ParsedClaim]] = []
    payers: dict[str, int] = {}
    for job in jobs(given.path, practice_id):
        parsed = [claim for claim, _ in claims.load.read_chunk(job).claims]
        payers |= resolve_payers(practice_id, claims.load.payer_names(parsed))
        known.append(parsed)
    price_all(practice_id, known, payers)
    seconds = [price_all(practice_id, known, payers) for _ in range(runs)]
    details = {"hit_rate_percent": round(statistics().hit_rate, 2)}
    target = Target(500_000, "lines/s")
    work = "prices of service lines, warm tables, one process"
    return Figure("price", work, given.lines, seconds, rate(given.lines, seconds), target, details)


def price_all(practice_id: int, chunks: list[list[ParsedClaim]], payers: dict[str, int]) -> float:
    started = time.process_time()
    for chunk in chunks:
        expect_claims(practice_id, chunk, payers)
    return time.process_time() - started


def run(path: Path, practice_id: int, read: Callable[[ChunkJob], object]) -> float:
    """Time the reading of all chunks, in CPU seconds of this process: what else the machine does is not in it."""
    total = 0.0
    for job in jobs(path, practice_id):
        gc.disable()
        started = time.process_time()
        read(job)
        total += time.process_time() - started
        gc.enable()
    return total


def jobs(path: Path, practice_id: int) -> Iterator[ChunkJob]:
    """Yield a file's chunks as jobs."""
    data = path.read_bytes()
    for chunk in cut(data):
        excerpt = build_excerpt(lambda start, end: data[start:end], chunk)
        yield ChunkJob(practice_id, 1, 1, 1, chunk.kind, excerpt, TODAY)


def cut(data: bytes) -> Iterator[ScannedChunk]:
    blocks = (data[start : start + (1 << 20)] for start in range(0, len(data), 1 << 20))
    for item in scan(blocks, chunk_claims=settings.EDI_CHUNK_CLAIMS):
        if isinstance(item, ScannedChunk):
            yield item


def read_claims(job: ChunkJob) -> int:
    """Do what claims.load does before its transaction, and write what it would COPY. Answers the bytes."""
    reading = claims.load.read_chunk(job)
    parsed = [claim for claim, _ in reading.claims]
    payers = resolve_payers(job.practice_id, claims.load.payer_names(parsed))
    providers = dict.fromkeys(claims.load.provider_names(parsed), 1)
    reading = claims.load.weigh_reading(job.practice_id, reading, payers)
    ids = list(range(1, len(parsed) + 1))
    expected = expect_claims(job.practice_id, parsed, payers)
    rows = claims.rows.claim_texts(job, ids, reading.claims, expected, payers, providers)
    lines = claims.rows.line_texts(job, ids, parsed, expected)
    return (
        len("".join(rows).encode())
        + len("".join(lines).encode())
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
    texts = remits.rows.Texts(job)
    for each in numbered:
        texts.add(each, 1, 1, 1)
    findings = copy_blocks(models.Finding, FINDING_COLUMNS, (finding_row((1, 1, 1), f) for f in reading.findings))
    written = (texts.remittances, texts.lines, texts.adjustments)
    return sum(len("".join(each).encode()) for each in written) + length(findings)


def length(blocks: Iterator[bytes]) -> int:
    return sum(map(len, blocks))
