"""The reader in memory: no query while warm, gone at once with every change made here, soon with any other."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from knox.models import AuthToken

from marb.access import reader
from marb.access.models import Membership, Practice, Role

ME = "/api/v1/auth/me/"


@pytest.fixture
def remembered(settings: Any) -> None:
    """A memory that holds for as long as a test lasts."""
    settings.READER_SECONDS = 3600.0
    reader.MEMORY.clear()


@pytest.fixture
def token(biller: Any) -> str:
    return str(AuthToken.objects.create(biller)[1])


def ask(token: str) -> reader.Reader | None:
    return reader.authenticate(RequestFactory().get(ME, headers={"Authorization": f"Token {token}"}))


@pytest.mark.usefixtures("remembered")
class TestWarm:
    def test_a_warm_token_asks_the_database_nothing(
        self, token: str, biller: Any, practice: Practice, django_assert_num_queries: Any
    ) -> None:
        ask(token)
        with django_assert_num_queries(0):
            found = ask(token)
            assert found is not None
            assert (found.id, found.practice_ids) == (biller.pk, frozenset({practice.pk}))
            assert found.sees_identifiers(practice.pk)
            assert not found.reaches(practice.pk + 1)

    def test_a_warm_session_asks_the_database_nothing(
        self, client: Client, biller: Any, django_assert_num_queries: Any
    ) -> None:
        client.force_login(biller)
        client.get(ME)
        # the list of practices alone
        with django_assert_num_queries(1):
            assert client.get(ME).status_code == 200

    def test_changes_end_it_at_once(self, token: str, biller: Any, practice: Practice) -> None:
        assert ask(token)
        Membership.objects.filter(user=biller).update(role=Role.AUDITOR)
        stale = ask(token)
        assert stale is not None
        assert stale.sees_identifiers(practice.pk)
        Membership.objects.get(user=biller).save()
        fresh = ask(token)
        assert fresh is not None
        assert not fresh.sees_identifiers(practice.pk)
        Membership.objects.filter(user=biller).delete()
        bare = ask(token)
        assert bare is not None
        assert bare.practice_ids == frozenset()

    def test_a_token_given_back_a_person_switched_off_and_a_new_password_end_it(self, biller: Any) -> None:
        def give_back() -> None:
            AuthToken.objects.filter(user=biller).delete()

        def set_password() -> None:
            biller.set_password("another long password")
            biller.save()

        def switch_off() -> None:
            biller.is_active = False
            biller.save()

        for end in (give_back, set_password, switch_off):
            token = AuthToken.objects.create(biller)[1]
            assert ask(token)
            end()
            assert ask(token) is None

    def test_a_token_is_not_remembered_beyond_its_end(self, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
        assert ask(token)
        ten_hours = reader.time.time() + timedelta(hours=11).total_seconds()
        monkeypatch.setattr(reader.time, "time", lambda: ten_hours)
        assert reader.MEMORY.get(reader.hash_token(token)) is None

    def test_what_was_read_before_a_change_is_not_kept_after_it(self, token: str, biller: Any) -> None:
        """The reader's rows are read, then the change comes, then the reader would be kept."""

        def read_then_change() -> Any:
            found = reader.read_token(reader.hash_token(token))
            AuthToken.objects.filter(user=biller).delete()
            return found

        assert reader.remembered("key", read_then_change)
        assert reader.MEMORY.get("key") is None

    def test_a_person_is_every_requests_own(self, token: str) -> None:
        first, second = ask(token), ask(token)
        assert first is not None
        assert second is not None
        assert first.user is second.user
        first.person().username = "somebody else"
        assert second.person().username == "biller"

    def test_the_memory_is_bounded(self, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(reader, "MOST_READERS", 3)
        found = ask(token)
        assert found is not None
        for number in range(10):
            reader.MEMORY.keep(str(number), found, reader.MEMORY.changes)
        assert list(reader.MEMORY.kept) == ["7", "8", "9"]


def test_another_processs_change_is_seen_when_the_moment_is_over(
    settings: Any, token: str, biller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.READER_SECONDS = 1.0
    reader.MEMORY.clear()
    assert ask(token)
    User.objects.filter(pk=biller.pk).update(is_active=False)
    later = reader.time.monotonic() + 1.01
    monkeypatch.setattr(reader.time, "monotonic", lambda: later)
    assert ask(token) is None


def test_one_second_is_the_most_that_is_remembered_unless_somebody_says_otherwise(
    pytestconfig: Any,
) -> None:
    from marb import settings as product

    assert 0 < product.READER_SECONDS <= 2


@pytest.mark.parametrize("header", ["Token", "Token  ", "Token a b", "Token \x00", "Token é", "Token " + "a" * 10_000])
def test_what_is_no_token_is_a_strangers_and_not_looked_up(
    header: str, db: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        assert reader.authenticate(RequestFactory().get(ME, HTTP_AUTHORIZATION=header)) is None


def test_many_threads_find_the_same_reader(settings: Any, token: str) -> None:
    settings.READER_SECONDS = 3600.0
    reader.MEMORY.clear()
    expected, found = ask(token), []
    threads = [threading.Thread(target=lambda: found.append(ask(token))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [expected] * 20
