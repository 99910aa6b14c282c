"""The hierarchy of an 837 (HL loops 2000A, 2000B, 2000C) as its HL segments say it.

HL01 counts from 1, HL02 names the open loop above, HL03 is 20, 22 or 23, HL04 says whether loops stand below. Real
files break all four and are read all the same, by HL03 alone, so nothing here decides anything: it reports.
"""

from typing import Final, NamedTuple

from marb.edi.findings import SET, WARNING

LEVELS: Final = {b"20": 20, b"22": 22, b"23": 23}
# level -> the level of its parent, and the levels that stay open above it
PARENT: Final = {22: 20, 23: 22}
ABOVE: Final[dict[int, tuple[int, ...]]] = {20: (), 22: (20,), 23: (20, 22)}


class Fault(NamedTuple):
    """What an HL says wrongly: the level it has by the book, the element, the IK403 code, a sentence."""

    level: str
    element: int
    code: str
    message: str


NOT_IN_ORDER: Final = Fault(WARNING, 1, "7", "The HL number does not count on from the one before.")
NO_PARENT: Final = Fault(SET, 2, "7", "The HL names a parent that is not the open loop above it.")
PARENT_AT_TOP: Final = Fault(SET, 2, "I10", "A billing provider HL names a parent; it is the top of the hierarchy.")
UNKNOWN_LEVEL: Final = Fault(SET, 3, "7", "The HL level is not 20, 22 or 23.")
CHILD_DENIED: Final = Fault(WARNING, 4, "7", "The HL above says that no loop stands below it, and one does.")
CHILD_MISSED: Final = Fault(WARNING, 4, "7", "The HL before says that a loop stands below it, and none does.")


class Hierarchy:
    """The open HL loops of one set."""

    def __init__(self) -> None:
        self.count = 0
        self.open: dict[int, bytes] = {}
        self.last_level = 0
        self.last_child = b""

    def add(self, elements: list[bytes]) -> tuple[int, list[Fault]]:
        """Take the next HL; answer its level (0 where unknown) and what is wrong with it."""
        number, parent, code, child = (elements[1:5] + [b""] * 4)[:4]
        self.count += 1
        level = LEVELS.get(code.strip(), 0)
        if not level:
            return 0, [UNKNOWN_LEVEL]
        faults = self.check(level, number.strip(), parent.strip())
        self.enter(level, number.strip(), child.strip())
        return level, faults

    def enter(self, level: int, number: bytes, child: bytes) -> None:
        self.open = {above: self.open[above] for above in ABOVE[level] if above in self.open}
        self.open[level] = number
        self.last_level, self.last_child = level, child

    def check(self, level: int, number: bytes, parent: bytes) -> list[Fault]:
        faults = [] if number == b"%d" % self.count else [NOT_IN_ORDER]
        if level == 20:
            faults += [PARENT_AT_TOP] if parent else []
        elif parent != self.open.get(PARENT[level]):
            faults.append(NO_PARENT)
        return faults + self.check_children(level)

    def check_children(self, level: int) -> list[Fault]:
        if self.last_level and level > self.last_level and self.last_child == b"0":
            return [CHILD_DENIED]
        if self.last_level and level <= self.last_level and self.last_child == b"1":
            return [CHILD_MISSED]
        return []
