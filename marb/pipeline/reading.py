"""Reading a stored file: its blocks in order, or any stretch of its bytes.

Blocks never change and a file's id is never used again, so a process keeps the few it has just unpacked: the
chunks of a file read the same head again and again. Nothing here knows X12.
"""

from collections.abc import Iterator
from functools import lru_cache

import pyzstd

from marb.pipeline.models import FileBlock

BLOCK_BYTES = 1024 * 1024
KEPT_BLOCKS = 8


@lru_cache(maxsize=KEPT_BLOCKS)
def read_block(file_id: int, byte_from: int) -> bytes:
    """Get one block by its first byte's offset. Raises FileBlock.DoesNotExist where no block begins there."""
    block = FileBlock.objects.get(file_id=file_id, byte_from=byte_from)
    return pyzstd.decompress(bytes(block.content))


def read(file_id: int, byte_from: int, byte_to: int) -> bytes:
    """Get the bytes from `byte_from` to before `byte_to`. Every block but the last is BLOCK_BYTES long.

    Raises FileBlock.DoesNotExist where the file ends before `byte_from`'s or `byte_to`'s block.
    """
    first = byte_from - byte_from % BLOCK_BYTES
    starts = range(first, max(byte_to, byte_from + 1), BLOCK_BYTES)
    return b"".join(read_block(file_id, start)[max(byte_from - start, 0) : byte_to - start] for start in starts)


def read_blocks(file_id: int) -> Iterator[bytes]:
    """Yield a file's bytes in order, a block at a time."""
    starts = FileBlock.objects.filter(file_id=file_id).order_by("byte_from").values_list("byte_from", flat=True)
    for start in list(starts):
        content = FileBlock.objects.values_list("content", flat=True).get(file_id=file_id, byte_from=start)
        yield pyzstd.decompress(bytes(content))
