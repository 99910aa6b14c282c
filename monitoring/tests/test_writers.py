"""Every writer of what the API shows says so: after each step the cached answers are what the rows say.

Before each step every list and every detail is read, so that the cache is warm; after it everything is read again, once
through the cache and once past it. A writer that forgets to touch what it changed leaves an old answer, and fails here.
"""

import io
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from itertools import islice
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from claims.models import Claim, ServiceLine
from claims.reprice import reprice
from episodes.models import Episode, EpisodeRemittance
from episodes.sample.writer import Sample
from marb.access import answers, door
from marb.access.models import Membership, Practice, Role
from marb.core.cache import statistics
from marb.parties.models import Payer, Provider
from marb.pipeline.receive import receive
from marb.pipeline.run import step
from monitoring import dashboard

pytestmark = pytest.mark.django_db(transaction=True)
LISTS = ("claims", "remits", "payments", "episodes", "denials", "payers", "plans", "providers")
EXPANDED = ("claims", "remits")
MOST_DETAILS = 2


@pytest.fixture
def person(client: Client, practice: Practice, django_user_model) -> Client:
    user = django_user_model.objects.create_user("manager", is_staff=True)
    Membership.objects.create(practice=practice, user=user, role=Role.MANAGER)
    client.force_login(user)
    return client


def read_everything(client: Client) -> dict[str, Any]:
    """Read each list, the details of its first rows, the unlinked claims and the dashboard's figures."""
    shown: dict[str, Any] = {}
    for name in (*LISTS, "claims/unlinked"):
        shown[name] = client.get(f"/api/v1/{name}/").json()
    for name in EXPANDED:
        shown[f"{name}?"] = client.get(f"/api/v1/{name}/?expand=episode").json()
        for row in shown[name]["results"][:1]:
            shown[f"{name}/{row['id']}?"] = client.get(f"/api/v1/{name}/{row['id']}/?expand=episode").json()
    for name in LISTS:
        rows = shown[name]["results"]
        for row in (*rows[: MOST_DETAILS // 2], *rows[-MOST_DETAILS // 2 :]):
            path = f"{name}/{row['id']}"
            shown[path] = client.get(f"/api/v1/{path}/").json()
    # the row that the next load may bring
    missing = 1 + max((row["id"] for row in shown["claims"]["results"]), default=0)
    shown[f"claims/{missing}"] = client.get(f"/api/v1/claims/{missing}/").status_code
    shown["dashboard"] = client.get("/").context["tiles"], client.get("/").context["episodes"]
    return shown


@pytest.fixture
def compare(person: Client, monkeypatch) -> Callable[[Callable[[], object]], int]:
    """Warm the cache, take a step, and compare what is read through the cache with what is read past it."""

    def compare(act: Callable[[], object]) -> int:
        read_everything(person)
        act()
        through = read_everything(person)
        with monkeypatch.context() as past:
            past.setattr(answers, "scope_of", lambda user: ())
            past.setattr(dashboard, "scope_of", lambda user: ())
            assert through == read_everything(person)
        return int(statistics.read_overall(statistics.read_kinds())["hits"])

    return compare


@pytest.fixture
def files() -> Iterator[tuple[str, bytes]]:
    # the first batch: professional and institutional claims, and what was paid of them
    made = islice(Sample(20, 4, date(2026, 6, 30)).files(), 3)
    return ((name, text.encode()) for name, text in made)


def test_each_step_of_the_belt(practice: Practice, compare, files) -> None:
    for file in files:
        found: list[int] = []
        compare(partial(take, practice, file, found))
        while step_of(compare, found):
            pass
    # the comparison would prove nothing if nothing were answered from the cache
    assert compare(lambda: None) > len(LISTS)
    assert Episode.objects.filter(status="complete").exists()
    assert EpisodeRemittance.objects.exists()


def take(practice: Practice, file: tuple[str, bytes], found: list[int]) -> None:
    received = receive(practice_id=practice.pk, name=file[0], stream=io.BytesIO(file[1]))
    found.append(received.file_id)


def step_of(compare, found: list[int]) -> bool:
    going: list[bool] = []
    compare(lambda: going.append(step(found)))
    return going[0]


def test_prices_that_change(practice: Practice, compare, files) -> None:
    load(practice, files)
    Claim.objects.update(expected_amount="1.00")
    ServiceLine.objects.update(expected_amount="1.00")
    compare(lambda: list(reprice(practice.pk, None)))
    assert not Claim.objects.filter(expected_amount="1.00").exists()


def load(practice: Practice, files: Iterator[tuple[str, bytes]]) -> None:
    found: list[int] = []
    for file in files:
        take(practice, file, found)
    while step(found):
        pass


def test_what_staff_change_in_the_api_and_the_admin(practice: Practice, compare, files, person: Client) -> None:
    load(practice, files)
    payer, provider = Payer.objects.earliest("pk"), Provider.objects.earliest("pk")
    data = {"payer_type": "medicare", "appeal_days": 30}
    path = f"/api/v1/payers/{payer.pk}/"
    compare(lambda: person.patch(path, data, content_type="application/json"))
    payer_page = reverse("admin:parties_payer_change", args=[payer.pk])
    fields = {"name": "Renamed payer", "payer_type": "medicaid", "rules": "{}"}
    compare(lambda: person.post(payer_page, fields))
    provider_page = reverse("admin:parties_provider_change", args=[provider.pk])
    compare(lambda: person.post(provider_page, {"name": "Renamed provider", "specialty": "X"}))
    assert (Payer.objects.get(pk=payer.pk).name, Provider.objects.get(pk=provider.pk).specialty) == (
        *("Renamed payer", "X"),
    )


def test_the_scope_that_the_cache_is_asked_by_is_the_persons(practice: Practice, biller) -> None:
    assert door.scope_of(biller) == (practice.pk,)
