"""Acknowledgements: what is written says what was found, and reads back as it was meant."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marb.edi.acks.read import ClaimAnswer, GroupAnswer, InterchangeAnswer, SetAnswer, SetFault, read_answers
from marb.edi.acks.received import (
    ReceivedGroup,
    ReceivedInterchange,
    ReceivedSet,
    read_envelope,
    read_headers,
    share_findings,
)
from marb.edi.acks.write import write_acknowledgement
from marb.edi.findings import AK905, EDIT, IK304, IK403, IK502, TA105, Finding, Place
from marb.edi.x12 import Segment, Separators, Span, read_segments, read_separators

NOW = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
HEAD = (
    b"ISA*00*          *00*          *ZZ*SENDER         *30*RECEIVER       *260630*0915*^*00501*000000077*0*P*:~\n"
    b"GS*HC*SUB*PAYER*20260630*0915*77*X*005010X222A1~\n"
)
SEPARATORS = Separators("*", ":", "^", "~")


def found(level: str, code_set: str, code: str, offset: int, *, element: int = 0, component: int = 0) -> Finding:
    place = Place(offset, offset // 10, "SV1", "000000077", "77", "0001")
    return Finding(level, code_set, code, "a sentence", place, "2400", element, component)


def received(*findings: Finding, statuses: tuple[bool, ...] = (True,)) -> ReceivedInterchange:
    """Sets of a thousand bytes each, the first at 1000, and what was found in and round them."""
    envelope = read_envelope(HEAD)
    assert envelope is not None
    sets = [
        ReceivedSet(1000 * n, 1000 * n + 1000, "837", f"{n:04d}", "005010X222A1", ok, [])
        for n, ok in enumerate(statuses, 1)
    ]
    rest = share_findings(sets, findings)
    group = ReceivedGroup(envelope.gs, sets, [each for each in rest if each.code_set == AK905])
    return ReceivedInterchange(envelope.isa, [group], [each for each in rest if each.code_set == TA105])


def segments_of(text: str) -> list[Segment]:
    data = text.encode("ascii")
    return list(read_segments(Span(0, 0, data), read_separators(data)))


def texts_of(interchange: ReceivedInterchange) -> list[str]:
    return ["*".join(elements) for _, _, elements in segments_of(write_acknowledgement(interchange, 5, NOW))]


def test_a_clean_interchange_is_accepted_as_a_whole():
    assert texts_of(received())[1:] == [
        "TA1*000000077*260630*0915*A*000",
        "GS*FA*PAYER*SUB*20260701*1230*1*X*005010X231A1",
        "ST*999*0001*005010X231A1",
        "AK1*HC*77*005010X222A1",
        "AK2*837*0001*005010X222A1",
        "IK5*A",
        "AK9*A*1*1*1",
        "SE*6*0001",
        "GE*1*1",
        "IEA*1*000000005",
    ]


def test_the_answer_turns_sender_and_receiver_round():
    isa = texts_of(received())[0].split("*")
    assert [isa[5], isa[6].strip(), isa[7], isa[8].strip()] == ["30", "RECEIVER", "ZZ", "SENDER"]
    assert len("*".join(isa)) + 1 == 106


def test_a_fault_of_an_element_is_named_by_segment_element_and_component():
    texts = texts_of(received(found("C", IK403, "6", 1200, element=1, component=3)))
    assert texts[5:9] == ["AK2*837*0001*005010X222A1", "IK3*SV1*120*2400*8", "IK4*1:3**6", "IK5*E*5"]
    assert texts[9] == "AK9*E*1*1*1"


def test_a_refused_set_leaves_its_group_partly_accepted():
    texts = texts_of(received(found("T", IK502, "4", 2500), statuses=(True, False)))
    assert "IK5*R*4" in texts
    assert "AK9*P*2*2*1" in texts


def test_a_refused_interchange_has_a_ta1_and_no_999():
    texts = texts_of(received(found("W", TA105, "020", 5), found("X", TA105, "001", 9000), statuses=(False,)))
    assert texts[1:] == ["TA1*000000077*260630*0915*R*001", "IEA*0*000000005"]


def test_an_interchange_of_which_a_set_was_taken_in_is_not_refused():
    texts = texts_of(received(found("X", TA105, "023", 9000), statuses=(True, False)))
    assert texts[1] == "TA1*000000077*260630*0915*E*023"
    assert "AK9*P*2*2*1" in texts


def test_a_name_that_holds_our_separators_breaks_nothing():
    envelope = read_envelope(HEAD.replace(b"*", b"|").replace(b"~", b"!").replace(b"SUB", b"S*~B"))
    assert envelope is not None
    sets = [ReceivedSet(0, 9, "837", "0001", "005010X222A1", True, [])]
    texts = texts_of(ReceivedInterchange(envelope.isa, [ReceivedGroup(envelope.gs, sets, [])], []))
    assert texts[2] == "GS*FA*PAYER*SB*20260701*1230*1*X*005010X231A1"


def test_headers_are_found_between_sets_and_not_inside_names():
    data = b"GE*1*1~IEA*1*000000001~" + HEAD.replace(b"SUB", b"VISAPAY") + b"TA1*000000009*260630*0915*A*000~"
    names = [header.elements[0] for header in read_headers(100, data, SEPARATORS)]
    assert names == ["ISA", "GS", "TA1"]
    assert next(read_headers(100, data, SEPARATORS)).offset == 123


def test_a_group_s_own_fault_stands_in_its_ak9():
    assert "AK9*R*1*1*0*5" in texts_of(received(found("G", AK905, "5", 5000), statuses=(False,)))


def test_edits_of_the_house_are_no_part_of_a_999():
    assert texts_of(received(found("C", EDIT, "npi", 1100))) == texts_of(received())


def test_findings_go_to_the_set_whose_bytes_they_stand_in():
    interchange = received(found("C", IK304, "3", 1999), found("C", IK304, "3", 2000), statuses=(True, True))
    assert [len(each.findings) for each in interchange.groups[0].sets] == [1, 1]


def test_bytes_without_an_isa_have_no_envelope():
    assert read_envelope(b"GS*HC*A*B~") is None


@given(
    st.lists(st.booleans(), min_size=1, max_size=6),
    st.lists(st.tuples(st.sampled_from(["1", "3", "8", "I9"]), st.integers(1000, 6999)), max_size=8),
)
def test_what_is_written_reads_back_as_it_was_meant(statuses: list[bool], faults: list[tuple[str, int]]):
    interchange = received(*(found("W", IK304, *fault) for fault in faults), statuses=tuple(statuses))
    answers = list(read_answers(segments_of(write_acknowledgement(interchange, 7, NOW)), SEPARATORS))
    sets = [answer for answer in answers if isinstance(answer, SetAnswer)]
    assert [answer.is_accepted for answer in sets] == statuses
    told = {(f.segment_position, f.code) for answer in sets for f in answer.faults}
    assert told == {(at // 10, code) for code, at in faults if at < 1000 * (len(statuses) + 1)}
    assert answers[0] == InterchangeAnswer("000000077", "A", "000")
    group = answers[-1]
    assert isinstance(group, GroupAnswer)
    assert (group.received, group.accepted) == (len(statuses), sum(statuses))


@pytest.mark.parametrize("prefix", ["IK", "AK"])
def test_a_999_and_a_997_read_alike(prefix: str):
    text = f"ST*99*1~AK1*HC*77~AK2*837*0001~{prefix}3*CLM*12*2300*8~{prefix}4*5:1**7~{prefix}5*R*5~AK9*R*1*1*0~SE*8*1~"
    segments = list(read_segments(Span(0, 0, text.encode()), SEPARATORS))
    answered, group = read_answers(segments, SEPARATORS)
    faults = [SetFault("CLM", 12, "2300", "", "8"), SetFault("CLM", 12, "2300", "5:1", "7")]
    assert answered == SetAnswer("77", "837", "0001", "R", ["5"], faults)
    assert group == GroupAnswer("77", "HC", "R", 1, 1, 0, [])


def test_a_277ca_says_which_claims_were_accepted_and_which_were_not():
    text = (
        "ST*277*0001*005010X214~HL*1**20*1~TRN*1*X~STC*A1:19:PR*20260701*WQ*300~HL*2*1*21*1~TRN*2*Y~"
        "HL*4*3*PT~TRN*2*CLAIM1~STC*A2:20:PR*20260701*WQ*100~REF*1K*PAYER9~"
        "HL*5*3*PT~TRN*2*CLAIM2~STC*A7:562:85*20260701*U*200*******A7:21~SE*14*0001~"
    )
    segments = list(read_segments(Span(0, 0, text.encode()), SEPARATORS))
    first, second = read_answers(segments, SEPARATORS)
    assert isinstance(first, ClaimAnswer)
    assert isinstance(second, ClaimAnswer)
    assert (first.patient_control_number, first.payer_claim_control_number, first.is_rejected) == (
        "CLAIM1",
        "PAYER9",
        False,
    )
    assert second.is_rejected
    assert [(s.category_code, s.status_code, s.entity_code, s.charge_cents) for s in second.statuses] == [
        ("A7", "562", "85", 20000),
        ("A7", "21", "", 20000),
    ]
