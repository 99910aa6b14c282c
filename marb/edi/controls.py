"""The envelopes that are open while a file is scanned: interchange (ISA), group (GS), transaction set (ST).

Each knows what it said in its header, what it has counted, and why it is rejected, if it is. The checks compare a
trailer with its header and answer what differs, as (level by the book, code set, code, sentence); how hard that is
taken is for the scan. Control numbers and codes are cut to sane lengths, so that a damaged header harms nothing.
"""

from dataclasses import dataclass, field
from typing import Final

from marb.edi.chunks import Cutter
from marb.edi.findings import AK905, GROUP, IK304, IK502, INTERCHANGE, SET, TA105, WARNING
from marb.edi.guides import GROUP_CODES, SETS, Guide, read_guide
from marb.edi.hierarchy import Hierarchy
from marb.edi.x12 import BLANKS, Separators

Fault = tuple[str, str, str, str]

WIDTHS: Final = (3, 2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1)
VERSIONS: Final = ("00400", "00401", "00402", "00403", "00500", "00501")
MOST_NUMBERS: Final = 100_000


@dataclass(slots=True)
class Interchange:
    """An ISA to its IEA. `extent` is the ISA segment itself; without an ISA it is None."""

    control: str
    sender: str
    receiver: str
    separators: Separators
    extent: tuple[int, int, int] | None
    group_count: int = 0
    has_sets: bool = False
    reason: str = ""


@dataclass(slots=True)
class Group:
    """A GS to its GE."""

    control: str
    code: str
    guide: str
    sender: str
    receiver: str
    extent: tuple[int, int, int]
    set_count: int = 0
    numbers: set[str] = field(default_factory=set)
    reason: str = ""


@dataclass(slots=True)
class TransactionSet:
    """An ST to its SE. `ordinal` is the place of the ST in the count of the file's segments."""

    byte_from: int
    ordinal: int
    code: str
    control: str
    guide_text: str
    guide: Guide
    cutter: Cutter | None
    hierarchy: Hierarchy = field(default_factory=Hierarchy)
    claim_count: int = 0
    remittance_count: int = 0
    reason: str = ""


def plain(element: bytes, most: int) -> str:
    """An envelope's code or number as text: no blanks round it, no NUL (PostgreSQL takes none), of sane length."""
    return element[:200].decode("latin-1").replace("\x00", "").strip(BLANKS)[:most]


def check_header(fields: list[str]) -> list[Fault]:
    """Check an ISA's sixteen elements (fields[0] is `ISA`, fields[16] begins with ISA16)."""
    faults: list[Fault] = []
    odd = [f"ISA{n:02d}" for n in range(1, 16) if len(fields[n]) != WIDTHS[n]]
    if odd:
        faults.append((INTERCHANGE, TA105, "022", f"The header has fields of another width: {', '.join(odd)}."))
    if fields[12].strip() not in VERSIONS:
        faults.append((INTERCHANGE, TA105, "017", "The interchange has a version (ISA12) that we do not know."))
    if fields[15].strip() == "T":
        faults.append((WARNING, TA105, "020", "The interchange is marked as test data (ISA15)."))
    return faults


def check_interchange(interchange: Interchange, elements: list[bytes]) -> list[Fault]:
    """Compare an IEA with its ISA."""
    faults: list[Fault] = []
    count, control = number(elements, 1), plain(at(elements, 2), 20)
    if count != interchange.group_count:
        text = f"IEA01 says {said(count)}, the interchange holds {interchange.group_count} functional groups."
        faults.append((INTERCHANGE, TA105, "021", text))
    if interchange.extent and control != interchange.control:
        text = "The control number of the trailer (IEA02) is not that of the header (ISA13)."
        faults.append((INTERCHANGE, TA105, "001", text))
    return faults


def check_group(group: Group, elements: list[bytes]) -> list[Fault]:
    """Compare a GE with its GS."""
    faults: list[Fault] = []
    count, control = number(elements, 1), plain(at(elements, 2), 20)
    if count != group.set_count:
        text = f"GE01 says {said(count)}, the group holds {group.set_count} transaction sets."
        faults.append((GROUP, AK905, "5", text))
    if control != group.control:
        text = "The control number of the trailer (GE02) is not that of the header (GS06)."
        faults.append((GROUP, AK905, "4", text))
    return faults


def check_set(opened: TransactionSet, elements: list[bytes], segment_count: int) -> list[Fault]:
    """Compare an SE with its ST; `segment_count` counts both."""
    faults: list[Fault] = []
    count, control = number(elements, 1), plain(at(elements, 2), 20)
    if count != segment_count:
        faults.append((SET, IK502, "4", f"SE01 says {said(count)}, the set holds {segment_count} segments."))
    if control != opened.control:
        text = "The control number of the trailer (SE02) is not that of the header (ST02)."
        faults.append((SET, IK502, "3", text))
    if opened.code == "837" and not opened.claim_count:
        faults.append((SET, IK304, "I8", "The set is an 837 and holds no claim (CLM)."))
    return faults


def check_guide(opened: TransactionSet, group: Group | None) -> list[Fault]:
    """Compare ST01 and ST03 with the group that the set stands in (GS01, GS08)."""
    if opened.code not in GROUP_CODES or group is None:
        return []
    faults: list[Fault] = []
    if group.code != GROUP_CODES[opened.code]:
        text = f"The group's code (GS01) is not {GROUP_CODES[opened.code]}, as an {opened.code} asks for."
        faults.append((GROUP, AK905, "1", text))
    if group.guide and opened.guide_text and group.guide != opened.guide_text:
        faults.append((SET, IK502, "I6", "The set names another guide (ST03) than its group (GS08)."))
    return faults + check_release(opened)


def check_release(opened: TransactionSet) -> list[Fault]:
    if opened.guide.release.startswith("004"):
        return [(WARNING, AK905, "2", "The set is written in release 4010, the forebear of 5010; it is read alike.")]
    if not opened.guide.is_known:
        return [(GROUP, AK905, "2", "The guide (GS08, ST03) is not one that we know; the set is read by its ST01.")]
    return []


def kept_reason(code: str) -> str:
    name = SETS.get(code, "a set of a kind that we do not read")
    return f"This is {name} ({code or 'no code'}): kept as a file, as it holds no claims and no payments."


def at(elements: list[bytes], place: int) -> bytes:
    return elements[place] if place < len(elements) else b""


def number(elements: list[bytes], place: int) -> int | None:
    text = at(elements, place).strip()
    return int(text) if text.isdigit() and len(text) < 18 else None


def said(count: int | None) -> str:
    return "nothing that is a number" if count is None else str(count)


def make_set(byte_from: int, ordinal: int, elements: list[bytes], group: Group | None) -> TransactionSet:
    """Open a set from its ST; the guide is ST03, and GS08 where there is none."""
    code, stated = plain(at(elements, 1), 6), plain(at(elements, 3), 35)
    guide = read_guide(code, stated or (group.guide if group else ""))
    return TransactionSet(byte_from, ordinal, code, plain(at(elements, 2), 20), stated, guide, None)


def make_group(extent: tuple[int, int, int], elements: list[bytes]) -> Group:
    code, sender, receiver = (plain(at(elements, place), most) for place, most in ((1, 6), (2, 80), (3, 80)))
    return Group(plain(at(elements, 6), 20), code, plain(at(elements, 8), 35), sender, receiver, extent)
