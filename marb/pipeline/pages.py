"""What a page shows of a file: its findings in words, and the raw segments of a stretch of its bytes.

Pages of claims and remittances stand on this too: a claim's findings are those at its offset, its segments are its
bytes in the file as they came. Nothing is changed but that segments stand one under another.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from marb.edi.x12 import BLANKS, decoded
from marb.pipeline.models import EdiFile, Finding
from marb.pipeline.reading import read

MOST_FINDINGS = 200
MOST_BYTES = 65_536
LEVELS = {"X": "Interchange", "G": "Group", "T": "Set", "C": "Claim", "W": "Note"}


class FindingRow(NamedTuple):
    """A finding as a page shows it; `place_words` says loop, segment and element: "2300 CLM05-3"."""

    level: str
    level_words: str
    message: str
    place_words: str
    byte_offset: int
    code_set: str
    code: str


class RawSegment(NamedTuple):
    """One segment as it came. `position` is its place in its ST, 0 where it is not known."""

    offset: int
    position: int
    name: str
    rest: str
    is_found: bool


class Raw(NamedTuple):
    """A stretch of a file's bytes, one segment a line; `is_cut` where only the beginning is shown."""

    title: str
    file: EdiFile | None
    byte_from: int
    byte_to: int
    segments: list[RawSegment]
    is_cut: bool
    open: bool


def find_findings(file_id: int, claim_offset: int) -> list[FindingRow]:
    """Get the findings of the claim or claim payment that begins at an offset, in the order of the file."""
    found = Finding.objects.filter(file_id=file_id, claim_offset=claim_offset).order_by("byte_offset", "id")
    return [finding_row(finding) for finding in found[:MOST_FINDINGS]]


def finding_row(finding: Any) -> FindingRow:
    words, place = LEVELS.get(finding.level, finding.level), place_of(finding)
    coded = (finding.code_set, finding.code)
    return FindingRow(finding.level, words, finding.message, place, finding.byte_offset, *coded)


def place_of(finding: Any) -> str:
    element = f"{finding.element:02}" if finding.element else ""
    component = f"-{finding.component}" if finding.component else ""
    named = f"{finding.segment_id}{element}{component}"
    return " ".join(part for part in (finding.loop, named) if part) or f"byte {finding.byte_offset}"


def read_raw(
    file: EdiFile,
    byte_from: int,
    byte_to: int,
    terminator: str,
    *,
    title: str = "Raw segments",
    position: int = 0,
    found: Iterable[FindingRow] = (),
    is_open: bool = False,
) -> Raw:
    """Read a stretch of a file as segments; at most MOST_BYTES of it."""
    until = min(byte_to, byte_from + MOST_BYTES)
    text = read(file.pk, byte_from, until).decode("latin-1")
    offsets = {finding.byte_offset for finding in found}
    segments = list(split_segments(text, byte_from, terminator or "~", position, offsets))
    return Raw(title, file, byte_from, byte_to, segments, until < byte_to, is_open)


def split_segments(text: str, offset: int, terminator: str, position: int, found: set[int]) -> Sequence[RawSegment]:
    segments = []
    for piece in text.split(terminator):
        start = offset + len(piece) - len(piece.lstrip(BLANKS))
        offset += len(piece) + 1
        body = decoded(piece.strip(BLANKS))
        if body:
            segments.append(raw_segment(start, position, body, start in found))
            position += 1 if position else 0
    return segments


def raw_segment(offset: int, position: int, body: str, is_found: bool) -> RawSegment:
    length = next((index for index, character in enumerate(body) if not character.isalnum()), len(body))
    return RawSegment(offset, position, body[:length], body[length:], is_found)
