"""Requests are counted by their route, whoever answers them: the cache's short way, the view, or nobody."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from knox.models import AuthToken

from marb.core.measure import process
from marb.core.measure.ledger import Ledger
from monitoring.tests.rows import Rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    fresh = Ledger("web")
    monkeypatch.setattr(process.HELD, "ledger", fresh)
    return fresh


@pytest.mark.django_db(transaction=True)
def test_a_hit_of_the_cache_counts_as_its_route(biller: Any, rows: Rows, ledger: Ledger) -> None:
    headers = {"Authorization": f"Token {AuthToken.objects.create(biller)[1]}"}
    answers = [Client().get(f"/api/v1/claims/{rows.claims[0].pk}/", headers=headers) for _ in range(3)]
    counted = {timing.name: timing.count for timing in ledger.take().timings if timing.kind == "request"}
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert counted == {"GET claim-detail": 3}
    assert all("X-Process-Time" in answer.headers for answer in answers)


def test_a_page_of_the_admin_counts_as_its_route(client: Client, biller: Any, rows: Rows, ledger: Ledger) -> None:
    client.force_login(biller)
    client.get(reverse("admin:claims_claim_changelist"))
    counted = {timing.name: timing.count for timing in ledger.take().timings if timing.kind == "request"}
    assert counted == {"GET admin:claims_claim_changelist": 1}
