"""The upload page without its script, and its answers with it: who may send, and what each file came to."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from marb.access.models import Membership, Practice, Role
from marb.pipeline.models import EdiFile

pytestmark = pytest.mark.django_db
ISA = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260302*1200*^*00501*000000001*0*P*:~"
JSON = {"HTTP_ACCEPT": "application/json"}


def x12(name: str = "march.837") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, f"{ISA}IEA*0*000000001~".encode())


def send(client: Client, data: dict[str, Any], **headers: Any) -> Any:
    return client.post(reverse("admin:pipeline_edifile_upload"), data, **headers)


def test_a_new_file_is_received_and_has_a_page(client: Client, biller: Any) -> None:
    client.force_login(biller)
    answer = send(client, {"file": x12()}, **JSON).json()["files"][0]
    file = EdiFile.objects.get()
    assert (answer["outcome"], answer["url"]) == ("received", reverse("admin:pipeline_edifile_change", args=[file.pk]))
    assert (file.name, file.uploaded_by_id) == ("march.837", biller.pk)


def test_the_same_bytes_again_answer_the_first_files_page(client: Client, biller: Any) -> None:
    client.force_login(biller)
    first = send(client, {"file": x12()}, **JSON).json()["files"][0]
    again = send(client, {"file": x12("other-name.837")}, **JSON).json()["files"][0]
    assert (again["outcome"], again["url"]) == ("duplicate", first["url"])
    assert EdiFile.objects.count() == 1


def test_what_is_not_x12_is_refused_with_a_sentence(client: Client, biller: Any) -> None:
    client.force_login(biller)
    answer = send(client, {"file": SimpleUploadedFile("a.pdf", b"%PDF-1.7 ...")}, **JSON).json()["files"][0]
    assert answer["outcome"] == "refused"
    assert "PDF" in answer["sentence"]


def test_a_broken_gzip_is_refused_and_not_kept(client: Client, biller: Any) -> None:
    client.force_login(biller)
    response = send(client, {"file": SimpleUploadedFile("a.gz", b"\x1f\x8b\x08 cut")}, **JSON)
    assert response.status_code == 422
    assert response.json()["files"][0]["outcome"] == "refused"
    assert not EdiFile.objects.exists()


def test_several_files_of_a_plain_form_come_back_as_sentences(client: Client, biller: Any) -> None:
    client.force_login(biller)
    response = send(client, {"file": [x12(), SimpleUploadedFile("a.pdf", b"%PDF-1.7")]}, follow=True)
    assert b"march.837: Received" in response.content
    assert b"a.pdf: " in response.content


def test_a_form_without_a_file_says_so(client: Client, biller: Any) -> None:
    client.force_login(biller)
    assert b"No file was chosen." in send(client, {}, follow=True).content


def test_an_auditor_may_not_upload(client: Client, auditor: Any) -> None:
    client.force_login(auditor)
    assert client.get(reverse("admin:pipeline_edifile_upload")).status_code == 403
    assert send(client, {"file": x12()}, **JSON).status_code == 403
    assert b"Upload files" not in client.get(reverse("admin:pipeline_edifile_changelist")).content


def test_a_file_goes_only_where_the_person_may_send(
    client: Client, biller: Any, practice: Practice, other_practice: Practice
) -> None:
    client.force_login(biller)
    assert send(client, {"file": x12(), "practice": other_practice.code}, **JSON).status_code == 403
    Membership.objects.create(practice=other_practice, user=biller, role=Role.AUDITOR)
    assert send(client, {"file": x12(), "practice": other_practice.code}, **JSON).status_code == 403
    assert send(client, {"file": x12()}, **JSON).status_code == 200
    assert EdiFile.objects.get().practice == practice


def test_a_member_of_several_practices_must_say_which(client: Client, biller: Any, other_practice: Practice) -> None:
    Membership.objects.create(practice=other_practice, user=biller, role=Role.BILLER)
    client.force_login(biller)
    assert send(client, {"file": x12()}, **JSON).status_code == 403
    assert send(client, {"file": x12(), "practice": other_practice.code}, **JSON).status_code == 200
    assert EdiFile.objects.get().practice == other_practice
