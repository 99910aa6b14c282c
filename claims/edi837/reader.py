"""The 837 reader: an excerpt's segments to one result for every CLM.

005010X222, X223, X224 (with X291 to X293, X298 to X300) and 004010X098, X096, X097. Segments are cut at ISA, GS, ST,
HL, CLM and SE into levels and claims; each is read into a fresh Draft, so that no value bleeds from one to the next.
Invariant: every CLM of the body yields exactly one ParsedClaim or QuarantinedClaim, in order, whatever surrounds it.
Envelopes are checked by marb.edi.scan, meanings by claims.edits.
"""

import re
from collections.abc import Iterator

from claims.edi837.claim import CLAIM_READERS, read_claim
from claims.edi837.close import close_claim
from claims.edi837.draft import CONTROLS, Draft, Take, keep, quarantine_finding
from claims.edi837.guides import KEPT_SEGMENTS, claim_type_of
from claims.edi837.lexicon import Lexicon
from claims.edi837.lines import LINE_READERS, no_service
from claims.edi837.parties import (
    LEVEL_READERS,
    PARTY_READERS,
    BillingLevel,
    Level,
    PatientLevel,
    SubscriberLevel,
    take_name,
)
from claims.edi837.plain import PlainLines, PlainSubscribers
from claims.edi837.records import Document, Heading, ParsedClaim, QuarantinedClaim
from claims.edi837.services import NO_SERVICE
from claims.edi837.values import Unreadable
from marb.edi.blocks import Block, read_blocks
from marb.edi.findings import IK304, IK403, Finding, Quarantined
from marb.edi.values import BadValue, parse_cents, parse_date
from marb.edi.x12 import Excerpt, element, split_piece

READERS: dict[str, Take] = {
    **dict.fromkeys(KEPT_SEGMENTS, keep),
    **PARTY_READERS,
    **CLAIM_READERS,
    **LINE_READERS,
    "CLM": read_claim,
    "NM1": take_name,
}
# Not here: C1 (0x80 to 0x9F), which is how the quotes of a Windows-1252 writer arrive; nor tab, which is a blank
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
CONTROL_BYTES = bytes((*range(9), 11, 12, *range(14, 32), 127))
BIDI_BYTES = re.compile(rb"\xe2(?:\x80[\xaa-\xae]|\x81[\xa6-\xa9])")
BORDERS = frozenset(("ISA", "GS", "ST", "HL", "CLM", "SE", "GE", "IEA"))
SECTION_OF_LEVEL = {"20": "2000A", "22": "2000B", "23": "2000C"}


def parse_claims(excerpt: Excerpt) -> Iterator[ParsedClaim | QuarantinedClaim]:
    """Yield one result per CLM of the excerpt's body, in the order of the file.

    Amounts are integer cents, dates ISO text (see claims.edi837.records). A claim that cannot become true rows is a
    QuarantinedClaim with its byte range and reason; everything odd but storable is a finding of its ParsedClaim.
    """
    reader = Reader(excerpt)
    for span in excerpt.context:
        for block in read_blocks(span, excerpt.separators, BORDERS):
            reader.read_border(block)
    reader.pending.clear()
    held: Block | None = None
    for block in read_blocks(excerpt.body, excerpt.separators, BORDERS):
        if held is not None:
            yield reader.read_claim(held, block.start)
            held = None
        if block.name == "CLM":
            held = block
        else:
            reader.read_border(block)
    if held is not None:
        yield reader.read_claim(held, excerpt.body.offset + len(excerpt.body.data))


class Reader:
    """The open envelope and levels while an excerpt is read."""

    def __init__(self, excerpt: Excerpt):
        self.excerpt = excerpt
        self.heading = Heading(guide=excerpt.guide, claim_type=claim_type_of(excerpt.guide))
        self.group_guide = ""
        self.billing: BillingLevel | None = None
        self.subscriber: SubscriberLevel | None = None
        self.patient: PatientLevel | None = None
        # findings of levels, given to the next claim below them
        self.pending: list[Finding] = []
        self.level_segments = Lexicon(LEVEL_READERS, excerpt.separators)
        self.claim_segments = Lexicon(READERS, excerpt.separators)
        self.lines = PlainLines(self.claim_segments)
        self.subscribers = PlainSubscribers(self.level_segments, self.read_payer)
        self.has_controls = any(has_controls(span.data) for span in (*excerpt.context, excerpt.body))

    def split(self, block: Block, place: int = 0) -> list[str]:
        """Get the elements of a block's segment, its first if no other is asked for."""
        return split_piece(block.texts[place], self.excerpt.separators.element)

    def read_border(self, block: Block) -> None:
        """Read a block that is no claim: an envelope segment, a set's heading or a level."""
        elements, name = self.split(block), block.name
        if name == "HL":
            self.open_level(block, element(elements, 3))
        elif name == "ISA":
            self.heading = Heading(control(elements, 13))
            self.close_levels()
        elif name == "GS":
            self.group_guide = control(elements, 8, 35)
            made = day_of(element(elements, 4))
            self.heading = Heading(self.heading.interchange_control, control(elements, 6), submitted_date=made)
            self.close_levels()
        elif name == "ST":
            self.open_set(block)

    def open_set(self, block: Block) -> None:
        elements = self.split(block)
        guide = control(elements, 3, 35) or self.group_guide or self.excerpt.guide
        segments = [self.split(block, place) for place in range(len(block.texts))]
        begun = next((said for said in segments if said[0] == "BHT"), [])
        made = day_of(element(begun, 4)) or self.heading.submitted_date
        controls = (self.heading.interchange_control, self.heading.group_control, control(elements, 2))
        self.heading = Heading(*controls, guide, claim_type_of(guide), element(begun, 6), made)
        self.close_levels()

    def close_levels(self) -> None:
        self.billing = self.subscriber = self.patient = None

    def open_level(self, block: Block, code: str) -> None:
        """Open 2000A, 2000B or 2000C; a level of another code (HL03) is no part of a claim and passed over."""
        section = SECTION_OF_LEVEL.get(code)
        if section is None:
            return
        if section == "2000B" and (subscriber := self.subscribers.read(block)) is not None:
            self.subscriber, self.patient = subscriber, None
            return
        draft, fault = self.read_level(block, section)
        self.pending += draft.findings
        read = (block, draft.detail, draft.parties, fault)
        if section == "2000A":
            self.billing, self.subscriber, self.patient = BillingLevel(*read), None, None
        elif section == "2000B":
            self.subscriber, self.patient = SubscriberLevel(*read), None
        else:
            self.patient = PatientLevel(*read)

    def read_level(self, block: Block, section: str) -> tuple[Draft, Finding | None]:
        """Read the names and numbers behind an HL; the second is why they cannot be read."""
        draft, fault = Draft(self.heading, self.excerpt.separators, section, block), None
        segments = self.level_segments
        for draft.at, text in enumerate(block.texts[1:], 1):
            try:
                take, said = segments[text]
                take(draft, said)
            except Unreadable as unreadable:
                fault = fault or quarantine_finding(draft, unreadable)
        return draft, fault

    def read_payer(self, block: Block) -> list[Document] | None:
        """Read the segments of a level from its NM1 PR on; None where there is more to them than names."""
        draft, fault = self.read_level(block, "2000B")
        return None if fault or draft.findings or draft.detail else draft.parties

    def read_claim(self, block: Block, end: int) -> ParsedClaim | QuarantinedClaim:
        """Read one CLM and its segments; `end` is where the next block begins."""
        draft = Draft(self.heading, self.excerpt.separators, "2300", block)
        byte_end = self.trimmed(block.start, end)
        try:
            billing, subscriber = self.open_levels()
            levels: list[Level] = [level for level in (billing, subscriber, self.patient) if level is not None]
            for level in levels:
                if level.fault is not None:
                    return self.quarantine(draft, block, byte_end, level.fault)
            if self.has_controls:
                self.check_characters(draft, [*(level.block for level in levels), block])
            self.read_loops(draft, block)
            claim = close_claim(draft, billing, subscriber, self.patient, byte_end)
        except Unreadable as fault:
            return self.quarantine(draft, block, byte_end, quarantine_finding(draft, fault))
        if self.pending or claim.findings:
            claim.findings[:] = [f._replace(claim_offset=claim.byte_offset) for f in (*claim.findings, *self.pending)]
            self.pending = []
        return claim

    def read_loops(self, draft: Draft, block: Block) -> None:
        segments = self.claim_segments
        texts, place, opening = block.texts, 0, self.lines.opening
        while place < len(texts):
            text = texts[place]
            if text.startswith(opening) and (end := self.lines.read(draft, place)) > place:
                place = end
            else:
                draft.at = place
                take, said = segments[text]
                take(draft, said)
                place += 1
        if draft.line is not None and draft.line.service is NO_SERVICE:
            raise no_service(draft)

    def open_levels(self) -> tuple[BillingLevel, SubscriberLevel]:
        """Get the billing provider's and the subscriber's level, which every claim must stand below."""
        if self.billing is None or self.subscriber is None:
            missing = "billing provider" if self.billing is None else "subscriber"
            raise Unreadable(IK304, "7", f"The claim does not stand below a {missing} level (HL).")
        return self.billing, self.subscriber

    def check_characters(self, draft: Draft, blocks: list[Block]) -> None:
        """Hold that no element has NUL or other control characters: neither PostgreSQL nor people can take them."""
        allowed = self.excerpt.separators.component + self.excerpt.separators.repetition
        for block in blocks:
            for place in range(len(block.texts)):
                for number, text in enumerate(self.split(block, place)):
                    if any(found not in allowed for found in CONTROL.findall(text)):
                        draft.block, draft.at = block, place
                        raise Unreadable(IK403, "6", "An element holds a control character.", min(number, 999))

    def trimmed(self, start: int, end: int) -> int:
        """Move a claim's end back over the blanks between its last segment and what follows."""
        body = self.excerpt.body
        data, floor, place = body.data, start - body.offset, end - body.offset
        while place > floor and data[place - 1] in b" \t\r\n\v\f\x1a\x00":
            place -= 1
        return place + body.offset

    def quarantine(self, draft: Draft, block: Block, byte_end: int, reason: Finding) -> QuarantinedClaim:
        """Make the record of a claim that cannot become rows: its bytes, and its number and charge where readable."""
        elements = self.split(block)
        number = element(elements, 1).translate(CONTROLS)[:60]
        charge = charge_of(element(elements, 2))
        kept = Quarantined(block.start, byte_end, block.position, draft.heading.set_control, number, charge)
        return QuarantinedClaim(kept, [reason._replace(claim_offset=block.start)])


def has_controls(data: bytes) -> bool:
    """Say whether bytes hold a control character or a change of writing direction anywhere: most hold none."""
    if len(data.translate(None, CONTROL_BYTES)) != len(data):
        return True
    return not data.isascii() and BIDI_BYTES.search(data) is not None


def control(elements: list[str], number: int, length: int = 20) -> str:
    """Read an envelope's number or guide, fit to be stored whatever a broken file has there."""
    return element(elements, number).translate(CONTROLS)[:length]


def day_of(text: str) -> str | None:
    """Read an envelope's day; one that is no date says nothing."""
    try:
        return parse_date(text)
    except BadValue:
        return None


def charge_of(text: str) -> int | None:
    try:
        return parse_cents(text)
    except BadValue:
        return None
