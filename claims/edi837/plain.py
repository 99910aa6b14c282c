"""Plain lines: what nearly every service line is, recognised whole instead of segment by segment.

LX with the line's number, one SVx, DTP 472 and, mostly, REF 6R: what an SVx and a DTP say is known from earlier lines,
so a line adds its number, its place and its control number. Anything else about a line (a fault or note, a detail,
another segment, a number out of order, a text longer than its column, a service of another kind than the guide's) is
left to claims.edi837.lines. Invariant: a line read here equals the line that is read there.
"""

from functools import lru_cache
from typing import Final

from claims.edi837.close import NUMBER_LENGTH, make_line
from claims.edi837.draft import Draft
from claims.edi837.guides import TYPE_OF_SERVICE
from claims.edi837.lexicon import Lexicon
from claims.edi837.lines import take_line_date, take_service
from claims.edi837.services import NO_SERVICE

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
        offset, number = block.offset(place), len(lines)
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


@lru_cache(maxsize=64)
def numbered(opening: str) -> list[str]:
    """List the LX of the lines 1 to MOST_LINES."""
    return [f"{opening}{number}" for number in range(1, MOST_LINES + 1)]
