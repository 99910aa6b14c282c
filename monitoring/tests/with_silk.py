"""What silk keeps where it is switched on. Run by test_silk in a process of its own, with SILK=on."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marb.access.models import Practice
from monitoring import profiles
from monitoring.reading import Work
from monitoring.room.work import endpoint_row
from monitoring.tests.house import build_house

WORD = "MAGPIE"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_storages(settings: Any) -> None:
    """silk asks for the storages while it is imported, before the shared fixture can change them."""
    settings.STORAGES = {**settings.STORAGES}


def everything_kept() -> str:
    """All that stands in silk's tables."""
    rows: list[Any] = [
        row for model in apps.get_app_config("silk").get_models() for row in model._base_manager.values()
    ]
    return repr(rows)


def test_no_body_no_header_and_no_value_is_kept(client: Client, biller: Any, practice: Practice) -> None:
    house = build_house(practice, WORD)
    client.force_login(biller)
    headers = {"Referer": f"http://testserver/?q={WORD}"}
    list_answer = client.get(f"/api/v1/claims/?control_number={WORD}A&member_id={WORD}", headers=headers)
    detail = client.get(f"/api/v1/claims/{house.objects['claim'].pk}/")
    assert (list_answer.status_code, detail.status_code) == (200, 200)
    assert WORD in detail.content.decode()
    kept = everything_kept()
    assert "/api/v1/claims/" in kept
    assert '"claims_claim"."patient_control_number" = %s' in kept
    assert WORD not in kept
    assert "sessionid" not in kept


def test_what_is_sent_is_not_recorded(client: Client, manager: Any, practice: Practice) -> None:
    house = build_house(practice, WORD)
    client.force_login(manager)
    path = f"/api/v1/payers/{house.objects['payer'].pk}/"
    answer = client.patch(path, {"rules": {"note": WORD}}, content_type="application/json")
    assert answer.status_code == 200
    assert path not in everything_kept()


def test_its_pages_are_for_staff_with_the_permission(client: Client, biller: Any) -> None:
    assert client.get("/silk/").status_code == 302
    client.force_login(biller)
    client.raise_request_exception = False
    assert client.get("/silk/").status_code == 403
    biller.user_permissions.add(Permission.objects.get(codename="view_request", content_type__app_label="silk"))
    answer = client.get("/silk/")
    assert answer.status_code == 200
    assert "'unsafe-inline'" in answer.headers["Content-Security-Policy"].split("script-src")[1].split(";")[0]
    other = client.get("/api/v1/claims/").headers["Content-Security-Policy"]
    assert "'unsafe-inline'" not in other.split("script-src")[1].split(";")[0]


def create_profile(number: int, **given: Any) -> Any:
    at = timezone.now() - timedelta(minutes=number)
    named = {"path": f"/api/v1/claims/{number}/", "method": "GET", "view_name": "claim-detail"}
    return profiles.requests().create(**{**named, "start_time": at, "time_taken": 10, **given})


def test_an_endpoint_leads_to_its_slowest_profile(django_assert_num_queries: Any) -> None:
    create_profile(1)
    slowest = create_profile(2, time_taken=500)
    create_profile(3, time_taken=900, method="HEAD")
    with django_assert_num_queries(1):
        found = profiles.silk_urls(["GET claim-detail", "GET claim-list", "GET (unmatched)", "odd"])
    assert found == {"GET claim-detail": reverse("silk:request_detail", args=[slowest.pk])}
    assert profiles.silk_url("GET claim-detail") == found["GET claim-detail"]
    assert profiles.silk_url("GET claim-list") == ""


def test_a_slow_endpoint_of_the_control_room_leads_to_its_profiles(client: Client, admin_user: Any) -> None:
    own = create_profile(1, path="/api/v1/claims/", view_name="claim-list", time_taken=700)
    other = create_profile(2, path="/api/v1/remits/", view_name="remittance-list")
    pages = [reverse("silk:request_detail", args=[each.pk]).encode() for each in (own, other)]
    client.force_login(admin_user)
    for endpoint, is_own in (("GET claim-list", True), ("GET claim-detail", False)):
        cells = endpoint_row(Work(endpoint, 1, 0, 0, 1.0, 700.0, 700.0, 700.0, 700.0, 700.0))
        answer = client.get(cells[-1].url)
        assert answer.status_code == 200
        assert [page in answer.content for page in pages] == [True, not is_own]


def test_profiles_are_kept_by_age_and_number(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SILKY_MAX_RECORDED_REQUESTS = 5
    monkeypatch.setattr(profiles, "MOST_DELETED", 2)
    for number in range(8):
        create_profile(number)
    old = create_profile(9, start_time=timezone.now() - timedelta(days=settings.RETENTION_DAYS["profile"], hours=1))
    assert profiles.retain() == 4
    left = set(type(old).objects.values_list("path", flat=True))
    assert left == {f"/api/v1/claims/{number}/" for number in range(5)}
    assert profiles.retain() == 0
