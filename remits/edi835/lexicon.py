"""What an 835 says again and again, looked up by its text: each distinct text is split and read once.

A payer's file repeats itself: the same service is charged, adjusted and paid the same way hundreds of times, and only
its date and the provider's number differ. So a line is looked up by all of its segments but DTM*472 and REF*6R, and
what was read for the first such line is shared by all of them; segments of the claim level are looked up one by one.

The law: whatever is answered here is what the readers would have read. Only what they read without a note is kept; a
value that is odd in any way is read anew wherever it stands. What is shared is never changed by who gets it. One
Lexicon lives as long as one excerpt is read, and so is bounded by it.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

from marb.edi.values import BadValue, parse_date
from marb.edi.x12 import Separators, split_piece
from remits.edi835.elements import BadElement, Note
from remits.edi835.line import RemittanceLine, close_line
from remits.edi835.remittance import SAID, Remittance

Meaning = tuple[Callable[[Remittance, Any], None] | None, Any]
# who is paid for hardly ever comes twice, and more is read of him than these keep
PERSONS = frozenset(("QC", "IL", "74"))
CONTROL_NUMBER_WIDTH = 80


class ClaimLexicon(dict[str, Meaning]):
    """Who takes a segment of the claim level and what it is given, by the segment's text.

    Nobody, and its elements, where it is to be read as it stands.
    """

    def __init__(self, separators: Separators):
        super().__init__()
        self.separator = separators.element

    def __missing__(self, text: str) -> Meaning:
        elements = split_piece(text, self.separator)
        name = elements[0]
        if name not in SAID or (name == "NM1" and (len(elements) < 2 or elements[1].strip() in PERSONS)):
            return None, elements
        self[text] = found = meaning_of(elements)
        return found


def meaning_of(elements: list[str]) -> Meaning:
    say, take = SAID[elements[0]]
    notes: list[Note] = []
    try:
        said = say(elements, notes)
    except BadElement:
        return None, elements
    return (None, elements) if notes else (take, said)


class LineLexicon:
    """Lines by what they say."""

    def __init__(self, separators: Separators, numbers: "count[int]"):
        self.element = separators.element
        self.numbers = numbers
        self.dated = f"DTM{self.element}472{self.element}"
        self.numbered = f"REF{self.element}6R{self.element}"
        self.lines: dict[tuple[str, ...], RemittanceLine] = {}
        self.days: dict[str, str] = {}

    def split(self, texts: list[str]) -> tuple[tuple[str, ...], str, str]:
        """Split a line in what repeats, its DTM*472 and its REF*6R (the first of each; empty where it has none)."""
        said, dated, numbered = [], "", ""
        for text in texts:
            if not dated and text[:8] == self.dated:
                dated = text
            elif not numbered and text[:7] == self.numbered:
                numbered = text
            else:
                said.append(text)
        # a line with a date and one without are not alike, nor with a number and without
        return (dated[:1], numbered[:1], *said), dated, numbered

    def find(self, said: tuple[str, ...], dated: str, numbered: str) -> RemittanceLine | None:
        """Make a line of the same words as one before; None where there was none, or its date or number is odd."""
        known = self.lines.get(said)
        number = numbered[7:]
        if known is None or (dated and dated not in self.days) or (numbered and not self.is_plain(number)):
            return None
        line = RemittanceLine.__new__(RemittanceLine)
        line.__dict__.update(known.__dict__)
        if dated:
            line.service_from_date = self.days[dated]
        if numbered:
            line.line_control_number = number
        return line

    def keep(self, said: tuple[str, ...], dated: str, numbered: str, line: RemittanceLine) -> None:
        """Keep a line that was read without a note. Where several of its dates play together none is kept."""
        if dated and not self.is_day(dated):
            return
        if dated and any(text[:3] == "DTM" for text in said):
            return
        if (numbered and not self.is_plain(numbered[7:])) or said in self.lines:
            return
        close_line(line)
        line.alike = next(self.numbers)
        self.lines[said] = line

    def is_day(self, dated: str) -> bool:
        """Say whether a DTM*472 is one plain day; `days` has those that are."""
        try:
            self.days[dated] = parse_date(dated[8:])
        except BadValue:
            return False
        return True

    def is_plain(self, number: str) -> bool:
        """Say whether a control number is one element, and stands in its column as it is."""
        if number.isalnum() and number.isascii() and len(number) <= CONTROL_NUMBER_WIDTH:
            return True
        is_one = number.isascii() and number.isprintable() and self.element not in number
        return is_one and number == number.strip() and 0 < len(number) <= CONTROL_NUMBER_WIDTH
