"""Blocks: the same segments as marb.edi.x12 reads one by one, each border at the head of a block."""

from hypothesis import given
from hypothesis import strategies as st

from marb.edi.blocks import read_blocks
from marb.edi.x12 import Separators, Span, read_pieces

SEPARATORS = Separators("*", ":", "^", "~")
BORDERS = frozenset(("ST", "HL", "CLM", "SE"))
SEGMENTS = (
    "ST*837*1",
    "ST",
    "HL*1**20",
    "HL",
    "HLX*1",
    "CLM*A*1",
    "CLM",
    "CLMX",
    "SE*3*1",
    "REF*6R*1",
    "",
    " ",
    "N3*\xe9",
)


@given(
    st.lists(st.sampled_from(SEGMENTS)),
    st.sampled_from(("~", "~\n", "~\r\n", "~ \n", "\n~")),
    st.booleans(),
    st.integers(0, 9),
)
def test_blocks_are_the_segments_in_order_each_with_its_place(segments, terminator, is_ended, position):
    text = terminator.join(segments) + (terminator if is_ended else "")
    span = Span(100, position, text.encode("latin-1"))
    blocks = list(read_blocks(span, SEPARATORS, BORDERS))
    assert [piece for block in blocks for piece in block.pieces()] == list(read_pieces(span, SEPARATORS))
    for block in blocks:
        assert [block.offset(place) for place in range(len(block.texts))] == block.starts()


@given(st.lists(st.sampled_from(SEGMENTS)))
def test_every_border_and_nothing_else_begins_a_block(segments):
    span = Span(0, 1, "~".join(segments).encode("latin-1"))
    blocks = list(read_blocks(span, SEPARATORS, BORDERS))
    for number, block in enumerate(blocks):
        names = [text.partition("*")[0] for text in block.texts]
        assert block.name == (names[0] if names[0] in BORDERS else "")
        assert number == 0 or block.name
        assert not BORDERS & set(names[1:])
