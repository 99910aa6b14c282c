"""What an answer costs: the same number of queries for one row and for twenty, list and detail."""

from typing import Any

import pytest
from django.test import Client

from claims.tests.rows import create_claim, create_line
from episodes.tests.links import create_episode, create_link
from marb.access.models import Practice
from marb.parties.tests.rows import create_payer, create_plan, create_provider
from marb.pipeline.tests.rows import create_file, create_finding
from monitoring.tests.house import House, build_house
from remits.tests.rows import (
    create_adjustment,
    create_payment,
    create_provider_adjustment,
    create_remittance,
    create_remittance_line,
)

# session, person, roles: every request of a logged-in person; then one for the page or the object
WHO = 3
LISTS = {
    **dict.fromkeys(["payers/", "plans/", "providers/", "claims/", "claims/unlinked/", "payments/"], WHO + 1),
    **dict.fromkeys(["remits/", "episodes/", "files/"], WHO + 1),
    # and one for the episodes of the page
    **dict.fromkeys(["claims/?expand=episode", "remits/?expand=episode"], WHO + 2),
}
# the object, then one query per kind of child
DETAILS = {
    "file": ("files", WHO + 2),  # progress
    "payer": ("payers", WHO + 2),  # plans
    "plan": ("plans", WHO + 1),
    "provider": ("providers", WHO + 1),
    "claim": ("claims", WHO + 4),  # lines, findings, answers
    "payment": ("payments", WHO + 2),  # provider adjustments
    "remittance": ("remits", WHO + 4),  # lines, adjustments, findings
    "episode": ("episodes", WHO + 5),  # chain, remittances, takebacks, history
}
CHILDREN = ("plans", "lines", "findings", "adjustments", "provider_adjustments", "remittances")


@pytest.fixture
def house(practice: Practice) -> House:
    return build_house(practice, "HERON")


@pytest.fixture
def full_house(house: House, practice: Practice) -> House:
    """Twenty more of everything, and twenty children of each object."""
    found = house.objects
    for n in range(1, 21):
        create_plan(create_payer(practice, f"P{n}"))
        create_plan(found["payer"], f"N{n}")
        create_provider(practice, f"10000000{n:02}")
        create_file(practice, f"{n}.837")
        add_claim(found, n)
        add_remittance(found, n)
    return house


def add_claim(found: dict[str, Any], n: int) -> None:
    claim = create_claim(found["claim"].chunk, 1000 + 100 * n, payer=found["payer"])
    create_line(claim)
    create_line(found["claim"], 1 + n)
    create_finding(found["claim"].file, found["claim"].byte_offset)
    create_episode(claim)


def add_remittance(found: dict[str, Any], n: int) -> None:
    chunk = found["remittance"].chunk
    create_payment(chunk, 10 + n, payer=found["payer"])
    create_provider_adjustment(found["payment"], 1 + n)
    remittance = create_remittance(found["payment"], chunk, 1000 + 100 * n, payer=found["payer"])
    line = create_remittance_line(found["remittance"], 1 + n)
    create_adjustment(found["remittance"], line, 1 + n)
    create_finding(found["remittance"].file, found["remittance"].byte_offset)
    create_link(found["episode"], remittance)


@pytest.mark.parametrize(("path", "expected"), LISTS.items())
def test_a_list_of_one_costs_what_a_list_of_many_costs(
    path: str, expected: int, client: Client, biller, house: House, django_assert_num_queries
) -> None:
    client.force_login(biller)
    with django_assert_num_queries(expected):
        assert client.get(f"/api/v1/{path}").json()["results"]


@pytest.mark.parametrize(("path", "expected"), LISTS.items())
def test_a_list_of_twenty_costs_the_same(
    path: str, expected: int, client: Client, biller, full_house: House, django_assert_num_queries
) -> None:
    client.force_login(biller)
    with django_assert_num_queries(expected):
        assert len(client.get(f"/api/v1/{path}").json()["results"]) >= 20


@pytest.mark.parametrize("kind", DETAILS)
def test_a_detail_costs_one_query_per_kind_of_child(
    kind: str, client: Client, biller, house: House, django_assert_num_queries
) -> None:
    client.force_login(biller)
    route, expected = DETAILS[kind]
    with django_assert_num_queries(expected):
        assert client.get(f"/api/v1/{route}/{house.objects[kind].pk}/").status_code == 200


@pytest.mark.parametrize("kind", DETAILS)
def test_a_detail_with_twenty_children_costs_the_same(
    kind: str, client: Client, biller, full_house: House, django_assert_num_queries
) -> None:
    client.force_login(biller)
    route, expected = DETAILS[kind]
    with django_assert_num_queries(expected):
        body = client.get(f"/api/v1/{route}/{full_house.objects[kind].pk}/").json()
    # a file has no children in its detail: its findings and sets are lists of their own
    children = [value for name, value in body.items() if name in CHILDREN]
    assert all(len(value) >= 20 for value in children)


@pytest.mark.parametrize("children", ["findings", "sets", "quarantine"])
def test_the_children_of_a_file_are_pages(
    children: str, client: Client, biller, full_house: House, django_assert_num_queries
) -> None:
    client.force_login(biller)
    # the file, then the page
    with django_assert_num_queries(WHO + 2):
        body = client.get(f"/api/v1/files/{full_house.objects['file'].pk}/{children}/?limit=2").json()
    assert len(body["results"]) <= 2
