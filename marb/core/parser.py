"""JSON as the API takes it: bounded, without NaN, without the same key twice, without what PostgreSQL text refuses."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser


class TooLarge(APIException):
    """The body is larger than DATA_UPLOAD_MAX_MEMORY_SIZE."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."
    default_code = "too_large"


class StrictParser(BaseParser):
    """Reads application/json; anything else is a 415."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        content = stream.read(most + 1)
        if len(content) > most:
            raise TooLarge
        try:
            return read_json(content)
        except (ValueError, RecursionError):
            raise ParseError("The body is not valid JSON.") from None


def read_json(content: bytes) -> Any:
    """Read a document. Raises ValueError or RecursionError for what is refused."""
    document = json.loads(content.decode(), object_pairs_hook=unique, parse_constant=refuse)
    # lone surrogates fail to encode; a NUL is written as \\u0000
    if b"\\u0000" in json.dumps(document, ensure_ascii=False).encode():
        raise ValueError("NUL")
    return document


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
