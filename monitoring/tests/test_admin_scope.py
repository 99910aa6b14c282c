"""Every address of the admin, made from its registry, against a practice that is not the person's own."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from marb.access.models import Membership
from monitoring.tests.conftest import CANARY
from monitoring.tests.rows import Rows

pytestmark = pytest.mark.django_db
SCOPED = [model for model in admin.site._registry if any(field.name == "practice" for field in model._meta.fields)]
NAMES = [model._meta.label_lower.replace(".", "_") for model in admin.site._registry]


def name_of(model: type[Model], page: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"


def others(model: type[Model]) -> Any:
    if model is User:
        return User.objects.filter(username__startswith=CANARY)
    if model._meta.label == "access.Practice":
        return model._default_manager.filter(code="other")
    return model._default_manager.filter(practice__code="other")


def body(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode()


@pytest.mark.parametrize("model", SCOPED, ids=lambda model: model._meta.label)
def test_there_is_a_row_of_another_practice_to_look_for(model: type[Model], other_rows: Rows) -> None:
    assert others(model).exists()


@pytest.mark.parametrize("role", ["administrator", "manager", "biller", "auditor"])
def test_an_object_of_another_practice_is_not_found(
    role: str, request: pytest.FixtureRequest, client: Client, rows: Rows, other_rows: Rows
) -> None:
    client.force_login(request.getfixturevalue(role))
    for model in (*SCOPED, Membership._meta.get_field("practice").remote_field.model):
        foreign = others(model).first()
        for page in ("change", "history", "delete"):
            assert client.get(reverse(name_of(model, page), args=[foreign.pk])).status_code == 404, (model, page)
            assert client.post(reverse(name_of(model, page), args=[foreign.pk])).status_code in (403, 404), (
                model,
                page,
            )


def test_a_person_of_another_practice_is_not_found(client: Client, administrator: Any, other_rows: Rows) -> None:
    client.force_login(administrator)
    stranger = others(User).get()
    for page in ("change", "history", "delete"):
        assert client.get(reverse(f"admin:auth_user_{page}", args=[stranger.pk])).status_code == 404
    assert client.get(reverse("admin:auth_user_password_change", args=[stranger.pk])).status_code == 404


@pytest.mark.parametrize("role", ["administrator", "biller"])
def test_no_list_filter_or_search_shows_another_practice(
    role: str, request: pytest.FixtureRequest, client: Client, rows: Rows, other_rows: Rows
) -> None:
    client.force_login(request.getfixturevalue(role))
    payer, file = other_rows.payers[0].pk, other_rows.claim_file.pk
    for model in admin.site._registry:
        address = reverse(name_of(model, "changelist"))
        # beginnings only: the page says again what was searched for
        begun = (f"?q={text}{CANARY[:-2]}" for text in ("", "PCN", "MEM", "Abernathy", "EFT"))
        for query in ("", *begun, f"?payer__id__exact={payer}", f"?file={file}"):
            response = client.get(address + query)
            text = body(response)
            assert response.status_code in (200, 302, 400, 403), (model, query)
            assert CANARY not in text, (model, query)


def test_the_filter_by_payer_does_not_name_a_payer_of_another_practice(
    client: Client, biller: Any, rows: Rows, other_rows: Rows
) -> None:
    client.force_login(biller)
    address = reverse("admin:claims_claim_changelist")
    mine = client.get(f"{address}?payer__id__exact={rows.payers[0].pk}")
    assert rows.payers[0].name in body(mine)
    foreign = client.get(f"{address}?payer__id__exact={other_rows.payers[0].pk}")
    assert CANARY not in body(foreign)
    assert "0 claims" in body(foreign)


def test_autocomplete_offers_only_ones_own(client: Client, biller: Any, rows: Rows, other_rows: Rows) -> None:
    client.force_login(biller)
    field = {"app_label": "claims", "model_name": "claim", "field_name": "payer"}
    everything = client.get(reverse("admin:autocomplete"), field).json()["results"]
    assert {row["text"] for row in everything} == {payer.name for payer in rows.payers}
    assert client.get(reverse("admin:autocomplete"), {**field, "term": CANARY}).json()["results"] == []


def test_an_export_holds_only_ones_own_even_if_others_are_named(
    client: Client, biller: Any, rows: Rows, other_rows: Rows
) -> None:
    client.force_login(biller)
    for model, mine, foreign in (
        ("claims_claim", rows.claims, other_rows.claims),
        ("remits_remittance", rows.remittances, other_rows.remittances),
        ("episodes_episode", rows.episodes, other_rows.episodes),
    ):
        selected = [row.pk for row in (*mine, *foreign)]
        data = {"action": "export", "_selected_action": selected}
        text = body(client.post(reverse(f"admin:{model}_changelist"), data))
        assert CANARY not in text
        assert len(text.splitlines()) == 1 + len(mine)


def test_an_export_masks_patients_as_lists_do(client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    data = {"action": "export", "_selected_action": [claim.pk for claim in rows.claims]}
    text = body(client.post(reverse("admin:claims_claim_changelist"), data))
    assert "Abernathy, R." in text
    assert "Rosalind" not in text
    assert rows.claims[0].subscriber_member_id not in text
    assert "1957-04" not in text


def test_the_first_page_counts_only_ones_own(client: Client, biller: Any, rows: Rows, other_rows: Rows) -> None:
    client.force_login(biller)
    response = client.get(reverse("admin:index"))
    assert CANARY not in body(response)
    assert [tile.number for tile in response.context["tiles"]] == [1, 2, 1, 0, 1]


def test_staff_without_a_membership_see_nothing(client: Client, django_user_model: Any, rows: Rows) -> None:
    client.force_login(django_user_model.objects.create_user("lone", is_staff=True))
    for model in admin.site._registry:
        assert client.get(reverse(name_of(model, "changelist"))).status_code == 403
    assert "not a member" in body(client.get(reverse("admin:index")))


def test_the_anonymous_are_sent_to_the_login(client: Client, rows: Rows) -> None:
    for model in admin.site._registry:
        assert client.get(reverse(name_of(model, "changelist"))).status_code == 302
    file = reverse("admin:pipeline_edifile_progress", args=[rows.claim_file.pk])
    assert client.get(file).status_code == 302
    assert client.get(reverse("admin:pipeline_edifile_upload")).status_code == 302


def test_another_practices_progress_is_not_found(client: Client, biller: Any, other_rows: Rows) -> None:
    client.force_login(biller)
    assert client.get(reverse("admin:pipeline_edifile_progress", args=[other_rows.claim_file.pk])).status_code == 404


def test_a_colleagues_role_elsewhere_is_not_told(
    client: Client, administrator: Any, biller: Any, rows: Rows, other_rows: Rows
) -> None:
    Membership.objects.create(user=biller, practice=other_rows.practice, role="manager")
    client.force_login(administrator)
    shown = body(client.get(reverse("admin:auth_user_changelist")))
    assert f"Biller at {rows.practice}" in shown
    assert "Manager at" not in shown
