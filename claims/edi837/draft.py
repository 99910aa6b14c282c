"""What is being read: the open loop of a claim, a line or a level, and the values its segments may hold.

`scope` is the document of the open loop and `party` that of the open NM1 in it: a REF after an NM1 belongs to the NM1,
one before it to the loop. A new Draft is made for every level and claim and a new Line for every LX, so nothing bleeds.
A service (claims.edi837.services) is read apart, and only hung on its line.
"""

from collections.abc import Callable
from typing import Any

from claims.edi837.records import Document, Heading, ParsedLine
from claims.edi837.services import NO_SERVICE, Service
from claims.edi837.values import Unreadable, unreadable
from marb.edi.blocks import Block
from marb.edi.findings import CLAIM, IK304, IK403, WARNING, Finding, Place
from marb.edi.values import BadValue, parse_period
from marb.edi.x12 import Piece, Separators, split_piece

CONTROLS = dict.fromkeys((*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
# a reader of segments: it is given the draft, and the elements or what they were read as (claims.edi837.lexicon)
Take = Callable[..., None]


class Line:
    """One LX: its service, the columns read so far, and `detail`, the rest of its loop."""

    line_control_number = drug_code = drug_unit_code = ""
    service: Service = NO_SERVICE
    drug_unit_count: str | None = None
    service_from_date: str | None = None
    service_to_date: str | None = None

    def __init__(self, offset: int, position: int):
        self.offset, self.position = offset, position
        self.adjudications: list[Document] = []
        self.detail: Document = {}


class Draft:
    """A level (HL) or a claim (CLM) while it is read. `at` is the place in its block of the segment being read."""

    at = 0
    party: Document | None = None
    line: Line | None = None
    is_misnumbered = False
    measured: Block | None = None
    starts: list[int]

    def __init__(self, heading: Heading, separators: Separators, section: str, block: Block):
        self.block = block
        self.heading = heading
        self.separators = separators
        self.section = self.loop = section
        self.findings: list[Finding] = []
        self.detail: Document = {}
        self.scope = self.detail
        self.parties: list[Document] = []
        self.diagnoses: list[Document] = []
        self.other_payers: list[Document] = []
        self.lines: list[Line | ParsedLine] = []
        self.claim: list[str] = []

    def here(self) -> Piece:
        """Get the segment being read. Where its block's segments begin is worked out once: there may be thousands."""
        if self.measured is not self.block:
            self.measured, self.starts = self.block, self.block.starts()
        return self.starts[self.at], self.block.position + self.at, self.block.texts[self.at]

    def enter(self, section: str, scope: Document) -> None:
        """Open a loop: what follows belongs to `scope`, and to no NM1 before it."""
        self.section = self.loop = section
        self.scope = scope
        self.party = None

    def note(self, code_set: str, code: str, message: str, *, level: str = WARNING, element: int = 0) -> None:
        """Keep a finding at the segment being read."""
        self.findings.append(Finding(level, code_set, code, message, self.place(), self.loop, element))

    def place(self) -> Place:
        """Say where the segment being read stands."""
        offset, position, piece = self.here()
        name = segment_name(split_piece(piece, self.separators.element)[0])
        return self.heading.place(offset, position, name)


def segment_name(text: str) -> str:
    """Make a segment id fit to be stored: whatever a broken file has there, without control characters."""
    return text.translate(CONTROLS).strip()[:10]


def period(draft: Draft, elements: list[str]) -> tuple[str, str | None]:
    """Read a DTP (02 format, 03 value) as (from, to or None), ISO text. One day said to be a range is that day."""
    form, text = (elements[2].strip(), elements[3].strip()) if len(elements) > 3 else ("", "")
    if form == "RD8" and "-" not in text:
        draft.note(IK403, "8", "DTP03: the period is one date; it is read as that day.", element=3)
        form = "D8"
    try:
        return parse_period(form, text)
    except BadValue as bad:
        name = segment_name(elements[1]) if len(elements) > 1 else ""
        raise unreadable(bad, f"DTP03 of date {name}: the date {bad.sentence}.", 3) from None


def quarantine_finding(draft: Draft, fault: Unreadable) -> Finding:
    """Say why the claim being read goes into quarantine, at the segment where it happened."""
    code = (CLAIM, fault.code_set, fault.code, fault.sentence)
    return Finding(*code, draft.place(), draft.loop, fault.element, fault.component)


def append(scope: Document, key: str, item: Any) -> None:
    """Add an item to a list of a document, made when it is first needed."""
    found = scope.get(key)
    if found is None:
        scope[key] = [item]
    else:
        found.append(item)


def keep(draft: Draft, elements: list[str]) -> None:
    """Keep a segment of the open loop as it is."""
    append(draft.scope, "segments", elements)


def keep_unknown(draft: Draft, elements: list[str]) -> None:
    """Keep a segment that the guides do not know at this place, with a warning."""
    draft.note(IK304, "1", "A segment that the guide does not know stands here; it is kept as it is.")
    append(draft.scope, "segments", elements)
