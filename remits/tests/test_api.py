"""What /payments/ and /remits/ answer."""

from typing import Any

import pytest
from django.test import Client

from marb.access.models import Practice
from marb.parties.tests.rows import create_payer
from marb.pipeline.tests.rows import create_chunk, create_file, create_finding
from remits.models import Remittance
from remits.tests.rows import (
    create_adjustment,
    create_payment,
    create_provider_adjustment,
    create_remittance,
    create_remittance_line,
)


@pytest.fixture
def remittance(practice: Practice) -> Remittance:
    chunk = create_chunk(create_file(practice, "era.835", kind="835"))
    payment = create_payment(chunk, payer=create_payer(practice), difference_amount="0.00")
    create_provider_adjustment(payment)
    create_payment(chunk, 5000, difference_amount="-3.00")
    found = create_remittance(payment, chunk, 100, payer=payment.payer)
    create_adjustment(found, None, 1, carc="253", amount="1.50")
    create_adjustment(found, create_remittance_line(found), 2)
    create_finding(found.file, 100)
    create_remittance(payment, chunk, 300, status="error", claim_status_code="4", line_difference_amount="1.00")
    return found


@pytest.fixture
def member(client: Client, biller) -> Client:
    client.force_login(biller)
    return client


def get(client: Client, path: str) -> Any:
    answer = client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_remittance_shows_its_money_lines_reasons_and_payment(member: Client, remittance: Remittance) -> None:
    body = get(member, f"remits/{remittance.pk}/")
    assert (body["charge_amount"], body["paid_amount"], body["trace_number"]) == ("120.00", "80.00", "T10")
    reasons = [(found["line_number"], found["group_code"], found["carc"]) for found in body["adjustments"]]
    assert reasons == [(None, "CO", "253"), (1, "CO", "45")]
    assert [line["procedure_code"] for line in body["lines"]] == ["99213"]
    assert len(body["findings"]) == 1


@pytest.mark.parametrize(("role", "shown"), [("biller", "W123456789"), ("auditor", "***6789")])
def test_the_member_id_is_masked_by_role(
    role: str, shown: str, request, client: Client, remittance: Remittance
) -> None:
    client.force_login(request.getfixturevalue(role))
    assert get(client, f"remits/{remittance.pk}/")["member_id"] == shown
    assert {row["member_id"] for row in get(client, "remits/")["results"]} == {"***6789"}


def test_a_payment_shows_its_provider_adjustments(member: Client, remittance: Remittance) -> None:
    body = get(member, f"payments/{remittance.payment_id}/")
    assert [(found["reason_code"], found["amount"]) for found in body["provider_adjustments"]] == [("WO", "5.00")]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        *(("remits/?status=error", [300]), ("remits/?claim_status_code=4", [300]), ("remits/?carc=253", [100])),
        *(("remits/?control_number=A100", [100]), ("remits/?carc=45&status=error", []), ("remits/", [300, 100])),
    ],
)
def test_filters_of_remittances_find_what_they_say(
    query: str, found: list[int], member: Client, remittance: Remittance
) -> None:
    rows = get(member, query)["results"]
    assert [int(row["patient_control_number"][1:]) for row in rows] == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        *(("is_balanced=true", ["T10"]), ("is_balanced=false", ["T5000"]), ("trace_number=T10", ["T10"])),
        *(("payment_from=2026-02-02", []), ("payment_to=2026-02-01&ordering=payment_date", ["T10", "T5000"])),
    ],
)
def test_filters_of_payments_find_what_they_say(
    query: str, found: list[str], member: Client, remittance: Remittance
) -> None:
    assert [row["trace_number"] for row in get(member, f"payments/?{query}")["results"]] == found


def test_the_remittances_of_a_payment_are_a_list(member: Client, remittance: Remittance) -> None:
    assert len(get(member, f"remits/?payment={remittance.payment_id}")["results"]) == 2
