"""Tokens: how one is had, how long it lasts, and everything that ends it."""

import base64
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

LOGIN, ME = "/api/v1/auth/login/", "/api/v1/auth/me/"


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def log_in(client: Client, name: str, password: str) -> dict[str, str]:
    answer = client.post(LOGIN, headers=basic(name, password))
    assert answer.status_code == 200, answer.content
    return {"Authorization": f"Token {answer.json()['token']}"}


def test_a_name_and_password_are_worth_a_token(client: Client, biller, password: str) -> None:
    token = log_in(client, "biller", password)
    answer = client.get(ME, headers=token)
    assert answer.json()["username"] == "biller"
    assert answer.json()["practices"][0]["actions"] == ["link", "read", "see_identifiers", "upload", "work_denials"]


def test_only_the_hash_of_a_token_is_kept(client: Client, biller, password: str) -> None:
    token = log_in(client, "biller", password)["Authorization"].removeprefix("Token ")
    kept = AuthToken.objects.get()
    assert token not in (kept.digest, kept.token_key)
    assert len(kept.digest) == 128


def test_a_token_ends_by_itself(client: Client, biller, password: str) -> None:
    token = log_in(client, "biller", password)
    kept = AuthToken.objects.get()
    assert timedelta(hours=9) < kept.expiry - timezone.now() <= timedelta(hours=10)
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert client.get(ME, headers=token).status_code == 401


def test_logging_out_ends_one_token_and_logoutall_every_one(client: Client, biller, password: str) -> None:
    first, second, third = (log_in(client, "biller", password) for _ in range(3))
    assert client.post("/api/v1/auth/logout/", headers=first).status_code == 204
    assert [client.get(ME, headers=token).status_code for token in (first, second)] == [401, 200]
    assert client.post("/api/v1/auth/logoutall/", headers=second).status_code == 204
    assert client.get(ME, headers=third).status_code == 401


def test_a_person_switched_off_has_no_token(client: Client, biller, password: str) -> None:
    token = log_in(client, "biller", password)
    biller.is_active = False
    biller.save()
    assert client.get(ME, headers=token).status_code == 401
    assert client.post(LOGIN, headers=basic("biller", password)).status_code == 401


def test_tokens_are_limited_per_person(client: Client, biller, password: str) -> None:
    for _ in range(20):
        AuthToken.objects.create(biller, expiry=timedelta(hours=1))
    answer = client.post(LOGIN, headers=basic("biller", password))
    assert answer.status_code == 403
    assert answer.json()["code"] == "too_many_tokens"


def test_wrong_name_and_wrong_password_answer_alike(client: Client, biller, password: str) -> None:
    answers = [client.post(LOGIN, headers=basic(*pair)) for pair in (("biller", "wrong"), ("nobody", password))]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].content == answers[1].content


def test_the_sixth_try_is_not_looked_at(client: Client, biller, password: str) -> None:
    statuses = [client.post(LOGIN, headers=basic("biller", "wrong")).status_code for _ in range(5)]
    answer = client.post(LOGIN, headers=basic("biller", password))
    assert statuses == [401, 401, 401, 401, 429]
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (429, "locked", "900")
    assert not AuthToken.objects.exists()


def test_one_account_locked_leaves_the_others_alone(client: Client, biller, manager, password: str) -> None:
    for _ in range(6):
        client.post(LOGIN, headers=basic("biller", "wrong"))
    assert log_in(client, "manager", password)


@pytest.mark.parametrize(
    "header",
    ["Token", "Token a b", "Token " + "é" * 20, "Token \x00", "Token " + "a" * 10_000, "Token 0" * 3, "Bearer x"],
)
def test_what_is_no_token_is_401(header: str, client: Client, biller) -> None:
    assert client.get(ME, headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!", "Basic " + base64.b64encode(b"\x00:\x00").decode(), "Basic Og=="]
)
def test_what_is_no_password_is_401(header: str, client: Client, biller) -> None:
    assert client.post(LOGIN, headers={"Authorization": header}).status_code == 401
    assert not AuthToken.objects.exists()


def test_a_password_opens_nothing_but_the_login(client: Client, biller, password: str) -> None:
    assert client.get(ME, headers=basic("biller", password)).status_code == 401


def test_a_session_writes_only_with_its_csrf_token(manager, practice) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(manager)
    answer = client.patch("/api/v1/payers/1/", {"appeal_days": 5}, content_type="application/json")
    assert answer.status_code == 403
