"""/files/: uploads of every kind, what they answer, and who may see what of them."""

import gzip
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marb.access.models import Membership, Role
from marb.pipeline import actors
from marb.pipeline.models import Chunk, EdiFile, Quarantine
from marb.pipeline.reading import read_blocks
from marb.pipeline.run import run_chunk, split_file
from marb.pipeline.tests.edi import claim_file

pytestmark = pytest.mark.django_db(transaction=True)
FILES = "/api/v1/files/"
CLAIMS = claim_file(["100", "bad"], ["3", "7"])


@pytest.fixture(autouse=True)
def silent_broker(monkeypatch) -> None:
    monkeypatch.setattr(actors.split_file.broker, "enqueue", lambda message, delay=None: message)


@pytest.fixture
def api(client: Client, biller) -> Client:
    client.force_login(biller)
    return client


def send(api: Client, data: bytes, query: str = "", content_type: str = "application/octet-stream", **headers: Any):
    length = {"CONTENT_LENGTH": str(len(data))}
    return api.generic("POST", f"{FILES}{query}", data, content_type, **{**length, **headers})


def test_a_body_is_taken_in_and_answers_where_to_look(api, biller):
    answer = send(api, CLAIMS, "?name=march.837")
    file = EdiFile.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {
        "id": file.pk,
        "status": "received",
        "is_duplicate": False,
        "url": f"http://testserver{FILES}{file.pk}/",
    }
    assert (file.name, file.uploaded_by, b"".join(read_blocks(file.pk))) == ("march.837", biller, CLAIMS)


def test_a_form_is_taken_in(api):
    answer = api.post(FILES, {"file": SimpleUploadedFile("april.837", CLAIMS), "practice": "main"})
    assert answer.status_code == 202
    assert EdiFile.objects.get().name == "april.837"


def test_a_large_form_is_streamed_from_its_temporary_file(api):
    data = CLAIMS * 8000
    answer = api.post(FILES, {"file": SimpleUploadedFile("big.837", data)})
    assert answer.status_code == 202
    assert b"".join(read_blocks(EdiFile.objects.get().pk)) == data


def test_the_same_bytes_again_answer_200_and_the_first_id(api):
    first = send(api, CLAIMS).json()["id"]
    again = send(api, gzip.compress(CLAIMS), HTTP_CONTENT_ENCODING="gzip")
    assert (again.status_code, again.json()["id"], again.json()["is_duplicate"]) == (200, first, True)


def test_without_a_content_type_the_body_is_the_file(api):
    assert send(api, CLAIMS, content_type="").status_code == 202


@pytest.mark.parametrize(
    ("data", "status_code", "code"),
    [
        (b"%PDF-1.7 scanned claims", 415, "not_x12"),
        (b"Dear sirs, our claims are late.", 422, "not_x12"),
        (b"", 422, "not_x12"),
        (gzip.compress(CLAIMS)[:-4], 422, "unreadable"),
    ],
)
def test_what_is_not_x12_is_refused_with_the_reason(api, data, status_code, code):
    answer = send(api, data)
    body = answer.json()
    assert (answer.status_code, body["status_code"], body["code"]) == (status_code, status_code, code)
    assert body["message"].endswith(".")
    assert EdiFile.objects.filter(status="refused").count() == (1 if code == "not_x12" else 0)


def test_too_many_bytes_are_refused_before_they_are_read(api, settings):
    settings.EDI_MOST_BYTES = len(CLAIMS) - 1
    answer = send(api, CLAIMS)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert send(api, gzip.compress(CLAIMS)).json()["code"] == "too_large"
    assert not EdiFile.objects.exists()


@pytest.mark.parametrize("kept", [0, 1, 105, 106, len(CLAIMS) - 1])
def test_a_body_that_ends_too_early_is_not_kept(api, kept):
    cut: dict[str, Any] = {"wsgi.input": io.BytesIO(CLAIMS[:kept])}
    answer = send(api, CLAIMS, **cut)
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")
    assert not EdiFile.objects.exists()


@pytest.mark.parametrize("lost", [1, 20, 300])
def test_a_form_that_ends_too_early_is_not_kept(api, lost):
    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.837"\r\n\r\n'
    form = head + CLAIMS + b"\r\n--edge--\r\n"
    cut: dict[str, Any] = {"wsgi.input": io.BytesIO(form[:-lost])}
    answer = send(api, form, content_type="multipart/form-data; boundary=edge", **cut)
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")
    assert not EdiFile.objects.exists()


@pytest.mark.parametrize(
    ("content_type", "headers", "status_code"),
    [
        ("application/x-www-form-urlencoded", {}, 415),
        ("application/octet-stream", {"HTTP_CONTENT_ENCODING": "br"}, 415),
        ("application/octet-stream", {"CONTENT_LENGTH": ""}, 411),
        ("multipart/form-data; boundary=edge", {}, 400),
    ],
)
def test_other_ways_of_sending_are_refused(api, content_type, headers, status_code):
    answer = send(api, CLAIMS, content_type=content_type, **headers)
    assert (answer.status_code, answer.json()["status_code"]) == (status_code, status_code)
    assert not EdiFile.objects.exists()


def test_two_files_in_one_form_are_refused(api):
    files = [SimpleUploadedFile("a", CLAIMS), SimpleUploadedFile("b", CLAIMS)]
    assert api.post(FILES, {"file": files}).status_code == 400


def test_an_unknown_parameter_is_refused(api):
    assert send(api, CLAIMS, "?nmae=x").status_code == 400


def test_a_member_of_two_practices_says_which(api, biller, other_practice):
    Membership.objects.create(user=biller, practice=other_practice, role=Role.BILLER)
    assert send(api, CLAIMS).json()["details"] == {"practice": ["Say for which practice: `practice`, its code."]}
    assert send(api, CLAIMS, "?practice=other").status_code == 202
    assert EdiFile.objects.get().practice == other_practice


def test_nobody_uploads_for_another_practice(api, other_practice):
    assert send(api, CLAIMS, "?practice=other").status_code == 400
    assert not EdiFile.objects.exists()


def test_an_auditor_does_not_upload(client, auditor):
    client.force_login(auditor)
    assert send(client, CLAIMS).status_code == 403


def test_a_file_tells_how_far_it_is_and_what_it_came_to(api, ingested):
    file = ingested(CLAIMS)
    found = api.get(f"{FILES}{file.pk}/").json()
    assert (found["status"], found["claim_count"], found["claims_quarantined"]) == ("partial", 3, 1)
    assert (found["chunk_count"], found["chunks_done"], found["scan_claim_count"]) == (2, 2, 4)
    assert (found["charge_amount"], found["reason"]) == ("110.00", file.reason)


def test_a_file_is_tried_again_by_those_who_upload(api, client, auditor, ingested):
    partial, accepted = ingested(CLAIMS), ingested(claim_file(["1"]))
    again = api.post(f"{FILES}{partial.pk}/retry/")
    assert (again.status_code, again.json()["status"]) == (202, "running")
    assert api.post(f"{FILES}{accepted.pk}/retry/").status_code == 409
    client.force_login(auditor)
    assert client.post(f"{FILES}{accepted.pk}/retry/").status_code == 403


def test_a_file_is_paused_resumed_and_cancelled_by_those_who_upload(api, client, auditor, put):
    file_id = put(CLAIMS)
    split_file(file_id)
    assert [api.post(f"{FILES}{file_id}/{word}/").status_code for word in ("pause", "pause")] == [202, 409]
    assert api.get(f"{FILES}{file_id}/").json()["hold"] == "paused"
    assert [api.post(f"{FILES}{file_id}/{word}/").status_code for word in ("resume", "resume")] == [202, 409]
    assert [api.post(f"{FILES}{file_id}/{word}/").status_code for word in ("cancel", "cancel")] == [202, 409]
    client.force_login(auditor)
    for word in ("pause", "resume", "cancel"):
        assert client.post(f"{FILES}{file_id}/{word}/").status_code == 403


def test_a_running_file_tells_its_pace(api, put):
    file_id = put(CLAIMS)
    split_file(file_id)
    run_chunk(Chunk.objects.filter(file_id=file_id).order_by("seq")[0].pk)
    found = api.get(f"{FILES}{file_id}/").json()["progress"]
    assert (found["chunks_done"], found["chunk_count"], found["claims"], found["scan_claims"]) == (1, 2, 1, 4)
    assert 0 < found["percent"] < 100
    assert found["rate"] > 0
    assert found["seconds_left"] > 0


def test_the_list_is_filtered_and_newest_first(api, ingested):
    partial, accepted = ingested(CLAIMS), ingested(claim_file(["1"]))
    ids = [row["id"] for row in api.get(FILES).json()["results"]]
    assert ids == [accepted.pk, partial.pk]
    assert [row["id"] for row in api.get(f"{FILES}?status=partial").json()["results"]] == [partial.pk]
    assert api.get(f"{FILES}?kind=835").json()["results"] == []
    day = f"{partial.received_at:%Y-%m-%d}"
    assert len(api.get(f"{FILES}?received_from={day}T00:00:00Z").json()["results"]) == 2
    assert api.get(f"{FILES}?received_to={day}T00:00:00Z").json()["results"] == []


def test_findings_sets_and_quarantine_come_in_pages(api, ingested):
    file = ingested(CLAIMS)
    first = api.get(f"{FILES}{file.pk}/findings/?limit=2").json()
    rest = api.get(first["next"]).json()
    offsets = [row["byte_offset"] for row in first["results"] + rest["results"]]
    assert (len(offsets), offsets, rest["next"]) == (3, sorted(offsets), None)
    assert [row["set_control"] for row in api.get(f"{FILES}{file.pk}/sets/").json()["results"]] == ["0001", "0002"]
    held = api.get(f"{FILES}{file.pk}/quarantine/").json()["results"]
    assert [row["control_number"] for row in held] == ["C1-1"]


def test_a_quarantined_claim_shows_its_segments_to_those_who_may(api, client, auditor, ingested):
    file = ingested(CLAIMS)
    held = Quarantine.objects.get(file=file)
    address = f"{FILES}{file.pk}/quarantine/{held.pk}/"
    found = api.get(address).json()
    assert found["segments"][0]["text"].startswith("CLM*C1-1*bad")
    assert found["segments"][0]["byte_offset"] == held.byte_from
    client.force_login(auditor)
    assert client.get(address).status_code == 403


# the session, the person, the memberships, and then:
@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("", 4),  # the page
        ("{id}/", 5),  # the row, its progress
        ("{id}/findings/", 5),  # the file, the page
        ("{id}/sets/", 5),
        ("{id}/quarantine/", 5),
    ],
)
def test_the_number_of_queries_does_not_grow(api, ingested, path, queries):
    file = ingested(CLAIMS)
    ingested(claim_file(["9", "10"]))
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert api.get(FILES + path.format(id=file.pk)).status_code == 200
    assert len(captured) == queries, [query["sql"] for query in captured]


def test_an_upload_is_answered_alike_by_its_key(api):
    key: dict[str, Any] = {"HTTP_IDEMPOTENCY_KEY": "march"}
    first, again = send(api, CLAIMS, **key), send(api, CLAIMS, **key)
    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (202, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    other = send(api, claim_file(["5"]), **key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert EdiFile.objects.count() == 1


def test_a_form_is_answered_alike_whatever_its_boundary(api):
    sent = [
        api.post(FILES, {"file": SimpleUploadedFile("a.837", CLAIMS)}, headers={"Idempotency-Key": "form"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in sent] == [202, 202]


def test_an_order_is_carried_out_once_by_its_key(api, put):
    file_id = put(CLAIMS)
    split_file(file_id)
    key = {"Idempotency-Key": "pause"}
    assert [api.post(f"{FILES}{file_id}/pause/", headers=key).status_code for _ in range(2)] == [202, 202]
    assert api.post(f"{FILES}{file_id}/pause/").status_code == 409
