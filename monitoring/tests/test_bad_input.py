"""What strangers' and members' odd requests get: a 4xx in the one shape, never a 500, and never their value back."""

import json

import pytest
from django.test import Client

from marb.access.models import Practice
from monitoring.tests.addresses import find_addresses
from monitoring.tests.house import House, build_house

NO_IDS = [
    *("-1", "0", "00", str(2**63), str(2**64), "9" * 400, "1.0", "1' OR 1=1--", "%00", "١", "1%0a", "abc", "+1", "1e3"),
]
NO_LIMITS = ["10000000", "1001", "0", "-1", "abc", "1e3", "١٢", "", "1.0", " 5", "%00"]
NO_CURSORS = [
    *("", "abc", "====", "W10=", "WzEsMiwzXQ==", "é", "%00", "A" * 10_000),
    # [false,null,9223372036854775808]
    "W2ZhbHNlLG51bGwsOTIyMzM3MjAzNjg1NDc3NTgwOF0=",
]
NO_QUERIES = [
    *("ordering=payer__user__password", "ordering=patient_last_name", "status__regex=(a%2B)%2B%24", "_connector=OR"),
    *("_negated=1", "practice__code=main", "status=nothing", "payer=1.0", f"payer={2**64}", "payer=%00", "file=-1"),
    *("control_number=%00", f"control_number={'A' * 10_000}", "service_from=2026-02-30", "service_from=abc"),
    *("created_from=99999-01-01", "is_clean=perhaps", "fields=password", "fields=", "fields=id,,id", "expand=nothing"),
    *("expand=", "claim_type=%3Cscript%3E", "frequency_code=11", "fields=practice_id", "fields=payer__name"),
]


@pytest.fixture
def house(practice: Practice) -> House:
    return build_house(practice, "HERON")


@pytest.fixture
def member(client: Client, biller) -> Client:
    client.force_login(biller)
    client.raise_request_exception = False
    return client


def refused(answer, *statuses: int) -> bool:
    body = json.loads(answer.content)
    return answer.status_code in statuses and set(body) == {"message", "code", "status_code", "details"}


@pytest.mark.parametrize("no_id", NO_IDS)
def test_what_is_no_id_is_404_at_every_address(no_id: str, member: Client, house: House) -> None:
    for address in find_addresses():
        for name in address.arguments:
            arguments = {**house.arguments(address.name, address.arguments), name: 77777}
            path = address.path(**arguments).replace("77777", no_id)
            assert refused(member.get(path), 404, 405), (path, member.get(path).content)


@pytest.mark.parametrize("limit", NO_LIMITS)
def test_a_limit_is_a_whole_number_from_1_to_1000(limit: str, member: Client, house: House) -> None:
    assert refused(member.get(f"/api/v1/claims/?limit={limit}"), 400)


@pytest.mark.parametrize("cursor", NO_CURSORS)
@pytest.mark.parametrize("ordering", ["-id", "-service_from_date"])
def test_a_cursor_that_was_not_handed_out_leads_nowhere(
    cursor: str, ordering: str, member: Client, house: House
) -> None:
    assert refused(member.get(f"/api/v1/claims/?ordering={ordering}&cursor={cursor}"), 400, 404)


@pytest.mark.parametrize("query", NO_QUERIES)
def test_only_named_filters_and_orders_are_taken(query: str, member: Client, house: House) -> None:
    answer = member.get(f"/api/v1/claims/?{query}")
    assert refused(answer, 400), answer.content
    assert "script" not in answer.content.decode()


def test_every_list_refuses_what_it_does_not_know(member: Client, house: House) -> None:
    for address in find_addresses():
        kind = address.name.split("-")[0]
        if kind in house.objects and not address.arguments:
            assert refused(member.get(address.path(), {"_connector": "OR"}), 400, 405), address.name


def test_a_wrong_choice_is_not_said_back(member: Client) -> None:
    answer = member.get("/api/v1/claims/?status=W123456789")
    assert answer.json()["details"] == {"status": ["Not one of the choices."]}


def test_an_unknown_address_of_the_api_answers_json(member: Client) -> None:
    assert refused(member.get("/api/v1/nothing/"), 404)


def test_a_method_that_is_not_there_is_405_and_cannot_be_smuggled(member: Client, house: House) -> None:
    path = f"/api/v1/claims/{house.objects['claim'].pk}/"
    assert refused(member.delete(path), 405)
    assert refused(member.options(path), 405)
    assert member.get(path, headers={"X-HTTP-Method-Override": "DELETE"}).status_code == 200


def test_a_failure_of_ours_says_nothing(member: Client, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("HERON")

    monkeypatch.setattr("marb.core.viewsets.ReadOnlyViewSet.show_row", fail)
    answer = member.get("/api/v1/claims/")
    assert refused(answer, 500)
    assert "HERON" not in answer.content.decode()


def test_answers_are_not_kept_by_anybody(member: Client, house: House) -> None:
    for path in ("/api/v1/claims/", "/api/v1/claims/0/"):
        assert "no-store" in member.get(path).headers["Cache-Control"]
