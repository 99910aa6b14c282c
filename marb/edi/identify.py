"""Interim: what a file is by its first bytes. Replaced by the scan branch's module at the merge."""

from typing import NamedTuple


class Identity(NamedTuple):
    """What the head of a file shows: kind, where the ISA stands (or -1), and a sentence for what is not X12."""

    kind: str
    offset: int
    sentence: str


def identify(head: bytes) -> Identity:
    """Tell X12 from the rest by the head of a file."""
    offset = head.find(b"ISA")
    if offset >= 0:
        return Identity("x12", offset, "")
    if not head:
        return Identity("empty", -1, "The file is empty.")
    for magic, kind in ((b"%PDF", "pdf"), (b"PK\x03\x04", "zip"), (b"\x89PNG", "png")):
        if head.startswith(magic):
            return Identity(kind, -1, f"This is a {kind.upper()} file, not X12.")
    return Identity("text", -1, "This is text without an X12 interchange header (ISA).")
