"""/uploads/: parts in order, broken connections, two senders, and the same end as an upload in one piece."""

import gzip
import io
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from marb.access.models import Membership, Role
from marb.pipeline import actors, resumable
from marb.pipeline.models import EdiFile, Upload, UploadPart
from marb.pipeline.reading import BLOCK_BYTES, read_blocks
from marb.pipeline.retention import sweep_uploads
from marb.pipeline.tests.edi import claim_file

pytestmark = pytest.mark.django_db(transaction=True)
UPLOADS = "/api/v1/uploads/"
CLAIMS = claim_file(["100", "bad"], ["3", "7"])
WHOLE = len(CLAIMS)
PART = "application/offset+octet-stream"


@pytest.fixture(autouse=True)
def silent_broker(monkeypatch) -> None:
    monkeypatch.setattr(actors.split_file.broker, "enqueue", lambda message, delay=None: message)


@pytest.fixture
def api(client: Client, biller) -> Client:
    client.force_login(biller)
    return client


def begin(api: Client, byte_count: Any = WHOLE, **more: Any) -> Any:
    body = {"name": "march.837", "byte_count": byte_count, **more}
    return api.post(UPLOADS, json.dumps(body), content_type="application/json")


def send(api: Client, upload_id: int, offset: Any, data: bytes, content_type: str = PART, **meta: Any) -> Any:
    length = {"CONTENT_LENGTH": str(len(data)), **meta}
    headers = {} if offset is None else {"Upload-Offset": str(offset)}
    return api.generic("PATCH", f"{UPLOADS}{upload_id}/", data, content_type, headers=headers, **length)


def test_parts_become_the_file_and_are_let_go(api, biller):
    begun = begin(api)
    number = begun.json()["id"]
    assert (begun.status_code, begun.headers["Location"]) == (201, f"http://testserver{UPLOADS}{number}/")
    for start in (0, 100):
        answer = send(api, number, start, CLAIMS[start : start + 100])
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(start + 100))
    told = api.head(f"{UPLOADS}{number}/")
    assert (told.headers["Upload-Offset"], told.headers["Upload-Length"]) == ("200", str(len(CLAIMS)))
    last = send(api, number, 200, CLAIMS[200:])
    file = EdiFile.objects.get()
    assert (last.status_code, last.json()["id"], file.name, file.uploaded_by) == (202, file.pk, "march.837", biller)
    assert b"".join(read_blocks(file.pk)) == CLAIMS
    assert not UploadPart.objects.exists()
    assert api.get(f"{UPLOADS}{number}/").json()["file"] == file.pk


def test_a_large_part_is_stored_in_blocks(api):
    data = CLAIMS * (2 * BLOCK_BYTES // len(CLAIMS) + 1)
    number = begin(api, len(data)).json()["id"]
    send(api, number, 0, data[:-1])
    assert UploadPart.objects.count() == 3
    assert send(api, number, len(data) - 1, data[-1:]).status_code == 202
    assert b"".join(read_blocks(EdiFile.objects.get().pk)) == data


def test_a_part_at_another_offset_changes_nothing_and_says_where_to_go_on(api):
    number = begin(api).json()["id"]
    send(api, number, 0, CLAIMS[:50])
    for offset in (0, 49, 51, 10**17):
        answer = send(api, number, offset, CLAIMS[50:60])
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "50")
    assert Upload.objects.get().byte_offset == 50


def test_two_senders_of_the_same_part_store_it_once(api):
    number = begin(api).json()["id"]
    upload = Upload.objects.get()
    send(api, number, 0, CLAIMS[:50])
    with pytest.raises(resumable.WrongOffset):
        resumable.store(upload.pk, 0, io.BytesIO(CLAIMS[:50]))
    assert UploadPart.objects.count() == 1


@pytest.mark.parametrize("kept", [0, 1, 49])
def test_what_came_of_a_broken_part_is_kept(api, kept):
    number = begin(api).json()["id"]
    cut: dict[str, Any] = {"wsgi.input": io.BytesIO(CLAIMS[:kept])}
    answer = send(api, number, 0, CLAIMS[:50], **cut)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(kept))
    assert send(api, number, kept, CLAIMS[kept:]).status_code == 202
    assert b"".join(read_blocks(EdiFile.objects.get().pk)) == CLAIMS


def test_a_finish_that_broke_off_is_made_up_for_by_an_empty_part(api, monkeypatch):
    number = begin(api).json()["id"]
    api.raise_request_exception = False
    with monkeypatch.context() as patch:
        patch.setattr(resumable, "take_in", None)
        assert send(api, number, 0, CLAIMS).status_code == 500
    assert send(api, number, len(CLAIMS), b"").status_code == 202
    again = send(api, number, len(CLAIMS), b"")
    assert (again.status_code, again.json()["id"]) == (200, EdiFile.objects.get().pk)


def test_the_same_bytes_as_a_file_are_a_duplicate_and_gzip_is_unpacked(api, put):
    first = put(CLAIMS)
    packed = gzip.compress(CLAIMS)
    number = begin(api, len(packed)).json()["id"]
    answer = send(api, number, 0, packed)
    assert (answer.status_code, answer.json()["id"], answer.json()["is_duplicate"]) == (200, first, True)


def test_a_gzip_bomb_is_refused_and_nothing_of_it_stays(api):
    bomb = gzip.compress(b"0" * (64 * BLOCK_BYTES))
    number = begin(api, len(bomb)).json()["id"]
    assert send(api, number, 0, bomb).status_code == 413
    assert not Upload.objects.exists()
    assert not EdiFile.objects.exists()


@pytest.mark.parametrize(
    ("offset", "content_type", "data", "status_code"),
    [
        (None, PART, b"x", 400),
        ("-1", PART, b"x", 400),
        ("1e3", PART, b"x", 400),
        ("١", PART, b"x", 400),
        (0, "application/json", b"{}", 415),
        (0, "text/plain", b"x", 415),
        (0, PART, b"x" * (len(CLAIMS) + 1), 400),
    ],
)
def test_other_parts_are_refused(api, offset, content_type, data, status_code):
    number = begin(api).json()["id"]
    meta = {"HTTP_UPLOAD_OFFSET": offset} if offset == "١" else {}
    answer = send(api, number, None if meta else offset, data, content_type, **meta)
    assert (answer.status_code, answer.json()["status_code"]) == (status_code, status_code)
    assert Upload.objects.get().byte_offset == 0


@pytest.mark.parametrize("byte_count", [0, -1, "7", 1.5, None, True])
def test_a_length_is_a_whole_number(api, byte_count):
    assert begin(api, byte_count).status_code == 400


def test_too_large_a_file_is_refused_before_it_begins(api, settings):
    settings.EDI_MOST_BYTES = 10
    assert begin(api, 11).status_code == 413


def test_a_person_has_so_many_unfinished(api, settings):
    settings.UPLOADS_PER_USER = 1
    number = begin(api).json()["id"]
    assert begin(api).json()["code"] == "too_many_uploads"
    assert api.delete(f"{UPLOADS}{number}/").status_code == 204
    assert begin(api).status_code == 201


def test_only_who_began_it_goes_on(api, client, manager, auditor):
    number = begin(api).json()["id"]
    client.force_login(manager)
    assert client.get(f"{UPLOADS}{number}/").status_code == 200
    assert send(client, number, 0, CLAIMS).status_code == 403
    assert client.delete(f"{UPLOADS}{number}/").status_code == 403
    client.force_login(auditor)
    assert begin(client).status_code == 403


def test_a_member_of_two_practices_says_which(api, biller, other_practice):
    Membership.objects.create(user=biller, practice=other_practice, role=Role.BILLER)
    assert begin(api).status_code == 400
    assert begin(api, practice="other").status_code == 201
    assert Upload.objects.get().practice == other_practice


def test_beginning_twice_with_a_key_begins_once(api):
    body = json.dumps({"byte_count": 5})
    key = {"Idempotency-Key": "once"}
    answers = [api.post(UPLOADS, body, content_type="application/json", headers=key).json()["id"] for _ in range(2)]
    assert answers[0] == answers[1] == Upload.objects.get().pk


def test_what_nobody_goes_on_with_is_swept(api):
    number = begin(api).json()["id"]
    send(api, number, 0, CLAIMS[:50])
    assert sweep_uploads() == 0
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pipeline_upload SET expires_at = now() - interval '1 second'")
    assert sweep_uploads() == 1
    assert not UploadPart.objects.exists()
