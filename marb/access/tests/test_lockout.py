"""How many names and passwords may be tried, with a cache and without one."""

import threading
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.test import Client, RequestFactory
from knox.models import AuthToken

from marb.access import throttle
from marb.access.tests.test_tokens import LOGIN, ME, basic

DAY = 86_400_000


@pytest.fixture(params=["cache", "no cache"])
def counted(request: pytest.FixtureRequest, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Limits that no test outlasts, counted for an address of its own by a server that is there or is not."""
    settings.LOGIN_RATE, settings.LOGIN_RATE_ADDRESS = [(5, DAY)], [(8, DAY)]
    # axes would lock at the fifth failure, too
    settings.AXES_ENABLED = False
    if request.param == "no cache":
        request.getfixturevalue("no_cache")
    monkeypatch.setattr(throttle, "LOCAL", throttle.Local())
    address = "192.0.2.33"
    for name in ("biller:", "manager:", "nobody:", ""):
        throttle.forget(f"login:{name}{address}")
    return address


def try_login(client: Client, address: str, name: str, password: str) -> Any:
    return client.post(LOGIN, headers=basic(name, password), REMOTE_ADDR=address)


def test_the_sixth_try_of_a_name_is_not_looked_at(client: Client, biller: Any, password: str, counted: str) -> None:
    statuses = [try_login(client, counted, "biller", "wrong").status_code for _ in range(5)]
    answer = try_login(client, counted, "Biller", password)
    assert statuses == [401] * 5
    assert (answer.status_code, answer.json()["code"]) == (429, "locked")
    assert 0 < int(answer.headers["Retry-After"]) <= DAY // 1000
    assert not AuthToken.objects.exists()


def test_many_names_from_one_address_end_as_well(client: Client, biller: Any, password: str, counted: str) -> None:
    statuses = [try_login(client, counted, f"name{number}", "wrong").status_code for number in range(8)]
    assert statuses == [401] * 8
    assert try_login(client, counted, "biller", password).status_code == 429
    assert try_login(client, "192.0.2.34", "biller", password).status_code == 200


def test_a_login_gives_the_names_tries_back(client: Client, biller: Any, password: str, counted: str) -> None:
    found = [try_login(client, counted, "biller", word).status_code for word in ("wrong", "wrong", password)]
    found += [try_login(client, counted, "biller", "wrong").status_code for _ in range(5)]
    assert found == [401, 401, 200, *[401] * 5]


def test_the_login_page_refuses_like_the_api(client: Client, biller: Any, password: str, counted: str) -> None:
    given = {"username": "biller", "password": "wrong"}
    statuses = [client.post("/login/", given, REMOTE_ADDR=counted).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]


def test_of_a_hundred_tries_at_once_five_are_looked_at(counted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, gate = [], threading.Barrier(100)
    monkeypatch.setattr("django.contrib.auth.backends.ModelBackend.authenticate", lambda *_, **__: looked.append(1))
    monkeypatch.setattr("django.contrib.auth.user_login_failed.send", lambda **_: None)

    def attempt() -> None:
        gate.wait(30)
        authenticate(RequestFactory().post("/", REMOTE_ADDR=counted), username="nobody", password="wrong")

    threads = [threading.Thread(target=attempt) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(looked) == 5


def test_a_new_password_ends_every_token(client: Client, biller: Any, manager: Any, password: str) -> None:
    mine, theirs = (AuthToken.objects.create(person)[1] for person in (biller, manager))
    biller.set_password("another long password")
    biller.save()
    statuses = [client.get(ME, headers={"Authorization": f"Token {token}"}).status_code for token in (mine, theirs)]
    assert statuses == [401, 200]


def test_what_is_not_a_new_password_ends_no_token(client: Client, biller: Any, password: str) -> None:
    AuthToken.objects.create(biller)
    biller.first_name = "Rosalind"
    biller.save()
    # a login may write the same password anew under a better hash
    assert biller.check_password(password)
    client.post("/login/", {"username": "biller", "password": password})
    assert AuthToken.objects.count() == 1
