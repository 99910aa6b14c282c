"""Every received file of claims or payments has its TA1 and 999, and they say what the belt found."""

import pytest

from marb.edi.acks.read import Answer, GroupAnswer, InterchangeAnswer, SetAnswer, read_answers
from marb.edi.x12 import Span, read_segments, read_separators
from marb.pipeline.acknowledge import acknowledge_file
from marb.pipeline.models import Acknowledgement, EdiFile
from marb.pipeline.tests.edi import ISA, claim_file, claim_set, claim_sets, remittance_file, response_file

pytestmark = pytest.mark.django_db(transaction=True)


def answers_to(file: EdiFile) -> list[Answer]:
    data = bytes(file.acknowledgement.content)
    separators = read_separators(data)
    return list(read_answers(read_segments(Span(0, 0, data), separators), separators))


def test_a_file_of_claims_is_accepted_set_by_set(ingested):
    file = ingested(claim_file(["1", "2", "3"], ["4"]))
    interchange, *sets, group = answers_to(file)
    assert interchange == InterchangeAnswer("000000001", "A", "000")
    assert [(each.set_control, each.code) for each in sets if isinstance(each, SetAnswer)] == [
        ("0001", "A"),
        ("0002", "A"),
    ]
    assert group == GroupAnswer("1", "HC", "A", 2, 2, 2, [])
    assert file.acknowledgement.verdict == "A"


def test_a_file_of_payments_is_answered_too(ingested):
    file = ingested(remittance_file("10", "20"))
    assert [type(each) for each in answers_to(file)] == [InterchangeAnswer, SetAnswer, GroupAnswer]


def test_a_rejected_set_is_refused_and_its_sibling_is_not(ingested):
    file = ingested(claim_sets(claim_set(1, ["9"]), claim_set(2, ["20"], is_broken=True)))
    _, first, second, group = answers_to(file)
    assert isinstance(first, SetAnswer)
    assert isinstance(second, SetAnswer)
    assert isinstance(group, GroupAnswer)
    assert (first.is_accepted, second.is_accepted, group.code, group.accepted) == (True, False, "P", 1)
    assert file.acknowledgement.verdict == "P"


def test_a_file_whose_sets_are_all_rejected_is_answered_though_no_stage_ran(ingested):
    file = ingested(claim_file(["10"], is_broken=True))
    assert file.acknowledgement.verdict == "R"
    assert [each.code for each in answers_to(file) if isinstance(each, GroupAnswer)] == ["R"]


def test_a_wrong_count_in_the_trailer_is_told_with_its_code(ingested):
    file = ingested(claim_file(["10"]).replace(b"SE*6*", b"SE*9*"))
    (answer,) = (each for each in answers_to(file) if isinstance(each, SetAnswer))
    assert answer.code in ("E", "R")
    assert "4" in answer.note_codes


def test_a_set_whose_claims_are_all_in_quarantine_is_refused(ingested):
    file = ingested(claim_file(["x", "y"], ["1", "z"]))
    assert [each.code for each in answers_to(file) if isinstance(each, SetAnswer)] == ["R", "A"]


def test_that_an_interchange_is_a_test_is_no_fault_of_it(ingested):
    file = ingested(claim_file(["1"]).replace(b"*0*P*:", b"*0*T*:"))
    assert answers_to(file)[0] == InterchangeAnswer("000000001", "A", "000")


def test_two_interchanges_have_an_answer_each_with_numbers_of_their_own(ingested):
    second = claim_file(["10"]).replace(b"000000001", b"000000002")
    file = ingested(claim_file(["10"]) + second)
    content = bytes(file.acknowledgement.content)
    names = [each.interchange_control for each in answers_to(file) if isinstance(each, InterchangeAnswer)]
    assert names == ["000000001", "000000002"]
    assert len({line.split(b"*")[13] for line in content.splitlines() if line.startswith(b"ISA")}) == 2


def test_the_answer_can_be_fetched_by_the_practice_and_by_nobody_else(ingested, client, biller, other_practice):
    file = ingested(claim_file(["10"]))
    addresses = (f"/api/v1/files/{file.pk}/acknowledgement/", f"/pipeline/edifile/{file.pk}/acknowledgement/")
    client.force_login(biller)
    for address in addresses:
        answer = client.get(address)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/edi-x12")
        assert answer.content == bytes(file.acknowledgement.content)
    EdiFile.objects.update(practice=other_practice)
    assert {client.get(address).status_code for address in addresses} == {404}


def test_a_file_without_an_answer_says_why(ingested, client, biller):
    file = ingested(response_file())
    client.force_login(biller)
    answer = client.get(f"/api/v1/files/{file.pk}/acknowledgement/")
    assert answer.status_code == 404
    assert "holds no claims" in answer.json()["message"]


def test_answering_twice_makes_the_same_bytes_of_the_same_row(ingested):
    file = ingested(claim_file(["1", "2"], ["x"]))
    before = (file.acknowledgement.pk, bytes(file.acknowledgement.content))
    assert acknowledge_file(file.pk)
    again = Acknowledgement.objects.get()
    assert (again.pk, bytes(again.content)) == before


def test_an_acknowledgement_is_not_acknowledged(ingested):
    ingested(response_file())
    assert not Acknowledgement.objects.exists()


def test_an_interchange_without_a_group_is_refused_by_its_ta1(ingested):
    file = ingested(f"{ISA}\nIEA*0*000000001~\n".encode())
    (answer,) = answers_to(file)
    assert isinstance(answer, InterchangeAnswer)
    assert answer.interchange_control == "000000001"


def test_a_header_that_cannot_be_read_has_no_answer(ingested):
    file = ingested(b"ISA*00*short~GS*HC~")
    assert file.status == "rejected"
    assert not Acknowledgement.objects.exists()
