"""Interim: the envelope scan in its simplest form. Replaced by the scan branch's module at the merge.

One chunk per transaction set; the whole file in memory.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from marb.edi.findings import IK502, SET, Finding, Place
from marb.edi.values import BadValue, parse_cents
from marb.edi.x12 import BadInterchange, Separators, Span, element, read_segments, read_separators


class ScannedSet(NamedTuple):
    byte_from: int
    byte_to: int
    set_code: str
    guide: str
    sender_code: str
    receiver_code: str
    interchange_control: str
    group_control: str
    set_control: str
    segment_count: int
    claim_count: int
    remittance_count: int
    status: str
    reason: str


class ScannedChunk(NamedTuple):
    kind: str
    guide: str
    byte_from: int
    byte_to: int
    position: int
    context: list[tuple[int, int, int]]
    separators: Separators
    claim_count: int


class Totals(NamedTuple):
    kind: str
    claim_count: int
    remittance_count: int
    charge_cents: int
    paid_cents: int


def cents(text: str) -> int:
    try:
        return parse_cents(text)
    except BadValue:
        return 0


def scan(
    blocks: Iterable[bytes], *, chunk_claims: int = 1000, strict: bool = False, separators: Separators | None = None
) -> Iterator[Finding | ScannedSet | ScannedChunk | Totals]:
    data = b"".join(blocks)
    start = data.find(b"ISA")
    if start < 0:
        raise BadInterchange("022", 0, "There is no interchange header (ISA).")
    marks = read_separators(data[start : start + 500], start)
    heads: dict[str, tuple[int, int, int]] = {}
    names: dict[str, list[str]] = {}
    kinds: set[str] = set()
    counted = {"CLM": 0, "CLP": 0}
    money = {"CLM": 0, "CLP": 0}
    counts = {"CLM": 0, "CLP": 0}
    begin = 0
    for offset, position, elements in read_segments(Span(start, 0, data[start:]), marks):
        name = elements[0]
        end = data.index(marks.segment.encode("latin-1"), offset) + 1
        if name in ("ISA", "GS"):
            heads[name], names[name] = (offset, end, 0), elements
        elif name == "ST":
            begin, counts, names["ST"] = offset, {"CLM": 0, "CLP": 0}, elements
        elif name in counts:
            counts[name] += 1
            counted[name] += 1
            money[name] += cents(element(elements, 2 if name == "CLM" else 4))
        elif name == "SE":
            code, guide = element(names["ST"], 1), element(names["GS"], 8)
            bad = not re.fullmatch("[0-9]+", element(elements, 1))
            status = "kept" if code not in ("837", "835") else "rejected" if bad else "accepted"
            reason = {"kept": f"This is a {code}.", "rejected": "The set's segment count is no number."}.get(status, "")
            control = (element(names["ISA"], 13), element(names["GS"], 6), element(names["ST"], 2))
            if status == "rejected":
                yield Finding(SET, IK502, "4", reason, Place(offset, position, "SE", *control))
            kinds.add({"837": "837P", "835": "835"}.get(code, code))
            codes = (element(names["GS"], 2), element(names["GS"], 3))
            yield ScannedSet(
                begin, end, code, guide, *codes, *control, position, counts["CLM"], counts["CLP"], status, reason
            )
            if status == "accepted":
                context = [heads["ISA"], heads["GS"]]
                yield ScannedChunk(code, guide, begin, end, 1, context, marks, sum(counts.values()))
    yield Totals("+".join(sorted(kinds)), counted["CLM"], counted["CLP"], money["CLM"], money["CLP"])
