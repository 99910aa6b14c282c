"""Segments from the documents that claims.edi837 reads them into: names, references, dates, amounts, adjustments.

A segment is a list of elements, its id first. Components stand as the source's separators have them, which is why a
file is written with the separators that its claims were read with. Segments that the reader kept as they are
(`segments`) go back as they are.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from claims.edi837.parties import ADDRESS_KEYS, NAME_KEYS, REFERENCE_KEYS, SUBSCRIBER_KEYS
from claims.edi837.records import Document

Segment = list[str]
TRIPLETS = 6
# PRV01 by NM101
PROVIDER_CODES = {"71": "AT", "82": "PE", "DN": "RF", "P3": "RF", "85": "BI"}


class Unwritable(Exception):
    """A claim that cannot be written as what was asked for; the sentence says why, without PHI."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


def listed(name: str, keys: Iterable[str], document: Document) -> Segment:
    return [name, *(str(document.get(key, "")) for key in keys)]


def amount(dollars: Any) -> str:
    """Write an amount as X12 has it: 12.50 as 12.5, 12.00 as 12."""
    text = str(dollars)
    return text.rstrip("0").rstrip(".") if "." in text else text


def compact(day: str) -> str:
    """Write an ISO day as CCYYMMDD."""
    return day.replace("-", "")


def period(qualifier: str, start: str, end: str | None) -> Segment:
    if end is None or end == start:
        return ["DTP", qualifier, "D8", compact(start)]
    return ["DTP", qualifier, "RD8", f"{compact(start)}-{compact(end)}"]


def name(party: Document, *, birth: Segment | None = None) -> Iterator[Segment]:
    """NM1 and what hangs on it, in the order of the guides. `birth` is a DMG that was kept as it stood."""
    numbered = dict(party)
    if "npi" in numbered:
        numbered |= {"id_qualifier": "XX", "id_code": numbered["npi"]}
    yield listed("NM1", NAME_KEYS, numbered)
    if text := party.get("additional_name"):
        yield ["N2", text]
    # the billing provider's stands above its name (2000A)
    if (code := party.get("taxonomy_code")) and not str(party.get("loop")).startswith("2010"):
        yield ["PRV", PROVIDER_CODES.get(party.get("role", ""), "PE"), "PXC", code]
    yield from address(party.get("address", {}))
    if birth or party.get("birth_date") or party.get("gender_code"):
        yield birth or ["DMG", "D8", compact(party.get("birth_date", "")), party.get("gender_code", "")]
    yield from references(party.get("references", ()))
    yield from map(contact, party.get("contacts", ()))


def address(document: Document) -> Iterator[Segment]:
    lines = document.get("lines", [])
    for start in range(0, len(lines), 2):
        yield ["N3", *lines[start : start + 2]]
    if any(key in document for key in ADDRESS_KEYS):
        yield listed("N4", ADDRESS_KEYS, document)


def contact(document: Document) -> Segment:
    numbers = [text for key, value in document.items() if key not in ("function_code", "name") for text in (key, value)]
    return ["PER", document.get("function_code", ""), document.get("name", ""), *numbers]


def references(documents: Iterable[Document]) -> Iterator[Segment]:
    for document in documents:
        yield listed("REF", REFERENCE_KEYS, document)


def dates(documents: Iterable[Document]) -> Iterator[Segment]:
    for document in documents:
        yield listed("DTP", ("qualifier", "format", "value"), document)


def amounts(documents: Iterable[Document]) -> Iterator[Segment]:
    for document in documents:
        yield ["AMT", document["qualifier"], amount(document["amount"])]


def quantities(documents: Iterable[Document]) -> Iterator[Segment]:
    for document in documents:
        yield ["QTY", document["qualifier"], document.get("quantity") or ""]


def notes(documents: Iterable[Document]) -> Iterator[Segment]:
    for document in documents:
        yield listed("NTE", ("code", "text"), document)


def adjustments(documents: Iterable[Document]) -> Iterator[Segment]:
    """CAS: adjustments of one group that stand together, up to six in a segment."""
    for group_code, found in groupby(documents, key=lambda document: document["group_code"]):
        together = list(found)
        for start in range(0, len(together), TRIPLETS):
            said = [triplet(document) for document in together[start : start + TRIPLETS]]
            yield ["CAS", group_code, *(text for each in said for text in each)]


def triplet(document: Document) -> Segment:
    return [document["carc"], amount(document["amount"]), document.get("quantity", "")]


def subscriber(document: Document) -> Segment:
    return listed("SBR", SUBSCRIBER_KEYS, document)


def kept(document: Document) -> Iterator[Segment]:
    """The segments that the reader kept as they stood."""
    yield from document.get("segments", ())


def ordered(segments: Iterable[Segment], order: tuple[str, ...]) -> list[Segment]:
    """Put the segments of a loop into the order of the guides; those that it does not name go last."""
    places = {name: place for place, name in enumerate(order)}
    return sorted(segments, key=lambda segment: places.get(segment[0], len(order)))
