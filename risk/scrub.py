"""Scrubbing: an 837 as it is about to be sent, scored claim by claim with its findings; nothing is stored."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from claims.edi837 import ParsedClaim, QuarantinedClaim, parse_claims
from marb.edi.findings import Finding
from marb.edi.scan import ScannedChunk, build_excerpt, scan
from risk.basis import read_basis
from risk.judge import judge
from risk.unsent import facts_of, find_findings
from risk.whatif import Outcome, outcome_of

MOST_BYTES = 10_000_000
MOST_CLAIMS = 5_000


class TooMuch(Exception):
    """The file is larger than scrubbing takes at once; the sentence says how much that is."""

    def __init__(self) -> None:
        super().__init__(f"Scrubbing takes at most {MOST_BYTES:,} bytes and {MOST_CLAIMS:,} claims at once.")
        self.sentence = str(self)


class Scrubbed(NamedTuple):
    """One claim of the file: its place and number, its findings, and its score; no score where it cannot be read."""

    byte_offset: int
    patient_control_number: str
    findings: list[Finding]
    outcome: Outcome | None


class Scrub(NamedTuple):
    """What a file holds: its claims in order, findings of its envelope, and what the scores stand on."""

    claims: list[Scrubbed]
    findings: list[Finding]
    model_version: str
    rules_version: str


def scrub(practice_id: int, content: bytes, today: date) -> Scrub:
    """Score the claims of an 837. Raises BadInterchange where it is none, TooMuch where it is too large."""
    if len(content) > MOST_BYTES:
        raise TooMuch
    basis = read_basis(practice_id)
    result = Scrub([], [], basis.model_version, basis.rules.version)
    read: list[ParsedClaim | QuarantinedClaim] = []
    for found in read_file(content):
        if isinstance(found, Finding):
            result.findings.append(found)
            continue
        read.append(found)
        if len(read) > MOST_CLAIMS:
            raise TooMuch
    claims = [each for each in read if isinstance(each, ParsedClaim)]
    findings = find_findings(claims, practice_id, today)
    judgement = judge(facts_of(claims, practice_id, today, findings), basis)
    scored = iter(range(len(claims)))
    for each in read:
        if isinstance(each, QuarantinedClaim):
            held = each.quarantined
            result.claims.append(Scrubbed(held.byte_from, held.control_number, each.findings, None))
        else:
            place = next(scored)
            outcome = outcome_of(judgement, place)
            result.claims.append(Scrubbed(each.byte_offset, each.patient_control_number, findings[place], outcome))
    return result


def read_file(content: bytes) -> Iterator[ParsedClaim | QuarantinedClaim | Finding]:
    """Yield what the envelope scan finds wrong, and the claims of every 837 that it holds."""
    for part in scan([content]):
        if isinstance(part, Finding):
            yield part
        elif isinstance(part, ScannedChunk) and part.kind == "837":
            yield from parse_claims(build_excerpt(lambda first, last: content[first:last], part))
