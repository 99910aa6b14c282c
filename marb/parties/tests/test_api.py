"""Payers, plans and providers: who may change what, and that nothing else changes."""

from typing import Any

import pytest
from django.test import Client

from marb.access.models import Membership, Practice, Role
from marb.parties.models import Payer
from marb.parties.tests.rows import create_payer, create_plan, create_provider


@pytest.fixture
def payer(practice: Practice) -> Payer:
    return create_payer(practice, rules={"old": "rule"})


def patch(client: Client, payer: Payer, body: Any) -> Any:
    return client.patch(f"/api/v1/payers/{payer.pk}/", body, content_type="application/json")


@pytest.mark.parametrize(
    ("role", "status"), [("administrator", 200), ("manager", 200), ("biller", 403), ("auditor", 403)]
)
def test_only_those_who_may_change_a_payer(role: str, status: int, request, client: Client, payer: Payer) -> None:
    client.force_login(request.getfixturevalue(role))
    answer = patch(client, payer, {"timely_filing_days": 95, "rules": {"new": "rule"}, "payer_type": "medicare"})
    payer.refresh_from_db()
    assert answer.status_code == status
    assert (payer.timely_filing_days, payer.rules, payer.payer_type) == (
        (95, {"new": "rule"}, "medicare") if status == 200 else (None, {"old": "rule"}, "other")
    )


def test_a_change_answers_the_payer_whole(client: Client, manager, payer: Payer) -> None:
    create_plan(payer)
    client.force_login(manager)
    body = patch(client, payer, {"appeal_days": 180}).json()
    assert (body["appeal_days"], body["payer_code"], len(body["plans"])) == (180, "87726", 1)


@pytest.mark.parametrize(
    "body",
    [
        *({"payer_code": "X"}, {"id": 7}, {"practice": 7}, {"name": "X"}, {"created_at": None}, {"nothing": 1}),
        *({"appeal_days": 0}, {"appeal_days": -1}, {"appeal_days": 100_000}, {"appeal_days": "x"}, {"rules": [1]}),
        *({"payer_type": "nothing"}, {"payer_type": None}, [1], "x", None, {"appeal_days": 5, "practice": 7}),
    ],
)
def test_nothing_else_can_be_changed(body: Any, client: Client, manager, payer: Payer) -> None:
    client.force_login(manager)
    before = Payer.objects.values().get()
    assert patch(client, payer, body).status_code == 400
    assert Payer.objects.values().get() == before


def test_a_right_in_one_practice_changes_nothing_in_another(
    client: Client, manager, payer: Payer, other_practice: Practice
) -> None:
    Membership.objects.create(user=manager, practice=other_practice, role=Role.AUDITOR)
    theirs = create_payer(other_practice)
    client.force_login(manager)
    assert patch(client, theirs, {"appeal_days": 5}).status_code == 403
    assert patch(client, payer, {"appeal_days": 5}).status_code == 200
    assert not Payer.objects.filter(practice=other_practice, appeal_days=5).exists()


@pytest.mark.parametrize(("role", "shown"), [("biller", "123456789"), ("auditor", "***-**-6789")])
def test_a_tax_number_may_be_an_ssn_and_is_masked(role: str, shown: str, request, client: Client, practice) -> None:
    provider = create_provider(practice)
    client.force_login(request.getfixturevalue(role))
    assert client.get(f"/api/v1/providers/{provider.pk}/").json()["tax_number"] == shown
    assert "tax_number" not in client.get("/api/v1/providers/").json()["results"][0]


@pytest.mark.parametrize(
    "path", ["payers/?name=payer 8", "payers/?payer_code=87726", "plans/?payer={}", "payers/?payer_type=other"]
)
def test_filters_find_what_they_say(path: str, client: Client, biller, payer: Payer) -> None:
    create_plan(payer)
    client.force_login(biller)
    assert len(client.get(f"/api/v1/{path.format(payer.pk)}").json()["results"]) == 1
