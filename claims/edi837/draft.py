"""What is being read: the open loop of a claim, a line or a level, and the values its segments may hold.

`scope` is the document of the open loop and `party` that of the open NM1 in it: a REF after an NM1 belongs to the NM1,
one before it to the loop. A new Draft is made for every level and claim and a new Line for every LX, so nothing bleeds.
A value that a column or a sum needs and that cannot be read raises Unreadable, which quarantines the claim.
"""

from typing import Any

from claims.edi837.records import Document, Heading
from marb.edi.findings import CLAIM, IK304, IK403, WARNING, Finding
from marb.edi.values import BadValue, dollars, parse_cents, parse_date, parse_period, parse_quantity
from marb.edi.x12 import Segment, Separators

CONTROLS = dict.fromkeys((*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)))


class Unreadable(Exception):
    """A claim that cannot become true rows. `code` is from the list that `code_set` names; the sentence has no PHI."""

    def __init__(self, code_set: str, code: str, sentence: str, element: int = 0, component: int = 0):
        super().__init__(sentence)
        self.code_set, self.code, self.sentence = code_set, code, sentence
        self.element, self.component = element, component


class Line:
    """One LX: the columns read so far and `detail`, the rest of its loop."""

    __slots__ = (
        *("adjudications", "charge_cents", "detail", "drug_code", "drug_unit_code", "drug_unit_count", "modifiers"),
        *("number", "offset", "place_of_service_code", "pointers", "position", "procedure_code"),
        *("procedure_qualifier", "revenue_code", "line_control_number", "service_from_date", "service_id"),
        *("service_to_date", "unit_code", "unit_count"),
    )

    def __init__(self, offset: int, position: int, number: str):
        self.offset, self.position, self.number = offset, position, number
        self.service_id = self.revenue_code = self.procedure_qualifier = self.procedure_code = ""
        self.unit_code = self.place_of_service_code = self.line_control_number = ""
        self.drug_code = self.drug_unit_code = ""
        self.charge_cents = 0
        self.unit_count: str | None = None
        self.drug_unit_count: str | None = None
        self.service_from_date: str | None = None
        self.service_to_date: str | None = None
        self.modifiers: list[str] = []
        self.pointers: list[int] = []
        self.adjudications: list[Document] = []
        self.detail: Document = {}


class Draft:
    """A level (HL) or a claim (CLM) while it is read."""

    __slots__ = (
        *("amounts", "claim", "detail", "diagnoses", "findings", "heading", "here", "line", "lines", "loop"),
        *("other_payers", "parties", "party", "repetition", "component", "scope", "section"),
    )

    def __init__(self, heading: Heading, separators: Separators, section: str):
        self.heading = heading
        self.component = separators.component
        self.section = self.loop = section
        self.here: Segment = (0, 0, [""])
        self.findings: list[Finding] = []
        self.detail: Document = {}
        self.scope = self.detail
        self.party: Document | None = None
        self.parties: list[Document] = []
        self.diagnoses: list[Document] = []
        self.other_payers: list[Document] = []
        self.lines: list[Line] = []
        self.line: Line | None = None
        self.claim: list[str] = []

    def enter(self, section: str, scope: Document) -> None:
        """Open a loop: what follows belongs to `scope`, and to no NM1 before it."""
        self.section = self.loop = section
        self.scope = scope
        self.party = None

    def note(self, code_set: str, code: str, message: str, *, level: str = WARNING, element: int = 0) -> None:
        """Keep a finding at the segment being read."""
        offset, position, elements = self.here
        place = self.heading.place(offset, position, segment_name(elements[0]))
        self.findings.append(Finding(level, code_set, code, message, place, self.loop, element))


def segment_name(text: str) -> str:
    """Make a segment id fit to be stored: whatever a broken file has there, without control characters."""
    return text.translate(CONTROLS).strip()[:10]


def check_count(draft: Draft, elements: list[str], most: int) -> None:
    """Note a segment with more elements than it can have; what is too many is kept with the rest."""
    if len(elements) > most + 1 and any(elements[most + 1 :]):
        draft.note(IK403, "3", f"{elements[0]} has more than {most} elements.", level=CLAIM, element=most + 1)


def check_components(draft: Draft, parts: list[str], most: int, element: int) -> None:
    """Note a composite with more components than it can have."""
    if any(parts[most:]):
        draft.note(IK403, "13", f"A composite has more than {most} components.", level=CLAIM, element=element)


def cents(elements: list[str], number: int) -> int:
    """Read an amount element as cents; Unreadable if it is not an amount to the cent."""
    try:
        return parse_cents(elements[number].strip() if number < len(elements) else "")
    except BadValue as bad:
        raise unreadable(bad, f"{elements[0]}{number:02d}: the amount {bad.sentence}.", number) from None


def amount(elements: list[str], number: int) -> str:
    """Read an amount element as dollars in text, for a document."""
    return dollars(cents(elements, number))


def quantity(elements: list[str], number: int) -> str | None:
    """Read a quantity element as decimal text, None where it is left out."""
    if number >= len(elements) or not (text := elements[number].strip()):
        return None
    try:
        return parse_quantity(text)
    except BadValue as bad:
        raise unreadable(bad, f"{elements[0]}{number:02d}: the quantity {bad.sentence}.", number) from None


def day(elements: list[str], number: int) -> str | None:
    """Read a CCYYMMDD element as ISO text, None where it is left out."""
    if number >= len(elements) or not (text := elements[number].strip()):
        return None
    try:
        return parse_date(text)
    except BadValue as bad:
        raise unreadable(bad, f"{elements[0]}{number:02d}: the date {bad.sentence}.", number) from None


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


def unreadable(bad: BadValue, sentence: str, element: int) -> Unreadable:
    return Unreadable(IK403, bad.code, sentence, element)


def quarantine_finding(draft: Draft, fault: Unreadable) -> Finding:
    """Say why the claim being read goes into quarantine, at the segment where it happened."""
    offset, position, elements = draft.here
    place = draft.heading.place(offset, position, segment_name(elements[0]))
    code = (CLAIM, fault.code_set, fault.code, fault.sentence)
    return Finding(*code, place, draft.loop, fault.element, fault.component)


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
