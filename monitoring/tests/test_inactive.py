"""A practice that is switched off: its members lose it at once, everywhere, and no file is taken in for it."""

import io
from typing import Any

import pytest
from django.contrib import admin
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from marb.access import reader
from marb.access.models import AuditEntry, Membership, Practice, Role
from marb.pipeline.models import EdiFile
from marb.pipeline.receive import NotReceived, receive
from marb.pipeline.tests.edi import claim_file
from monitoring.tests.addresses import find_addresses
from monitoring.tests.conftest import CANARY
from monitoring.tests.house import House, build_house
from monitoring.tests.rows import Rows
from monitoring.tests.test_admin_scope import SCOPED, body, name_of

WORD = "HERON"
SENTENCE = "The practice is not active: no file is taken in for it."


@pytest.fixture
def house(practice: Practice) -> House:
    return build_house(practice, WORD)


def switch(practice: Practice, *, on: bool) -> None:
    practice.is_active = on
    practice.save()


def test_no_address_of_the_api_shows_anything_of_it(
    client: Client, administrator: Any, practice: Practice, house: House
) -> None:
    client.force_login(administrator)
    switch(practice, on=False)
    for address in find_addresses():
        if address.name.partition("-")[0] in house.objects:
            for method in ("get", "post"):
                answer = getattr(client, method)(address.path(**house.arguments(address.name, address.arguments)))
                assert answer.status_code in (403, 404, 405), (address.name, method)
                assert WORD not in answer.content.decode()


def test_a_member_of_another_practice_keeps_that_one_alone(
    client: Client, administrator: Any, practice: Practice, other_practice: Practice, house: House
) -> None:
    build_house(other_practice, "MAGPIE")
    Membership.objects.create(user=administrator, practice=other_practice, role=Role.ADMINISTRATOR)
    client.force_login(administrator)
    assert WORD in client.get("/api/v1/claims/").content.decode()
    switch(practice, on=False)
    for address in find_addresses():
        if address.name.partition("-")[0] in house.objects:
            shown = client.get(address.path(**house.arguments(address.name, address.arguments)))
            text = b"".join(shown.streaming_content) if shown.streaming else shown.content  # type: ignore[attr-defined]
            assert WORD not in text.decode(), address.name
            assert shown.status_code in ((404, 405) if address.arguments else (200, 405)), address.name
    assert "MAGPIE" in client.get("/api/v1/claims/").content.decode()
    assert [place["code"] for place in client.get("/api/v1/auth/me/").json()["practices"]] == ["other"]


def test_a_remembered_token_and_a_cached_answer_end_at_once_and_come_back(
    client: Client, biller: Any, practice: Practice, house: House, settings: Any
) -> None:
    settings.READER_SECONDS = 3600.0
    reader.MEMORY.clear()
    headers = {"Authorization": f"Token {AuthToken.objects.create(biller)[1]}"}
    path = f"/api/v1/claims/{house.objects['claim'].pk}/"
    assert [client.get(path, headers=headers).status_code for _ in range(2)] == [200, 200]
    switch(practice, on=False)
    assert client.get(path, headers=headers).status_code == 403
    switch(practice, on=True)
    assert client.get(path, headers=headers).status_code == 200
    reader.MEMORY.clear()


def test_no_page_of_the_admin_shows_anything_of_it(
    client: Client, administrator: Any, other_practice: Practice, other_rows: Rows
) -> None:
    Membership.objects.create(user=administrator, practice=other_practice, role=Role.ADMINISTRATOR)
    client.force_login(administrator)
    assert CANARY in body(client.get(reverse("admin:claims_claim_changelist")))
    switch(other_practice, on=False)
    for model in admin.site._registry:
        assert CANARY not in body(client.get(reverse(name_of(model, "changelist")))), model
    for model in SCOPED:
        theirs = model._default_manager.filter(practice=other_practice)[0]
        assert client.get(reverse(name_of(model, "change"), args=[theirs.pk])).status_code == 404, model
    assert CANARY not in body(client.get(reverse("admin:index")))


def test_its_audit_is_an_auditors_no_more(auditor: Any, practice: Practice, rows: Rows) -> None:
    assert AuditEntry.objects.for_user(auditor).exists()
    switch(practice, on=False)
    assert not AuditEntry.objects.for_user(auditor).exists()


@pytest.mark.django_db(transaction=True)
def test_a_file_for_it_is_refused_with_a_sentence(
    client: Client, admin_user: Any, practice: Practice, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    switch(practice, on=False)
    with pytest.raises(NotReceived, match="not active"):
        receive(practice_id=practice.pk, name="a.837", stream=io.BytesIO(claim_file(["1"])))
    client.force_login(admin_user)
    answer = client.post("/api/v1/files/?practice=main", claim_file(["1"]), content_type="application/octet-stream")
    assert (answer.status_code, answer.json()["message"]) == (409, SENTENCE)
    page = {"practice": "main", "file": io.BytesIO(claim_file(["1"]))}
    told = client.post(reverse("admin:pipeline_edifile_upload"), page, headers={"Accept": "application/json"})
    assert told.json()["files"][0]["sentence"] == SENTENCE
    path = tmp_path / "a.837"
    path.write_bytes(claim_file(["1"]))
    call_command("ingest", str(path), "--practice", "main")
    assert SENTENCE in capsys.readouterr().out
    assert not EdiFile.objects.exists()


def test_a_members_upload_is_refused(client: Client, biller: Any, practice: Practice, other_practice: Practice) -> None:
    Membership.objects.create(user=biller, practice=other_practice, role=Role.BILLER)
    client.force_login(biller)
    switch(practice, on=False)
    answer = client.post("/api/v1/files/?practice=main", claim_file(["1"]), content_type="application/octet-stream")
    assert (answer.status_code, answer.json()["details"]) == (
        400,
        {"practice": ["You may not upload for this practice."]},
    )
