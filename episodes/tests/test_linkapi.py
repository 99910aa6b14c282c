"""Linking by the API: who may, what is answered, and what is refused."""

from typing import Any

import pytest
from django.test import Client

from claims.models import Claim
from episodes.models import Episode, EpisodeRemittance, LinkChange
from episodes.tests.rows import Files
from episodes.tests.test_candidates import ANSWER, CLAIM
from episodes.tests.test_link import claims, remittances, run
from marb.access.models import Practice
from remits.models import Remittance

pytestmark = pytest.mark.django_db
WHY = {"reason": "The payer confirmed it."}


@pytest.fixture
def files(practice: Practice) -> Files:
    """Two claims alike, and a payment without a number that may answer either."""
    twin = CLAIM | {"patient_control_number": "MF00009999"}
    return run(Files(practice), claims("c", CLAIM, twin), remittances("r", ANSWER | {"patient_control_number": "LOST"}))


@pytest.fixture
def member(client: Client, biller) -> Client:
    client.force_login(biller)
    return client


def post(client: Client, path: str, data: dict[str, Any], **headers: str) -> Any:
    return client.post(f"/api/v1/{path}/", data, content_type="application/json", headers=headers)


def test_a_remittance_goes_from_the_queue_to_its_claim_and_back(files: Files, member: Client) -> None:
    remittance, claim = Remittance.objects.get(), Claim.objects.latest("pk")
    place = f"remits/{remittance.pk}"
    assert [row["id"] for row in member.get("/api/v1/remits/unlinked/").json()["results"]] == [remittance.pk]
    answer = post(member, f"{place}/link", WHY | {"claim": claim.pk})
    assert (answer.status_code, answer.json()["claim"], answer.json()["linked_by"]) == (200, claim.pk, "biller")
    assert member.get("/api/v1/remits/unlinked/").json()["results"] == []
    assert member.get("/api/v1/claims/unlinked/").json()["results"][0]["id"] != claim.pk
    assert post(member, f"{place}/unlink", WHY).json()["state"] == "apart"
    assert post(member, f"{place}/release", WHY).json()["state"] == "open"
    changes = member.get(f"/api/v1/{place}/link-changes/").json()
    assert [change["action"] for change in changes] == ["release", "unlink", "link"]
    assert changes[1]["previous_claim"] == claim.pk


def test_candidates_come_with_their_evidence(files: Files, member: Client) -> None:
    found = member.get(f"/api/v1/remits/{Remittance.objects.get().pk}/candidates/").json()
    assert {each["claim"] for each in found} == set(Claim.objects.values_list("pk", flat=True))
    assert {"feature": "member", "finding": "same", "bits": 6} in found[0]["reasons"]


def test_an_episode_takes_a_remittance(files: Files, member: Client) -> None:
    episode = Episode.objects.latest("pk")
    answer = post(member, f"episodes/{episode.pk}/link", WHY | {"remittance": Remittance.objects.get().pk})
    assert answer.json()["episode"] == episode.pk
    episode.refresh_from_db()
    assert episode.status == "complete"
    missing = post(member, f"episodes/{episode.pk}/link", WHY | {"remittance": 10**9})
    assert missing.json()["details"] == {"remittance": ["There is no such remittance."]}


def test_an_auditor_may_read_but_not_link(files: Files, client: Client, auditor) -> None:
    client.force_login(auditor)
    place = f"remits/{Remittance.objects.get().pk}"
    assert client.get(f"/api/v1/{place}/candidates/").status_code == 200
    for word in ("link", "unlink", "release"):
        assert post(client, f"{place}/{word}", WHY | {"claim": 1}).status_code == 403
    assert not LinkChange.objects.exists()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"claim": 1}, "reason"),
        ({"reason": "   ", "claim": 1}, "reason"),
        ({"reason": "x" * 301, "claim": 1}, "reason"),
        ({"reason": "x", "claim": "1"}, "claim"),
        ({"reason": "x", "claim": True}, "claim"),
        ({"reason": "x", "claim": 10**18}, "claim"),
        ({"reason": "x"}, "claim"),
    ],
)
def test_what_is_missing_or_wrong_is_named(files: Files, member: Client, data: dict[str, Any], field: str) -> None:
    answer = post(member, f"remits/{Remittance.objects.get().pk}/link", data)
    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])
    assert not EpisodeRemittance.objects.exists()


def test_another_practice_s_claim_is_not_there(files: Files, member: Client, other_practice: Practice) -> None:
    run(Files(other_practice), claims("x", CLAIM))
    foreign = Claim.objects.get(practice=other_practice)
    answer = post(member, f"remits/{Remittance.objects.get().pk}/link", WHY | {"claim": foreign.pk})
    assert answer.json()["details"] == {"claim": ["There is no such claim."]}


def test_what_cannot_be_done_is_a_409_with_a_sentence(files: Files, member: Client) -> None:
    answer = post(member, f"remits/{Remittance.objects.get().pk}/release", WHY)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_changed")
    assert "Nobody has linked" in answer.json()["message"]


def test_the_same_request_with_its_key_is_done_once(files: Files, member: Client) -> None:
    place, data = f"remits/{Remittance.objects.get().pk}/link", WHY | {"claim": Claim.objects.latest("pk").pk}
    first, second = (post(member, place, data, **{"Idempotency-Key": "one"}) for _ in range(2))
    assert first.json() == second.json()
    assert LinkChange.objects.count() == 1
