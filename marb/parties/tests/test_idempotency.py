"""Idempotency keys by Stripe's rules, at a payer: carried out once, answered alike, free again after a day."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.test import Client

from marb.access import idempotency
from marb.access.models import IdempotencyKey
from marb.parties.models import Payer
from marb.parties.tests.rows import create_payer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def payer(practice) -> Payer:
    return create_payer(practice, "P1")


@pytest.fixture
def api(client: Client, manager) -> Client:
    client.force_login(manager)
    client.raise_request_exception = False
    return client


def change(api: Client, payer: Payer, body: Any, key: str | None = "k1") -> Any:
    headers = {"Idempotency-Key": key} if key is not None else {}
    sent = body if isinstance(body, str) else json.dumps(body)
    return api.patch(f"/api/v1/payers/{payer.pk}/", sent, content_type="application/json", headers=headers)


def test_the_same_key_and_body_answer_alike_and_change_nothing_more(api, payer):
    first = change(api, payer, {"appeal_days": 30, "timely_filing_days": 90})
    Payer.objects.update(appeal_days=60)
    again = change(api, payer, {"timely_filing_days": 90, "appeal_days": 30})
    assert (again.status_code, again.json()) == (first.status_code, first.json()) == (200, first.json())
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert Payer.objects.get().appeal_days == 60


def test_the_same_key_with_another_body_is_422(api, payer):
    change(api, payer, {"appeal_days": 30})
    answer = change(api, payer, {"appeal_days": 31})
    assert (answer.status_code, answer.json()["code"]) == (422, "key_reused")
    assert Payer.objects.get().appeal_days == 30


def test_the_same_key_at_another_address_is_422(api, payer, practice):
    change(api, payer, {"appeal_days": 30})
    assert change(api, create_payer(practice, "P2"), {"appeal_days": 30}).status_code == 422


def test_another_key_or_none_is_another_request(api, payer):
    for key in ("k1", "k2", None):
        Payer.objects.update(appeal_days=None)
        assert change(api, payer, {"appeal_days": 30}, key).status_code == 200
        assert Payer.objects.get().appeal_days == 30


def test_keys_are_each_persons_own(api, payer, client, administrator):
    change(api, payer, {"appeal_days": 30})
    client.force_login(administrator)
    assert change(client, payer, {"appeal_days": 31}).status_code == 200


def test_what_was_refused_is_not_kept(api, payer):
    assert change(api, payer, {"appeal_days": 0}).status_code == 400
    assert not IdempotencyKey.objects.exists()
    assert change(api, payer, {"appeal_days": 30}).status_code == 200


def test_a_failure_of_ours_is_kept(api, payer, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr("marb.parties.api.PayerChangeSerializer.save", fail)
        assert change(api, payer, {"appeal_days": 30}).status_code == 500
    answer = change(api, payer, {"appeal_days": 30})
    assert (answer.status_code, answer.headers["Idempotent-Replayed"]) == (500, "true")
    assert change(api, payer, {"appeal_days": 30}, "k2").status_code == 200


@pytest.mark.parametrize("key", ["", "a b", "é", "k" * 256])
def test_what_is_no_key_is_400(api, payer, key):
    assert change(api, payer, {"appeal_days": 30}, key).status_code == 400


def test_a_key_in_use_is_409_and_free_again_when_its_lock_has_run_out(api, payer, manager):
    named = change(api, payer, {"appeal_days": 30}) and IdempotencyKey.objects.get().request
    IdempotencyKey.objects.update(status_code=None, answer=None, digest="")
    busy = change(api, payer, {"appeal_days": 30})
    assert (busy.status_code, busy.json()["code"]) == (409, "key_in_use")
    assert idempotency.take(manager.pk, "k1", named) is None
    with connection.cursor() as cursor:
        cursor.execute("UPDATE access_idempotencykey SET locked_until = now() - interval '1 second'")
    assert change(api, payer, {"appeal_days": 30}).status_code == 200
    assert IdempotencyKey.objects.get().lock_no == 2


def test_an_answer_that_comes_after_the_lock_was_lost_is_not_kept(manager):
    late = idempotency.take(manager.pk, "k1", "a")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE access_idempotencykey SET locked_until = now() - interval '1 second'")
    holder = idempotency.take(manager.pk, "k1", "a")
    assert late
    assert holder
    idempotency.keep(late, "late", 200, {})
    idempotency.forget(late)
    assert IdempotencyKey.objects.get().status_code is None
    idempotency.keep(holder, "mine", 200, {})
    assert IdempotencyKey.objects.get().digest == "mine"


def test_a_key_is_free_again_after_a_day_and_swept(api, payer):
    change(api, payer, {"appeal_days": 30})
    with connection.cursor() as cursor:
        cursor.execute("UPDATE access_idempotencykey SET expires_at = now() - interval '1 second'")
    assert change(api, payer, {"appeal_days": 31}).status_code == 200
    assert idempotency.sweep() == 0
    with connection.cursor() as cursor:
        cursor.execute("UPDATE access_idempotencykey SET expires_at = now() - interval '1 second'")
    assert idempotency.sweep() == 1


def test_many_at_once_are_carried_out_once(manager, payer, monkeypatch):
    done: list[int] = []
    lock = threading.Lock()
    save = Payer.save

    def count(self: Payer, *args: Any, **options: Any) -> None:
        with lock:
            done.append(1)
        save(self, *args, **options)

    monkeypatch.setattr(Payer, "save", count)
    clients = [Client() for _ in range(8)]
    for client in clients:
        client.force_login(manager)
    barrier = threading.Barrier(8)

    def ask(client: Client) -> int:
        barrier.wait(30)
        try:
            return change(client, payer, {"appeal_days": 30}).status_code
        finally:
            close_old_connections()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(ask, clients))
    assert len(done) == 1
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert IdempotencyKey.objects.count() == 1
