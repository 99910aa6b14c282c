"""COPY's text format: what is joined at once equals what is escaped value by value."""

import json

from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from marb.core.copy import Column, Json, array_text, block_text, bool_text, copy_text, document_text, row_text

TEXT = st.text(st.sampled_from('aN\\\t\n\r"{},é'), max_size=6)
VALUE = st.one_of(TEXT, st.none(), st.integers(), st.booleans(), st.lists(TEXT, max_size=3))


@given(row=st.lists(VALUE, min_size=1, max_size=6))
@limits(max_examples=500, deadline=None)
def test_a_row_reads_as_if_every_value_were_escaped(row):
    assert row_text(row, ()) == "\t".join(map(copy_text, row))


@given(row=st.lists(VALUE, min_size=1, max_size=6))
@limits(max_examples=200, deadline=None)
def test_a_row_has_no_more_separators_than_columns(row):
    line = row_text(row, ())
    assert (line.count("\t"), "\n" in line, "\r" in line) == (len(row) - 1, False, False)


def test_a_null_is_not_the_text_that_writes_it():
    assert row_text([None], ()) == "\\N"
    assert row_text(["\\N"], ()) == "\\\\N"
    assert row_text([None, "\\"], ()) == "\\N\t\\\\"


def test_documents_are_encoded_by_place_plain_or_wrapped():
    document = {"name": "O'NEIL", "amounts": ["1.00"]}
    for value in (document, Json(document)):
        assert json.loads(row_text([value], [0])) == document
    assert row_text([[], {}, None], [0, 1, 2]) == "[]\t{}\t\\N"
    assert row_text([Json([])], ()) == "[]"


def test_arrays_quote_every_element():
    assert array_text([]) == "{}"
    assert array_text([""]) == '{""}'
    assert array_text(["a", 'b"c', "d\\"]) == '{"a","b\\"c","d\\\\"}'
    assert array_text([1, 2]) == '{"1","2"}'


COLUMNS = [
    Column(None, is_nullable=False, is_document=False),
    Column(str, is_nullable=True, is_document=False),
    Column(str, is_nullable=False, is_document=False),
    Column(bool_text, is_nullable=False, is_document=False),
    Column(array_text, is_nullable=False, is_document=False),
    Column(document_text, is_nullable=False, is_document=True),
]
ROW = st.tuples(
    TEXT,
    st.none() | TEXT,
    st.integers(),
    st.booleans(),
    st.lists(TEXT, max_size=2),
    st.dictionaries(TEXT, TEXT, max_size=2),
)


@given(rows=st.lists(ROW, min_size=1, max_size=4))
@limits(max_examples=500, deadline=None)
def test_a_block_written_by_columns_is_its_rows(rows):
    assert block_text(rows, COLUMNS) == "".join(row_text(row, [5]) + "\n" for row in rows)
