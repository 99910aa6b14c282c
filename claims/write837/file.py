"""A whole interchange of claims: ISA to IEA, one set, each claim with levels of its own.

Sender and receiver are those of the file that the claims came in, whose separators are used as well. Only 005010X222
and X223 are written; a claim of an older or another guide is Unwritable.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from claims.edi837.guides import INSTITUTIONAL, PROFESSIONAL
from claims.edi837.records import ParsedClaim
from claims.write837.loops import write_loops
from claims.write837.segments import Segment, Unwritable
from marb.edi.x12 import Separators

GUIDES: Final = {PROFESSIONAL: "005010X222A1", INSTITUTIONAL: "005010X223A2"}
RELEASE: Final = "005010"
MOST_CONTROL: Final = 10**9


class Trading(NamedTuple):
    """Who sends to whom: ISA and GS as elements (`isa[6]` is ISA06), and the segments of loops 1000A and 1000B."""

    isa: list[str]
    gs: list[str]
    parties: list[Segment]


def write_claims(
    claims: Sequence[ParsedClaim], trading: Trading, separators: Separators, control: int, now: datetime
) -> str:
    """Write claims of one type as an interchange. `control` numbers it (ISA13, GS06); its set is 0001.

    Raises Unwritable.
    """
    guide = guide_of(claims)
    separators = separators._replace(repetition=separators.repetition or free_mark(separators))
    number, group = f"{control % MOST_CONTROL:09d}", str(control % MOST_CONTROL)
    body = [["ST", "837", "0001", guide], heading(group, now), *trading.parties]
    body += levels(claims, separators.component)
    body.append(["SE", str(len(body) + 1), "0001"])
    gs = ["GS", "HC", *trading.gs[2:4], f"{now:%Y%m%d}", f"{now:%H%M}", group, "X", guide]
    whole = [interchange(trading.isa, separators, number, now), gs, *body, ["GE", "1", group], ["IEA", "1", number]]
    return "".join(written(segment, separators) for segment in whole)


def guide_of(claims: Sequence[ParsedClaim]) -> str:
    types = {claim.claim_type for claim in claims}
    if len(types) != 1 or not types <= GUIDES.keys():
        raise Unwritable("Only professional and institutional claims can be written, one kind in a file.")
    if any(not claim.guide.startswith(RELEASE) for claim in claims):
        raise Unwritable("The claim came in release 4010, whose people and codes 5010 does not take as they are.")
    return GUIDES[types.pop()]


def free_mark(separators: Separators) -> str:
    return next(mark for mark in "^|!" if mark not in separators)


def levels(claims: Iterable[ParsedClaim], component: str) -> list[Segment]:
    """Write the claims' loops with their HL numbered through the set."""
    found: list[Segment] = []
    first = 0
    for claim in claims:
        loops = list(write_loops(whole(claim), component))
        for segment in loops:
            if segment[0] == "HL":
                segment[1:3] = [str(int(text) + first) if text else "" for text in segment[1:3]]
        first += sum(segment[0] == "HL" for segment in loops)
        found += loops
    return found


def whole(claim: ParsedClaim) -> ParsedClaim:
    """Put texts that were cut to their columns back in full length."""
    lines = [line._replace(**line.detail["long"]) if "long" in line.detail else line for line in claim.lines]
    return claim._replace(lines=lines, **claim.detail.get("long", {}))


def heading(reference: str, now: datetime) -> Segment:
    return ["BHT", "0019", "00", reference, f"{now:%Y%m%d}", f"{now:%H%M}", "CH"]


def interchange(isa: list[str], separators: Separators, number: str, now: datetime) -> Segment:
    parties = (f"{isa[5]:2.2}", f"{isa[6]:15.15}", f"{isa[7]:2.2}", f"{isa[8]:15.15}")
    usage = isa[15] if isa[15] in ("P", "T") else "P"
    stamp = (f"{now:%y%m%d}", f"{now:%H%M}", separators.repetition, "00501", number, "1", usage, separators.component)
    return ["ISA", "00", " " * 10, "00", " " * 10, *parties, *stamp]


def written(segment: Segment, separators: Separators) -> str:
    """Write a segment; elements and components left empty at an end are left out, but for the ISA's."""
    text = separators.element.join(segment)
    if segment[0] != "ISA":
        text = text.rstrip(separators.element + separators.component)
    # where the terminator is a line break, another behind it would be an empty segment
    return text + separators.segment + ("" if separators.segment in "\r\n" else "\n")
