"""What a file is, from its first bytes: X12, or something else that a person sent by mistake.

X12 is known by an ISA header, which may stand behind a byte order mark, blanks or prose. Everything else is named
in a sentence, so that a refusal says what was found and not only what was missing. Nothing of the text is repeated.
"""

import re
from typing import Final, NamedTuple

from marb.edi.x12 import BLANKS, Separators

HEAD_BYTES: Final = 65_536
# ISA, a separator that is no letter, digit or blank, and three more of it where ISA01 to ISA03 end: no prose has that
HEADER: Final = re.compile(rb"(?<![A-Za-z0-9])ISA([^A-Za-z0-9\s])[A-Z0-9 .]{0,4}\1[^\r\n]{0,14}?\1[A-Z0-9 .]{0,4}\1")
# the heading of a file whose ISA was left out: GS or ST, its terminator, and the segment that has to follow
BARE: Final = re.compile(rb"(?:GS|ST)([^A-Za-z0-9\s])[A-Z0-9]{2,3}\1")
BARE_LINE: Final = re.compile(
    rb"(?:GS|ST)(?P<element>[^A-Za-z0-9\s])[A-Za-z0-9]{2,3}(?P=element)(?:[\w .&-]|(?P=element))*?"
    rb"[ ]*(?P<segment>\r?\n|[^\w\s.&-])\s*(?:ST|BHT|BPR)(?P=element)"
)
# composites that every claim or payment has: CLM05, SV101 and SV202, SVC01
COMPOSITE: Final = rb"(?:SV[123C]%b(?:[0-9]{4}%b)?|HI%b)[A-Z][A-Z0-9]{1,2}([^A-Za-z0-9\s%b])[A-Z0-9.]"

MAGIC: Final = (
    (b"%PDF-", "pdf", "This is a PDF document"),
    (b"\x89PNG", "image", "This is a PNG picture"),
    (b"\xff\xd8\xff", "image", "This is a JPEG picture"),
    (b"GIF8", "image", "This is a GIF picture"),
    (b"II*\x00", "image", "This is a TIFF picture"),
    (b"MM\x00*", "image", "This is a TIFF picture"),
    (b"\x1f\x8b", "gzip", "This is a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive", "This is a 7-Zip archive"),
    (b"Rar!", "archive", "This is a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "archive", "This is a zstd archive"),
    (b"BZh", "archive", "This is a bzip2 archive"),
    (b"\xfd7zXZ\x00", "archive", "This is an xz archive"),
    (b"\xd0\xcf\x11\xe0", "office", "This is an old Office document (DOC or XLS)"),
    (b"\x7fELF", "program", "This is a program (ELF)"),
    (b"SQLite format 3", "database", "This is an SQLite database"),
    (b"PAR1", "parquet", "This is a Parquet table"),
    (b"-----BEGIN PGP", "encrypted", "This is a PGP encrypted message"),
    (b"{\\rtf", "office", "This is a rich text document"),
)
TEXT: Final = (
    (re.compile(rb"UNA.{6}\s*UNB|UNB[+\x1d]", re.DOTALL), "edifact", "This is EDIFACT (UNA or UNB), not X12"),
    (re.compile(rb"(?:\x0b)?(?:FHS|BHS|MSH)\|"), "hl7", "This is an HL7 version 2 message (MSH), not X12"),
    (re.compile(rb"\x02|[0-9]{6}D[0-9][A-Z][0-9]|\x1e|\x1d\x1c"), "ncpdp", "This looks like an NCPDP message, not X12"),
    (re.compile(rb"<!doctype html|<html|<head|<body", re.I), "html", "This is an HTML page, not X12"),
    (re.compile(rb"<\?xml|<[A-Za-z][\w:.-]*[\s/>]"), "xml", "This is XML, not X12"),
    (re.compile(rb"[\[{]\s*(?:[\"{\[\]}]|-?[0-9]|true|false|null)"), "json", "This is JSON, not X12"),
)


class Identity(NamedTuple):
    """What a file's head shows. `offset` is where its ISA begins (0 where there is none)."""

    kind: str
    offset: int
    sentence: str


def identify(head: bytes) -> Identity:
    """Name what a file is from its first bytes (64 KB are plenty). `kind` is `x12` where an ISA header is found."""
    head = head[:HEAD_BYTES]
    found = HEADER.search(head)
    if found and not magic(head):
        return Identity("x12", found.start(), "This is an X12 interchange.")
    return empty(head) or magic(head) or wide(head) or text(head)


def empty(head: bytes) -> Identity | None:
    if not head:
        return Identity("empty", 0, "The file is empty.")
    if not head.strip(b" \t\r\n\v\f\x1a\x00\xef\xbb\xbf"):
        return Identity("blank", 0, "The file holds nothing but blanks.")
    return None


def magic(head: bytes) -> Identity | None:
    for start, kind, sentence in MAGIC:
        if head.startswith(start):
            return Identity(kind, 0, f"{sentence}, not X12.")
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        return zipped(head)
    if head.startswith(b"MZ") and b"\x00" in head[:64]:
        return Identity("program", 0, "This is a Windows program (EXE), not X12.")
    return None


def zipped(head: bytes) -> Identity:
    for part, words in ((b"word/", "Word"), (b"xl/", "Excel"), (b"ppt/", "PowerPoint")):
        if part in head:
            return Identity("office", 0, f"This is a {words} document, not X12.")
    return Identity("zip", 0, "This is a zip archive, not X12: unpack it and send the files in it.")


def wide(head: bytes) -> Identity | None:
    """UTF-16 and UTF-32 have a byte order mark, or a zero in every second byte of what would be plain letters."""
    marked = head.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff"))
    start = head[:64]
    zeros = max(start[0::2].count(0), start[1::2].count(0))
    if marked or (len(start) >= 4 and zeros * 3 >= len(start)):
        return Identity("utf-16", 0, "This is UTF-16 text; X12 is one byte a character: save it as UTF-8 or ASCII.")
    return None


def text(head: bytes) -> Identity:
    body = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    for pattern, kind, sentence in TEXT:
        if pattern.match(body):
            return Identity(kind, 0, f"{sentence}.")
    if re.match(rb"ISA[^A-Za-z0-9\s]", body):
        return Identity("x12-part", 0, "The interchange header (ISA) has fewer than sixteen elements.")
    if BARE.match(body):
        return Identity("x12-part", 0, "This looks like X12, but its interchange header (ISA) is missing.")
    if body.startswith(b"ISA") and body[3:4].isalnum() and body[103:104] == body[3:4]:
        return Identity("x12-separator", 0, "This looks like X12 whose element separator is a letter or a digit.")
    if re.match(rb"isa[^A-Za-z0-9\s]", body):
        return Identity("x12-part", 0, "This looks like X12 in lower case; segment ids must be upper case.")
    return Identity("csv", 0, "This is a table (CSV), not X12.") if tabular(body) else unknown(body)


def tabular(body: bytes) -> bool:
    """Say whether the first lines have the same number (two or more) of commas, tabs, semicolons or bars each."""
    lines = [line for line in body.split(b"\n", 12)[:10] if line.strip()]
    for mark in (b",", b"\t", b";", b"|"):
        counts = {line.count(mark) for line in lines}
        if len(counts) == 1 and min(counts, default=0) >= (1 if len(lines) > 1 else 2):
            return True
    return False


def unknown(body: bytes) -> Identity:
    odd = sum(body[:1024].count(byte) for byte in range(9))
    if odd * 20 > len(body[:1024]):
        return Identity("binary", 0, "This is a binary file of a kind we do not know, not X12.")
    return Identity("text", 0, "This is text without an interchange header (ISA), not X12.")


def infer_separators(head: bytes) -> Separators | None:
    """Infer the separators of a file whose ISA was left out, from its GS or ST and its composites.

    None where they are not beyond doubt: the heading is not whole, or composites disagree.
    """
    matched = BARE_LINE.match(head.removeprefix(b"\xef\xbb\xbf").lstrip(BLANKS.encode()))
    if matched is None:
        return None
    element, segment = matched["element"], matched["segment"][-1:]
    mark = re.escape(element)
    components = set(re.findall(COMPOSITE % (mark, mark, mark, mark + re.escape(segment)), head)) or {b":"}
    if segment == element or len(components) > 1 or components & {element, segment}:
        return None
    return Separators(*(mark.decode("latin-1") for mark in (element, components.pop(), b"", segment)))
