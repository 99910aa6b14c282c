"""The laws of the scan, on generated files: cutting changes nothing, blocks change nothing, nothing is lost."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marb.edi import scan as scan_module
from marb.edi import tape
from marb.edi.scan import ScannedSet, build_excerpt, scan
from marb.edi.tests.text import Result, claim_set, group, interchange, payment_set
from marb.edi.x12 import Excerpt, Separators, Span, read_segments

AMOUNTS = st.sampled_from(["100", "12.5", ".5", "0", "-3.25", "abc", "1E2", ""])
LEVELS = {"20": 1, "22": 2, "23": 3}


@st.composite
def claim_bodies(draw) -> str:
    """837 loops in many shapes: claims of subscribers and of patients, and what stands under no HL."""
    text = ""
    for number, level in enumerate(draw(st.lists(st.sampled_from(["20", "22", "23"]), max_size=8)), 1):
        text += f"HL*{number}*1*{level}*1~NM1*85*2*NAME {number}~"
        for claim in range(draw(st.integers(0, 3))):
            text += f"CLM*{number}-{claim}*{draw(AMOUNTS)}~HI*ABK:J02~NM1*IL*1*ISA*ISAAC~LX*1~SV1*HC:1*1~"
    return f"BHT*0019*00*1~NM1*41*2*S~{text}"


@st.composite
def payment_bodies(draw) -> str:
    text = ""
    for number in range(draw(st.integers(0, 5))):
        text += f"LX*{number}~TS3*1*11*20261231*1*1~" if draw(st.booleans()) else ""
        for claim in range(draw(st.integers(0, 3))):
            text += f"CLP*{number}-{claim}*1*10*{draw(AMOUNTS)}~CAS*CO*45*1~SVC*HC:1*1*1~"
    return f"BPR*I*1~TRN*1*1*1~N1*PR*P~{text}PLB*1*20261231*WO:X*5~"


@st.composite
def sets(draw) -> str:
    code, body = draw(
        st.one_of(
            st.tuples(st.just("837"), claim_bodies()),
            st.tuples(st.just("835"), payment_bodies()),
            st.tuples(st.just("999"), st.just("AK1*HC*1~AK9*A*1*1*1~")),
        )
    )
    control = draw(st.sampled_from(["0001", "0002"]))
    end = draw(st.sampled_from([f"SE*{body.count('~') + 2}*{control}~", f"SE*9*{control}~", ""]))
    return f"ST*{code}*{control}~{body}{end}"


@st.composite
def files(draw) -> bytes:
    groups = draw(st.lists(st.lists(sets(), max_size=4), min_size=1, max_size=3))
    stray = st.sampled_from(["", "", "", "CLM*STRAY*7~", "REF*1*2~", "~~", "\r\n"])
    parts = []
    for number, members in enumerate(groups):
        inner = draw(stray).join(members) + draw(stray)
        code = f"GS*HC*A*B*20260101*1200*{number}*X*005010X222A1~{inner}GE*{len(members)}*{number}~"
        parts.append(interchange(code, control=f"{number:09d}") + draw(st.sampled_from(["", "\n", "\r\n", " junk\n"])))
    text = "".join(parts)
    layout = draw(st.sampled_from(["~", "~\n", "~\r\n", " ~\n  "]))
    return text.replace("~", layout).encode()


def claims(spans: list[Span], separators: Separators) -> Iterator[tuple[Any, ...]]:
    """Yield for each CLM and CLP its place, its position and the offsets of all that is open round it."""
    opened: dict[str, int] = {}
    for span in spans:
        for offset, position, elements in read_segments(span, separators):
            name = elements[0]
            if name == "HL" and len(elements) > 3:
                close(opened, "HL", LEVELS[elements[3]])
                opened[f"HL{LEVELS[elements[3]]}"] = offset
            elif name in ("ISA", "GS", "ST"):
                for below in ("ISA", "GS", "ST")[("ISA", "GS", "ST").index(name) :]:
                    opened.pop(below, None)
                close(opened, "HL", 0)
                opened.pop("LX", None)
                opened[name] = offset
            elif name == "LX" and "HL1" not in opened and "HL2" not in opened and "HL3" not in opened:
                opened["LX"] = offset
            elif name in ("CLM", "CLP"):
                yield name, offset, position, elements[1], sorted(opened.items())


def close(opened: dict[str, int], loop: str, level: int) -> None:
    for below in range(max(level, 1), 4):
        opened.pop(f"{loop}{below}", None)


def accepted_claims(data: bytes, scanned: list[ScannedSet], separators: Separators) -> list[tuple[Any, ...]]:
    ranges = [(one.byte_from, one.byte_to) for one in scanned if one.status == "accepted"]
    whole = claims([Span(0, 0, data.replace(b"junk", b"    "))], separators)
    return [claim for claim in whole if any(start <= claim[1] < end for start, end in ranges)]


def spans(excerpt: Excerpt) -> list[Span]:
    return [*excerpt.context, excerpt.body]


@settings(max_examples=150, deadline=None)
@given(files(), st.integers(1, 7))
def test_reading_the_chunks_is_reading_the_file(data, chunk_claims):
    result = Result(data, chunk_claims=chunk_claims)
    chunks, scanned = result.chunks, result.sets
    separators = Separators("*", ":", "^", "~")
    read = [
        claim
        for chunk in chunks
        for claim in claims(spans(build_excerpt(lambda a, b: data[a:b], chunk)), chunk.separators)
    ]
    assert read == accepted_claims(data, scanned, separators)
    assert [chunk.claim_count for chunk in chunks if chunk.claim_count > chunk_claims] == []
    assert sum(chunk.claim_count for chunk in chunks) == len(read)


@settings(max_examples=150, deadline=None)
@given(files())
def test_every_claim_of_the_bytes_is_in_one_set(data):
    result = Result(data)
    scanned = result.sets
    pieces = [piece.strip(b" \r\n") for piece in data.split(b"~")]
    clm = sum(1 for piece in pieces if piece.startswith(b"CLM*"))
    clp = sum(1 for piece in pieces if piece.startswith(b"CLP*"))
    assert (result.totals.claim_count, result.totals.remittance_count) == (clm, clp)
    assert sum(one.claim_count for one in scanned) == clm
    assert sum(one.remittance_count for one in scanned) == clp


@settings(max_examples=100, deadline=None)
@given(files(), st.integers(1, 4))
def test_sets_and_chunks_follow_one_another_and_do_not_overlap(data, chunk_claims):
    result = Result(data, chunk_claims=chunk_claims)
    for extents in ([one[:2] for one in result.sets], [(one.byte_from, one.byte_to) for one in result.chunks]):
        assert extents == sorted(extents)
        assert all(start < end <= len(data) for start, end in extents)
        assert all(before[1] <= after[0] for before, after in pairwise(extents))
    for finding in result.findings:
        assert 0 <= finding.place.byte_offset <= len(data)
        assert finding.place.segment_position >= 0


@settings(max_examples=100, deadline=None)
@given(files(), st.integers(1, 300))
def test_the_size_of_the_blocks_changes_nothing(data, size):
    whole = list(scan([data], chunk_claims=2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tape, "BLOCK_BYTES", size)
        patch.setattr(scan_module, "HEAD_BYTES", 120)
        cut = list(scan((data[n : n + size] for n in range(0, len(data), size)), chunk_claims=2))
    assert cut == whole


@settings(max_examples=100, deadline=None)
@given(files(), st.integers(1, 400), st.integers(0, 255))
def test_a_flipped_byte_never_loses_a_claim_of_a_set(data, place, byte):
    place = 110 + place % (len(data) - 110)
    broken = data[:place] + bytes([byte]) + data[place + 1 :]
    result = Result(broken)
    assert sum(one.claim_count for one in result.sets) == result.totals.claim_count
    accepted = [one for one in result.sets if one.status == "accepted"]
    chunked = sum(chunk.claim_count for chunk in result.chunks)
    assert chunked == sum(one.claim_count + one.remittance_count for one in accepted)


@settings(max_examples=60, deadline=None)
@given(files())
def test_a_strict_scan_counts_the_same_and_accepts_no_more(data):
    easy, strict = Result(data), Result(data, strict=True)
    assert easy.totals == strict.totals
    accepted = [{one[:2] for one in result.sets if one.status == "accepted"} for result in (easy, strict)]
    assert accepted[1] <= accepted[0]


def test_a_big_set_is_cut_between_claims_of_one_subscriber():
    data = interchange(group(claim_set(["1"] * 5))).encode()
    chunks = Result(data, chunk_claims=2).chunks
    assert [chunk.claim_count for chunk in chunks] == [2, 2, 1]
    assert data[chunks[1].byte_from :].startswith(b"CLM*0001-2-2*")
    heads = [data[start:end].split(b"*", 1)[0] for start, end, _ in chunks[1].context]
    assert heads == [b"ISA", b"GS", b"ST", b"HL", b"HL"]
    assert chunks[-1].byte_to == data.index(b"GE*")


def test_small_sets_share_a_chunk_and_other_kinds_end_it():
    small = [claim_set(["1"], control=f"{n:04d}") for n in range(4)]
    data = interchange(
        group(*small), group(payment_set("1", "2"), code="HP", guide="005010X221A1", control="2")
    ).encode()
    chunks = Result(data, chunk_claims=3).chunks
    assert [(chunk.kind, chunk.claim_count) for chunk in chunks] == [("837", 3), ("837", 1), ("835", 2)]
    assert data[: chunks[2].byte_to].endswith(b"PLB*1*20261231*WO:X*5~SE*18*0001~")
