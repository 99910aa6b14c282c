"""Framing: separators from every kind of ISA, segments with exact places from every kind of layout."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marb.edi.tests.text import isa
from marb.edi.x12 import BadInterchange, Separators, Span, element, read_segments, read_separators

STARS = Separators("*", ":", "^", "~")


def segments(text: str | bytes, separators: Separators = STARS, offset: int = 0, position: int = 0):
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    return list(read_segments(Span(offset, position, data), separators))


def header(terminator: str, component: str = ":", element: str = "*") -> bytes:
    text = isa()[:-2].replace("*", element)
    return (text + component + terminator + f"GS{element}HC{element}A").encode("latin-1")


@pytest.mark.parametrize(
    ("terminator", "read"),
    [
        ("~", "~"),
        ("~\n", "~"),
        ("~\r\n", "~"),
        ("\n", "\n"),
        ("\r\n", "\n"),
        ("\r", "\r"),
        (" ~\n", "~"),
        ("\n~", "~"),
        ("  \n", "\n"),
        ("'", "'"),
        ("\x1c", "\x1c"),
        ("\x85", "\x85"),
        ("§\n", "§"),
    ],
)
def test_the_terminator_is_what_stands_behind_isa16(terminator, read):
    assert read_separators(header(terminator)) == ("*", ":", "^", read)


@pytest.mark.parametrize(("element", "component"), [("|", ">"), ("\x1d", "\x1f"), ("^", "\\"), ("+", "<"), ("*", "|")])
def test_any_marks_may_separate(element, component):
    separators = read_separators(header("~", component, element))
    assert separators[:2] == (element, component)


def test_an_unpadded_header_has_sixteen_elements_all_the_same():
    head = b"ISA*00**00**ZZ*S*ZZ*R*260101*1200*U*00401*000000001*0*P*>\r\nGS*HC*A"
    assert read_separators(head) == ("*", ">", "", "\n")


def test_a_padded_header_may_hold_its_separator_in_a_field():
    head = header("~").replace(b"SENDER         ", b"SEN*DER        ")
    assert read_separators(head) == STARS


@pytest.mark.parametrize("tail", ["P*~GS*HC*A", "P*~\nGS*HC*A~\nST*"])
def test_a_header_without_isa16_still_has_a_terminator(tail):
    head = isa().replace("P*:~", tail).encode()
    assert read_separators(head) == STARS


def test_a_repetition_separator_that_is_a_letter_or_another_separator_is_none():
    assert read_separators(isa().replace("*^*", "*U*").encode() + b"GS*").repetition == ""
    assert read_separators(isa().replace("*^*", "*:*").encode() + b"GS*").repetition == ""


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"ISAX00X", "022"),
        (b"ISA*00*          *00", "022"),
        (b"GS*HC", "022"),
        (header("*"), "004"),
        (header("A"), "004"),
        (header("  "), "004"),
        (header("~", ":", "\x00"), "026"),
        (header("~", "A"), "027"),
        (header("~", "*"), "027"),
    ],
)
def test_a_header_that_cannot_be_read_names_its_code(head, code):
    with pytest.raises(BadInterchange) as refused:
        read_separators(head, 7)
    assert (refused.value.code, refused.value.offset) == (code, 7)


def test_segments_have_their_place_and_position():
    assert segments("ISA*1~GS*2~ST*837*1~BHT*3~SE*2~ST*837*2~", offset=100) == [
        (100, 0, ["ISA", "1"]),
        (106, 1, ["GS", "2"]),
        (111, 1, ["ST", "837", "1"]),
        (120, 2, ["BHT", "3"]),
        (126, 3, ["SE", "2"]),
        (131, 1, ["ST", "837", "2"]),
    ]


def test_a_body_goes_on_from_its_position():
    assert [position for _, position, _ in segments("CLM*1~HI*2~", position=17)] == [17, 18]


@pytest.mark.parametrize("layout", ["~\n", "~\r\n", "~\n\n   ", " ~", "~\x00\x1a", "\r\n~"])
def test_layout_round_segments_is_no_data_and_offsets_are_exact(layout):
    text = "ST*837~NM1*IL*1*DOE ~SE*2~".replace("~", layout)
    found = segments(text)
    assert [elements[0] for _, _, elements in found] == ["ST", "NM1", "SE"]
    assert [position for _, position, _ in found] == [1, 2, 3]
    for offset, _, elements in found:
        assert text[offset:].startswith("*".join(elements[:2]))


@pytest.mark.parametrize("terminator", ["\n", "\r"])
def test_a_line_break_may_be_the_terminator(terminator):
    text = "ST*837\r\nBHT*1\r\n\r\nSE*2" if terminator == "\n" else "ST*837\rBHT*1\r\rSE*2"
    found = segments(text, Separators("*", ":", "", terminator))
    assert [elements for _, _, elements in found] == [["ST", "837"], ["BHT", "1"], ["SE", "2"]]


@pytest.mark.parametrize("width", range(3, 14))
def test_a_wrapped_text_is_read_as_one(width):
    text = "ST*837*0001~NM1*IL*1*DOE*JOHN~N3*1 MAIN STREET~SE*4*0001~"
    wrapped = "\r\n".join(text[n : n + width] for n in range(0, len(text), width))
    assert [e for _, _, e in segments(wrapped)] == [e for _, _, e in segments(text)]


@pytest.mark.parametrize("data", [b"ST*837~\nHL*1~\nCLM*A~", b"\nHL*1~\nCLM*A~", b"HL*1~\r\n CLM*A~", b"HL*1~\nST*8~"])
def test_a_piece_of_a_file_reads_alike_with_and_without_its_last_line_break(data):
    broken, bare = (list(read_segments(Span(50, 7, data + end), STARS)) for end in (b"\n", b""))
    assert broken == bare
    assert all(data[offset - 50 :].startswith("*".join(elements).encode()) for offset, _, elements in bare)


def test_an_empty_segment_does_not_end_reading_and_has_no_position():
    assert [(p, e[0]) for _, p, e in segments("ST*1~~ ~\n~HI*2~", position=1)] == [(1, "ST"), (2, "HI")]


def test_utf_8_and_latin_1_stand_side_by_side():
    data = "NM1*JOSÉ~".encode() + "NM1*MUÑOZ~".encode("latin-1") + "NM1*JOSE\u0301*".encode() + b"\xd1~"
    found = segments(data)
    assert [elements[1:] for _, _, elements in found] == [["JOSÉ"], ["MUÑOZ"], ["JOSÉ", "Ñ"]]
    assert [offset for offset, _, _ in found] == [0, 10, 20]


def test_nothing_is_dropped_or_replaced():
    data = bytes(byte for byte in range(256) if byte not in b"~*\r\n")
    ((_, _, elements),) = segments(b"NTE*" + data + b"!~")
    assert elements == ["NTE", data.decode("latin-1") + "!"]


def test_a_million_empty_elements_are_read():
    ((_, _, elements),) = segments(b"HI" + b"*" * 1_000_000 + b"~")
    assert len(elements) == 1_000_001


def test_an_element_left_out_is_empty():
    assert [element(["NM1", " IL "], number) for number in (1, 2, 99)] == ["IL", "", ""]


TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="~*"), max_size=8)
IDS = st.sampled_from(["ST", "NM1", "CLM", "HL", "REF"])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(IDS, st.lists(TEXT, max_size=5)), max_size=12), st.sampled_from(["", "\n", "\r\n", " \n  "]))
def test_what_is_written_is_read_with_its_offset(written, layout):
    text, offsets = "", []
    for name, elements in written:
        offsets.append(len(text))
        text += "*".join([name, *elements]) + "~" + layout
    found = segments(text, offset=50)
    assert [elements for _, _, elements in found] == [[name, *elements] for name, elements in written]
    assert [offset - 50 for offset, _, _ in found] == offsets


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 200))
def test_reading_in_two_pieces_at_a_terminator_is_reading_at_once(data, place):
    cut = data.find(b"~", place) + 1
    whole = segments(data)
    first, second = segments(data[:cut]), segments(data[cut:], offset=cut)
    wrapped = b"\r" in data or b"\n" in data
    assert [offset for offset, _, _ in first + second] == [offset for offset, _, _ in whole]
    if not wrapped:
        assert [e for _, _, e in first + second] == [e for _, _, e in whole]
