"""The queue of the admin: what it lists, what stands side by side, and what its buttons do."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from claims.models import Claim
from episodes.models import EpisodeRemittance, LinkChange, OpenRemittance
from episodes.tests.rows import Files
from episodes.tests.test_candidates import ANSWER, CLAIM
from episodes.tests.test_link import claims, remittances, run
from marb.access.models import Practice
from remits.models import Remittance

pytestmark = pytest.mark.django_db
LIST = "admin:episodes_queuedremittance_changelist"
LOST = ANSWER | {"patient_control_number": "LOST"}
WHY = {"reason": "The payer confirmed it."}


@pytest.fixture
def files(practice: Practice) -> Files:
    twin = CLAIM | {"patient_control_number": "MF00009999"}
    return run(Files(practice), claims("c", CLAIM, twin), remittances("r", LOST))


@pytest.fixture
def member(client: Client, biller) -> Client:
    client.force_login(biller)
    return client


def page(client: Client, **query: str) -> Any:
    return client.get(reverse("admin:episodes_queuedremittance_change", args=[Remittance.objects.first().pk]), query)


def order(client: Client, word: str, data: dict[str, Any]) -> str:
    """Press a button, and answer the page that comes back."""
    path = reverse("admin:episodes_queuedremittance_order", args=[Remittance.objects.first().pk, word])
    return client.post(path, data, follow=True).content.decode()


def test_the_list_is_what_waits_for_a_person_and_the_rest_by_choice(files: Files, member: Client) -> None:
    run(files, claims("d", CLAIM | {"patient_control_number": "MF7", "service_from_date": "2026-03-01"}))
    run(files, remittances("q", ANSWER | {"patient_control_number": "mf7", "service_from_date": "2026-03-01"}))
    assert OpenRemittance.objects.filter(state="linked").count() == 1
    waiting, linked = (member.get(reverse(LIST), query).content.decode() for query in ({}, {"state": "linked"}))
    assert "2, best 99%" in waiting
    assert "mf7" not in waiting
    assert "mf7" in linked


def test_candidates_stand_side_by_side_with_their_differences(files: Files, member: Client) -> None:
    comparison = page(member).context["comparison"]
    assert [each.percent for each in comparison.candidates] == ["99%", "99%"]
    found = {row.label: [cell.tone for cell in row.cells] for row in comparison.rows}
    assert (found["Control number"], found["Patient"], found["Charge"]) == (["bad"] * 2, ["good"] * 2, ["good"] * 2)


def test_a_person_links_unlinks_and_gives_back(files: Files, member: Client) -> None:
    claim = Claim.objects.latest("pk")
    text = order(member, "link", WHY | {"claim": claim.pk})
    assert "linked by biller" in text
    assert EpisodeRemittance.objects.get().claim == claim
    assert "Kept apart by hand" in order(member, "unlink", WHY)
    assert "Given back to automatic linking" in order(member, "release", WHY)
    assert LinkChange.objects.count() == 3
    assert WHY["reason"] in page(member).content.decode()
    history = member.get(reverse("admin:episodes_linkchange_changelist")).content.decode()
    assert history.count(WHY["reason"]) == 3


def test_a_button_without_a_reason_or_with_a_wrong_claim_changes_nothing(files: Files, member: Client) -> None:
    assert "Say why" in order(member, "unlink", {"reason": " "})
    assert "There is no such claim" in order(member, "link", WHY | {"claim": 10**9})
    assert "Nobody has linked" in order(member, "release", WHY)
    assert not LinkChange.objects.exists()


def test_an_auditor_sees_the_candidates_masked_and_no_buttons(files: Files, client: Client, auditor) -> None:
    client.force_login(auditor)
    text = page(client).content.decode()
    assert "MF00009999" in text
    assert "Why this claim" not in text
    path = reverse("admin:episodes_queuedremittance_order", args=[Remittance.objects.get().pk, "unlink"])
    assert client.post(path, WHY).status_code == 403
    assert not LinkChange.objects.exists()


@pytest.mark.parametrize("search", ["SEEK1", "M99", "Okonk"])
def test_a_claim_that_nothing_suggests_is_found_by_searching(files: Files, member: Client, search: str) -> None:
    run(files, claims("far", {
        "patient_control_number": "SEEK12", "subscriber_member_id": "M99", "patient_last_name": "OKONKWO",
        "service_from_date": "2025-01-01",
    }))  # fmt: skip
    found = page(member, claim=search).context["comparison"].candidates
    assert found[0].claim.patient_control_number == "SEEK12"


def test_a_search_finds_no_claim_of_another_practice(files: Files, member: Client, other_practice: Practice) -> None:
    run(Files(other_practice), claims("x", CLAIM | {"patient_control_number": "SEEK12"}))
    found = page(member, claim="SEEK").context["comparison"].candidates
    assert {each.claim.practice_id for each in found} == {files.practice.pk}


def test_more_candidates_cost_no_more_queries(practice: Practice, member: Client) -> None:
    files = run(Files(practice), claims("c", CLAIM), remittances("r", LOST | {"paid_amount": 1}))
    page(member)
    few = count_queries(member)
    run(files, claims("d", *[CLAIM | {"patient_control_number": f"MF{n}"} for n in range(8)]))
    assert count_queries(member) == few <= 26


def count_queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert page(client).status_code == 200
    return len(queries)
