"""Stages of the belt for its own tests: they count, quarantine what has no amount, and leave one finding a claim."""

import os
import time
from pathlib import Path

from marb.edi.findings import WARNING, Finding, Place, Quarantined
from marb.edi.values import BadValue, parse_cents
from marb.edi.x12 import element, read_segments
from marb.pipeline.jobs import ChunkJob, FileJob, Outcome

AMOUNT = {"837": ("CLM", 2), "835": ("CLP", 4)}


def stall_once(job: ChunkJob) -> None:
    """Hold the first chunk that comes by for ever, where the test names a file to say so in."""
    mark = os.environ.get("BELT_STALL")
    if mark and not Path(mark).exists():
        Path(mark).write_text(str(job.chunk_id))
        time.sleep(600)


def load_chunk(job: ChunkJob) -> None:
    with job.commit(read_outcome(job)):
        pass


def read_outcome(job: ChunkJob) -> Outcome:
    name, number = AMOUNT[job.kind]
    total, findings, quarantined = 0, [], []
    for offset, position, elements in read_segments(job.excerpt.body, job.excerpt.separators):
        if elements[0] != name:
            continue
        try:
            total += parse_cents(element(elements, number))
        except BadValue:
            quarantined.append(Quarantined(offset, offset + 20, position, "", element(elements, 1), None))
        else:
            findings.append(Finding(WARNING, "EDIT", "seen", "Seen.", Place(offset, position, name)))
    claims, remittances = (len(findings), 0) if job.kind == "837" else (0, len(findings))
    charge, paid = (total, 0) if job.kind == "837" else (0, total)
    return Outcome(claims, remittances, charge, paid, findings, quarantined)


def settle_file(job: FileJob) -> dict[str, int]:
    return {}
