"""The envelope scan: one pass over a file's raw bytes that finds its sets, counts its claims and cuts it into chunks.

It looks only at the segments that matter (ISA GS ST HL CLM LX CLP SE GE IEA) and knows nothing of the readers of
claims and remittances, so its counts and cents are an oracle for theirs. DOMAIN R1 to R3; 837 and 835 are cut, other
sets are kept. Laws: each CLM and CLP of the bytes is in exactly one ScannedSet; the claims of accepted 837 and 835
sets are in exactly one ScannedChunk; memory does not grow with the file.

Real files have wrong counts and control numbers, and a human would read them: such a fault is a warning, unless
`strict`, which takes faults at their level by the book (X, G, T) and rejects. In both ways these reject a set: it is
cut off (no SE before the end of the file or before the next GS or ISA; an SE alone left out, with the next ST, GE or
IEA in its place, is a warning), a segment over 64 KB, segment ids in lower case, a CLM in an 835 or a CLP in an 837.
Whether a set's content is good is for the readers to say.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from marb.edi.chunks import ScannedChunk
from marb.edi.controls import MOST_NUMBERS, Fault, Interchange, check_header, plain
from marb.edi.envelope import Envelope
from marb.edi.findings import IK304, INTERCHANGE, SET, TA105, WARNING, Finding, Place
from marb.edi.identify import HEAD_BYTES, HEADER, identify, infer_separators
from marb.edi.report import Report, Scanned, ScannedSet, Totals
from marb.edi.tape import Tape
from marb.edi.x12 import (
    BLANKS,
    ISA_LENGTH,
    MOST_SEGMENT_BYTES,
    BadInterchange,
    Excerpt,
    Separators,
    Span,
    isa_fields,
    read_separators,
)

__all__ = ["ScannedChunk", "ScannedSet", "Totals", "build_excerpt", "scan"]

LAYOUT: Final = BLANKS.encode("latin-1")
BOM: Final = b"\xef\xbb\xbf"
HEADER_BYTES: Final = 5 * ISA_LENGTH

WITH_BOM: Final[Fault] = (WARNING, TA105, "022", "A byte order mark stands before the interchange; it was passed over.")
WITH_BLANKS: Final[Fault] = (WARNING, TA105, "022", "Blanks stand before the interchange; they were passed over.")
GARBAGE: Final[Fault] = (INTERCHANGE, TA105, "024", "Text that is in no interchange stands here; it was passed over.")
NO_ISA: Final[Fault] = (INTERCHANGE, TA105, "022", "The interchange header (ISA) is missing; separators were inferred.")
SAME_ISA13: Final[Fault] = (
    INTERCHANGE,
    TA105,
    "025",
    "The control number (ISA13) is that of another interchange here.",
)
NO_TERMINATOR: Final[Fault] = (INTERCHANGE, TA105, "023", "The last segment has no terminator.")
TOO_LONG: Final[Fault] = (SET, IK304, "8", "A segment is longer than 64 KB.")
NEVER_ENDS: Final = (
    "No segment ends within 64 KB of the interchange header: the segment terminator is not the one it states."
)


def scan(
    blocks: Iterable[bytes],
    *,
    chunk_claims: int = 1000,
    strict: bool = False,
    separators: Separators | None = None,
) -> Iterator[Scanned]:
    """Scan a file's bytes, in blocks of any size; yield findings, sets and chunks as they end, and Totals last.

    `separators` are those of a file without an ISA, where they are known from elsewhere. Raises BadInterchange
    where no interchange at all can be read; its sentence names what the file is instead.
    """
    return Scan(Tape(blocks), chunk_claims, strict, separators).run()


def build_excerpt(read: Callable[[int, int], bytes], chunk: ScannedChunk) -> Excerpt:
    """Build what a reader is given from a chunk; `read(byte_from, byte_to)` answers bytes of the file."""
    context = [Span(start, position, read(start, end)) for start, end, position in chunk.context]
    body = Span(chunk.byte_from, chunk.position, read(chunk.byte_from, chunk.byte_to))
    return Excerpt(chunk.separators, context, body, chunk.guide)


class Scan:
    """One pass: finds interchanges, and reads the segments that matter in each of them."""

    def __init__(self, tape: Tape, most_claims: int, strict: bool, separators: Separators | None):
        self.tape = tape
        self.strict = strict
        self.given = separators
        self.report = Report(most_claims, strict)
        self.envelope = Envelope(tape, self.report, most_claims)
        self.error: BadInterchange | None = None
        self.numbers: set[str] = set()
        self.opened = 0
        self.in_long = False
        self.done = False

    def run(self) -> Iterator[Scanned]:
        self.begin()
        while not self.done:
            if self.envelope.interchange:
                self.read()
            else:
                self.seek()
            yield from self.drain()
        if not self.opened:
            raise self.error or BadInterchange("022", 0, "The file has no interchange header (ISA).")
        self.report.out += self.report.joiner.part()
        yield from self.drain()
        yield self.report.totals()

    def drain(self) -> list[Scanned]:
        ready, self.report.out = self.report.out, []
        return ready

    # before and between interchanges

    def begin(self) -> None:
        """Take the first bytes, and refuse what is not X12 with a sentence that names it."""
        while len(self.tape.buffer) < HEAD_BYTES and not self.tape.ended:
            self.tape.fill()
        head = self.tape.buffer[:HEAD_BYTES]
        identity = identify(head)
        if identity.kind == "x12-part" and not self.strict:
            self.begin_bare(head, identity.sentence)
        elif identity.kind != "x12":
            code = "026" if identity.kind == "x12-separator" else "022"
            raise BadInterchange(code, 0, identity.sentence)

    def begin_bare(self, head: bytes, sentence: str) -> None:
        """Open an interchange whose ISA was left out, where its separators are given or beyond doubt."""
        separators = self.given or infer_separators(head)
        if separators is None:
            raise BadInterchange("022", 0, f"{sentence} Its separators cannot be told from the rest.")
        mark = separators.segment.encode("latin-1")
        self.tape.at = len(BOM) if head.startswith(BOM) else 0
        self.tape.replace(mark + self.tape.buffer[self.tape.at :])
        self.tape.base -= 1
        self.open(Interchange("", "", "", separators, None), 1)
        self.envelope.fault(NO_ISA, 1, "")

    def seek(self) -> None:
        """Find the next ISA; what stands before it is garbage."""
        tape = self.tape
        found = HEADER.search(tape.buffer, tape.at)
        if found and len(tape.buffer) - found.start() < HEADER_BYTES and not tape.ended:
            tape.fill()
        elif found:
            self.pass_over(tape.at, found.start())
            if not self.open_header(found.start()):
                tape.at = found.start() + 3
        elif tape.ended:
            self.pass_over(tape.at, len(tape.buffer))
            self.done = True
        else:
            self.seek_on()

    def seek_on(self) -> None:
        """No ISA in the buffer: let go of all but its end, where one may begin."""
        tape, length = self.tape, len(self.tape.buffer)
        last = tape.buffer.rfind(tape.terminator) if tape.terminator else -1
        keep = last if last > length - MOST_SEGMENT_BYTES else length - HEADER_BYTES
        keep = max(tape.at, keep)
        self.pass_over(tape.at, keep)
        tape.at = keep
        tape.fill()

    def pass_over(self, start: int, end: int) -> None:
        """Report what stands outside interchanges, and count the claims in it."""
        tape, envelope = self.tape, self.envelope
        if tape.terminator:
            self.count_stray(start, end)
            start += tape.buffer.startswith(tape.terminator, start)
        text = tape.buffer[start:end].strip(LAYOUT)
        first = tape.offset(start) == 0
        if text == BOM:
            self.tell(WITH_BOM, start)
        elif text:
            self.tell(GARBAGE, start)
            self.report.part()
        elif first and end > start and not self.opened:
            self.tell(WITH_BLANKS, start)
        if envelope.stray:
            envelope.end_stray(tape.offset(end))

    def tell(self, fault: Fault, start: int) -> None:
        """Report what stands outside interchanges; it rejects nothing that is inside of one."""
        place = Place(self.tape.offset(start))
        if not self.report.out or self.report.out[-1] != Finding(WARNING, *fault[1:], place):
            self.report.find((WARNING, *fault[1:]) if not self.strict else fault, place)

    def count_stray(self, start: int, end: int) -> None:
        for hit in self.envelope.pattern.finditer(self.tape.buffer, start, end):
            if hit[1] in (b"CLM", b"CLP"):
                self.envelope.handlers[hit[1]](hit.start(1))

    def open_header(self, start: int) -> bool:
        """Open the interchange whose ISA is here; False where it cannot be read."""
        tape = self.tape
        head = tape.buffer[start : start + HEADER_BYTES]
        try:
            separators = read_separators(head, tape.offset(start))
        except BadInterchange as error:
            self.error = self.error or error
            place = Place(tape.offset(start), segment_id="ISA")
            self.report.find((INTERCHANGE, TA105, error.code, error.sentence), place, hard=True)
            self.report.part()
            return False
        fields = isa_fields(head[: 4 * ISA_LENGTH].decode("latin-1"), separators.element)
        end = tape.buffer.find(separators.segment.encode("latin-1"), start + sum(len(f) + 1 for f in fields[:16]))
        extent = (tape.offset(start), tape.offset(end + 1), 0)
        control, sender, receiver = (plain(fields[n].encode("latin-1"), 80) for n in (13, 6, 8))
        tape.at = end
        self.open(Interchange(control[:20], sender, receiver, separators, extent), end)
        self.check_header(fields, control, start)
        return True

    def open(self, interchange: Interchange, start: int) -> None:
        tape, envelope = self.tape, self.envelope
        tape.use(interchange.separators)
        envelope.open_interchange(interchange)
        self.opened += 1

    def check_header(self, fields: list[str], control: str, start: int) -> None:
        for fault in check_header(fields):
            self.envelope.fault(fault, start, "ISA")
        if control in self.numbers:
            self.envelope.fault(SAME_ISA13, start, "ISA")
        elif len(self.numbers) < MOST_NUMBERS:
            self.numbers.add(control)

    # in an interchange

    def read(self) -> None:
        """Read the whole segments that are in the buffer, then take in more; close what is open at the end."""
        tape = self.tape
        last = tape.buffer.rfind(tape.terminator, tape.at)
        if last > tape.at:
            self.in_long = False
            self.read_whole(last)
        elif not tape.ended:
            if len(tape.buffer) - tape.at > MOST_SEGMENT_BYTES:
                self.blot_long()
            tape.fill()
        else:
            self.read_end()

    def read_whole(self, last: int) -> None:
        """Read up to the terminator at `last`; a segment that is too long is reported on the way."""
        tape = self.tape
        place = self.find_long(tape.at, last)
        if place > tape.at:
            self.read_to(place)
        else:
            self.report_long(tape.at)
            self.read_to(tape.buffer.find(tape.terminator, tape.at + 1))

    def find_long(self, start: int, last: int) -> int:
        """Find the terminator before the next segment that is too long; `last` where there is none."""
        tape, place = self.tape, start
        while place < last:
            step = tape.buffer.rfind(tape.terminator, place + 1, place + MOST_SEGMENT_BYTES + 2)
            if step < 0:
                return place
            place = step
        return last

    def read_to(self, last: int) -> None:
        """Call the envelope for each segment that matters, up to the terminator at `last`."""
        tape, envelope = self.tape, self.envelope
        handlers = envelope.handlers
        for hit in envelope.pattern.finditer(tape.buffer, tape.at, last + 1):
            handler = handlers.get(hit[1]) or handlers.get(hit[1].translate(None, b"\r\n"))
            if handler is None:
                envelope.on_lower_case(hit.start(1))
            elif handler(hit.start(1)):
                return
        tape.at = last

    def report_long(self, start: int) -> None:
        tape = self.tape
        if tape.buffer[start + 1 : start + MOST_SEGMENT_BYTES].strip(LAYOUT):
            if not self.envelope.has_content:
                raise BadInterchange("004", tape.offset(start + 1), NEVER_ENDS)
            self.envelope.fault(TOO_LONG, start + 1, "", hard=self.envelope.set is not None)

    def blot_long(self) -> None:
        """The buffer holds the beginning of a segment that is too long: report it, and let go of what it holds."""
        tape, end = self.tape, len(self.tape.buffer)
        filler = b"?" if tape.buffer[tape.at + 1 :].strip(LAYOUT) or self.in_long else b" "
        if not self.in_long and filler == b"?":
            self.report_long(tape.at)
            hit = self.envelope.pattern.match(tape.buffer, tape.at)
            if hit and hit[1] in (b"CLM", b"CLP"):
                self.envelope.handlers[hit[1]](hit.start(1))
        self.in_long = self.in_long or filler == b"?"
        tape.blot(end - 16, filler)

    def read_end(self) -> None:
        """The file has ended: read a last segment without terminator, then close what is open."""
        tape, envelope = self.tape, self.envelope
        if envelope.file_end is None and tape.buffer[tape.at + 1 :].strip(LAYOUT):
            envelope.file_end = tape.offset(len(tape.buffer))
            envelope.fault(NO_TERMINATOR, tape.at + 1, "")
            tape.replace(tape.buffer[tape.at :] + tape.terminator)
        else:
            envelope.file_end = envelope.file_end or tape.offset(len(tape.buffer))
            envelope.cut_off(len(tape.buffer), "")
            tape.at = len(tape.buffer)
