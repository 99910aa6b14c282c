"""Reading acknowledgements: what a receiver answered to our interchanges, sets and claims.

TA1; 999 (005010X231) and its forebear 997; 277CA (005010X214). Each answer names what it is about by control numbers
or by the claim's own trace (REF, TRN02 at 2200D is CLM01). A claim that is rejected here never reached adjudication:
rejected is not denied. What cannot be read as an answer yields nothing; the envelopes are checked by marb.edi.scan.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from marb.edi.values import BadValue, parse_cents, parse_date
from marb.edi.x12 import Segment, Separators, element

ACCEPTED_CODES: Final = frozenset(("A", "E", "P"))
# STC01-1 of a 277CA (health care claim status category): accepted for processing, and refused
ACCEPTED_CATEGORIES: Final = frozenset(("A0", "A1", "A2", "A5"))
REFUSED_CATEGORIES: Final = frozenset(("A3", "A4", "A6", "A7", "A8"))


class InterchangeAnswer(NamedTuple):
    """A TA1: about the interchange with this ISA13. `code` is A, E or R, `note_code` of the TA105 list."""

    interchange_control: str
    code: str
    note_code: str


class SetFault(NamedTuple):
    """An IK3 or IK4 (997: AK3, AK4): segment, its position in the set, loop, element, and the code of its list."""

    segment_id: str
    segment_position: int
    loop: str
    element: str
    code: str


class SetAnswer(NamedTuple):
    """An AK2 to IK5: about the set ST02 `set_control` in the group GS06 `group_control`."""

    group_control: str
    set_code: str
    set_control: str
    code: str
    note_codes: list[str]
    faults: list[SetFault]

    @property
    def is_accepted(self) -> bool:
        return self.code in ACCEPTED_CODES


class GroupAnswer(NamedTuple):
    """An AK1 to AK9: about the group GS06, with the sets it held, were received, and were accepted."""

    group_control: str
    functional_code: str
    code: str
    included: int
    received: int
    accepted: int
    note_codes: list[str]


class ClaimStatus(NamedTuple):
    """An STC: category (A1, A3, ...), status code, entity, day as ISO text, action (WQ accept, U reject), amount."""

    category_code: str
    status_code: str
    entity_code: str
    day: str | None
    action_code: str
    charge_cents: int | None


class ClaimAnswer(NamedTuple):
    """A claim of a 277CA (2200D): its TRN02 (CLM01), the payer's number (REF 1K), and its statuses."""

    patient_control_number: str
    payer_claim_control_number: str
    statuses: list[ClaimStatus]

    @property
    def is_rejected(self) -> bool:
        return any(status.category_code in REFUSED_CATEGORIES for status in self.statuses)


Answer = InterchangeAnswer | GroupAnswer | SetAnswer | ClaimAnswer


def read_answers(segments: Iterable[Segment], separators: Separators) -> Iterator[Answer]:
    """Yield the answers of a file's segments, in order: a set before its group, since AK9 stands behind it."""
    reader = Reader(separators)
    for _, _, elements in segments:
        take = READERS.get(elements[0])
        if take is not None:
            yield from take(reader, elements)


class Reader:
    """What is open: the group and set that are answered, or the claim of a 277CA."""

    def __init__(self, separators: Separators):
        self.separators = separators
        self.st_code = self.group_control = self.functional_code = ""
        self.set_code = self.set_control = ""
        self.segment = SetFault("", 0, "", "", "")
        self.faults: list[SetFault] = []
        self.claim: ClaimAnswer | None = None
        self.is_patient_level = False

    def open_set(self, elements: list[str]) -> Iterator[Answer]:
        self.st_code, self.claim, self.is_patient_level = element(elements, 1), None, False
        return iter(())

    def answer_interchange(self, elements: list[str]) -> Iterator[Answer]:
        yield InterchangeAnswer(element(elements, 1), element(elements, 4), element(elements, 5))

    def open_group_answer(self, elements: list[str]) -> Iterator[Answer]:
        self.functional_code, self.group_control = element(elements, 1), element(elements, 2)
        return iter(())

    def open_set_answer(self, elements: list[str]) -> Iterator[Answer]:
        self.set_code, self.set_control, self.faults = element(elements, 1), element(elements, 2), []
        return iter(())

    def take_segment(self, elements: list[str]) -> Iterator[Answer]:
        name, loop, code = element(elements, 1), element(elements, 3), element(elements, 4)
        self.segment = SetFault(name, number(element(elements, 2)), loop, "", code)
        self.faults.append(self.segment)
        return iter(())

    def take_element(self, elements: list[str]) -> Iterator[Answer]:
        place = element(elements, 1).replace(self.separators.component, ":")
        self.faults.append(self.segment._replace(element=place, code=element(elements, 3)))
        return iter(())

    def close_set_answer(self, elements: list[str]) -> Iterator[Answer]:
        notes = [code for code in elements[2:] if code]
        yield SetAnswer(self.group_control, self.set_code, self.set_control, element(elements, 1), notes, self.faults)

    def close_group_answer(self, elements: list[str]) -> Iterator[Answer]:
        included, received, accepted = (number(element(elements, place)) for place in (2, 3, 4))
        notes = [code for code in elements[5:] if code]
        about = (self.group_control, self.functional_code, element(elements, 1))
        yield GroupAnswer(*about, included, received, accepted, notes)

    def open_level(self, elements: list[str]) -> Iterator[Answer]:
        """HL: PT is the patient's level, whose TRN names a claim; those above acknowledge whole submissions."""
        yield from self.close_claim()
        self.is_patient_level = element(elements, 3) == "PT"

    def open_claim(self, elements: list[str]) -> Iterator[Answer]:
        if self.st_code == "277" and self.is_patient_level:
            yield from self.close_claim()
            self.claim = ClaimAnswer(element(elements, 2), "", [])

    def take_status(self, elements: list[str]) -> Iterator[Answer]:
        """STC: 01 is category, status and entity (C043); 10 and 11 say more of the same kind."""
        if self.claim is not None:
            for place in (1, 10, 11):
                if composite := element(elements, place):
                    self.claim.statuses.append(self.status(composite, elements))
        return iter(())

    def status(self, composite: str, elements: list[str]) -> ClaimStatus:
        category, status, entity, *_ = [*composite.split(self.separators.component), "", ""]
        return ClaimStatus(
            category, status, entity, day(element(elements, 2)), element(elements, 3), cents(element(elements, 4))
        )

    def take_reference(self, elements: list[str]) -> Iterator[Answer]:
        if self.claim is not None and element(elements, 1) == "1K":
            self.claim = self.claim._replace(payer_claim_control_number=element(elements, 2))
        return iter(())

    def close_claim(self, elements: list[str] | None = None) -> Iterator[Answer]:
        if self.claim is not None:
            yield self.claim
            self.claim = None


READERS: Final = {
    "ST": Reader.open_set,
    "TA1": Reader.answer_interchange,
    "AK1": Reader.open_group_answer,
    "AK2": Reader.open_set_answer,
    **dict.fromkeys(("IK3", "AK3"), Reader.take_segment),
    **dict.fromkeys(("IK4", "AK4"), Reader.take_element),
    **dict.fromkeys(("IK5", "AK5"), Reader.close_set_answer),
    "AK9": Reader.close_group_answer,
    "HL": Reader.open_level,
    "TRN": Reader.open_claim,
    "STC": Reader.take_status,
    "REF": Reader.take_reference,
    "SE": Reader.close_claim,
}


def number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def day(text: str) -> str | None:
    """Read a CCYYMMDD as ISO text; an acknowledgement whose date is no date still says what it says."""
    try:
        return parse_date(text)
    except BadValue:
        return None


def cents(text: str) -> int | None:
    try:
        return parse_cents(text)
    except BadValue:
        return None
