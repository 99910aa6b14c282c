"""JSON as the API takes it: bounded, its numbers too, without NaN, without the same key twice, without what PostgreSQL
text refuses."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn, TypeVar

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

MOST_NUMBER = 2**63 - 1
Number = TypeVar("Number", int, float)


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
    document = json.loads(content.decode(), object_pairs_hook=unique, **NUMBERS)
    # lone surrogates fail to encode; a NUL is written as \\u0000
    if b"\\u0000" in json.dumps(document, ensure_ascii=False).encode():
        raise ValueError("NUL")
    return document


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def whole(text: str) -> int:
    return bounded(int(text))


def broken(text: str) -> float:
    return bounded(float(text))


def bounded(number: Number) -> Number:
    """Refuse what jsonb would hand back as a whole number that no JSON of ours can write, and the infinite."""
    if not -MOST_NUMBER <= number <= MOST_NUMBER:
        raise ValueError("too large a number")
    return number


def refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


NUMBERS: dict[str, Any] = {"parse_constant": refuse, "parse_int": whole, "parse_float": broken}
