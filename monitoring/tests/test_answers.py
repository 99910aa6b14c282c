"""Cached answers of the API: who gets which, at what cost, and that a server that is away is nobody's trouble."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from django.db import connection
from django.test import Client
from knox.models import AuthToken
from redis.backoff import NoBackoff
from redis.retry import Retry

from claims.models import Claim
from claims.tests.rows import create_claim, create_line
from conftest import create_member
from marb.access import hits, throttle, warm
from marb.access.answers import KeptViewSet
from marb.access.models import Membership, Practice, Role
from marb.core.cache import breaker, forget_pattern, memory, server, touching
from marb.core.embedded.valkey import binary
from marb.core.paginator import KeyPagination
from marb.parties.tests.rows import create_payer
from marb.pipeline.models import EdiFile
from marb.pipeline.tests.rows import create_chunk, create_file

pytestmark = pytest.mark.django_db(transaction=True)
URL = "/api/v1/claims/"


@pytest.fixture
def claim(practice: Practice) -> Claim:
    found = create_claim(create_chunk(create_file(practice)), 100, payer=create_payer(practice))
    create_line(found)
    return found


def token(user: Any) -> dict[str, str]:
    return {"Authorization": f"Token {AuthToken.objects.create(user)[1]}"}


@pytest.fixture
def misses(monkeypatch) -> list[str]:
    """The addresses that CachedAnswers left to the whole path, or had a view make anew."""
    seen: list[str] = []
    grant, read = hits.CachedAnswers.answer, hits.door.read

    def watched_read(request: Any, wanted: Any, fill: Any) -> Any:
        found = read(request, wanted, fill)
        if not found.is_hit:
            seen.append(request.get_full_path())
        return found

    def watched(self: Any, request: Any) -> Any:
        found = grant(self, request)
        if found is None:
            seen.append(request.get_full_path())
        return found

    monkeypatch.setattr(hits.CachedAnswers, "answer", watched)
    monkeypatch.setattr(hits.door, "read", watched_read)
    return seen


def leave_to_the_whole_path(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(hits.CachedAnswers, "answer", lambda self, request: None)


def test_a_second_reading_is_the_same_bytes_without_a_query_for_rows(
    client: Client, biller, claim: Claim, misses: list[str], django_assert_num_queries
) -> None:
    headers = token(biller)
    plain = (f"{URL}{claim.pk}/", URL, f"{URL}?status=processed&limit=5")
    for path in (*plain, f"{URL}{claim.pk}/?expand=episode", f"{URL}?expand=episode"):
        first = client.get(path, headers=headers)
        # the token with its person, her roles
        with django_assert_num_queries(2):
            second = client.get(path, headers=headers)
        assert (first.status_code, first.content) == (second.status_code, second.content) == (200, first.content)
        assert second.headers["Cache-Control"] == first.headers["Cache-Control"] == "private, no-store"
        for name in ("X-Frame-Options", "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"):
            assert second.headers[name] == first.headers[name]
    assert len(misses) == 5
    # an answer that may be told in endlessly many ways is not kept
    twice = f"{URL}{claim.pk}/?expand=episode,episode"
    assert [client.get(twice, headers=headers).status_code for _ in range(2)] == [200, 200]
    assert len(misses) == 7


def test_a_session_meets_the_same_entries(client: Client, biller, claim: Claim, django_assert_num_queries) -> None:
    first = client.get(f"{URL}{claim.pk}/", headers=token(biller))
    client.force_login(biller)
    # the session, the person, her roles
    with django_assert_num_queries(3):
        assert client.get(f"{URL}{claim.pk}/").content == first.content


def test_an_auditor_is_not_answered_with_what_a_biller_read(
    client: Client, biller, auditor, claim: Claim, misses: list[str]
) -> None:
    for _ in range(2):
        full, masked = (client.get(f"{URL}{claim.pk}/", headers=token(user)).json() for user in (biller, auditor))
        assert (full["subscriber_member_id"], masked["subscriber_member_id"]) == ("W123456789", "***6789")
    assert len(misses) == 2


def test_another_practice_gets_404_and_no_list_of_ours_however_warm(
    client: Client, biller, claim: Claim, other_practice: Practice, django_user_model, password: str
) -> None:
    stranger = django_user_model.objects.create_user("stranger", password=password)
    Membership.objects.create(practice=other_practice, user=stranger, role=Role.ADMINISTRATOR)
    theirs = token(stranger)
    for _ in range(3):
        assert client.get(f"{URL}{claim.pk}/", headers=token(biller)).status_code == 200
        assert client.get(f"{URL}{claim.pk}/", headers=theirs).status_code == 404
        assert client.get(URL, headers=token(biller)).json()["results"]
        assert client.get(URL, headers=theirs).json()["results"] == []


def test_a_member_of_two_practices_is_shown_each_row_as_her_role_there_allows(
    client: Client, biller, claim: Claim, other_practice: Practice
) -> None:
    other = create_claim(create_chunk(create_file(other_practice)))
    Membership.objects.create(practice=other_practice, user=biller, role=Role.AUDITOR)
    headers = token(biller)
    for _ in range(2):
        shown = [
            client.get(f"{URL}{pk}/", headers=headers).json()["subscriber_member_id"] for pk in (claim.pk, other.pk)
        ]
        assert shown == ["W123456789", "***6789"]
        assert client.get(f"{URL}999999999/", headers=headers).status_code == 404


def test_a_changed_membership_is_a_changed_answer(client: Client, biller, claim: Claim) -> None:
    headers = token(biller)
    assert client.get(f"{URL}{claim.pk}/", headers=headers).status_code == 200
    Membership.objects.filter(user=biller).delete()
    assert client.get(f"{URL}{claim.pk}/", headers=headers).status_code in (403, 404)


def test_hits_and_misses_answer_as_the_whole_path_does(
    client: Client, biller, claim: Claim, misses: list[str], settings, monkeypatch
) -> None:
    # what differs by request; and DRF's list of methods
    own = {"X-Request-ID", "X-Process-Time", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Allow"}
    settings.API_RATE_MINUTE = settings.API_RATE_HOUR = 1_000
    settings.SECURE_HSTS_SECONDS = 60
    headers = token(biller) | {"Accept-Encoding": "gzip"}
    for is_secure in (False, True):
        for path in (f"{URL}{claim.pk}/", URL):
            forget_pattern("claim:*")
            with monkeypatch.context() as patch:
                leave_to_the_whole_path(patch)
                whole = client.get(path, headers=headers, secure=is_secure)
            forget_pattern("claim:*")
            miss, hit = (client.get(path, headers=headers, secure=is_secure) for _ in range(2))
            shown, filled, cached = (
                {n: v for n, v in each.headers.items() if n not in own} for each in (whole, miss, hit)
            )
            assert cached == filled == shown
            assert hit.content == miss.content == whole.content
            assert ("Strict-Transport-Security" in cached) == is_secure
            assert hit.headers["X-RateLimit-Limit"] == "1000"
    assert len(misses) == 4


def test_a_file_is_answered_as_it_is_now_without_the_whole_path(
    client: Client, biller, claim: Claim, misses: list[str], monkeypatch, django_assert_num_queries
) -> None:
    path, headers = f"/api/v1/files/{claim.file_id}/", token(biller)
    with monkeypatch.context() as patch:
        leave_to_the_whole_path(patch)
        whole = client.get(path, headers=headers)
    recorded: list[Any] = []
    record = hits.door.record

    def watched(request: Any, place: str, rows: Any, status_code: int) -> str:
        recorded.append((place, list(rows)))
        return record(request, place, rows, status_code)

    monkeypatch.setattr(hits.door, "record", watched)
    # the token, her roles; the file, its progress
    with django_assert_num_queries(4):
        assert client.get(path, headers=headers).content == whole.content
    EdiFile.objects.filter(pk=claim.file_id).update(name="other.x12")
    found = client.get(path, headers=headers)
    assert (found.json()["name"], found.headers["Cache-Control"]) == ("other.x12", "private, no-store")
    assert recorded == [("file-detail", [(claim.file_id, claim.practice_id)])] * 2
    assert misses == []
    assert client.get("/api/v1/files/999999/", headers=headers).status_code == 404


def test_who_asks_too_often_has_nothing_made_for_her(
    client: Client, biller, claim: Claim, misses: list[str], settings, monkeypatch
) -> None:
    settings.API_RATE_MINUTE = 1
    headers = token(biller)
    assert client.get("/api/v1/auth/me/", headers=headers).status_code == 200
    monkeypatch.setattr(KeptViewSet, "fill_row", lambda *_: pytest.fail("made for one who asks too often"))
    for path in (f"{URL}{claim.pk}/", f"/api/v1/files/{claim.file_id}/"):
        assert client.get(path, headers=headers).status_code == 429


def test_a_hit_is_packed_for_those_who_take_it_so(client: Client, biller, claim: Claim) -> None:
    headers = token(biller)
    for path in (f"{URL}{claim.pk}/", URL):
        plain = client.get(path, headers=headers)
        for _ in range(3):
            packed = client.get(path, headers=headers | {"Accept-Encoding": "deflate, gzip"})
            assert packed.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(packed.content) == plain.content
            assert packed.headers["ETag"] == f"W/{plain.headers['ETag']}"
            assert packed.headers["Content-Length"] == str(len(packed.content))
        known = {"If-None-Match": packed.headers["ETag"], "Accept-Encoding": "gzip"}
        assert client.get(path, headers=headers | known).status_code == 304


def test_a_hit_by_plain_http_is_redirected_like_every_request(client: Client, biller, claim: Claim, settings) -> None:
    headers = token(biller)
    assert client.get(f"{URL}{claim.pk}/", headers=headers).status_code == 200
    settings.SECURE_SSL_REDIRECT = True
    # a new client: Django reads the setting once
    statuses = [Client().get(f"{URL}{claim.pk}/", headers=headers, secure=each).status_code for each in (False, True)]
    assert statuses == [301, 200]


def test_a_hit_is_one_trip_with_its_throttle(client: Client, biller, claim: Claim, settings, monkeypatch) -> None:
    settings.API_RATE_MINUTE = settings.API_RATE_HOUR = 1_000
    headers = token(biller)
    for path in (f"{URL}{claim.pk}/", URL):
        client.get(path, headers=headers)
    trips: list[str] = []
    connect, ours = server.get_redis_connection, threading.current_thread()

    def counted(alias: str) -> Any:
        # the thread that hands on the cache's statistics makes trips of its own
        if threading.current_thread() is ours:
            trips.append(alias)
        return connect(alias)

    monkeypatch.setattr(server, "get_redis_connection", counted)
    for path in (f"{URL}{claim.pk}/", URL):
        trips.clear()
        assert client.get(path, headers=headers).headers["X-RateLimit-Limit"] == "1000"
        assert len(trips) == 1


def test_the_request_too_many_is_refused_however_warm(client: Client, biller, claim: Claim, monkeypatch) -> None:
    # a limit that no slow machine outlasts
    monkeypatch.setattr(throttle, "person_windows", lambda: [(3, 86_400_000)])
    throttle.forget(f"user:{biller.pk}")
    headers = token(biller)
    answers = [client.get(f"{URL}{claim.pk}/", headers=headers) for _ in range(5)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    assert [each.headers["X-RateLimit-Remaining"] for each in answers] == ["2", "1", "0", "0", "0"]
    assert answers[-1].json()["code"] == "throttled"
    throttle.forget(f"user:{biller.pk}")


def test_who_has_the_bytes_already_is_told_so(client: Client, biller, claim: Claim) -> None:
    headers = token(biller)
    for path in (f"{URL}{claim.pk}/", URL):
        etag = client.get(path, headers=headers).headers["ETag"]
        for _ in range(2):
            answer = client.get(path, headers=headers | {"If-None-Match": etag})
            assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
        assert client.get(path, headers=headers | {"If-None-Match": '"other"'}).status_code == 200


def test_the_links_of_a_cached_page_name_the_server_as_the_caller_does(
    client: Client, biller, claim: Claim, settings
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    create_claim(claim.chunk, 300)
    for host in ("one.example", "two.example", "one.example"):
        page = client.get(f"{URL}?limit=1", headers=token(biller) | {"Host": host}).json()
        assert page["next"].startswith(f"http://{host}{URL}?")


def test_a_miss_is_filled_once_and_a_wrong_request_is_the_whole_paths(client: Client, biller, claim: Claim) -> None:
    headers = token(biller)
    for path, status in (
        *((f"{URL}{claim.pk}/?expand=nothing", 400), (f"{URL}?unknown=1", 400), (f"{URL}{'9' * 18}/", 404)),
        (f"{URL}{claim.pk}/?expand=episode", 200),
    ):
        assert [client.get(path, headers=headers).status_code for _ in range(2)] == [status, status], path
    for number in ("9" * 19, "\u0661", "1.0"):
        assert client.get(f"{URL}{number}/", headers=headers).status_code in (302, 404)
    assert client.get(URL, headers={"Authorization": "Token wrong"}).status_code == 401
    assert client.get(URL, headers=headers | {"Host": "evil.example"}).status_code == 400


WRITES: dict[str, Callable[[Claim], object]] = {
    "save": lambda claim: Claim(pk=claim.pk, **changed(claim)).save(update_fields=["status"]),
    "update": lambda claim: Claim.objects.filter(pk=claim.pk).update(status="incomplete"),
    "sql": lambda claim: by_sql(claim),
}


def changed(claim: Claim) -> dict[str, Any]:
    return {"practice_id": claim.practice_id, "status": "incomplete"}


def by_sql(claim: Claim) -> None:
    with touching(claim.practice_id, "claim"), connection.cursor() as cursor:
        cursor.execute("UPDATE claims_claim SET status = 'incomplete' WHERE id = %s", [claim.pk])


@pytest.mark.parametrize("way", WRITES)
def test_what_is_written_is_read_at_once(way: str, client: Client, biller, claim: Claim) -> None:
    headers = token(biller)
    for _ in range(2):
        assert client.get(f"{URL}{claim.pk}/", headers=headers).json()["status"] == "processed"
        assert client.get(URL, headers=headers).json()["results"][0]["status"] == "processed"
    WRITES[way](claim)
    assert client.get(f"{URL}{claim.pk}/", headers=headers).json()["status"] == "incomplete"
    assert client.get(URL, headers=headers).json()["results"][0]["status"] == "incomplete"


def test_a_row_that_was_not_there_is_found_when_it_comes(client: Client, biller, claim: Claim) -> None:
    headers = token(biller)
    path = f"{URL}{claim.pk + 1}/"
    assert [client.get(path, headers=headers).status_code for _ in range(2)] == [404, 404]
    created = create_claim(claim.chunk, 300)
    assert created.pk == claim.pk + 1
    assert client.get(path, headers=headers).status_code == 200


# --- the server dies under load (FAULTS F4) ---------------------------------------------------------------------------


@contextmanager
def running(port: int, folder: str) -> Iterator[Any]:
    import subprocess

    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder]
    process = subprocess.Popen([binary(), *options], stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_ready(client: redis.Redis) -> None:
    until = threading.Event()
    for _ in range(600):
        try:
            client.ping()
        except redis.RedisError:
            until.wait(0.05)
        else:
            return
    raise AssertionError("the server did not start")


def test_a_cache_that_is_killed_under_load_costs_nobody_an_error(monkeypatch, tmp_path, biller, claim: Claim) -> None:
    port, headers = free_port(), token(biller)
    own = redis.Redis(port=port, socket_timeout=0.25, socket_connect_timeout=0.25, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(server, "BREAKER", breaker.Breaker(server.time.monotonic, pause=0.1))
    monkeypatch.setattr(server, "OWED", set())
    monkeypatch.setattr(server, "get_redis_connection", lambda alias: own)
    statuses: list[int] = []

    def reader() -> None:
        browser = Client(raise_request_exception=False)
        for _ in range(25):
            statuses.append(browser.get(f"{URL}{claim.pk}/", headers=headers).status_code)
        connection.close()

    def read_all() -> None:
        threads = [threading.Thread(target=reader) for _ in range(4)]
        for thread in threads:
            thread.start()
        threads[0].join(0.2)
        if process.poll() is None and len(statuses) < 150:
            process.kill()
        for thread in threads:
            thread.join()

    with running(port, str(tmp_path)) as process:
        wait_ready(own)
        Client().get(f"{URL}{claim.pk}/", headers=headers)
        read_all()
    assert server.BREAKER.is_open or process.returncode is not None
    read_all()
    assert (set(statuses), len(statuses), server.BREAKER.is_open) == ({200}, 200, True)
    with running(port, str(tmp_path)) as process:
        wait_ready(own)
        memory.MEMORY.clear()
        for _ in range(600):
            Client().get(f"{URL}{claim.pk}/", headers=headers)
            if not server.BREAKER.is_open:
                break
            threading.Event().wait(0.05)
        assert not server.BREAKER.is_open
    own.close()


def test_members_of_a_role_share_entries(client: Client, biller, claim: Claim, practice, misses, password) -> None:
    manager = create_member(practice, Role.MANAGER, password)
    for user in (biller, manager):
        assert client.get(f"{URL}{claim.pk}/", headers=token(user)).status_code == 200
    assert len(misses) == 1


def test_what_was_warmed_is_met_by_the_first_reader(
    client: Client, biller, auditor, claim: Claim, misses: list[str]
) -> None:
    assert warm.warm_practice(claim.practice_id) > 0
    for user, member_id in ((biller, "W123456789"), (auditor, "***6789")):
        headers = token(user)
        assert client.get(f"{URL}{claim.pk}/", headers=headers).json()["subscriber_member_id"] == member_id
        assert [row["id"] for row in client.get(URL, headers=headers).json()["results"]] == [claim.pk]
        assert client.get("/api/v1/payers/", headers=headers).status_code == 200
    assert misses == []


def test_the_links_of_a_warmed_page_are_those_of_its_own_address(
    client: Client, biller, claim: Claim, misses: list[str], monkeypatch
) -> None:
    monkeypatch.setattr(KeyPagination, "default_limit", 1)
    create_claim(claim.chunk, 300)
    warm.warm_practice(claim.practice_id)
    page = client.get(URL, headers=token(biller)).json()
    assert page["next"].startswith(f"http://testserver{URL}?cursor=")
    assert [row["id"] for row in client.get(page["next"], headers=token(biller)).json()["results"]] == [claim.pk]
    assert len(misses) == 1
