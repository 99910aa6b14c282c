"""How an upload's body comes in: a form with the field `file`, or the file itself as the body. Never in memory whole.

A body longer than EDI_MOST_BYTES is refused before it is read; one that ends before its Content-Length is refused
after, so that half a file is never taken for a whole one. Gzip is told by its bytes (marb.pipeline.receive).
"""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser

from marb.core.errors import TooLarge

FORM_BYTES = 65_536
ENCODINGS = ("", "identity", "gzip")


class LengthRequired(APIException):
    status_code = 411
    default_detail = "The request must say its Content-Length."
    default_code = "length_required"


class Counted:
    """A stream that counts what is read of it, and knows what it should come to."""

    def __init__(self, stream: IO[bytes], length: int):
        self.stream = stream
        self.left = length

    def read(self, size: int = -1) -> bytes:
        piece = self.stream.read(size)
        self.left -= len(piece)
        if not piece and size:
            self.check()
        return piece

    def check(self) -> None:
        if self.left > 0:
            raise ParseError("The body ended before its Content-Length.")


class FormParser(MultiPartParser):
    """multipart/form-data: Django's own parser streams the file into memory or a temporary file."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> "DataAndFiles[Any, Any]":
        counted = Counted(stream, checked_length(parser_context, FORM_BYTES))
        parsed = super().parse(counted, media_type, parser_context)  # type: ignore[arg-type]
        counted.check()
        return parsed


class FileParser(BaseParser):
    """Any other content type: the body is the file. Answers the stream itself, unread."""

    media_type = "*/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        if (media_type or "").startswith("application/x-www-form-urlencoded"):
            sentence = "Send the file as application/octet-stream, or as the field `file` of multipart/form-data."
            raise UnsupportedMediaType(media_type or "", detail=sentence)
        return Counted(stream, checked_length(parser_context))


class PartParser(FileParser):
    """A part of an upload (marb.pipeline.resumable), by the media type that tus gives it."""

    media_type = "application/offset+octet-stream"


def checked_length(context: Mapping[str, Any] | None, spare: int = 0) -> int:
    """Get the length that the request declares. Raises TooLarge, LengthRequired or UnsupportedMediaType."""
    meta = (context or {})["request"].META
    if meta.get("HTTP_CONTENT_ENCODING", "").lower() not in ENCODINGS:
        raise UnsupportedMediaType("", detail="Of the content encodings only gzip is read.")
    length = meta.get("CONTENT_LENGTH") or ""
    if not length.isdecimal():
        raise LengthRequired
    if int(length) > settings.EDI_MOST_BYTES + spare:
        raise TooLarge(f"The file is larger than {settings.EDI_MOST_BYTES:,} bytes.")
    return int(length)
