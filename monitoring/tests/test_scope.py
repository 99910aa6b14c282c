"""Whose rows are whose: every address of the API against every object of another practice, from the resolver.

An address that is new is in here by being there: one that takes an id and is not of a known kind fails.
"""

import json

import pytest
from django.test import Client

from marb.access.models import AUDITING_ROLES, Membership, Practice, Role
from monitoring.tests.addresses import Address, find_addresses
from monitoring.tests.house import House, build_house

OPEN = ["health"]
METHODS = ["get", "post", "put", "patch", "delete"]
OURS, THEIRS = "HERON", "MAGPIE"


@pytest.fixture
def house(practice: Practice) -> House:
    return build_house(practice, OURS)


@pytest.fixture
def other_house(other_practice: Practice) -> House:
    return build_house(other_practice, THEIRS)


def path_for(address: Address, house: House) -> str:
    """The address of this house's object; a kind that is not known fails the test."""
    return address.path(**house.arguments(address.name, address.arguments))


def test_a_stranger_gets_401_everywhere_but_health(client: Client, house: House) -> None:
    for address in find_addresses():
        for method in METHODS:
            status = getattr(client, method)(path_for(address, house)).status_code
            expected = (200 if method == "get" else 405) if address.name in OPEN else 401
            assert status == expected, (address.name, method)


def test_a_person_without_a_practice_gets_403_and_no_rows(client: Client, house: House, django_user_model) -> None:
    client.force_login(django_user_model.objects.create_user("nobody", is_staff=True))
    for address in find_addresses():
        if address.name.split("-")[0] in house.objects:
            answer = client.get(path_for(address, house))
            assert answer.status_code in (403, 405), address.name
            assert OURS not in answer.content.decode()


@pytest.mark.parametrize("role", Role.values)
def test_another_practices_object_is_a_404_for_every_role(
    role: str, request: pytest.FixtureRequest, client: Client, house: House, other_house: House
) -> None:
    client.force_login(request.getfixturevalue(role))
    for address in (address for address in find_addresses() if address.arguments):
        for method in METHODS:
            answer = getattr(client, method)(path_for(address, other_house))
            # a method that the address does not have is 405, one that the role may not use 403; never 200
            is_free = method == "get" and not (address.name.startswith("audit-") and role not in AUDITING_ROLES)
            assert answer.status_code in ((404, 405) if is_free else (403, 404, 405)), (address.name, method)
            assert THEIRS not in answer.content.decode()


def test_a_child_of_theirs_is_not_found_below_an_object_of_ours(
    client: Client, biller, house: House, other_house: House
) -> None:
    client.force_login(biller)
    for address in (address for address in find_addresses() if len(address.arguments) > 1):
        ours = house.arguments(address.name, address.arguments)
        theirs = other_house.arguments(address.name, address.arguments)
        for name in address.arguments:
            assert client.get(address.path(**{**ours, name: theirs[name]})).status_code == 404, (address.name, name)


def test_a_missing_object_and_another_practices_answer_alike(
    client: Client, biller, house: House, other_house: House
) -> None:
    client.force_login(biller)
    theirs = client.get(f"/api/v1/claims/{other_house.objects['claim'].pk}/")
    missing = client.get("/api/v1/claims/999999999/")
    assert (theirs.status_code, theirs.content) == (missing.status_code, missing.content)


def test_lists_hold_every_row_of_ours_and_none_of_theirs(
    client: Client, administrator, house: House, other_house: House
) -> None:
    client.force_login(administrator)
    for address in find_addresses():
        kind = address.name.split("-")[0]
        # what is told live, or reckoned, is no list: marb.pipeline.tests.test_events and test_audit_api ask for those
        if kind not in house.objects or address.arguments or address.name in ("file-live", "audit-odd"):
            continue
        answer = client.get(address.path(), {"limit": 1000})
        if answer.status_code == 405:
            continue
        text = (answer.getvalue() if answer.streaming else answer.content).decode()
        assert answer.status_code == 200, (address.name, text)
        assert THEIRS not in text, address.name
        assert OURS in text, address.name


def test_details_show_ours_whole(client: Client, administrator, house: House) -> None:
    client.force_login(administrator)
    for address in find_addresses():
        if address.name.endswith("-detail"):
            answer = client.get(path_for(address, house))
            assert answer.status_code == 200, address.name
            assert answer.json()["id"] == house.objects[address.name.split("-")[0]].pk


def test_filters_by_another_practices_ids_find_nothing(
    client: Client, biller, house: House, other_house: House
) -> None:
    client.force_login(biller)
    theirs = {kind: found.pk for kind, found in other_house.objects.items()}
    for query in (
        *(f"claims/?payer={theirs['payer']}", f"claims/?file={theirs['file']}", "claims/?practice=other"),
        *(f"claims/?procedure={THEIRS}", f"remits/?payment={theirs['payment']}", f"plans/?payer={theirs['payer']}"),
        *(f"episodes/?claim_id={theirs['claim']}", f"episodes/?remittance_id={theirs['remittance']}"),
    ):
        assert client.get(f"/api/v1/{query}").json()["results"] == [], query


def test_expanding_answers_nothing_of_theirs(client: Client, biller, house: House, other_house: House) -> None:
    client.force_login(biller)
    rows = client.get("/api/v1/claims/?expand=episode").json()["results"]
    found = {row["id"]: row["episode"] and row["episode"]["id"] for row in rows}
    assert found == {house.objects["claim"].pk: house.objects["episode"].pk, house.unlinked.pk: None}


def test_losing_the_membership_ends_access_at_once(client: Client, biller, house: House) -> None:
    client.force_login(biller)
    assert client.get("/api/v1/claims/").status_code == 200
    Membership.objects.filter(user=biller).delete()
    assert client.get("/api/v1/claims/").status_code == 403


def test_a_member_of_two_practices_sees_both_and_may_narrow(
    client: Client, biller, house: House, other_house: House, other_practice: Practice
) -> None:
    Membership.objects.create(user=biller, practice=other_practice, role=Role.AUDITOR)
    client.force_login(biller)
    both = client.get("/api/v1/claims/").content.decode()
    narrowed = client.get("/api/v1/claims/?practice=other").content.decode()
    assert OURS in both
    assert THEIRS in both
    assert OURS not in narrowed
    assert THEIRS in narrowed


def test_a_superuser_reaches_every_practice(client: Client, admin_user, house: House, other_house: House) -> None:
    client.force_login(admin_user)
    text = json.dumps(client.get("/api/v1/claims/").json())
    assert OURS in text
    assert THEIRS in text


def test_the_unlinked_list_is_the_claims_without_a_remittance(client: Client, biller, house: House) -> None:
    client.force_login(biller)
    rows = client.get("/api/v1/claims/unlinked/").json()["results"]
    assert [row["id"] for row in rows] == [house.unlinked.pk]
