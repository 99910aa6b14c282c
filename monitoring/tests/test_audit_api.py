"""/audit/: who read what, for those who watch over it; what left by an export; what was odd in a day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from marb.access import audit, odd
from marb.access.models import AuditEntry, Membership, Practice, Role
from marb.access.trail import store
from marb.core import paginator
from monitoring.tests.conftest import CANARY
from monitoring.tests.rows import Rows
from monitoring.tests.test_audit import written

URL = "/api/v1/audit/"
DAY = date(2026, 3, 20)
NOON = datetime(2026, 3, 20, 16, tzinfo=UTC)


@pytest.fixture(autouse=True)
def empty(db: None) -> Iterator[None]:
    audit.BUFFER.waiting.clear()
    yield
    audit.BUFFER.waiting.clear()


def keep(practice: Practice, user: Any, at: datetime, **other: Any) -> None:
    """Record one reading as marb.access.trail does."""
    said: dict[str, Any] = {"kind": "claim", "action": "read", "ids": [1], "parameters": {}, "status": 200}
    said |= {"address": "10.0.0.1", "request_id": "", **other}
    head = (at, practice.pk, user.pk, user.username, said["kind"], said["action"], "claim-list", "GET")
    tail = (said["ids"], said["parameters"], said["status"], said["address"], said["request_id"])
    assert store([(*head, *tail)])


def listed(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(URL + query)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


@pytest.mark.parametrize(
    ("role", "status"), [("administrator", 200), ("auditor", 200), ("manager", 403), ("biller", 403)]
)
def test_those_who_watch_see_it_and_nobody_else(
    role: str, status: int, request: pytest.FixtureRequest, client: Client, rows: Rows
) -> None:
    client.force_login(request.getfixturevalue(role))
    number = AuditEntry.objects.filter(practice=rows.practice)[0].pk
    for path in ("", "odd/", "export/csv/", "export/ndjson/", f"{number}/"):
        answer = client.get(URL + path)
        assert answer.status_code == status, path
        assert answer.getvalue()
    assert client.post(f"{URL}bulk/", {"ids": [number]}, content_type="application/json").status_code == status


def test_an_auditor_sees_her_own_practice_alone(
    client: Client, auditor: Any, biller: Any, rows: Rows, other_rows: Rows
) -> None:
    Membership.objects.create(user=auditor, practice=other_rows.practice, role=Role.BILLER)
    client.force_login(auditor)
    keep(other_rows.practice, biller, NOON, request_id=f"{CANARY}-1")
    assert {row["practice"] for row in listed(client)} == {rows.practice.pk}
    for path in ("", "odd/?day=2026-03-20", "export/csv/", "export/ndjson/"):
        answer = client.get(URL + path)
        assert CANARY not in (answer.getvalue() if answer.streaming else answer.content).decode(), path
    theirs = AuditEntry.objects.get(request_id=f"{CANARY}-1")
    assert client.get(f"{URL}{theirs.pk}/").status_code == 404


def test_it_is_narrowed_by_person_kind_day_and_what_was_read(
    client: Client, auditor: Any, biller: Any, manager: Any, practice: Practice
) -> None:
    client.force_login(auditor)
    keep(practice, biller, NOON, ids=[77], request_id="a" * 8)
    keep(practice, manager, NOON + timedelta(days=1), kind="payment", action="export")
    for query, count in (
        *(("", 2), ("?person=biller", 1), ("?person=nobody", 0), ("?kind=payment", 1), ("?action=export", 1)),
        *(("?day=2026-03-20", 1), ("?day=2026-03-19", 0), ("?at_from=2026-03-21T00:00:00Z", 1), ("?object=77", 1)),
        *((f"?request_id={'a' * 8}", 1), ("?person=biller&kind=payment", 0), ("?practice=other", 0)),
    ):
        assert len(listed(client, query)) == count, query
    assert client.get(f"{URL}?day=9999-12-31").status_code == 400
    assert client.get(f"{URL}?username=biller").status_code == 400


def test_one_who_is_no_more_is_found_by_name(client: Client, auditor: Any, biller: Any, practice: Practice) -> None:
    keep(practice, biller, NOON)
    biller.delete()
    client.force_login(auditor)
    assert [row["username"] for row in listed(client, "?person=biller")] == ["biller"]


def test_pages_go_on_by_cursor_and_cost_the_same(client: Client, auditor: Any, biller: Any, practice: Practice) -> None:
    client.force_login(auditor)
    for _ in range(5):
        keep(practice, biller, NOON)
    seen: list[int] = []
    path, costs = f"{URL}?limit=2", []
    while path:
        with CaptureQueriesContext(connection) as captured:
            page = client.get(path).json()
        seen += [row["id"] for row in page["results"]]
        costs.append(len(captured))
        path = page["next"]
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 5
    assert set(costs) == {4}


def test_reading_the_audit_is_recorded_itself(client: Client, auditor: Any, rows: Rows) -> None:
    client.force_login(auditor)
    shown = [entry.pk for entry in AuditEntry.objects.for_user(auditor).order_by("-id")]
    _, [entry] = written(client, URL)
    assert (entry.kind, entry.username, entry.practice_id) == ("audit", "auditor", rows.practice.pk)
    assert entry.object_ids == shown


def test_a_value_that_was_searched_for_is_not_in_it(client: Client, auditor: Any, rows: Rows) -> None:
    client.force_login(auditor)
    written(client, f"/api/v1/claims/?member_id={CANARY}")
    assert CANARY not in client.get(URL).content.decode()


@pytest.mark.parametrize(
    ("path", "method", "data"),
    [
        ("/api/v1/claims/export/csv/?limit=2", "get", {}),
        ("/api/v1/claims/export/ndjson/?limit=2", "get", {}),
        ("/claims/claim/", "post", {"action": "export", "select_across": "1", "_selected_action": [1]}),
    ],
)
def test_an_export_leaves_how_many_rows_went_out(
    path: str, method: str, data: dict[str, Any], client: Client, biller: Any, rows: Rows
) -> None:
    client.force_login(biller)
    answer = getattr(client, method)(path, data)
    assert answer.getvalue()
    assert audit.BUFFER.flush()
    begun, ended = AuditEntry.objects.filter(request_id=answer.headers["X-Request-ID"]).order_by("id")
    assert (begun.action, ended.action, ended.kind) == ("export", "exported", "claim")
    assert (ended.practice_id, ended.username, ended.object_ids) == (rows.practice.pk, "biller", [])
    form = "ndjson" if "ndjson" in path else "csv"
    assert ended.parameters["rows"] == ("2" if method == "get" else "3")
    assert ended.parameters["form"] == form


def test_an_export_of_two_practices_is_told_to_each(client: Client, biller: Any, rows: Rows, other_rows: Rows) -> None:
    Membership.objects.create(user=biller, practice=other_rows.practice, role=Role.BILLER)
    client.force_login(biller)
    answer = client.get("/api/v1/claims/export/csv/?fields=id")
    assert answer.getvalue()
    assert audit.BUFFER.flush()
    ended = AuditEntry.objects.filter(request_id=answer.headers["X-Request-ID"], action="exported")
    assert {entry.practice_id: entry.parameters["rows"] for entry in ended} == {
        rows.practice.pk: "3",
        other_rows.practice.pk: "3",
    }


def test_an_export_that_was_broken_off_tells_what_had_left(
    client: Client, biller: Any, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paginator, "ROWS_AT_ONCE", 1)
    client.force_login(biller)
    answer: Any = client.get("/api/v1/claims/export/ndjson/")
    next(iter(answer.streaming_content))
    # as the server closes it, without Django's end of a request, which would take the test's connection
    for close in answer._resource_closers:
        close()
    assert audit.BUFFER.flush()
    ended = AuditEntry.objects.get(request_id=answer.headers["X-Request-ID"], action="exported")
    assert ended.parameters["rows"] == "1"


def test_an_export_that_cannot_be_recorded_at_its_end_is_told_of(
    client: Client, biller: Any, rows: Rows, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr("marb.access.trail.store", lambda batch: False)
    settings.AUDIT_MOST = 1
    client.force_login(biller)
    assert client.get("/api/v1/claims/export/csv/").getvalue()
    assert "the end of an export of 3 rows is not recorded" in caplog.text


def found(day: date = DAY) -> dict[str, tuple[int, int]]:
    return {each.rule: (each.number, each.usual) for each in odd.find(day, Practice.objects.all())}


def test_a_usual_day_is_not_odd(biller: Any, practice: Practice) -> None:
    for days in range(5):
        keep(practice, biller, NOON - timedelta(days=days), ids=list(range(400)))
    assert found() == {}


def test_far_more_than_usual_is_odd(biller: Any, practice: Practice) -> None:
    for days in range(1, 5):
        keep(practice, biller, NOON - timedelta(days=days), ids=list(range(200)))
    keep(practice, biller, NOON, ids=list(range(601)))
    assert found() == {"many": (601, 200)}
    assert found(DAY - timedelta(days=1)) == {}


def test_exports_refusals_nights_and_new_addresses_are_odd(biller: Any, practice: Practice) -> None:
    keep(practice, biller, NOON - timedelta(days=1))
    keep(practice, biller, NOON, action="exported", ids=[], parameters={"rows": "5000", "form": "csv"})
    for _ in range(20):
        keep(practice, biller, NOON, status=404)
    # half past three in New York
    for _ in range(10):
        keep(practice, biller, datetime(2026, 3, 20, 7, 30, tzinfo=UTC), address="10.0.0.2")
    expected = {"exported": (5000, 0), "refused": (20, 0), "night": (10, 0), "new_address": (10, 1)}
    assert found() == expected


def test_a_practice_with_a_clock_that_nobody_knows_is_read_by_utc(biller: Any, practice: Practice) -> None:
    Practice.objects.update(time_zone="Nowhere/At All")
    for _ in range(10):
        keep(practice, biller, datetime(2026, 3, 20, 3, tzinfo=UTC))
    assert found() == {"night": (10, 0)}


def test_what_was_odd_is_told_to_those_who_watch(
    client: Client, auditor: Any, biller: Any, practice: Practice, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(20):
        keep(practice, biller, NOON, status=404)
    client.force_login(auditor)
    answer = client.get(f"{URL}odd/?day=2026-03-20").json()
    [told] = answer["results"]
    assert (answer["day"], told["username"], told["rule"], told["number"]) == ("2026-03-20", "biller", "refused", 20)
    assert told["sentence"].startswith("20 requests were refused")
    call_command("audit", "odd", "--day", "2026-03-20")
    assert "main  biller  refused: 20 requests" in capsys.readouterr().out


@pytest.mark.parametrize("query", ["day=", "day=abc", "day=2026-02-30", "day=0001-01-01", "day=9999-12-31", "kind=x"])
def test_a_day_that_is_none_is_400(query: str, client: Client, auditor: Any) -> None:
    client.force_login(auditor)
    assert client.get(f"{URL}odd/?{query}").status_code == 400


def test_it_is_throttled_like_everything(client: Client, auditor: Any, settings: Any) -> None:
    settings.API_RATE_MINUTE, settings.API_RATE_HOUR = 3, 100
    client.force_login(auditor)
    answers = [client.get(URL) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].headers["Retry-After"]
