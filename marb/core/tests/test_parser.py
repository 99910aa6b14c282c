"""JSON that is taken, and JSON that is not."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from marb.core.parser import StrictParser, TooLarge, read_json

REFUSED = [
    *(b"", b"{", b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":1,"a":2}', b'{"a":"\\u0000"}', b'{"a":"\\ud800"}', b"\xff"),
    *(b"[" * 100_000, b'{"a":' * 100_000, b"9" * 1_000_000, b'{"\\u0000":1}'),
    *(b"9223372036854775808", b"-9223372036854775809", b"1e999", b"-1e999", b"4.03e235"),
]


@pytest.mark.parametrize("content", REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_what_postgresql_or_python_would_choke_on_is_refused(content: bytes) -> None:
    with pytest.raises(ParseError):
        StrictParser().parse(io.BytesIO(content))


def test_a_body_beyond_the_limit_is_not_read(settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    stream = io.BytesIO(b'"' + b"a" * 10_000 + b'"')
    with pytest.raises(TooLarge):
        StrictParser().parse(stream)
    assert stream.tell() == 101


TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])).filter(lambda t: "u0000" not in t)


WHOLE = st.integers(-(2**63) + 1, 2**63 - 1)


@given(st.recursive(st.none() | TEXT | st.booleans() | WHOLE, lambda x: st.lists(x) | st.dictionaries(TEXT, x)))
def test_any_plain_document_comes_back(document: object) -> None:
    assert read_json(json.dumps(document).encode()) == document
