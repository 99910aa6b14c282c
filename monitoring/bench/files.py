"""The input: files of the sample practice, the same bytes for the same number (episodes.sample).

A file of N claims holds every interchange of claims that a sample of N claims sends (five in six professional, one
institutional, about three lines each); its remittances are all that the payers answer. Other seeds are other claims.
"""

import re
from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path
from typing import NamedTuple

from episodes.sample.writer import Sample

UNTIL = date(2026, 6, 30)
REPEATED_CLAIMS = 20_000
CONTROL = re.compile(rb"(\*00501\*|IEA\*1\*)(\d{9})")


class Input(NamedTuple):
    """One file to read and how many claims or remittances it holds (`total`), with their lines."""

    path: Path
    total: int
    lines: int
    bytes: int


class Pair(NamedTuple):
    """A file of claims and the file of the remittances that answer them."""

    claims: Input
    remittances: Input


def write_pair(folder: Path, claims: int, seed: int = 1) -> Pair:
    """Write both files of a sample of so many claims. About 3,500 claims/s."""
    paths = (folder / f"claims-{claims}-{seed}.x12", folder / f"remittances-{claims}-{seed}.x12")
    with paths[0].open("wb") as sent, paths[1].open("wb") as answered:
        for name, text in Sample(claims, seed, UNTIL).files():
            (answered if "835" in name else sent).write(text.encode("ascii"))
    return Pair(*(describe(path) for path in paths))


def write_professional(folder: Path, claims: int) -> Input:
    """Write the 837P interchanges alone of a sample of so many claims."""
    path = folder / f"professional-{claims}.x12"
    with path.open("wb") as sent:
        for name, text in Sample(claims, 1, UNTIL).files():
            if "837p" in name:
                sent.write(text.encode("ascii"))
    return describe(path)


def write_large(folder: Path, size: int) -> Input:
    """Write a file of at least so many bytes: one sample's claims again and again, each interchange with its number."""
    once = write_pair(folder, REPEATED_CLAIMS).claims.path.read_bytes()
    path = folder / f"large-{size}.x12"
    with path.open("wb") as out:
        for round in range(-(-size // len(once))):
            out.write(CONTROL.sub(lambda found, round=round: renumbered(found, round), once))  # type: ignore[misc]
    return describe(path)


def write_bodies(folder: Path, claims: int) -> Iterator[bytes]:
    """Yield files of so many claims without end, each under interchange numbers of its own."""
    once = write_pair(folder, claims).claims.path.read_bytes()
    for round in count():
        yield CONTROL.sub(lambda found, round=round: renumbered(found, round), once)  # type: ignore[misc]


def renumbered(found: re.Match[bytes], round: int) -> bytes:
    return found[1] + b"%09d" % (int(found[2]) + 1_000 * round)


def describe(path: Path) -> Input:
    """Count a file's claims or remittances and their lines from its bytes."""
    total = lines = size = 0
    for piece in pieces(path):
        total += piece.count(b"\nCLM*") + piece.count(b"\nCLP*")
        lines += piece.count(b"\nSV1*") + piece.count(b"\nSV2*") + piece.count(b"\nSVC*")
        size += len(piece)
    return Input(path, total, lines, size)


def pieces(path: Path) -> Iterator[bytes]:
    """Yield a file in pieces that end with a line."""
    held = b""
    with path.open("rb") as stream:
        while block := stream.read(1 << 22):
            whole, _, held = (held + block).rpartition(b"\n")
            # the break that begins the next line is counted with it
            held = b"\n" + held
            yield whole
    yield held
