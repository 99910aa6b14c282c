"""What segments say, looked up by their text: each distinct text is split, told apart and read once.

A file says the same thing many times: the same services on the same days, the same providers and payers. A Lexicon
holds for one table of readers which of them takes a segment, and what it is given: the elements, or what they were
read as. What is given is shared, so a reader copies what it is going to change. One Lexicon lives as long as one
excerpt is read, and so is bounded by it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from claims.edi837.claim import codes_of, take_codes, take_other_subscriber
from claims.edi837.draft import Take, keep_unknown
from claims.edi837.lines import date_of, take_line_date, take_service
from claims.edi837.parties import (
    city_of,
    name_of,
    subscriber_of,
    take_city,
    take_level_name,
    take_name,
    take_subscriber,
)
from claims.edi837.services import read_service
from marb.edi.x12 import Separators, split_piece

Meaning = tuple[Take, Any]

# what a reader takes, if not the elements
PREPARED: dict[Take, Callable[[str, list[str], str], Any]] = {
    take_service: read_service,
    take_line_date: date_of,
    take_codes: codes_of,
    take_name: name_of,
    take_level_name: name_of,
    take_subscriber: subscriber_of,
    take_other_subscriber: subscriber_of,
    take_city: city_of,
}
UNKNOWN = (keep_unknown, None)
# segments that hardly ever say the same twice
SINGULAR = frozenset(("CLM", "REF", "HL", "N3", "DMG"))


class Lexicon(dict[str, Meaning]):
    """The reader of a segment and what it is given, by the segment's text."""

    def __init__(self, readers: Mapping[str, Take], separators: Separators):
        super().__init__()
        self.readers = {name: (take, PREPARED.get(take)) for name, take in readers.items()}
        self.separators = separators

    def __missing__(self, piece: str) -> Meaning:
        separators = self.separators
        elements = split_piece(piece, separators.element)
        take, prepare = self.readers.get(elements[0], UNKNOWN)
        meaning = (take, elements if prepare is None else prepare(piece, elements, separators.component))
        if elements[0] not in SINGULAR:
            self[piece] = meaning
        return meaning
