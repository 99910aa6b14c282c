"""An entry: an answer's bytes, ready to send, behind one line that says what must be known of it.

    stamps etag practice until flags LF body

`until` is when it should be filled anew, in milliseconds since 1970; the server keeps it for a grace longer. Flags: `z`
the body is compressed (zstd), `n` there is no such row, `-` neither. The body is JSON. Whatever does not read as an
entry is none: bytes that somebody else wrote into the cache cannot do more than miss.
"""

import time
from hashlib import blake2b
from typing import NamedTuple

import pyzstd

COMPRESS_BYTES = 1_024
MOST_BYTES = 8 * 1024 * 1024
LEVEL = 3


class Entry(NamedTuple):
    """`stamps` as they stood before the rows were read; `body` None where there is no such row. `practice_id` says
    whose row it is, EVERYBODY where the answer is not one row's."""

    stamps: str
    etag: str
    practice_id: int
    until_ms: int
    body: bytes | None

    def is_due(self) -> bool:
        """Say whether it should be filled anew, though it may still be answered."""
        return time.time() * 1000 >= self.until_ms


def make_entry(stamps: str, practice_id: int, seconds: float, body: bytes | None) -> Entry:
    until = int((time.time() + seconds) * 1000)
    return Entry(stamps, "" if body is None else etag_of(body), practice_id, until, body)


def etag_of(body: bytes) -> str:
    """Name an answer by its content; the same in every process."""
    return blake2b(body, digest_size=12).hexdigest()


def write_entry(entry: Entry) -> bytes:
    """Make the bytes that are kept."""
    flag, body = "n" if entry.body is None else "-", entry.body or b""
    if len(body) >= COMPRESS_BYTES:
        flag, body = "z", pyzstd.compress(body, LEVEL)
    head = f"{entry.stamps} {entry.etag or '-'} {entry.practice_id} {entry.until_ms} {flag}\n"
    return head.encode() + body


def read_entry(data: bytes) -> Entry | None:
    """Read what write_entry wrote; None for anything else."""
    head, _, body = data.partition(b"\n")
    try:
        stamps, etag, practice_id, until, flag = head.decode("ascii").split(" ")
        etag = "" if etag == "-" else etag
        return Entry(stamps, etag, int(practice_id), int(until), read_body(flag, body))
    except (ValueError, pyzstd.ZstdError):
        return None


def read_body(flag: str, body: bytes) -> bytes | None:
    if flag == "z":
        return pyzstd.decompress(body)
    if flag not in ("n", "-"):
        raise ValueError("not an entry")
    return None if flag == "n" else body
