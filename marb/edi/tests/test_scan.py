"""The envelope scan on faulty files: what is found, where, and what is rejected, tolerant and strict."""

import tracemalloc

import pytest

from marb.edi.scan import ScannedChunk, Totals, build_excerpt, scan
from marb.edi.tests.text import Result, claim_set, closed, group, interchange, isa, payment_set
from marb.edi.x12 import BadInterchange

GOOD = interchange(group(claim_set(["100", "50.5"], ["7"])))
PAID = interchange(group(payment_set("80", "-5.5"), code="HP", guide="005010X221A1"))


def lines(text: str, terminator: str) -> str:
    return text.replace("~", terminator)


def test_a_good_file_gives_a_set_a_chunk_and_totals_and_no_finding():
    result = Result(GOOD)
    assert result.findings == []
    (found,) = result.sets
    assert found[2:] == ("837", "005010X222A1", "APP", "BPP", "000000001", "1", "0001", 30, 3, 0, "accepted", "")
    assert GOOD[found.byte_from : found.byte_to] == claim_set(["100", "50.5"], ["7"])
    assert result.totals == Totals("837P", 3, 0, 15750, 0)


def test_a_payment_file_counts_its_payments():
    result = Result(PAID)
    assert result.findings == []
    assert result.totals == Totals("835", 0, 2, 0, 7450)
    (chunk,) = result.chunks
    assert (chunk.kind, chunk.position, chunk.claim_count) == ("835", 1, 2)


# FAULTS 4a: row, text, what a tolerant scan finds, level when strict, code set and code, segment id and position
FAULTS = [
    ("5 no IEA", GOOD[: GOOD.index("IEA")], "X", "TA105", "023", "", 0),
    ("6 IEA02", GOOD.replace("IEA*1*000000001", "IEA*1*000000002"), "X", "TA105", "001", "IEA", 0),
    ("7 GE02", GOOD.replace("GE*1*1~", "GE*1*2~"), "G", "AK905", "4", "GE", 0),
    ("8 SE02", GOOD.replace("SE*30*0001", "SE*30*0002"), "T", "IK502", "3", "SE", 30),
    ("9 SE01", GOOD.replace("SE*30*0001", "SE*31*0001"), "T", "IK502", "4", "SE", 30),
    ("9 SE01 no number", GOOD.replace("SE*30*0001", "SE*3X*0001"), "T", "IK502", "4", "SE", 30),
    ("10 GE01", GOOD.replace("GE*1*1~", "GE*2*1~"), "G", "AK905", "5", "GE", 0),
    ("11 IEA01", GOOD.replace("IEA*1*", "IEA*2*"), "X", "TA105", "021", "IEA", 0),
    ("16 ST02 twice", interchange(group(claim_set(["1"]), claim_set(["2"]))), "T", "IK502", "23", "ST", 1),
    ("18 no GS", interchange(claim_set(["1"])).replace("IEA*1*", "IEA*0*"), "X", "TA105", "024", "ST", 1),
    ("19 no GE", GOOD.replace("GE*1*1~", ""), "G", "AK905", "3", "IEA", 0),
    ("20 ISA12", GOOD.replace("*00501*", "*00999*"), "X", "TA105", "017", "ISA", 0),
    ("21 GS08", interchange(group(claim_set(["1"], guide=""), guide="009999X999")), "G", "AK905", "2", "ST", 1),
    ("22 ST03", interchange(group(claim_set(["1"], guide="005010X223A2"))), "T", "IK502", "I6", "ST", 1),
    ("23 GS01", interchange(group(claim_set(["1"]), code="HP")), "G", "AK905", "1", "ST", 1),
    ("27 no HL 22", GOOD.replace("HL*2*1*22*0~", "", 1).replace("SE*30", "SE*29"), "T", "IK304", "7", "CLM", 10),
    ("29 parent", GOOD.replace("HL*2*1*22", "HL*2*9*22"), "T", "IK403", "7", "HL", 7),
    ("30 HL01", GOOD.replace("HL*3*1*22", "HL*9*1*22"), "W", "IK403", "7", "HL", 21),
    ("31 HL04", GOOD.replace("HL*1**20*1", "HL*1**20*0"), "W", "IK403", "7", "HL", 7),
    ("57 ~~", GOOD.replace("~LX*1", "~~LX*1", 1), "W", "IK304", "1", "", 12),
    ("70 tail", GOOD + "garbage", "X", "TA105", "024", "", 0),
    ("71 tail", GOOD + "REF*1*2~", "X", "TA105", "024", "", 0),
    ("92 no CLM", interchange(group(claim_set([]))), "T", "IK304", "I8", "SE", 11),
    ("100 test", interchange(group(claim_set(["1"])), usage="T"), "W", "TA105", "020", "ISA", 0),
]


@pytest.mark.parametrize(("row", "text", "level", "code_set", "code", "segment_id", "position"), FAULTS)
def test_a_tolerant_scan_warns_and_accepts(row, text, level, code_set, code, segment_id, position):
    result = Result(text)
    assert set(result.statuses()) == {"accepted"}
    assert {finding.level for finding in result.findings} == {"W"}
    found = [finding for finding in result.findings if finding[1:3] == (code_set, code)]
    assert (segment_id, position) in [(one.place.segment_id, one.place.segment_position) for one in found]


@pytest.mark.parametrize(("row", "text", "level", "code_set", "code", "segment_id", "position"), FAULTS)
def test_a_strict_scan_takes_the_level_by_the_book(row, text, level, code_set, code, segment_id, position):
    result = Result(text, strict=True)
    assert (level, code_set, code) in result.codes()
    tail_only = row.startswith("7")
    expected = "accepted" if level == "W" or (tail_only and not row.startswith("7 ")) else "rejected"
    assert result.statuses()[-1] == expected
    assert bool(result.chunks) == ("accepted" in result.statuses())


def test_a_finding_stands_at_the_offset_of_its_segment():
    for row, text, _, code_set, code, segment_id, _ in FAULTS:
        for finding in Result(text).findings:
            if segment_id and finding[1:3] == (code_set, code):
                assert text[finding.place.byte_offset :].startswith(segment_id), row


def test_findings_carry_the_control_numbers_of_what_is_open():
    (finding,) = Result(GOOD.replace("SE*30", "SE*31")).findings
    assert finding.place[3:] == ("000000001", "1", "0001")


def test_a_hierarchy_fault_that_repeats_is_told_once_with_its_number():
    text = interchange(group(claim_set(["1"], ["2"], ["3"]))).replace("*1*22*0", "*9*22*0")
    (finding,) = Result(text).findings
    assert finding.element == 2
    assert "3 times" in finding.message


@pytest.mark.parametrize("cut", [GOOD.index("SE*30"), GOOD.rindex("HI*ABK"), GOOD.index("GE*1") - 3])
def test_a_set_that_the_end_of_the_file_cuts_off_is_rejected(cut):
    result = Result(GOOD[:cut])
    assert result.statuses() == ["rejected"]
    assert ("T", "IK502", "2") in result.codes()
    assert result.chunks == []
    assert result.sets[0].claim_count == result.totals.claim_count > 0


def test_a_last_trailer_without_terminator_is_a_warning():
    result = Result(GOOD[:-1])
    assert result.codes() == [("W", "TA105", "023")]
    assert result.statuses() == ["accepted"]


def test_an_end_left_out_before_the_next_set_is_a_warning():
    first = claim_set(["1"], control="0001")
    text = interchange(group(first[: first.index("SE*")], claim_set(["2"], control="0002")))
    result = Result(text)
    assert result.statuses() == ["accepted", "accepted"]
    assert result.codes() == [("W", "IK502", "2")]
    assert text[result.sets[0].byte_to :].startswith("ST*837*0002")
    assert Result(text, strict=True).statuses() == ["rejected", "accepted"]


@pytest.mark.parametrize("header", ["GS*HC*A*B*20260101*1200*2*X*005010X222A1~", isa("000000002")])
def test_a_set_cut_off_by_the_next_header_is_rejected(header):
    text = isa() + group(claim_set(["1"])).partition("SE*")[0] + header + GOOD[GOOD.index("ST*") :]
    result = Result(text)
    assert result.statuses() == ["rejected", "accepted"]
    assert result.sets[0].reason.startswith("The set is cut off")
    assert result.totals.claim_count == 4


def test_a_group_before_the_end_of_the_last_is_told():
    first = group(claim_set(["1"])).replace("GE*1*1~", "")
    result = Result(interchange(first, group(claim_set(["1"]), control="2")))
    assert result.codes() == [("W", "AK905", "3")]
    assert Result(interchange(first, group(claim_set(["1"]), control="2")), strict=True).statuses() == [
        "rejected",
        "accepted",
    ]


def test_the_same_interchange_number_twice_is_told():
    result = Result(GOOD + GOOD)
    assert result.codes() == [("W", "TA105", "025")]
    assert Result(GOOD + GOOD, strict=True).statuses() == ["accepted", "rejected"]


def test_a_nested_interchange_ends_the_one_before_it():
    text = GOOD[: GOOD.index("GE*1")] + GOOD.replace("000000001", "000000002")
    result = Result(text)
    assert result.statuses() == ["accepted", "accepted"]
    assert result.codes() == [("W", "AK905", "3"), ("W", "TA105", "023")]


def test_a_broken_second_interchange_leaves_the_first():
    broken = GOOD.replace("*P*:~", "*P*A").replace("000000001", "000000002")
    result = Result(GOOD + broken)
    assert result.statuses()[0] == "accepted"
    assert "X" in {finding.level for finding in result.findings}
    assert set(result.statuses()[1:]) == {"rejected"}
    assert sum(one.claim_count for one in result.sets) == result.totals.claim_count == 6


def test_interchanges_may_have_separators_of_their_own():
    other = PAID.replace("*", "|").replace(":", ">").replace("~", "\n")
    result = Result(GOOD + other + GOOD.replace("000000001", "000000003"))
    assert result.totals == Totals("837P+835", 6, 2, 31500, 7450)
    assert [chunk.separators.segment for chunk in result.chunks] == ["~", "\n", "~"]


@pytest.mark.parametrize("terminator", ["~\n", "~\r\n", " ~", "\n", "\r", "\r\n", "~\n\n  ", "'", "\x1c", "\x85"])
def test_layout_and_terminators_are_read_alike(terminator):
    result = Result(lines(GOOD, terminator))
    assert [finding for finding in result.findings if finding.level != "W"] == []
    assert result.statuses() == ["accepted"]
    assert result.totals == Totals("837P", 3, 0, 15750, 0)
    assert result.sets[0].segment_count == 30
    assert [finding.code for finding in result.findings] == []


@pytest.mark.parametrize("width", [79, 80, 128, 255])
def test_a_file_wrapped_at_a_column_is_read(width):
    wrapped = "\r\n".join(GOOD[n : n + width] for n in range(0, len(GOOD), width))
    result = Result(wrapped)
    assert result.totals == Totals("837P", 3, 0, 15750, 0)
    assert result.statuses() == ["accepted"]
    assert result.sets[0].segment_count == 30


@pytest.mark.parametrize(
    ("before", "code"),
    [
        (b"\xef\xbb\xbf", "022"),
        (b"  \r\n", "022"),
        (b"Dear payer, our ISA: at 10:30:00, and\r\nISAAC follow:\r\n", "024"),
    ],
)
def test_what_stands_before_the_interchange_is_passed_over_with_a_warning(before, code):
    result = Result(before + GOOD.encode())
    assert result.codes() == [("W", "TA105", code)]
    assert result.sets[0].byte_from == len(before) + GOOD.index("ST*")


def test_an_unpadded_header_is_read_and_told():
    text = GOOD.replace("SENDER         ", "SENDER").replace("          ", "")
    result = Result(text)
    assert result.totals.claim_count == 3
    (finding,) = result.findings
    assert finding.message == "The header has fields of another width: ISA02, ISA04, ISA06."


def test_a_name_that_is_isa_is_no_interchange():
    text = GOOD.replace("*DOE*JO*", "*ISA*ISAAC*").replace("SBR*P*18*", "SBR*P*ISA*")
    assert Result(text).findings == []
    assert Result(text).totals.claim_count == 3


def test_segment_ids_in_lower_case_reject_the_set():
    result = Result(GOOD.replace("~CLM*", "~clm*"))
    assert result.statuses() == ["rejected"]
    assert ("T", "IK304", "1") in result.codes()


def test_a_segment_over_64_kb_rejects_its_set_and_no_other():
    bad = claim_set(["1", "2"]).replace("HI*ABK:J02", "NTE*ADD*" + "A" * 70_000, 1)
    result = Result(interchange(group(bad, claim_set(["3"], control="0002"))))
    assert result.statuses() == ["rejected", "accepted"]
    assert ("T", "IK304", "8") in result.codes()
    assert result.totals.claim_count == 3


def test_a_segment_of_a_million_empty_elements_rejects_its_set():
    bad = claim_set(["1"]).replace("HI*ABK:J02", "HI" + "*" * 1_000_000)
    result = Result(interchange(group(bad)))
    assert result.statuses() == ["rejected"]
    assert result.sets[0].segment_count == claim_set(["1"]).count("~")


def test_five_megabytes_without_a_terminator_are_let_go_of():
    head = interchange(group(claim_set(["1"]))).partition("HI*")[0]
    tail = interchange(group(claim_set(["1"]))).partition("HI*")[2]
    blocks = [head.encode(), *(b"x" * 65_536 for _ in range(80)), b"~HI*" + tail.encode()]
    (scanned,) = Result(blocks).sets
    assert scanned.status == "rejected"
    assert b"".join(blocks)[scanned.byte_to :].startswith(b"GE*1*1~")
    assert scanned.segment_count == claim_set(["1"]).count("~") + 1


def test_a_file_that_never_ends_a_segment_is_refused_early():
    taken = []

    def endless():
        yield isa().encode()
        for _ in range(1000):
            taken.append(1)
            yield b"A" * 65_536

    with pytest.raises(BadInterchange) as refused:
        list(scan(endless()))
    assert refused.value.code == "004"
    assert len(taken) < 50


def test_a_claim_in_an_835_rejects_the_set_that_two_files_are_mixed_in():
    text = PAID.replace("PLB*", "CLM*1*2~PLB*").replace("SE*18", "SE*19")
    result = Result(text)
    assert result.statuses() == ["rejected"]
    assert (result.sets[0].claim_count, result.sets[0].remittance_count) == (1, 2)


def test_claims_outside_any_set_are_counted_as_rejected():
    text = GOOD.replace("GE*1*1~", "CLM*X*9~REF*1*2~GE*1*1~") + "CLM*Y*1~"
    result = Result(text)
    assert [(one.set_code, one.status, one.claim_count) for one in result.sets] == [
        ("837", "accepted", 3),
        ("", "rejected", 1),
        ("", "rejected", 1),
    ]
    assert result.totals == Totals("837P", 5, 0, 16750, 0)


@pytest.mark.parametrize(("code", "guide", "kind"), [("999", "005010X231A1", "999"), ("277", "005010X214", "277CA")])
def test_other_sets_are_kept_with_a_sentence(code, guide, kind):
    text = interchange(group(closed(f"ST*{code}*0001*{guide}~AK1*HC*1~", "0001"), code="FA", guide=guide))
    result = Result(text)
    assert result.statuses() == ["kept"]
    assert code in result.sets[0].reason
    assert result.totals.kind == kind
    assert result.chunks == []


def test_an_interchange_of_acknowledgements_only_is_kept():
    result = Result(isa() + "TA1*000000001*260101*1200*A*000~IEA*0*000000001~")
    assert [(one.set_code, one.status) for one in result.sets] == [("TA1", "kept")]
    assert result.findings == []


def test_an_interchange_of_nothing_is_rejected_by_a_finding():
    result = Result(isa() + "IEA*0*000000001~")
    assert result.codes() == [("X", "TA105", "024")]


def test_a_4010_file_is_accepted_with_a_note():
    text = interchange(group(claim_set(["1"], guide="004010X098A1"), guide="004010X098A1"))
    assert Result(text).codes() == [("W", "AK905", "2")]
    assert Result(text).totals.kind == "837P"


def test_predetermination_and_reporting_guides_are_claims():
    for guide, kind in (("005010X291", "837P"), ("005010X292", "837I"), ("005010X298", "837P")):
        result = Result(interchange(group(claim_set(["1"], guide=guide), guide=guide)))
        assert (result.totals.kind, result.statuses(), result.findings) == (kind, ["accepted"], [])


def test_a_file_without_its_header_is_read_where_its_separators_are_beyond_doubt():
    text = GOOD[GOOD.index("GS*") :]
    result = Result(text)
    assert result.statuses() == ["accepted"]
    assert result.codes() == [("W", "TA105", "022")]
    assert text[result.sets[0].byte_from :].startswith("ST*837")
    assert result.chunks[0].separators[:2] == ("*", ":")
    with pytest.raises(BadInterchange):
        Result(text, strict=True)


def test_a_file_without_its_header_is_refused_where_composites_disagree():
    text = GOOD[GOOD.index("GS*") :].replace("SV1*HC:", "SV1*HC>", 1)
    with pytest.raises(BadInterchange, match="ISA"):
        Result(text)


def test_long_and_dirty_control_numbers_are_cut_to_size():
    text = interchange(group(closed(f"ST*837*{'9' * 500}\x00*005010X222A1~BHT*1~", "1")))
    (scanned,) = Result(text).sets
    assert scanned.set_control == "9" * 20


def test_a_chunk_becomes_an_excerpt():
    data = GOOD.encode()
    chunk = [item for item in scan([data], chunk_claims=2) if isinstance(item, ScannedChunk)][1]
    excerpt = build_excerpt(lambda start, end: data[start:end], chunk)
    assert excerpt.body.data.startswith(b"HL*3*1*22")
    assert excerpt.body.position == 21
    assert [(span.position, span.data[:3]) for span in excerpt.context] == [
        (0, b"ISA"),
        (0, b"GS*"),
        (1, b"ST*"),
        (5, b"HL*"),
    ]


def test_memory_is_flat_in_the_size_of_the_file():
    def blocks():
        yield (isa() + "GS*HC*A*B*20260101*1200*1*X*005010X222A1~").encode()
        notes = "".join(f"NTE*ADD*{'N' * 60}~" for _ in range(40))
        one = claim_set(*[["100"] * 5] * 40).replace("HI*", notes + "HI*").encode()
        for _ in range(50_000_000 // len(one)):
            yield one
        yield b"GE*1*1~IEA*1*000000001~"

    tracemalloc.start()
    claim_count = sum(item.claim_count for item in scan(blocks()) if isinstance(item, ScannedChunk))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert claim_count > 15_000
    assert peak < 16_000_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \r\n\t", "blanks"),
        (b"%PDF-1.7 ...", "PDF"),
        ("ISA*00*".encode("utf-16"), "UTF-16"),
        (b"UNB+UNOC:3+A+B'", "EDIFACT"),
        (b"ISA000" + b"0" * 97 + b"00:~GS", "separator"),
        (b"ISA*00*          *00*short~", "sixteen"),
        (b"isa*00*" + isa()[7:].lower().encode(), "lower case"),
    ],
)
def test_what_is_not_x12_is_refused_with_a_sentence(data, words):
    with pytest.raises(BadInterchange, match=words):
        list(scan([data]))
