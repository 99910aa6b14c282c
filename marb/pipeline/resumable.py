"""Uploads in parts: begun, continued at the offset that is kept, and taken in as one file when the last byte is there.

Parts are rows: any web process may take the next one, and a server that stops loses nothing. A part is spooled before
it is stored, so a slow sender holds neither a lock nor a connection; what came of a part that broke off is kept. The
order is the row's lock and its offset: a part that does not begin where the last one ended changes nothing. An upload
that nobody continues is swept away when it expires. Reading X12, gzip and duplicates are marb.pipeline.receive's.
"""

import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from rest_framework.exceptions import APIException, ParseError

from marb.pipeline.body import Counted
from marb.pipeline.intake import take_in
from marb.pipeline.models import Upload, UploadPart
from marb.pipeline.reading import BLOCK_BYTES
from marb.pipeline.receive import NotReceived, Received, blocks, clean_name

EXPIRES = "UPDATE pipeline_upload SET expires_at = now() + make_interval(hours => %s) WHERE id = %s"


class WrongOffset(APIException):
    status_code = 409
    default_code = "wrong_offset"

    def __init__(self, offset: int):
        super().__init__(f"The upload goes on at byte {offset}.")
        self.offset = offset


class TooManyUploads(APIException):
    status_code = 409
    default_detail = "You have too many unfinished uploads. Finish or delete one first."
    default_code = "too_many_uploads"


def begin(*, practice_id: int, user_id: int, name: str, byte_count: int) -> Upload:
    """Begin an upload of so many bytes. Raises TooManyUploads."""
    own = Upload.objects.filter(user_id=user_id, file=None, expires_at__gte=Now())
    if own.count() >= settings.UPLOADS_PER_USER:
        raise TooManyUploads
    values: dict[str, Any] = {"practice_id": practice_id, "user_id": user_id, "byte_count": byte_count}
    with transaction.atomic():
        upload = Upload.objects.create(name=clean_name(name), expires_at=Now(), **values)
        put_off(upload.pk)
    upload.refresh_from_db()
    return upload


def put_off(upload_id: int) -> None:
    """Let an upload expire so many hours from now."""
    with connection.cursor() as cursor:
        cursor.execute(EXPIRES, [settings.UPLOAD_HOURS, upload_id])


def add_part(upload: Upload, offset: int, stream: Counted) -> int:
    """Keep a part that begins at `offset`; answers where the next one begins.

    Raises WrongOffset, and ParseError where the part goes past the upload's end. What came of a part that broke off
    is kept, and the offset tells how much.
    """
    if offset != upload.byte_offset:
        raise WrongOffset(upload.byte_offset)
    if stream.left > upload.byte_count - offset:
        raise ParseError("The part goes past the end of the upload.")
    with tempfile.SpooledTemporaryFile(max_size=8 * BLOCK_BYTES) as spool:
        for piece in arriving(stream):
            spool.write(piece)
        spool.seek(0)
        return store(upload.pk, offset, spool)


def arriving(stream: Counted) -> Iterator[bytes]:
    """Yield what comes of a part; the end of a broken connection is an end like another."""
    try:
        while piece := stream.read(BLOCK_BYTES):
            yield piece
    except (OSError, ParseError):
        return


def store(upload_id: int, offset: int, spool: IO[bytes]) -> int:
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload_id)
        if upload.byte_offset != offset:
            raise WrongOffset(upload.byte_offset)
        for block in blocks(iter(lambda: spool.read(BLOCK_BYTES), b"")):
            UploadPart.objects.create(upload=upload, byte_from=upload.byte_offset, content=block)
            upload.byte_offset += len(block)
        Upload.objects.filter(pk=upload_id).update(byte_offset=upload.byte_offset)
        put_off(upload_id)
    return upload.byte_offset


def finish(upload: Upload) -> Received:
    """Take the whole in as a file, and let the parts go. Safe to do twice: the same bytes are the same file.

    Raises marb.pipeline.receive.NotReceived; then the upload is over as well.
    """
    whole: dict[str, Any] = {"practice_id": upload.practice_id, "name": upload.name, "user_id": upload.user_id}
    try:
        received = take_in(stream=read_parts(upload.pk), **whole)
    except NotReceived:
        upload.delete()
        raise
    with transaction.atomic():
        Upload.objects.filter(pk=upload.pk).update(file_id=received.file_id)
        UploadPart.objects.filter(upload=upload.pk).delete()
    return received


def read_parts(upload_id: int) -> Iterable[bytes]:
    """Yield an upload's bytes, a part at a time."""
    parts = UploadPart.objects.filter(upload_id=upload_id).order_by("byte_from")
    for number in list(parts.values_list("id", flat=True)):
        yield bytes(UploadPart.objects.values_list("content", flat=True).get(pk=number))
