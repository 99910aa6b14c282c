"""Where a transaction set may be cut, and what has to stand before each piece for it to be read alone.

837: the heading, then HL loops 20 (2000A), 22 (2000B), 23 (2000C), and under them the claims (CLM).
835: the heading, then LX loops (2000), and under them the claim payments (CLP).
The head of a loop is what lies between its first segment and the next loop or claim. A piece begins at a loop or a
claim, and its context is the heads of what is open there: reading context and body gives each claim the same open
loops and positions as reading the whole file. What a claim holds is never looked into, and a claim is never cut.
"""

from typing import Final, NamedTuple

from marb.edi.x12 import Separators

MOST_BODY_BYTES: Final = 8 << 20
MOST_CLAIM_BYTES: Final = 8 << 20
MOST_HEAD_BYTES: Final = 1 << 20

Stretch = tuple[int, int, int]


class ScannedChunk(NamedTuple):
    """Whole claims of accepted sets, and what stands before them.

    `kind` is `837` or `835`; `position` is that of the body's first segment in its ST. `context` lists [byte_from,
    byte_to, position] of ISA, GS, the heading and the open loops, in the order of the file. `claim_count` counts the
    CLM or CLP of the body, which may run over several whole sets.
    """

    kind: str
    guide: str
    byte_from: int
    byte_to: int
    position: int
    context: list[Stretch]
    separators: Separators
    claim_count: int


class Cutter:
    """Cuts one transaction set while it passes. `pieces` is whole after `finish`; `too_long` says why it cannot be."""

    def __init__(self, kind: str, guide: str, separators: Separators, outer: list[Stretch], most_claims: int):
        self.kind, self.guide, self.separators = kind, guide, separators
        self.outer = outer
        self.most_claims = most_claims
        self.pieces: list[ScannedChunk] = []
        self.heads: list[list[int]] = []
        self.head_open = False
        self.body_from, self.body_position, self.body_context = 0, 1, outer
        self.count = 0
        self.last_claim = 0
        self.too_long = ""

    def begin(self, offset: int) -> None:
        """Open the set's heading (level 0) at its ST."""
        self.body_from = self.last_claim = offset
        self.heads = [[0, offset, 0, 1]]
        self.head_open = True

    def open_loop(self, level: int, offset: int, position: int) -> None:
        """Open a loop. 837: level 20, 22, 23; 835: level 1. Loops of its own level and below are closed by it."""
        self.close_head(offset)
        while self.heads and self.heads[-1][0] >= level:
            self.heads.pop()
        if self.is_full(offset):
            self.cut(offset, position)
        self.heads.append([level, offset, 0, position])
        self.head_open = True

    def add_claim(self, offset: int, position: int) -> None:
        """A CLM or CLP begins here; where the piece is full it is cut before it, at `position` (only read then)."""
        self.close_head(offset)
        self.last_claim = offset
        if self.is_full(offset):
            self.cut(offset, position)
        self.count += 1

    def is_full(self, offset: int) -> bool:
        return self.count >= self.most_claims or (self.count > 0 and offset - self.body_from >= MOST_BODY_BYTES)

    def close_head(self, offset: int) -> None:
        """The head of the innermost loop ends here, at its first claim or at the next loop."""
        if self.head_open:
            head = self.heads[-1]
            head[2] = offset
            self.head_open = False
            if offset - head[1] > MOST_HEAD_BYTES:
                self.too_long = "The set has a heading or loop of more than 1 MB before its first claim."
        elif offset - self.last_claim > MOST_CLAIM_BYTES:
            self.too_long = "The set has a claim of more than 8 MB."

    def cut(self, offset: int, position: int) -> None:
        self.finish(offset)
        self.body_from, self.body_position, self.count = offset, position, 0
        self.body_context = self.outer + [(start, end, place) for _, start, end, place in self.heads]

    def finish(self, byte_to: int) -> None:
        """End the body of the piece in hand at `byte_to`."""
        place = (self.body_from, byte_to, self.body_position)
        self.pieces.append(ScannedChunk(self.kind, self.guide, *place, self.body_context, self.separators, self.count))


class Joiner:
    """Joins the small accepted sets that follow one another into chunks; big ones pass in their pieces."""

    def __init__(self, most_claims: int):
        self.most_claims = most_claims
        self.held: ScannedChunk | None = None

    def add(self, pieces: list[ScannedChunk]) -> list[ScannedChunk]:
        """Take the pieces of one accepted set; answer the chunks that are ready."""
        if len(pieces) == 1 and self.held and self.fits(self.held, pieces[0]):
            count = self.held.claim_count + pieces[0].claim_count
            self.held = self.held._replace(byte_to=pieces[0].byte_to, claim_count=count)
            return []
        ready = self.part()
        if len(pieces) > 1:
            return ready + pieces
        self.held = pieces[0]
        return ready

    def fits(self, held: ScannedChunk, piece: ScannedChunk) -> bool:
        alike = (held.kind, held.guide, held.separators) == (piece.kind, piece.guide, piece.separators)
        few = held.claim_count + piece.claim_count <= self.most_claims
        return alike and few and piece.byte_to - held.byte_from <= MOST_BODY_BYTES

    def part(self) -> list[ScannedChunk]:
        """Something stands between the sets that no chunk may hold: answer what was held."""
        held, self.held = self.held, None
        return [held] if held else []
