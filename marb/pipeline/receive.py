"""Receiving: bytes in, one EdiFile with its blocks out, once per practice and content.

The bytes pass through once, a block at a time: unpacked where they come as gzip, hashed, compressed into a spool. Only
then a short transaction writes the file and its blocks, so a slow sender holds no connection. The same bytes again,
also at the same moment, answer the first file's id and change nothing: the unique key decides, not a look before.
What is not X12 is kept as a refused file with the sentence that says what it is. Nothing is kept for a practice that is
not active. Reading X12 is not done here.
"""

import hashlib
import tempfile
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Any, NamedTuple

import pyzstd
from django.conf import settings
from django.db import connection, transaction

from marb.access.models import Practice
from marb.core.cache import touch
from marb.edi.identify import Identity, identify
from marb.pipeline.models import EdiFile, FileBlock, FileStatus
from marb.pipeline.reading import BLOCK_BYTES

SPOOL_BYTES = 8 * BLOCK_BYTES
GZIP_MAGIC = b"\x1f\x8b"
GZIP_MOST_RATIO = 100
GZIP_FREE_BYTES = 16 * BLOCK_BYTES
NAME_LENGTH = 255


class NotReceived(Exception):
    """Bytes that are not kept: too many, a broken gzip, a practice that takes none. `status_code` is HTTP's."""

    def __init__(self, status_code: int, sentence: str):
        super().__init__(sentence)
        self.status_code = status_code
        self.sentence = sentence


class Received(NamedTuple):
    """What receiving came to. `is_new` is False where the same bytes were there already: then all is the first's.

    `kind` is what a new file's first bytes show (marb.edi.identify); empty for one that was there.
    """

    file_id: int
    is_new: bool
    status: str
    reason: str
    kind: str = ""


class Spooled(NamedTuple):
    """Bytes at rest before they are a file: compressed blocks end to end, and what is known of the whole."""

    spool: IO[bytes]
    lengths: list[tuple[int, int]]
    sha256: str
    byte_count: int
    identity: Identity


def receive(
    *, practice_id: int, name: str, stream: IO[bytes] | Iterable[bytes], user_id: int | None = None
) -> Received:
    """Keep a file's bytes. `stream` is an open binary file or an iterable of bytes, plain or gzip.

    Raises NotReceived where the bytes are too many (EDI_MOST_BYTES, decoded), the gzip cannot be read, or the practice
    is not active.
    """
    if not Practice.objects.filter(pk=practice_id, is_active=True).exists():
        raise NotReceived(409, "The practice is not active: no file is taken in for it.")
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES) as spool:
        spooled = fill(spool, decoded(pieces(stream)))
        first = find_same(practice_id, spooled.sha256)
        return first or store(practice_id, clean_name(name), user_id, spooled)


def pieces(stream: IO[bytes] | Iterable[bytes]) -> Iterator[bytes]:
    """Yield what a stream gives, in its own sizes."""
    if hasattr(stream, "read"):
        while piece := stream.read(BLOCK_BYTES):
            yield piece
    else:
        yield from stream


def decoded(stream: Iterator[bytes]) -> Iterator[bytes]:
    """Pass plain bytes through and unpack gzip, told by its first two bytes."""
    head = b""
    for piece in stream:
        head += piece
        if len(head) >= len(GZIP_MAGIC):
            break
    rest = chained(head, stream)
    return unpacked(rest) if head.startswith(GZIP_MAGIC) else rest


def chained(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest


def unpacked(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack one gzip member, bounded at each step. Raises NotReceived where it is cut, damaged, or a bomb."""
    member = zlib.decompressobj(wbits=31)
    taken = given = 0
    for piece in packed:
        if member.eof:
            refuse_tail(piece)
            continue
        taken += len(piece)
        for block in inflated(member, piece):
            given += len(block)
            if given > GZIP_FREE_BYTES and given > taken * GZIP_MOST_RATIO:
                raise NotReceived(413, f"The gzip file unpacks to more than {GZIP_MOST_RATIO} times its size.")
            yield block
        refuse_tail(member.unused_data)
    if not member.eof:
        raise NotReceived(422, "The gzip file is cut off before its end.")


def inflated(member: "zlib._Decompress", piece: bytes) -> Iterator[bytes]:
    try:
        while piece and not member.eof:
            yield member.decompress(piece, BLOCK_BYTES)
            piece = member.unconsumed_tail
    except zlib.error:
        raise NotReceived(422, "The gzip file is damaged and cannot be unpacked.") from None


def refuse_tail(tail: bytes) -> None:
    if tail.strip(b"\0"):
        raise NotReceived(422, "The gzip file has other bytes after its end.")


def fill(spool: IO[bytes], stream: Iterator[bytes]) -> Spooled:
    """Hash, measure and compress a stream into a spool, in blocks of BLOCK_BYTES (the last may be shorter)."""
    digest, lengths, byte_count, identity = hashlib.sha256(), [], 0, identify(b"")
    for block in blocks(stream):
        if not byte_count:
            identity = identify(block)
        byte_count += len(block)
        if byte_count > settings.EDI_MOST_BYTES:
            raise NotReceived(413, f"The file is larger than {settings.EDI_MOST_BYTES:,} bytes.")
        digest.update(block)
        lengths.append((len(block), spool.write(pyzstd.compress(block))))
    return Spooled(spool, lengths, digest.hexdigest(), byte_count, identity)


def blocks(stream: Iterator[bytes]) -> Iterator[bytes]:
    """Cut a stream of any sizes into blocks of exactly BLOCK_BYTES, but for the last."""
    held = bytearray()
    for piece in stream:
        held += piece
        while len(held) >= BLOCK_BYTES:
            yield bytes(held[:BLOCK_BYTES])
            del held[:BLOCK_BYTES]
    if held:
        yield bytes(held)


def find_same(practice_id: int, sha256: str) -> Received | None:
    found = EdiFile.objects.filter(practice_id=practice_id, sha256=sha256).values_list("id", "status", "reason").first()
    return Received(found[0], False, found[1], found[2]) if found else None


INSERT = """
INSERT INTO pipeline_edifile (practice_id, sha256, name, byte_count, kind, status, reason, uploaded_by_id, finished_at,
    scan_claim_count, scan_remittance_count, scan_charge_amount, scan_paid_amount, claim_count, claims_quarantined,
    claims_rejected, remittance_count, remittances_quarantined, remittances_rejected, charge_amount, paid_amount,
    finding_count, chunk_count, chunks_done, lease_no, attempts)
VALUES (%s, %s, %s, %s, '', %s, %s, %s, CASE WHEN %s THEN now() END, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
ON CONFLICT (practice_id, sha256) DO NOTHING
RETURNING id
"""


def store(practice_id: int, name: str, user_id: int | None, spooled: Spooled) -> Received:
    """Write the file and its blocks in one transaction, or answer whose bytes they already are."""
    # what is X12 with a faulty header is for the scan: it may infer the separators, or reject the file
    refused = not spooled.identity.kind.startswith("x12")
    status, reason = (FileStatus.REFUSED, spooled.identity.sentence) if refused else (FileStatus.RECEIVED, "")
    values: list[Any] = [practice_id, spooled.sha256, name, spooled.byte_count, status.value, reason, user_id, refused]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, values)
        inserted = cursor.fetchone()
        if inserted:
            store_blocks(inserted[0], spooled)
            touch(practice_id, "file+")
            return Received(inserted[0], True, status.value, reason, spooled.identity.kind)
    # the insert waited for the other one's commit, so its row is there now
    first = EdiFile.objects.get(practice_id=practice_id, sha256=spooled.sha256)
    return Received(first.pk, False, first.status, first.reason)


def store_blocks(file_id: int, spooled: Spooled) -> None:
    spooled.spool.seek(0)
    byte_from = 0
    for length, packed in spooled.lengths:
        content = spooled.spool.read(packed)
        FileBlock.objects.create(file_id=file_id, byte_from=byte_from, byte_count=length, content=content)
        byte_from += length


def clean_name(name: str) -> str:
    """Keep a sender's file name as text only: no folders, no control or direction characters, 255 at most."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    shown = "".join(character for character in last if unicodedata.category(character)[0] != "C").strip()
    return shown[:NAME_LENGTH] or "unnamed"
