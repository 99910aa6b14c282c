"""Received acknowledgements come to the claims they name, in any order of arrival, once."""

import io
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from claims.answers import keep_answers
from claims.models import Answer, Claim, ClaimAnswer
from claims.tests.envelope import BILLING, CLAIM, LINE, SUBSCRIBER, file_text
from marb.pipeline.jobs import FileJob
from marb.pipeline.models import EdiFile
from marb.pipeline.receive import receive
from marb.pipeline.run import step

pytestmark = pytest.mark.django_db(transaction=True)
HEAD = (
    "ISA*00*          *00*          *ZZ*RECEIVER       *ZZ*SENDER         *{day}*{time}*^*00501*{number:09d}*0*P*:~"
    "GS*{code}*R*S*20{day}*{time}*{number}*X*{guide}~"
)


def claims(*numbers: str, isa: int = 7, group: int = 8) -> bytes:
    loops = [(CLAIM + LINE).replace("PCN1", number) for number in numbers]
    text = file_text(BILLING + SUBSCRIBER, *loops).replace("*000000007*0*P", f"*{isa:09d}*0*P")
    count = text.split("ST*837", 1)[1].count("~")
    text = text.replace("SE*99*", f"SE*{count - 2}*").replace("IEA*1*000000007", f"IEA*1*{isa:09d}")
    return text.replace("*1200*8*X*", f"*1200*{group}*X*").replace("GE*1*8", f"GE*1*{group}").encode()


def answer(code: str, guide: str, *segments: str, day: str = "240116", time: str = "0900", number: int = 50) -> bytes:
    head = HEAD.format(code=code, guide=guide, day=day, time=time, number=number)
    kind = {"FA": "999", "HN": "277"}[code]
    body = "~".join([f"ST*{kind}*0001*{guide}", *segments, f"SE*{len(segments) + 2}*0001"])
    return f"{head}{body}~GE*1*{number}~IEA*1*{number:09d}~".encode()


def answer_999(code: str, *, group: int = 8, control: str = "0009", **when: Any) -> bytes:
    faults = ["IK3*CLM*12*2300*8", "IK4*5:3**7"] if code == "R" else []
    said = [f"AK1*HC*{group}*005010X222A1", f"AK2*837*{control}", *faults, f"IK5*{code}", f"AK9*{code}*1*1*1"]
    return answer("FA", "005010X231A1", *said, **when)


def answer_277(*claims: tuple[str, str, int], **when: Any) -> bytes:
    head = ["BHT*0085*08*1*20240116*0900*TH", "HL*1**20*1", "NM1*PR*2*ACME*****PI*60054", "TRN*1*X"]
    for number, category, dollars in claims:
        head += [
            "HL*4*3*PT",
            "NM1*QC*1*DOE*ANN",
            f"TRN*2*{number}",
            f"STC*{category}:562:85*20240116*U*{dollars}",
            f"REF*1K*ICN{number}",
        ]
    return answer("HN", "005010X214", *head, **when)


def answer_ta1(code: str, isa: int = 7) -> bytes:
    head = HEAD.format(code="FA", guide="", day="240115", time="1300", number=60).split("GS*")[0]
    return f"{head}TA1*{isa:09d}*240115*1200*{code}*000~IEA*0*000000060~".encode()


@pytest.fixture
def ingest(practice) -> Callable[..., EdiFile]:
    """Put a file on the belt, received this many minutes from now, and run it to its end."""

    def ingest(data: bytes, minutes: int = 0) -> EdiFile:
        received = receive(practice_id=practice.pk, name="a.x12", stream=io.BytesIO(data))
        moved = timezone.now() + timedelta(minutes=minutes)
        EdiFile.objects.filter(pk=received.file_id).update(received_at=moved)
        while step([received.file_id]):
            pass
        return EdiFile.objects.get(pk=received.file_id)

    return ingest


def current() -> dict[str, str]:
    found = ClaimAnswer.objects.filter(is_current=True).select_related("claim")
    return {each.claim.patient_control_number: each.verdict for each in found}


def state() -> list[tuple[Any, ...]]:
    """What the rows say, by what was sent instead of by ids."""
    said = Answer.objects.order_by("file__sha256", "seq").values_list(
        "file__sha256", "seq", "level", "verdict", "named_file__sha256", "claim_count", "reason"
    )
    given = ClaimAnswer.objects.values_list(
        "claim__file__sha256", "claim__patient_control_number", "answer__file__sha256", "answer__seq", "is_current"
    )
    return [*said, *sorted(given)]


def test_a_999_speaks_of_every_claim_of_its_set(ingest):
    ingest(claims("A1", "A2"))
    ingest(answer_999("A"))
    assert current() == {"A1": "accepted", "A2": "accepted"}


def test_a_rejected_set_keeps_where_it_was_wrong(ingest):
    ingest(claims("A1"))
    ingest(answer_999("R"))
    assert current() == {"A1": "rejected"}
    said = Answer.objects.get(level="set")
    place = {"segment": "CLM", "position": 12, "loop": "2300"}
    assert said.codes == [{**place, "element": "", "code": "8"}, {**place, "element": "5:3", "code": "7"}]


def test_a_277ca_rejects_one_claim_and_leaves_the_other(ingest):
    ingest(claims("A1", "A2"))
    ingest(answer_999("A"))
    ingest(answer_277(("A1", "A7", 100), ("A2", "A2", 100), day="240117"))
    assert current() == {"A1": "rejected", "A2": "accepted"}
    assert Answer.objects.get(patient_control_number="A1").payer_claim_control_number == "ICNA1"
    assert ClaimAnswer.objects.filter(claim__patient_control_number="A1").count() == 3


def test_a_ta1_without_a_group_speaks_of_the_whole_interchange(ingest):
    ingest(claims("A1"))
    file = ingest(answer_ta1("R"))
    assert (file.status, current()) == ("kept", {"A1": "rejected"})


def test_an_answer_that_names_nobodys_claim_is_kept_with_a_sentence(ingest):
    file = ingest(answer_277(("NOBODY", "A2", 100)))
    said = Answer.objects.get(file=file)
    assert (said.claim_count, said.reason) == (0, "It names no claim of this practice that has come in.")


def test_another_practices_claims_are_never_answered(ingest, other_practice):
    ingest(claims("A1"))
    Claim.objects.update(practice=other_practice)
    ingest(answer_277(("A1", "A7", 100)))
    assert not ClaimAnswer.objects.exists()


def test_two_claims_that_cannot_be_told_apart_are_given_to_neither(ingest):
    ingest(answer_277(("A1", "A2", 100)))
    ingest(claims("A1"), 1)
    ingest(claims("A1", isa=9, group=10), 2)
    said = Answer.objects.get()
    assert said.reason == "It names 2 claims of this practice that cannot be told apart."
    assert not ClaimAnswer.objects.exists()


def test_of_several_submissions_the_last_before_the_answer_is_meant(ingest):
    first = ingest(claims("A1"))
    second = ingest(claims("A1", isa=9, group=10), 1)
    ingest(answer_277(("A1", "A7", 100)), 2)
    assert [each.claim.file_id for each in ClaimAnswer.objects.select_related("claim")] == [second.pk]
    assert first.pk != second.pk


def test_of_several_claims_the_one_with_the_charge_is_meant(ingest):
    ingest(claims("A1"), 0)
    ingest(claims("A1", isa=9, group=10).replace(b"*100*", b"*120*"), 1)
    ingest(answer_277(("A1", "A7", 100)), 2)
    assert ClaimAnswer.objects.get().claim.charge_amount == 100


FILES: Sequence[tuple[bytes, int]] = (
    (claims("A1", "A2"), 0),
    (answer_999("A"), 1),
    (answer_277(("A1", "A7", 100), ("A2", "A2", 100), ("B1", "A3", 100), day="240118", number=51), 2),
)


def test_any_order_of_arrival_ends_alike(ingest):
    states = []
    for order in permutations(FILES):
        for data, minutes in order:
            ingest(data, minutes)
        states.append(state())
        forget()
    assert states == [states[0]] * len(states)
    assert len(states[0]) > len(FILES)


def forget() -> None:
    """Remove every file and what came of it, so that the same bytes may come again."""
    tables = ("episodes_episode", "episodes_episodeclaim", "claims_claim", "claims_serviceline", "pipeline_edifile")
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")


def test_the_same_step_twice_changes_nothing(ingest, practice):
    ingest(claims("A1", "A2"))
    file = ingest(answer_277(("A1", "A7", 100)))
    before = state()
    keep_answers(FileJob(practice.pk, file.pk, timezone.now().date()))
    assert state() == before


def test_the_claim_says_what_was_answered(ingest, client, biller):
    ingest(claims("A1", "A2"))
    ingest(answer_277(("A1", "A7", 100), ("A2", "A2", 100)))
    client.force_login(biller)
    rejected = client.get("/api/v1/claims/?answer=rejected").json()["results"]
    assert [row["patient_control_number"] for row in rejected] == ["A1"]
    assert len(client.get("/api/v1/claims/?answer=none").json()["results"]) == 0
    shown = client.get(f"/api/v1/claims/{rejected[0]['id']}/").json()["answers"]
    assert [(each["level"], each["verdict"], each["is_current"]) for each in shown] == [("claim", "rejected", True)]
    assert shown[0]["codes"][0]["category"] == "A7"
    listed = client.get("/api/v1/claims/?expand=answer").json()["results"]
    assert {row["patient_control_number"]: row["answer"]["verdict"] for row in listed} == {
        "A1": "rejected",
        "A2": "accepted",
    }


def test_pages_say_it_in_words(ingest, client, biller):
    ingest(claims("A1", "A2"))
    file = ingest(answer_277(("A1", "A7", 100), ("X9", "A2", 100)))
    client.force_login(biller)
    claim = Claim.objects.get(patient_control_number="A1")
    page = client.get(f"/claims/claim/{claim.pk}/change/").content.decode()
    assert "Rejected: information is not valid (A7, status 562, about the billing provider)" in page
    page = client.get(f"/pipeline/edifile/{file.pk}/change/").content.decode()
    assert "It names no claim of this practice that has come in." in page
    listed = client.get("/claims/claim/?answer=rejected").content.decode()
    assert "A1" in listed
    assert f"/claims/claim/{claim.pk}/change/" in listed
    assert ">A2<" not in listed
