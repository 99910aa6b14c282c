"""The audit: every read leaves an entry, without a value of anybody's, in a table that nobody edits."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction
from django.test import Client

from marb.access import audit, trail
from marb.access.models import AuditEntry, Membership, Role
from monitoring.tests.conftest import CANARY
from monitoring.tests.rows import Rows


@pytest.fixture(autouse=True)
def empty(db: None) -> Iterator[None]:
    """No entry that another test left waiting, and none left for another."""
    audit.BUFFER.waiting.clear()
    yield
    audit.BUFFER.waiting.clear()


@pytest.fixture
def claim(rows: Rows) -> Any:
    return rows.claims[0]


def written(client: Client, path: str, method: str = "get", **data: Any) -> tuple[Any, list[AuditEntry]]:
    """Ask for a page and get the answer and the entries of that request."""
    answer = getattr(client, method)(path, data) if data else getattr(client, method)(path)
    assert audit.BUFFER.flush()
    return answer, list(AuditEntry.objects.filter(request_id=answer.headers["X-Request-ID"]))


def test_a_detail_leaves_one_entry_that_says_who_what_and_where_from(
    client: Client, biller: Any, claim: Any, practice: Any
) -> None:
    client.force_login(biller)
    for path, kind in ((f"/api/v1/claims/{claim.pk}/", "claim"), (f"/claims/claim/{claim.pk}/change/", "claim")):
        answer, entries = written(client, path)
        assert answer.status_code == 200
        [entry] = entries
        assert (entry.user_id, entry.username, entry.practice_id) == (biller.pk, "biller", practice.pk)
        assert (entry.kind, entry.action, entry.object_ids) == (kind, "read", [claim.pk])
        assert (entry.method, entry.status_code, entry.address) == ("GET", 200, "127.0.0.1")
        assert abs((entry.at - entry.stored_at).total_seconds()) < 3600


def test_a_list_names_the_rows_that_it_showed(client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    for path in ("/api/v1/claims/", "/claims/claim/", "/claims/claim/?q="):
        _, [entry] = written(client, path)
        assert sorted(entry.object_ids) == [claim.pk for claim in rows.claims], path


@pytest.mark.parametrize("kind", ["claims", "remits", "payments", "episodes", "payers", "plans", "providers"])
def test_a_list_from_the_cache_names_the_same_rows(client: Client, biller: Any, rows: Rows, kind: str) -> None:
    client.force_login(biller)
    path = f"/api/v1/{kind}/"
    answer, [filled] = written(client, path)
    _, [hit] = written(client, path)
    shown = [row["id"] for row in answer.json()["results"]]
    assert shown
    assert filled.object_ids == hit.object_ids == shown


def test_what_was_not_shown_is_recorded_as_well(
    client: Client, biller: Any, practice: Any, rows: Rows, other_rows: Rows
) -> None:
    theirs = other_rows.claims[0]
    for path in (f"/api/v1/claims/{theirs.pk}/", f"/claims/claim/{theirs.pk}/change/"):
        client.force_login(biller)
        answer, [entry] = written(client, path)
        assert (answer.status_code, entry.status_code, entry.object_ids) == (404, 404, [theirs.pk])
        # our auditor sees what our biller tried
        assert entry.practice_id == practice.pk
        client.logout()
        answer, [entry] = written(client, path)
        assert (entry.status_code, entry.user_id) == (answer.status_code, None)


def test_a_reader_of_two_practices_leaves_an_entry_in_each(
    client: Client, biller: Any, rows: Rows, other_rows: Rows
) -> None:
    Membership.objects.create(user=biller, practice=other_rows.practice, role=Role.BILLER)
    client.force_login(biller)
    _, entries = written(client, "/api/v1/claims/")
    assert {entry.practice_id: sorted(entry.object_ids) for entry in entries} == {
        house.practice.pk: [claim.pk for claim in house.claims] for house in (rows, other_rows)
    }


def test_an_export_names_what_was_selected(client: Client, biller: Any, claim: Any) -> None:
    client.force_login(biller)
    answer, [entry] = written(client, "/claims/claim/", "post", action="export", _selected_action=[claim.pk, 10**9])
    assert b"".join(answer.streaming_content)
    assert (entry.action, entry.object_ids, entry.method) == ("export", [claim.pk], "POST")
    assert entry.practice_id == claim.practice_id


def test_a_search_is_kept_as_a_digest_that_can_be_looked_for(client: Client, biller: Any, claim: Any) -> None:
    client.force_login(biller)
    for path in (f"/claims/claim/?q={CANARY}", f"/api/v1/claims/?member_id={CANARY}&limit=5&{CANARY}=1"):
        _, [entry] = written(client, path)
        assert f"#{audit.digest_of(CANARY)}" in entry.parameters.values()
        assert CANARY not in json.dumps(entry.parameters)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {trail.TABLE} entry WHERE entry::text LIKE %s", [f"%{CANARY}%"])
        assert cursor.fetchone() == (0,)


def test_what_shows_no_patient_is_not_recorded(client: Client, biller: Any) -> None:
    client.force_login(biller)
    for path in ("/api/v1/health/", "/api/v1/auth/me/", "/jsi18n/"):
        assert written(client, path)[1] == []


def test_a_request_is_recorded_once_whoever_records_it(rf: Any, biller: Any) -> None:
    request = rf.get("/")
    for _ in range(2):
        audit.record(request, None, [(1, None)], kind="claim")
    assert len(audit.BUFFER.waiting) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_auditentry SET username = 'nobody'",
        "DELETE FROM access_auditentry",
        "TRUNCATE access_auditentry",
        "DELETE FROM {month}",
        "TRUNCATE {month}",
    ],
)
def test_no_entry_is_changed_or_taken_away(statement: str, client: Client, biller: Any, claim: Any) -> None:
    client.force_login(biller)
    written(client, f"/api/v1/claims/{claim.pk}/")
    month = f"{trail.TABLE}_{datetime.now(UTC):%Y_%m}"
    with pytest.raises(Error, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(month=month))


def forge(statement: str, *values: Any) -> None:
    """Do what the trigger forbids, as the tables' owner can."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET LOCAL session_replication_role = origin")


def three_entries(client: Client, biller: Any, claim: Any) -> list[int]:
    client.force_login(biller)
    for _ in range(3):
        client.get(f"/api/v1/claims/{claim.pk}/")
    audit.BUFFER.flush()
    return sorted(AuditEntry.objects.order_by("-id").values_list("id", flat=True)[:3])


def test_the_chain_holds_until_a_byte_is_changed(client: Client, biller: Any, claim: Any) -> None:
    before = set(trail.verify())
    _, middle, _ = three_entries(client, biller, claim)
    assert set(trail.verify()) == before
    forge(f"UPDATE {trail.TABLE} SET username = 'nobody' WHERE id = %s", middle)
    assert set(trail.verify()) - before == {middle}
    with pytest.raises(CommandError, match=str(middle)):
        call_command("audit", "verify")


def test_an_entry_taken_away_is_missed_by_the_next_or_by_the_head(client: Client, biller: Any, claim: Any) -> None:
    before = set(trail.verify())
    _, middle, last = three_entries(client, biller, claim)
    forge(f"DELETE FROM {trail.TABLE} WHERE id = %s", middle)
    assert set(trail.verify()) - before == {last}
    forge(f"DELETE FROM {trail.TABLE} WHERE id = %s", last)
    assert set(trail.verify()) - before == {0}


def test_a_new_key_still_verifies_what_the_old_one_wrote(
    settings: Any, client: Client, biller: Any, claim: Any
) -> None:
    before = set(trail.verify())
    three_entries(client, biller, claim)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the new one"
    assert set(trail.verify()) == before
    settings.SECRET_KEY_FALLBACKS = []
    assert set(trail.verify()) != before


def test_months_are_dropped_whole_and_only_when_their_years_are_over(biller: Any) -> None:
    with connection.cursor() as cursor:
        for first in ("2011-01-01", "2012-05-01", "2012-06-01"):
            cursor.execute("SELECT access_open_month(%s)", [first])
    assert trail.drop_expired(datetime(2018, 6, 30, tzinfo=UTC)) == [f"{trail.TABLE}_2011_01", f"{trail.TABLE}_2012_05"]
    assert trail.drop_expired(datetime(2018, 6, 30, tzinfo=UTC)) == []


def test_entries_wait_while_the_database_is_away_and_keep_their_order(
    client: Client, biller: Any, claim: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(biller)
    with monkeypatch.context() as away:
        away.setattr(trail, "store", lambda batch: False)
        ids = [client.get(f"/api/v1/claims/{claim.pk}/").headers["X-Request-ID"] for _ in range(3)]
        assert not audit.BUFFER.flush()
    assert audit.BUFFER.flush()
    kept = AuditEntry.objects.filter(request_id__in=ids).order_by("id")
    assert list(kept.values_list("request_id", flat=True)) == ids


@pytest.mark.parametrize("path", ["/api/v1/claims/{}/", "/claims/claim/{}/change/"])
def test_where_no_more_can_be_recorded_nothing_more_is_read(
    path: str, settings: Any, client: Client, biller: Any, claim: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUDIT_MOST = 2
    monkeypatch.setattr(trail, "store", lambda batch: False)
    client.force_login(biller)
    answers = [client.get(path.format(claim.pk)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 503]
    assert claim.patient_last_name not in answers[2].content.decode()
    assert len(audit.BUFFER.waiting) == 2


def test_a_failing_table_is_told_without_an_entry(
    rf: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit.record(rf.get("/"), None, [(1, None)], kind="claim")
    monkeypatch.setattr(trail, "COLUMNS", ("no_such_column",))
    monkeypatch.setattr(trail, "copy_rows", lambda cursor, *_: cursor.execute("SELECT no_such_column"))
    assert not audit.BUFFER.flush()
    assert len(audit.BUFFER.waiting) == 1
    assert "ProgrammingError" in caplog.text
    assert "no_such_column" not in caplog.text


def test_a_batch_of_many_is_written_whole(rf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "MOST_ROWS", 7)
    before = AuditEntry.objects.count()
    for number in range(50):
        audit.record(rf.get("/"), None, [(number, None)], kind="claim")
    assert audit.BUFFER.flush()
    assert AuditEntry.objects.count() == before + 50
    assert list(AuditEntry.objects.order_by("-id").values_list("object_ids", flat=True)[:2]) == [[49], [48]]
