"""What a scan has to say, in the order in which it may be said.

Findings go out at once. A set goes out when its end is known, and its chunks behind it; in strict scans they wait
for the end of their group and interchange, whose trailers may still reject them. Faults that repeat in a set are told
once, with their number. Counts and cents are added up here, for every set of the file.
"""

from collections import Counter
from functools import lru_cache
from typing import Final, NamedTuple

from marb.edi.chunks import Joiner, ScannedChunk
from marb.edi.controls import Fault, Group, Interchange
from marb.edi.findings import WARNING, Finding, Place
from marb.edi.values import BadValue, parse_cents
from marb.edi.x12 import BLANKS

KIND_LENGTH: Final = 20


class ScannedSet(NamedTuple):
    """One ST to SE, yielded when its end is known; `byte_to` is behind the SE's terminator.

    `status` is `accepted`, `rejected` or `kept` (whole, but no 837 or 835), and `reason` says why in a sentence
    where it is not accepted. Claims outside any set come as a rejected one without a `set_code`.
    """

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


class Totals(NamedTuple):
    """The oracle: every CLM and CLP of the file, and the cents of CLM02 and CLP04 that are plain amounts."""

    kind: str
    claim_count: int
    remittance_count: int
    charge_cents: int
    paid_cents: int


Scanned = Finding | ScannedSet | ScannedChunk | Totals


class Held(NamedTuple):
    """A set that waits for what its group and interchange come to."""

    scanned: ScannedSet
    pieces: list[ScannedChunk]
    group: Group | None
    interchange: Interchange


class Report:
    """Collects what is to be yielded in `out`, and the totals."""

    def __init__(self, most_claims: int, strict: bool):
        self.strict = strict
        self.out: list[Scanned] = []
        self.joiner = Joiner(most_claims)
        self.held: list[Held | None] = []
        self.tallies: dict[tuple[Fault, int], Finding] = {}
        self.times: Counter[tuple[Fault, int]] = Counter()
        self.kinds: list[str] = []
        self.claim_count = self.remittance_count = self.charge_cents = self.paid_cents = 0

    def level(self, fault: Fault, hard: bool) -> str:
        """A fault's level by the book where it is hard or the scan is strict, else a warning."""
        return fault[0] if hard or self.strict else WARNING

    def find(self, fault: Fault, place: Place, *, hard: bool = False) -> str:
        """Report a fault; answers the level it was given."""
        level = self.level(fault, hard)
        self.out.append(Finding(level, *fault[1:], place))
        return level

    def tally(self, fault: Fault, place: Place, element: int = 0) -> str:
        """Report a fault that may repeat in a set: told at its first place when the set ends."""
        level = self.level(fault, hard=False)
        self.tallies.setdefault((fault, element), Finding(level, *fault[1:], place, element=element))
        self.times[fault, element] += 1
        return level

    def end_tallies(self) -> None:
        for key, first in self.tallies.items():
            count = self.times[key]
            more = f" ({count} times in this set; this is the first.)" if count > 1 else ""
            self.out.append(first._replace(message=first.message + more))
        self.tallies.clear()
        self.times.clear()

    def add(self, scanned: ScannedSet, pieces: list[ScannedChunk], group: Group | None, owner: Interchange) -> None:
        """A set has ended. `pieces` are its chunks, where it is accepted."""
        if self.strict:
            self.held.append(Held(scanned, pieces, group, owner))
        else:
            self.release(scanned, pieces)

    def release(self, scanned: ScannedSet, pieces: list[ScannedChunk]) -> None:
        self.out.append(scanned)
        if scanned.status == "accepted":
            self.out += self.joiner.add(pieces)
        else:
            self.out += self.joiner.part()

    def part(self) -> None:
        """Something stands here that no chunk may hold."""
        if self.strict:
            self.held.append(None)
        else:
            self.out += self.joiner.part()

    def release_held(self) -> None:
        """An interchange has ended: what it and its groups come to is known."""
        for held in self.held:
            if held is None:
                self.out += self.joiner.part()
                continue
            reason = held.interchange.reason or (held.group.reason if held.group else "")
            scanned = held.scanned
            if reason and scanned.status != "rejected":
                scanned = scanned._replace(status="rejected", reason=reason)
            self.release(scanned, held.pieces)
        self.held.clear()

    def add_kind(self, kind: str) -> None:
        if kind and kind not in self.kinds:
            self.kinds.append(kind)

    def totals(self) -> Totals:
        kind = "+".join(self.kinds)
        if len(kind) > KIND_LENGTH:
            kind = kind[: KIND_LENGTH - 1].rpartition("+")[0] + "+…"
        return Totals(kind, self.claim_count, self.remittance_count, self.charge_cents, self.paid_cents)


@lru_cache(maxsize=65536)
def plain_cents(element: bytes) -> int:
    """The cents of an amount where it is a plain one, else 0. Line breaks of a wrapped file are no part of it."""
    text = element.translate(None, b"\r\n").decode("latin-1").strip(BLANKS)
    try:
        return parse_cents(text)
    except BadValue:
        return 0
