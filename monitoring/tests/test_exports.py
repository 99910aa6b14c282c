"""Exports and bulk reads of every list: the list's rows, columns, filters, scope and masks, a batch at a time."""

import csv
import io
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from claims.models import Claim
from claims.tests.rows import create_claim
from marb.access.models import Practice
from marb.core import paginator, slots
from marb.pipeline.tests.rows import create_chunk, create_file
from monitoring.tests.addresses import find_addresses
from monitoring.tests.house import House, build_house

LISTS = [*("claims/", "claims/unlinked/", "remits/", "payments/", "episodes/", "files/"), *("payers/", "plans/")]
LISTS += ["providers/", "denials/", "underpayments/", "holds/", "risk/", "risk/models/", "patterns/"]
API = "/api/v1/"


@pytest.fixture
def house(practice: Practice) -> House:
    return build_house(practice, "HERON")


@pytest.fixture
def member(client: Client, administrator, house: House) -> Client:
    client.force_login(administrator)
    return client


@pytest.fixture
def claims(practice: Practice, house: House) -> list[Claim]:
    chunk = create_chunk(create_file(practice, "many.837"))
    return [create_claim(chunk, 1000 + number, patient_control_number=f"N{number}") for number in range(7)]


def text_of(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def rows_of(client: Client, address: str) -> list[Any]:
    answer = client.get(API + address)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in text_of(answer).splitlines()]


@pytest.mark.parametrize("address", LISTS)
def test_an_export_holds_the_rows_of_the_list_as_the_list_shows_them(address: str, member: Client) -> None:
    listed = member.get(API + address).json()["results"]
    assert rows_of(member, f"{address}export/ndjson/") == listed
    found = list(csv.DictReader(io.StringIO(text_of(member.get(f"{API}{address}export/csv/")))))
    assert [row["id"] for row in found] == [str(row["id"]) for row in listed]
    assert listed
    assert [list(row) for row in found] == [list(row) for row in listed]


def test_every_list_has_its_exports() -> None:
    names = {address.name for address in find_addresses()}
    for name in names:
        if name.endswith("-list") and name != "upload-list":
            kind = name.removesuffix("list")
            assert {f"{kind}export-csv", f"{kind}export-ndjson", f"{kind}bulk"} <= names


def test_an_export_keeps_filters_order_columns_and_parts(member: Client, claims: list[Claim]) -> None:
    narrowed = f"file={claims[0].file_id}&ordering=id&fields=id,patient_control_number&limit=3"
    found = rows_of(member, f"claims/export/ndjson/?{narrowed}")
    assert found == [{"id": claim.pk, "patient_control_number": claim.patient_control_number} for claim in claims[:3]]
    expanded = rows_of(member, "claims/export/ndjson/?expand=episode")
    assert {bool(row["episode"]) for row in expanded} == {True, False}


@pytest.mark.parametrize("ordering", ["id", "-id", "service_from_date", "-service_from_date"])
def test_batches_lose_and_double_nothing(
    ordering: str, member: Client, claims: list[Claim], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [row["id"] for row in member.get(f"{API}claims/?ordering={ordering}").json()["results"]]
    monkeypatch.setattr(paginator, "ROWS_AT_ONCE", 2)
    assert [row["id"] for row in rows_of(member, f"claims/export/ndjson/?ordering={ordering}&fields=id")] == whole


def test_a_batch_is_one_query_and_nothing_is_read_ahead(
    member: Client, claims: list[Claim], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paginator, "ROWS_AT_ONCE", 3)
    with CaptureQueriesContext(connection) as begun:
        answer = member.get(f"{API}claims/export/ndjson/")
    # the session, the person, the memberships, the first batch
    assert len(begun) == 4
    with CaptureQueriesContext(connection) as rest:
        assert len(text_of(answer).splitlines()) == 9
    # two more full ones, and the look that finds no more
    assert len(rest) == 3


def test_a_formula_is_not_run_by_a_spreadsheet(member: Client, claims: list[Claim]) -> None:
    claims[0].patient_last_name = '=HYPERLINK("x")'
    claims[0].save()
    found = csv.DictReader(io.StringIO(text_of(member.get(f"{API}claims/export/csv/?file={claims[0].file_id}"))))
    assert [row["patient_last_name"] for row in found if row["id"] == str(claims[0].pk)] == ['\'=HYPERLINK("x")']


def test_identifiers_are_masked_as_in_the_list(member: Client, claims: list[Claim]) -> None:
    claims[0].subscriber_member_id = "W123456789"
    claims[0].save()
    for form in ("csv", "ndjson"):
        text = text_of(member.get(f"{API}claims/export/{form}/"))
        assert "W123456789" not in text
        assert "***6789" in text


@pytest.mark.parametrize(
    ("query", "status_code"),
    [("limit=0", 400), ("limit=x", 400), ("ordering=patient_last_name", 400), ("nothing=1", 400), ("status=no", 400)],
)
def test_a_wrong_request_is_refused_before_the_first_byte(query: str, status_code: int, member: Client) -> None:
    answer = member.get(f"{API}claims/export/csv/?{query}", headers={"Accept": "text/csv"})
    assert (answer.status_code, answer.json()["status_code"]) == (status_code, status_code)
    assert slots.here.open == 0


@pytest.mark.parametrize(
    ("form", "accept", "status_code"),
    [("csv", "text/csv", 200), ("ndjson", "application/x-ndjson", 200), ("csv", "*/*", 200), ("csv", "image/png", 406)],
)
def test_an_export_answers_its_media_type_only(form: str, accept: str, status_code: int, member: Client) -> None:
    answer = member.get(f"{API}claims/export/{form}/", headers={"Accept": accept})
    assert answer.status_code == status_code
    assert answer.getvalue()


def test_a_person_has_so_many_open_at_once_and_an_ended_one_makes_room(member: Client, settings) -> None:
    settings.STREAMS_PER_USER = 2
    first, second, third = (member.get(f"{API}claims/export/csv/") for _ in range(3))
    assert [answer.status_code for answer in (first, second, third)] == [200, 200, 429]
    assert third.headers["Retry-After"]
    assert third.json()["code"] == "too_many_streams"
    text_of(first)
    fourth = member.get(f"{API}claims/export/csv/")
    assert fourth.status_code == 200
    text_of(second)
    text_of(fourth)
    assert slots.here.open == 0


def test_long_answers_leave_threads_for_the_others(member: Client, settings) -> None:
    settings.STREAMS_PER_PROCESS = 0
    answer = member.get(f"{API}claims/export/csv/")
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")


def test_without_the_cache_the_bound_of_the_process_holds(member: Client, settings) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    settings.STREAMS_PER_PROCESS = 1
    first, second = (member.get(f"{API}claims/export/csv/") for _ in range(2))
    assert [first.status_code, second.status_code] == [200, 503]
    text_of(first)


def test_many_rows_are_had_by_their_ids_in_their_order(member: Client, claims: list[Claim]) -> None:
    ids = [claims[2].pk, claims[0].pk, claims[2].pk, 999_999_999]
    with CaptureQueriesContext(connection) as captured:
        answer = member.post(f"{API}claims/bulk/", {"ids": ids}, content_type="application/json")
    assert len(captured) == 4
    found = answer.json()
    assert [row["id"] for row in found["results"]] == [claims[2].pk, claims[0].pk]
    assert found["missing"] == [999_999_999]
    listed = {row["id"]: row for row in member.get(f"{API}claims/").json()["results"]}
    assert all(row == listed[row["id"]] for row in found["results"])


@pytest.mark.parametrize("address", sorted({*LISTS} - {"claims/unlinked/"}))
def test_rows_had_by_their_ids_are_those_of_the_list(address: str, member: Client) -> None:
    listed = member.get(API + address).json()["results"]
    # a score is addressed by its claim
    ids = [row["claim"] if address == "risk/" else row["id"] for row in listed]
    answer = member.post(f"{API}{address}bulk/", {"ids": ids}, content_type="application/json")
    assert (answer.status_code, answer.json()) == (200, {"results": listed, "missing": []})
    narrow = member.post(f"{API}{address}bulk/?fields=id", {"ids": ids}, content_type="application/json")
    assert narrow.json() == {"results": [{"id": row["id"]} for row in listed], "missing": []}


def test_a_part_that_is_none_is_400_though_no_row_would_have_it(member: Client, house: House) -> None:
    assert member.get(f"{API}remits/export/ndjson/?expand=nothing&status=error").status_code == 400


def test_bulk_takes_fields_and_parts(member: Client, house: House) -> None:
    ids = {"ids": [house.objects["claim"].pk]}
    answer = member.post(f"{API}claims/bulk/?fields=status&expand=episode", ids, content_type="application/json")
    row = answer.json()["results"][0]
    assert (set(row), row["episode"]["id"]) == ({"status", "episode"}, house.objects["episode"].pk)


@pytest.mark.parametrize(
    "sent", [{}, {"ids": []}, {"ids": ["7"]}, {"ids": [True]}, {"ids": [2**63]}, {"ids": [-1]}, {"ids": [1] * 1001}, []]
)
def test_what_are_no_ids_is_400(sent: Any, member: Client) -> None:
    answer = member.post(f"{API}claims/bulk/", json.dumps(sent), content_type="application/json")
    assert (answer.status_code, answer.json()["status_code"]) == (400, 400)


def test_an_auditor_reads_in_bulk_and_a_stranger_does_not(client: Client, auditor, house: House) -> None:
    ids = {"ids": [house.objects["claim"].pk]}
    assert client.post(f"{API}claims/bulk/", ids, content_type="application/json").status_code == 401
    client.force_login(auditor)
    answer = client.post(f"{API}claims/bulk/", ids, content_type="application/json")
    assert len(answer.json()["results"]) == 1


def test_another_practices_ids_are_missing_like_ids_of_nothing(
    member: Client, house: House, other_practice: Practice
) -> None:
    theirs = build_house(other_practice, "MAGPIE")
    for address in (address for address in find_addresses() if address.name.endswith("-bulk")):
        kind = address.name.removesuffix("-bulk")
        ids = [theirs.objects[kind].pk, house.objects[kind].pk]
        answer = member.post(address.path(), {"ids": ids}, content_type="application/json")
        assert answer.json()["missing"] == ids[:1], address.name
        assert "MAGPIE" not in answer.content.decode()


def test_a_detail_answers_only_the_fields_asked_for(member: Client, house: House) -> None:
    path = f"{API}claims/{house.objects['claim'].pk}/"
    found = member.get(f"{path}?fields=id,lines").json()
    assert set(found) == {"id", "lines"}
    assert found["lines"] == member.get(path).json()["lines"]
    assert member.get(f"{path}?fields=password").status_code == 400
    for kind in ("claim", "remittance"):
        place = "claims" if kind == "claim" else "remits"
        alone = member.get(f"{API}{place}/{house.objects[kind].pk}/?fields=findings")
        assert [row["message"] for row in alone.json()["findings"]] == ["HERON finding"]
