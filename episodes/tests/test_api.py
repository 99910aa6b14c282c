"""What /episodes/ answers: the chain, the links and how they came about."""

from typing import Any

import pytest
from django.test import Client

from claims.tests.rows import create_claim
from episodes.models import Episode, EpisodeClaim, LinkMethod
from episodes.tests.links import create_episode, create_link
from marb.access.models import Practice
from marb.parties.tests.rows import create_payer
from marb.pipeline.tests.rows import create_chunk, create_file
from remits.tests.rows import create_payment, create_remittance


@pytest.fixture
def episode(practice: Practice, biller) -> Episode:
    chunk = create_chunk(create_file(practice))
    claim = create_claim(chunk, 100, payer=create_payer(practice))
    found = create_episode(claim, status="linked", paid_amount="80.00", remittance_count=1)
    replacement = create_claim(chunk, 300, frequency_code="7", payer=claim.payer)
    EpisodeClaim.objects.create(practice=practice, episode=found, claim=replacement)
    remittance = create_remittance(create_payment(chunk), chunk)
    create_link(found, remittance, method=LinkMethod.MANUAL, linked_by=biller)
    create_episode(create_claim(chunk, 500))
    return found


@pytest.fixture
def member(client: Client, biller) -> Client:
    client.force_login(biller)
    return client


def get(client: Client, path: str) -> Any:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_an_episode_shows_its_chain_and_how_each_remittance_was_linked(member: Client, episode: Episode) -> None:
    body = get(member, f"episodes/{episode.pk}/")
    assert [row["frequency_code"] for row in body["chain"]] == ["", "7"]
    link = body["remittances"][0]
    assert (link["method"], link["linked_by"], link["confidence"], link["paid_amount"]) == (
        *("manual", "biller", "1.000", "80.00"),
    )
    assert (body["payer_name"], body["patient_control_number"]) == ("Payer 87726", "A100")


def test_any_claim_of_the_chain_finds_the_episode(member: Client, episode: Episode) -> None:
    for claim_id in episode.claim_links.values_list("claim_id", flat=True):
        assert [row["id"] for row in get(member, f"episodes/?claim_id={claim_id}")["results"]] == [episode.pk]


def test_filters_find_what_they_say(member: Client, episode: Episode) -> None:
    for query in ("status=linked", f"payer={episode.claim.payer_id}", "control_number=A100"):
        assert [row["id"] for row in get(member, f"episodes/?{query}")["results"]] == [episode.pk]


def test_claims_and_remittances_may_be_asked_for_their_episode(member: Client, episode: Episode) -> None:
    link = episode.remittance_links.get()
    assert get(member, f"claims/{episode.claim_id}/?expand=episode")["episode"]["paid_amount"] == "80.00"
    body = get(member, f"remits/{link.remittance_id}/?expand=episode")
    assert body["episode"] == {
        "id": episode.pk,
        "claim": episode.claim_id,
        "method": "manual",
        "confidence": "1.000",
    }
