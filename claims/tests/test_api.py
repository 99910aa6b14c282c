"""What /claims/ answers: the shape, the filters, and who sees which identifier."""

import datetime
from typing import Any

import pytest
from django.test import Client

from claims.models import Claim
from claims.tests.rows import create_claim, create_line
from marb.access.models import Practice
from marb.parties.tests.rows import create_payer, create_provider
from marb.pipeline.tests.rows import create_chunk, create_file, create_finding

URL = "/api/v1/claims/"


@pytest.fixture
def claim(practice: Practice) -> Claim:
    chunk = create_chunk(create_file(practice))
    parties = {"payer": create_payer(practice), "billing_provider": create_provider(practice)}
    found = create_claim(chunk, 100, diagnosis_codes=["J069"], principal_diagnosis_code="J069", **parties)
    create_line(found, 2, procedure_code="87880")
    create_line(found, 1)
    create_finding(found.file, found.byte_offset)
    create_finding(found.file, 999)
    create_claim(chunk, 300, status="incomplete", claim_type="I", frequency_code="7", service_from_date=None)
    return found


@pytest.fixture
def member(client: Client, biller) -> Client:
    client.force_login(biller)
    return client


def get(client: Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_list_shows_the_claim_with_money_as_text(member: Client, claim: Claim) -> None:
    row = get(member, f"{URL}?control_number=A100")["results"][0]
    assert (row["charge_amount"], row["payer_name"], row["status"]) == ("120.00", "Payer 87726", "processed")
    assert (row["service_from_date"], row["billing_provider_name"]) == ("2026-01-05", "Provider 1234567893")


@pytest.mark.parametrize("role", ["administrator", "manager", "biller", "auditor"])
def test_lists_are_masked_for_everybody(role: str, request, client: Client, claim: Claim) -> None:
    client.force_login(request.getfixturevalue(role))
    row = get(client, f"{URL}?control_number=A100")["results"][0]
    assert (row["subscriber_member_id"], row["patient_birth_date"]) == ("***6789", "1971")
    assert "123456789" not in client.get(URL).content.decode().replace("1234567893", "")


@pytest.mark.parametrize(("role", "in_full"), [("manager", True), ("biller", True), ("auditor", False)])
def test_a_detail_shows_identifiers_to_those_who_may_see_them(
    role: str, in_full: bool, request, client: Client, claim: Claim
) -> None:
    client.force_login(request.getfixturevalue(role))
    body = get(client, f"{URL}{claim.pk}/")
    shown = (body["subscriber_member_id"], body["patient_birth_date"], body["detail"]["references"][0]["value"])
    assert shown == (("W123456789", "1971-03-04", "123456789") if in_full else ("***6789", "1971", "***-**-6789"))
    assert body["detail"]["patient"]["birth_date"] == ("19710304" if in_full else "1971")


def test_a_detail_holds_lines_in_order_and_its_own_findings(member: Client, claim: Claim) -> None:
    body = get(member, f"{URL}{claim.pk}/")
    assert [line["procedure_code"] for line in body["lines"]] == ["99213", "87880"]
    assert [finding["byte_offset"] for finding in body["findings"]] == [100]
    assert (body["diagnosis_codes"], body["billing_npi"], body["plan_name"]) == (["J069"], "1234567893", None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        *(("status=processed", [100]), ("status=incomplete", [300]), ("is_clean=true", [100])),
        *(("is_clean=false", [300]), ("claim_type=I", [300]), ("frequency_code=7", [300])),
        *(("control_number=A300", [300]), ("control_number=a300", [])),
        *(("member_id=W123456789", [300, 100]), ("procedure=87880", [100]), ("procedure=99999", [])),
        *(("service_from=2026-01-05&service_to=2026-01-05", [100]), ("service_from=2026-01-06", [])),
        *(("created_to=2000-01-01T00:00:00Z", []), ("created_from=2000-01-01T00:00:00Z", [300, 100])),
        *(("practice=main", [300, 100]), ("payer=999999999", []), ("status=processed&claim_type=I", [])),
    ],
)
def test_filters_find_what_they_say(query: str, found: list[int], member: Client, claim: Claim) -> None:
    rows = get(member, f"{URL}?{query}&fields=patient_control_number")["results"]
    assert [int(row["patient_control_number"][1:]) for row in rows] == found


def test_filters_by_payer_provider_and_file_find_the_claim(member: Client, claim: Claim) -> None:
    for query in (f"payer={claim.payer_id}", f"provider={claim.billing_provider_id}", f"file={claim.file_id}"):
        assert claim.pk in [row["id"] for row in get(member, f"{URL}?{query}")["results"]]


@pytest.mark.parametrize(
    ("ordering", "expected"), [("-service_from_date", [300, 100]), ("service_from_date", [100, 300])]
)
def test_a_claim_without_a_date_is_paged_like_any(
    ordering: str, expected: list[int], member: Client, claim: Claim
) -> None:
    first = get(member, f"{URL}?ordering={ordering}&limit=1")
    second = get(member, first["next"])
    assert [page["results"][0]["patient_control_number"] for page in (first, second)] == [f"A{n}" for n in expected]
    assert second["next"] is None
    assert get(member, second["previous"])["results"] == first["results"]


def test_fields_narrow_the_row_and_the_query(member: Client, claim: Claim, django_assert_num_queries) -> None:
    with django_assert_num_queries(4) as queries:
        rows = get(member, f"{URL}?fields=id,charge_amount&control_number=A100")["results"]
    assert rows == [{"id": claim.pk, "charge_amount": "120.00"}]
    assert "subscriber_member_id" not in queries.captured_queries[-1]["sql"]


def test_a_day_of_many_claims_is_paged_whole(member: Client, claim: Claim) -> None:
    for n in range(10, 22):
        create_claim(claim.chunk, n * 100, service_from_date=datetime.date(2026, 1, 5))
    seen: list[int] = []
    path = f"{URL}?ordering=-service_from_date&limit=5&fields=id"
    while path:
        body = get(member, path)
        seen += [row["id"] for row in body["results"]]
        path = body["next"]
    assert sorted(seen) == sorted(Claim.objects.values_list("id", flat=True))
