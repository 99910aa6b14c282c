"""From a claim's rows back to the values that the reader made of it, and to the trading partners of its file.

The rows of a claim and its lines hold all that claims.edi837 read, so that claims.write837 can write it again. Who sent
it to whom stands in the bytes before it: the envelope and the heading of its set, read from the file.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from claims.edi837 import Heading, ParsedClaim, ParsedLine, Party
from claims.models import Claim, ServiceLine
from claims.write837 import Trading, Unwritable
from marb.edi.acks.received import isa_elements
from marb.edi.values import parse_cents, parse_quantity
from marb.edi.x12 import BadInterchange, Excerpt, Segment, Separators, read_segments
from marb.pipeline.models import Chunk
from marb.pipeline.split import read_excerpt

CLAIM_FIELDS = ParsedClaim._fields[: ParsedClaim._fields.index("charge_cents")]
LINE_FIELDS = ParsedLine._fields[: ParsedLine._fields.index("charge_cents")]
# loops 1000A and 1000B: the submitter with its contacts, the receiver
HEADING_SEGMENTS = ("NM1", "N2", "PER")
NOBODY = Party()


def read_rows(claim: Claim) -> ParsedClaim:
    """Make of a claim's rows what the reader made of its segments; payer and providers only in their documents."""
    columns = [value_of(getattr(claim, name)) for name in CLAIM_FIELDS]
    lines = [read_line(line) for line in claim.lines.order_by("line_number")]
    heading = Heading(set_control=claim.set_control, guide=claim.guide, claim_type=claim.claim_type)
    cents = parse_cents(str(claim.charge_amount))
    return ParsedClaim._make([*columns, cents, NOBODY, NOBODY, NOBODY, heading, lines, []])


def read_line(line: ServiceLine) -> ParsedLine:
    columns = [value_of(getattr(line, name)) for name in LINE_FIELDS]
    return ParsedLine._make([*columns, parse_cents(str(line.charge_amount)), 0, "", ""])


def value_of(value: Any) -> Any:
    """Make the reader's value of a column's: ISO text of a date, decimal text of a quantity."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return parse_quantity(f"{value:f}")
    return value


def read_trading(claim: Claim) -> tuple[Trading, Separators]:
    """Read who sent a claim to whom, and the separators, from its file. Raises Unwritable."""
    excerpt = read_excerpt(Chunk.objects.get(pk=claim.chunk_id))
    isa: list[str] = []
    gs: list[str] = []
    parties: list[list[str]] = []
    in_heading = False
    for _, _, elements in segments_before(excerpt, claim.byte_offset):
        name = elements[0]
        in_heading = name == "ST" or (in_heading and name != "HL")
        if name == "ISA":
            isa = envelope(elements, excerpt.separators)
        elif name == "GS":
            gs = [text.strip() for text in elements]
        elif name == "ST":
            parties = []
        elif in_heading and name in HEADING_SEGMENTS:
            parties.append(elements)
    if len(isa) < 17 or len(gs) < 4:
        raise Unwritable("The envelope that the claim came in cannot be read any more.")
    return Trading(isa, gs, parties), excerpt.separators


def envelope(elements: list[str], separators: Separators) -> list[str]:
    try:
        return isa_elements(separators.element.join(elements).encode("latin-1", "replace"), separators)
    except BadInterchange:
        return []


def segments_before(excerpt: Excerpt, offset: int) -> Iterator[Segment]:
    """Yield the segments that stand before a place: those of the context, and of the body up to there."""
    for span in (*excerpt.context, excerpt.body):
        if span.offset < offset:
            cut = span._replace(data=span.data[: max(0, offset - span.offset)])
            yield from read_segments(cut, excerpt.separators)
