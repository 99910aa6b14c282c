"""The envelopes that are open at one place of a file, and what each segment that matters does to them.

ISA GS ST open, SE GE IEA close, HL and LX open loops, CLM and CLP are counted and are where a set may be cut. The
scan calls one method for each such segment, with its place on the tape; True as the answer means that reading has
to be taken up anew from `tape.at` (other separators, another set of segments to look for, or nothing open).
"""

from collections.abc import Callable
from typing import Final

from marb.edi.chunks import Cutter, Stretch
from marb.edi.controls import (
    MOST_NUMBERS,
    Fault,
    Group,
    Interchange,
    TransactionSet,
    at,
    check_group,
    check_guide,
    check_interchange,
    check_set,
    kept_reason,
    make_group,
    make_set,
    plain,
)
from marb.edi.findings import AK905, GROUP, IK304, IK403, IK502, INTERCHANGE, SET, TA105, WARNING, Place
from marb.edi.guides import GROUP_CODES
from marb.edi.pattern import segment_pattern
from marb.edi.report import Report, ScannedSet, plain_cents
from marb.edi.tape import Tape
from marb.edi.x12 import Separators

NO_SUBSCRIBER: Final[Fault] = (SET, IK304, "7", "A claim (CLM) stands under no subscriber (HL 22).")
CLM_IN_835: Final[Fault] = (SET, IK304, "2", "The set is an 835 and holds a claim (CLM): two files are mixed in it.")
CLP_IN_837: Final[Fault] = (SET, IK304, "2", "The set is an 837 and holds a payment (CLP): two files are mixed in it.")
LOWER_CASE: Final[Fault] = (SET, IK304, "1", "Segment ids are in lower case; they must be in upper case.")
EMPTY: Final[Fault] = (WARNING, IK304, "1", "An empty segment: two terminators with nothing between them.")
NO_SE: Final[Fault] = (SET, IK502, "2", "The set has no end (SE).")
CUT_OFF: Final[Fault] = (
    SET,
    IK502,
    "2",
    "The set is cut off: it has no end (SE) where the next header or the file's end is.",
)
SAME_ST02: Final[Fault] = (SET, IK502, "23", "The control number (ST02) is that of another set in the group.")
NO_GS: Final[Fault] = (INTERCHANGE, TA105, "024", "A transaction set stands in no functional group (GS).")
NO_GE: Final[Fault] = (GROUP, AK905, "3", "The functional group has no end (GE).")
NO_IEA: Final[Fault] = (INTERCHANGE, TA105, "023", "The interchange has no end (IEA).")
NO_SETS: Final[Fault] = (INTERCHANGE, TA105, "024", "The interchange holds no transaction set.")
NO_HEADER: Final[Fault] = (WARNING, IK304, "2", "A trailer stands here without its header.")
BETWEEN: Final[Fault] = (WARNING, IK304, "2", "Segments stand outside any transaction set; they were passed over.")
STRAY_REASON: Final = "Claims stand outside any transaction set."


class Envelope:
    """What is open: an interchange, in it a group, in it a set."""

    def __init__(self, tape: Tape, report: Report, most_claims: int):
        self.tape = tape
        self.report = report
        self.most_claims = most_claims
        self.interchange: Interchange | None = None
        self.group: Group | None = None
        self.set: TransactionSet | None = None
        self.stray: list[int] | None = None
        self.element = b"*"
        self.after = 0
        self.file_end: int | None = None
        self.pattern = segment_pattern("*", "~", "HL")
        self.handlers: dict[bytes, Callable[[int], bool | None]] = {
            b"CLM": self.on_clm,
            b"CLP": self.on_clp,
            b"HL": self.on_hl,
            b"LX": self.on_lx,
            b"ST": self.on_st,
            b"SE": self.on_se,
            b"GS": self.on_gs,
            b"GE": self.on_ge,
            b"ISA": self.on_isa,
            b"IEA": self.on_iea,
            b"TA1": self.on_ta1,
            b"ISB": self.on_service,
            b"ISE": self.on_service,
        }

    @property
    def has_content(self) -> bool:
        """Whether anything behind the interchange header was read."""
        return bool(self.report.kinds or self.group or self.set)

    # what stands where

    def elements(self, start: int) -> list[bytes]:
        tape = self.tape
        segment = tape.buffer[start : tape.buffer.find(tape.terminator, start)].rstrip()
        if b"\n" in segment or b"\r" in segment:
            segment = segment.translate(None, b"\r\n")
        return segment.split(self.element)

    def end_of(self, start: int) -> int:
        """The offset behind the segment at this place, its terminator with it."""
        tape = self.tape
        end = tape.offset(tape.buffer.find(tape.terminator, start) + 1)
        return end if self.file_end is None else min(end, self.file_end)

    def position(self, start: int) -> int:
        return self.tape.ordinal(start) - self.set.ordinal + 1 if self.set else 0

    def place(self, start: int, segment_id: str) -> Place:
        controls = (part.control if part else "" for part in (self.interchange, self.group, self.set))
        return Place(self.tape.offset(start), self.position(start), segment_id, *controls)

    def fault(self, fault: Fault, start: int, segment_id: str, *, hard: bool = False) -> None:
        """Report a fault; where its level is more than a warning, what it concerns is rejected."""
        level = self.report.find(fault, self.place(start, segment_id), hard=hard)
        self.reject(level, fault[3])

    def reject(self, level: str, reason: str) -> None:
        rejected = {SET: self.set, GROUP: self.group, INTERCHANGE: self.interchange}.get(level)
        if rejected and not rejected.reason:
            rejected.reason = reason

    def tally(self, fault: Fault, start: int, segment_id: str, element: int = 0) -> None:
        self.reject(self.report.tally(fault, self.place(start, segment_id), element), fault[3])

    # claims and loops

    def on_clm(self, start: int) -> None:
        opened, report, tape = self.set, self.report, self.tape
        report.claim_count += 1
        parts = tape.buffer[start : tape.buffer.find(tape.terminator, start)].split(self.element, 3)
        if len(parts) > 2:
            report.charge_cents += plain_cents(parts[2])
        if opened is None:
            self.add_stray(start, 1, 0)
            return
        opened.claim_count += 1
        if opened.code == "837":
            if 22 not in opened.hierarchy.open:
                self.tally(NO_SUBSCRIBER, start, "CLM")
            self.add_claim(start)
        elif opened.code == "835" and not opened.reason:
            self.fault(CLM_IN_835, start, "CLM", hard=True)

    def on_clp(self, start: int) -> None:
        opened, report, tape = self.set, self.report, self.tape
        report.remittance_count += 1
        parts = tape.buffer[start : tape.buffer.find(tape.terminator, start)].split(self.element, 5)
        if len(parts) > 4:
            report.paid_cents += plain_cents(parts[4])
        if opened is None:
            self.add_stray(start, 0, 1)
            return
        opened.remittance_count += 1
        if opened.code == "835":
            self.add_claim(start)
        elif opened.code == "837" and not opened.reason:
            self.fault(CLP_IN_837, start, "CLP", hard=True)

    def add_claim(self, start: int) -> None:
        if self.set and self.set.cutter:
            cutter, offset = self.set.cutter, self.tape.base + start
            cutter.add_claim(offset, self.position(start) if cutter.is_full(offset) else 0)

    def add_stray(self, start: int, claims: int, remittances: int) -> None:
        self.stray = self.stray or [self.tape.offset(start), 0, 0]
        self.stray[1] += claims
        self.stray[2] += remittances

    def on_hl(self, start: int) -> None:
        if self.set is None or self.set.code != "837" or self.set.cutter is None:
            return
        level, faults = self.set.hierarchy.add(self.elements(start))
        for found in faults:
            self.tally((found.level, IK403, found.code, found.message), start, "HL", found.element)
        if level:
            self.set.cutter.open_loop(level, self.tape.base + start, self.position(start))

    def on_lx(self, start: int) -> None:
        if self.set and self.set.code == "835" and self.set.cutter:
            self.set.cutter.open_loop(1, self.tape.base + start, self.position(start))

    # transaction sets

    def on_st(self, start: int) -> bool:
        if self.set:
            self.end_set(start, NO_SE, "ST")
        self.pass_between(start)
        opened = make_set(self.tape.offset(start), self.tape.ordinal(start), self.elements(start), self.group)
        self.set = opened
        self.tape.forget_empties()
        if self.interchange:
            self.check_outer(start, self.interchange, opened)
        if opened.code in GROUP_CODES:
            separators = self.separators()
            guide = opened.guide_text or (self.group.guide if self.group else "")
            opened.cutter = Cutter(opened.code, guide, separators, self.outer(), self.most_claims)
            opened.cutter.begin(opened.byte_from)
        for fault in check_guide(opened, self.group):
            self.fault(fault, start, "ST")
        return self.look_for("LX" if opened.code == "835" else "HL", start)

    def check_outer(self, start: int, interchange: Interchange, opened: TransactionSet) -> None:
        if self.group is None and not (interchange.has_sets and interchange.group_count == 0):
            self.fault(NO_GS, start, "ST")
        interchange.has_sets = True
        if self.group:
            self.group.set_count += 1
            if opened.control in self.group.numbers:
                self.fault(SAME_ST02, start, "ST")
            elif len(self.group.numbers) < MOST_NUMBERS:
                self.group.numbers.add(opened.control)

    def separators(self) -> Separators:
        assert self.interchange is not None
        return self.interchange.separators

    def outer(self) -> list[Stretch]:
        return [part.extent for part in (self.interchange, self.group) if part and part.extent]

    def look_for(self, loop: str, start: int) -> bool:
        """Look for this loop's segment from the next segment on; True where that is another than before."""
        separators = self.separators()
        pattern = segment_pattern(separators.element, separators.segment, loop)
        if pattern is self.pattern:
            return False
        self.pattern = pattern
        self.tape.at = self.tape.buffer.find(self.tape.terminator, start)
        return True

    def on_se(self, start: int) -> None:
        elements = self.elements(start)
        if self.set is None:
            self.fault(NO_HEADER, start, "SE")
            self.after = self.tape.ordinal(start)
        elif self.file_end is None or plain(at(elements, 2), 20) == self.set.control:
            for fault in check_set(self.set, elements, self.position(start)):
                self.fault(fault, start, "SE")
            self.close_set(self.end_of(start), self.position(start))
            self.after = self.tape.ordinal(start)

    def end_set(self, start: int, fault: Fault, segment_id: str) -> None:
        """The open set ends before this place, without an SE."""
        assert self.set is not None
        self.fault(fault, start, segment_id, hard=fault is CUT_OFF)
        segment_count = self.position(start) - 1
        self.close_set(self.tape.offset(start), segment_count)
        self.after = self.tape.ordinal(start) - 1

    def close_set(self, byte_to: int, segment_count: int) -> None:
        opened, cutter = self.set, self.set.cutter if self.set else None
        assert opened
        assert self.interchange
        self.report.end_tallies()
        self.report_empties(opened)
        if cutter:
            cutter.close_head(byte_to)
            cutter.finish(byte_to)
            opened.reason = opened.reason or cutter.too_long
        elif opened.claim_count or opened.remittance_count:
            opened.reason = opened.reason or "The set holds claims or payments and is no 837 or 835."
        status = "rejected" if opened.reason else "accepted" if cutter else "kept"
        reason = kept_reason(opened.code) if status == "kept" else opened.reason
        scanned = self.scanned(opened, byte_to, segment_count, status, reason)
        self.report.add_kind(opened.guide.kind)
        self.report.add(scanned, cutter.pieces if cutter else [], self.group, self.interchange)
        self.set = None

    def report_empties(self, opened: TransactionSet) -> None:
        """Tell of empty segments (`~~`); a blank line where lines end segments is layout."""
        tape = self.tape
        if tape.empty_first and tape.terminator not in b"\r\n":
            offset, ordinal = tape.empty_first
            place = self.place(tape.marked, "")._replace(
                byte_offset=offset, segment_position=ordinal - opened.ordinal + 1
            )
            more = f" ({tape.empty_count} in this set; this is the first.)" if tape.empty_count > 1 else ""
            self.report.find((*EMPTY[:3], EMPTY[3] + more), place)

    def scanned(self, opened: TransactionSet, byte_to: int, segment_count: int, status: str, reason: str) -> ScannedSet:
        interchange, group = self.interchange, self.group
        assert interchange is not None
        outer = group or interchange
        return ScannedSet(
            byte_from=opened.byte_from,
            byte_to=byte_to,
            set_code=opened.code,
            guide=opened.guide_text or (group.guide if group else ""),
            sender_code=outer.sender,
            receiver_code=outer.receiver,
            interchange_control=interchange.control,
            group_control=group.control if group else "",
            set_control=opened.control,
            segment_count=segment_count,
            claim_count=opened.claim_count,
            remittance_count=opened.remittance_count,
            status=status,
            reason=reason,
        )

    # groups and interchanges

    def on_gs(self, start: int) -> None:
        if self.set:
            self.end_set(start, CUT_OFF, "GS")
        self.pass_between(start)
        if self.group:
            self.fault(NO_GE, start, "GS")
        place = self.tape.offset(start)
        self.group = make_group((place, self.end_of(start), 0), self.elements(start))
        if self.interchange:
            self.interchange.group_count += 1
        self.after = self.tape.ordinal(start)

    def on_ge(self, start: int) -> None:
        if self.set:
            self.end_set(start, NO_SE, "GE")
        self.pass_between(start)
        if self.group is None:
            self.fault(NO_HEADER, start, "GE")
        else:
            for fault in check_group(self.group, self.elements(start)):
                self.fault(fault, start, "GE")
        self.group = None
        self.after = self.tape.ordinal(start)

    def on_iea(self, start: int) -> bool:
        assert self.interchange is not None
        if self.set:
            self.end_set(start, NO_SE, "IEA")
        self.pass_between(start)
        if self.group:
            self.fault(NO_GE, start, "IEA")
        for fault in check_interchange(self.interchange, self.elements(start)):
            self.fault(fault, start, "IEA")
        self.close_interchange(start)
        self.tape.at = self.tape.buffer.find(self.tape.terminator, start)
        return True

    def on_isa(self, start: int) -> bool:
        """An ISA before the IEA of the one before it."""
        self.cut_off(start, "ISA")
        self.tape.at = self.tape.buffer.rfind(self.tape.terminator, 0, start)
        return True

    def open_interchange(self, interchange: Interchange) -> None:
        """An interchange begins; `tape.at` is the terminator of its ISA."""
        separators = interchange.separators
        self.interchange = interchange
        self.element = separators.element.encode("latin-1")
        self.pattern = segment_pattern(separators.element, separators.segment, "HL")
        self.after = self.tape.ordinal(self.tape.at)

    def cut_off(self, start: int, segment_id: str) -> None:
        """End all that is open: the file's end, or another interchange, stands here."""
        if self.set:
            self.end_set(start, CUT_OFF, segment_id)
        self.pass_between(start)
        if self.group:
            self.fault(NO_GE, start, segment_id)
        self.fault(NO_IEA, start, segment_id)
        self.close_interchange(start)

    def close_interchange(self, start: int) -> None:
        assert self.interchange is not None
        if not self.interchange.has_sets:
            self.fault(NO_SETS, start, "IEA", hard=True)
        self.report.release_held()
        self.interchange = self.group = None

    def on_ta1(self, start: int) -> None:
        """A TA1 stands in no set; it is kept as one of its own."""
        if self.set or self.interchange is None:
            return
        self.pass_between(start)
        opened = make_set(self.tape.offset(start), self.tape.ordinal(start), [b"ST", b"TA1"], None)
        self.interchange.has_sets = True
        scanned = self.scanned(opened, self.end_of(start), 1, "kept", kept_reason("TA1"))
        self.report.add_kind("TA1")
        self.report.add(scanned, [], None, self.interchange)
        self.after = self.tape.ordinal(start)

    def on_service(self, start: int) -> None:
        """ISB and ISE belong to the interchange header and say nothing that we need."""
        if self.set is None:
            self.pass_between(start)
            self.after = self.tape.ordinal(start)

    # what stands where it should not

    def on_lower_case(self, start: int) -> None:
        if self.set is None or not self.set.reason:
            level = (WARNING, *LOWER_CASE[1:]) if self.set is None else LOWER_CASE
            self.fault(level, start, "", hard=True)

    def pass_between(self, start: int) -> None:
        """What stood between the last envelope segment and this one belongs to no set."""
        ordinal = self.tape.ordinal(start)
        if ordinal > self.after + 1:
            self.fault(BETWEEN, start, "")
            self.report.part()
        self.end_stray(self.tape.offset(start))

    def end_stray(self, byte_to: int) -> None:
        if self.stray is None:
            return
        byte_from, claims, remittances = self.stray
        interchange, group = (part.control if part else "" for part in (self.interchange, self.group))
        controls = ("", "", "", "", interchange, group, "")
        scanned = ScannedSet(byte_from, byte_to, *controls, 0, claims, remittances, "rejected", STRAY_REASON)
        self.report.release(scanned, [])
        self.stray = None
