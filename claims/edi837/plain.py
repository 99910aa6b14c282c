"""Plain lines and subscribers: what nearly all of them are, recognised whole instead of segment by segment.

LX with the line's number, one SVx, DTP 472 and, mostly, REF 6R: what an SVx and a DTP say is known from earlier lines,
so a line adds its number, its place and its control number. Anything else about a line (a fault or note, a detail,
another segment, a number out of order, a text longer than its column, a service of another kind than the guide's) is
left to claims.edi837.lines. A subscriber's level is HL SBR NM1 N3 N4 DMG and a payer that others have too; any other
is left to claims.edi837.parties. Invariant: what is read here equals what is read there.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from claims.edi837.close import NUMBER_LENGTH, make_line
from claims.edi837.draft import Draft
from claims.edi837.guides import TYPE_OF_SERVICE
from claims.edi837.lexicon import Lexicon
from claims.edi837.lines import take_line_date, take_service
from claims.edi837.parties import SubscriberLevel, take_city, take_level_name, take_subscriber
from claims.edi837.records import Document
from claims.edi837.services import NO_SERVICE
from marb.edi.blocks import Block
from marb.edi.values import BadValue, parse_date
from marb.edi.x12 import split_piece

SUBSCRIBER_SEGMENTS: Final = 7
MOST_LINES: Final = 999
SERVICES_OF_TYPE: Final = {kind: service_id for service_id, kind in TYPE_OF_SERVICE.items()} | {"": "SV1 SV2 SV3"}


class PlainLines:
    """Reads the plain lines of an excerpt, by what its Lexicon knows."""

    def __init__(self, segments: Lexicon):
        mark = segments.separators.element
        self.segments, self.mark = segments, mark
        self.opening, self.reference = f"LX{mark}", f"REF{mark}6R{mark}"

    def read(self, draft: Draft, place: int) -> int:
        """Read the plain lines that stand from a place of the draft's block on; answers the place behind them."""
        block, lines, segments = draft.block, draft.lines, self.segments
        if block.offsets is not None or (draft.line is not None and draft.line.service is NO_SERVICE):
            return place
        texts, width, last = block.texts, block.width, len(block.texts)
        numbers, services = numbered(self.opening), SERVICES_OF_TYPE[draft.heading.claim_type]
        number = len(lines)
        if number >= MOST_LINES or texts[place] != numbers[number]:
            return place
        offset = block.offset(place)
        while place + 2 < last and number < MOST_LINES and texts[place] == numbers[number]:
            opening, said, dated = texts[place : place + 3]
            take, service = segments[said]
            if take is not take_service or not service.is_plain or service.service_id not in services:
                break
            take, date = segments[dated]
            if take is not take_line_date or date.service_dates is None:
                break
            end, control_number = place + 3, ""
            length = len(opening) + len(said) + len(dated) + 3 * width
            if end < last and texts[end].startswith(self.reference):
                reference, end = texts[end], end + 1
                control_number = reference[len(self.reference) :].strip()
                length += len(reference) + width
                if not self.is_plain(control_number):
                    break
            if end < last and not texts[end].startswith(self.opening):
                break
            number += 1
            columns = (*service.before, control_number, "", "", number, offset, service.unit_count, None)
            lines.append(
                make_line((*columns, *date.service_dates, *service.after, block.position + place, *service.names))
            )
            offset, place = offset + length, end
        return place

    def is_plain(self, control_number: str) -> bool:
        return len(control_number) <= NUMBER_LENGTH and self.mark not in control_number and control_number.isascii()


class PlainSubscribers:
    """Reads the plain subscribers' levels of an excerpt. `read_payer` reads what stands from the payer's name on."""

    def __init__(self, segments: Lexicon, read_payer: Callable[[Block], list[Document] | None]):
        mark = segments.separators.element
        self.segments, self.mark, self.read_payer = segments, mark, read_payer
        self.street, self.birth, self.payer = f"N3{mark}", f"DMG{mark}D8{mark}", f"NM1{mark}PR{mark}"
        self.payers: dict[tuple[str, ...], list[Document] | None] = {}

    def read(self, block: Block) -> SubscriberLevel | None:
        """Read a level that is HL SBR NM1 N3 N4 DMG and its payer; None where it is anything else."""
        if len(block.texts) < SUBSCRIBER_SEGMENTS:
            return None
        _, said, named, street, town, birth, *rest = block.texts
        if not (street.startswith(self.street) and birth.startswith(self.birth) and rest[0].startswith(self.payer)):
            return None
        segments = self.segments
        (take, subscriber), (take_name, name), (take_town, city) = segments[said], segments[named], segments[town]
        if take is not take_subscriber or take_name is not take_level_name or take_town is not take_city:
            return None
        born, payers = self.born(birth), self.payers_of(block, rest)
        if born is None or payers is None or name.get("role") != "IL":
            return None
        lines = [text for value in split_piece(street, self.mark)[1:] if (text := value.strip())]
        person = {**name, "loop": "2010BA", "address": {"lines": lines, **city}, **born}
        return SubscriberLevel(block, subscriber, [person, *payers])

    def born(self, text: str) -> Document | None:
        """Read a DMG of a date of birth and a gender; None where one of them is missing, or there is more."""
        elements = split_piece(text, self.mark)
        if len(elements) != 4 or not (gender := elements[3].strip()):
            return None
        try:
            return {"birth_date": parse_date(elements[2].strip()), "gender_code": gender}
        except BadValue:
            return None

    def payers_of(self, block: Block, texts: list[str]) -> list[Document] | None:
        """Read the payer's name and what hangs on it, once for all subscribers of the same payer."""
        key = tuple(texts)
        if key not in self.payers:
            self.payers[key] = self.read_payer(block._replace(texts=[block.texts[0], *texts]))
        return self.payers[key]


@lru_cache(maxsize=64)
def numbered(opening: str) -> list[str]:
    """List the LX of the lines 1 to MOST_LINES."""
    return [f"{opening}{number}" for number in range(1, MOST_LINES + 1)]
