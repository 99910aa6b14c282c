"""Key figures and underpaid lines as people and programs see them: scope, filters, what is refused, what it costs."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from claims.tests.rows import create_claim, create_line
from episodes.kpis import BY_KEY, DEFINITIONS
from episodes.rollups import DayBalance, MonthSum
from episodes.underpaid import UnderpaidChange, UnderpaidLine
from marb.access.models import Practice
from marb.parties.tests.rows import create_payer, create_provider
from marb.pipeline.tests.rows import create_chunk, create_file
from remits.tests.rows import create_payment, create_remittance

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/kpis/?from=2026-01&to=2026-03"
PAGE = "admin:episodes_monthsum_changelist"


def create_sums(practice: Practice, name: str, claims: int = 4) -> Any:
    payer = create_payer(practice, name, name=f"{name} payer")
    provider = create_provider(practice, name, name=f"{name} provider")
    place = {"practice": practice, "payer": payer, "provider": provider}
    sums = {"claim_count": claims, "clean_count": claims - 1, "net_amount": 310, "remittance_count": 2}
    MonthSum.objects.create(**place, month=date(2026, 1, 1), linked_count=2, **sums)
    DayBalance.objects.create(**place, day=date(2026, 1, 6), open_amount=50, net_open_amount=40)
    return payer


@pytest.fixture
def member(client: Client, biller: Any, practice: Practice) -> Client:
    client.force_login(biller)
    return client


def values_of(answer: Any) -> dict[str, Any]:
    return {figure["key"]: figure["value"] for figure in answer.json()["figures"]}


def test_each_figure_is_shown_with_its_definition_source_and_target(member: Client, practice: Practice) -> None:
    create_sums(practice, "HERON")
    found = member.get(ADDRESS).json()
    assert [figure["key"] for figure in found["figures"]] == [each.key for each in DEFINITIONS]
    for figure in found["figures"]:
        told = BY_KEY[figure["key"]]
        assert (figure["definition"], figure["reference"], figure["goal"]) == (told.sentence, told.source, told.goal)
    assert found["months"] == ["2026-01", "2026-02", "2026-03"]
    page = member.get(reverse(PAGE), {"from": "2026-01", "to": "2026-03"}).content.decode()
    for each in DEFINITIONS:
        assert each.title in page


def test_figures_of_another_practice_are_in_none_of_ours(
    member: Client, practice: Practice, other_practice: Practice
) -> None:
    create_sums(practice, "HERON")
    theirs = create_sums(other_practice, "MAGPIE", 400)
    found = member.get(ADDRESS)
    assert found.json()["submitted"]["claim_count"] == 4
    assert "MAGPIE" not in found.content.decode()
    for query in (f"&payer={theirs.pk}", "&practice=other"):
        assert member.get(ADDRESS + query).json()["submitted"]["claim_count"] == 0
    for asked in ("", f"?payer={theirs.pk}", "?practice=other", "?export=csv"):
        assert "MAGPIE" not in member.get(reverse(PAGE) + asked).content.decode()


def test_a_superuser_sees_all_practices_and_chooses_one(
    client: Client, admin_user: Any, practice: Practice, other_practice: Practice
) -> None:
    create_sums(practice, "HERON")
    create_sums(other_practice, "MAGPIE", 400)
    client.force_login(admin_user)
    assert client.get(ADDRESS).json()["submitted"]["claim_count"] == 404
    assert client.get(f"{ADDRESS}&practice=other").json()["submitted"]["claim_count"] == 400


def test_payer_provider_and_months_narrow_the_figures(member: Client, practice: Practice) -> None:
    payer, _ = create_sums(practice, "HERON", 4), create_sums(practice, "EGRET", 10)
    assert values_of(member.get(ADDRESS))["clean_claim_rate"] == "85.71"
    assert values_of(member.get(f"{ADDRESS}&payer={payer.pk}"))["clean_claim_rate"] == "75.00"
    later = member.get("/api/v1/kpis/?from=2026-02&to=2026-03").json()
    assert later["submitted"]["claim_count"] == 0
    # what is open is of today, whatever the months
    assert sum(Decimal(each["amount"]) for each in later["ageing"]) == 100


@pytest.mark.parametrize(
    "query",
    [
        *("from=2026-13", "from=2026", "to=%00", "payer=x", "payer=-1", "provider=1.0", f"payer={2**64}", "word=1"),
        *("from=", "from=2026-05&to=2026-04", "from=1999-01&to=2026-01", f"practice={'x' * 200}", "practice=%00"),
        "from=٢٠٢٦-01",
    ],
)
def test_what_cannot_be_understood_is_a_400_and_a_page_with_a_sentence(query: str, member: Client) -> None:
    answer = member.get(f"/api/v1/kpis/?{query}")
    assert answer.status_code == 400
    assert set(answer.json()) == {"message", "code", "status_code", "details"}
    assert member.get(f"{reverse(PAGE)}?{query}").status_code == 200


def test_figures_cost_three_queries_whatever_their_number(member: Client, practice: Practice) -> None:
    create_sums(practice, "HERON")
    # session, person and roles; sums by payer and month, balances by payer and age, the payers' names
    assert count_queries(member, ADDRESS) == 6
    for name in ("A", "B", "C", "D"):
        create_sums(practice, name)
    assert count_queries(member, f"{ADDRESS}&practice=main") == 6


def count_queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_the_table_by_payer_is_had_as_csv(member: Client, practice: Practice) -> None:
    create_sums(practice, "=HERON")
    answer = member.get(reverse(PAGE), {"from": "2026-01", "to": "2026-03", "export": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["payer"] for row in rows] == ["'=HERON payer", "All payers"]
    assert rows[0]["clean_claim_rate"] == rows[1]["clean_claim_rate"] == "75.00"


def test_the_command_prints_every_figure_and_makes_the_sums_anew(
    practice: Practice, capsys: pytest.CaptureFixture[str]
) -> None:
    create_sums(practice, "HERON")
    call_command("kpis", rebuild=True)
    told = capsys.readouterr().out
    assert all(each.title in told for each in DEFINITIONS)
    # there are no rows below these sums
    assert not MonthSum.objects.exists()


@pytest.fixture
def line(practice: Practice) -> UnderpaidLine:
    return create_underpaid(practice, "HERON")


def create_underpaid(practice: Practice, name: str) -> UnderpaidLine:
    payer = create_payer(practice, name, name=f"{name} payer")
    claim = create_claim(create_chunk(create_file(practice, f"{name}.837")), 100, payer=payer)
    chunk = create_chunk(create_file(practice, f"{name}.835", kind="835"))
    remittance = create_remittance(create_payment(chunk, payer=payer), chunk, 100, payer=payer)
    amounts = {"charge_amount": 100, "expected_amount": 80, "allowed_amount": 60, "paid_amount": 60}
    place = {"practice": practice, "payer": payer, "claim": claim, "remittance": remittance}
    day = {"paid_on": date(2026, 2, 3), "month": date(2026, 2, 1)}
    return UnderpaidLine.objects.create(
        **place, **amounts, **day, variance_amount=20, service_line=create_line(claim), procedure_code="99213"
    )


def order(client: Client, line: UnderpaidLine, **data: Any) -> Any:
    return client.post(reverse("admin:episodes_underpaidline_order", args=[line.pk]), data, follow=True)


def test_the_queue_shows_what_is_missing_and_the_rest_where_asked(member: Client, line: UnderpaidLine) -> None:
    address = reverse("admin:episodes_underpaidline_changelist")
    assert "$20.00" in member.get(address).content.decode()
    UnderpaidLine.objects.update(status="accepted")
    assert "$20.00" not in member.get(address).content.decode()
    for query in ("status=all", "status=accepted", "status=all&q=99213", "status=all&assigned=nobody"):
        assert "$20.00" in member.get(f"{address}?{query}").content.decode(), query
    assert "$20.00" not in member.get(f"{address}?status=all&assigned=me").content.decode()


def test_the_queue_costs_the_same_for_many(member: Client, line: UnderpaidLine, practice: Practice) -> None:
    address = reverse("admin:episodes_underpaidline_changelist")
    few = count_queries(member, address)
    for name in ("A", "B", "C"):
        create_underpaid(practice, name)
    assert count_queries(member, address) == few <= 10


def test_a_biller_disputes_a_line_and_the_page_tells(member: Client, biller: Any, line: UnderpaidLine) -> None:
    page = order(member, line, status="disputed", reason="Sent the contract", assigned_to=biller.pk)
    assert "Sent the contract" in page.content.decode()
    line.refresh_from_db()
    assert (line.status, line.assigned_to) == ("disputed", biller)
    order(member, line, status="open", reason="")
    order(member, line, status="open", reason="x", assigned_to=10**6)
    assert UnderpaidChange.objects.count() == 1


def test_who_may_not_link_changes_nothing(client: Client, auditor: Any, line: UnderpaidLine) -> None:
    client.force_login(auditor)
    assert order(client, line, status="accepted", reason="x").status_code == 403
    address = f"/api/v1/underpayments/{line.pk}/change/"
    data = {"status": "accepted", "reason": "x"}
    assert client.post(address, data, content_type="application/json").status_code == 403
    assert client.get(f"/api/v1/underpayments/{line.pk}/").status_code == 200
    assert not UnderpaidChange.objects.exists()


def test_the_api_changes_a_line_and_answers_it_with_its_history(member: Client, line: UnderpaidLine) -> None:
    address = f"/api/v1/underpayments/{line.pk}/"
    assert member.get(address).json()["changes"] == []
    data = {"status": "recovered", "reason": "Paid by check", "assigned_to": "biller"}
    answer = member.post(f"{address}change/", data, content_type="application/json")
    assert answer.status_code == 200
    assert answer.json() == member.get(address).json()
    (change,) = answer.json()["changes"]
    assert (change["previous_status"], change["status"], change["changed_by"]) == ("open", "recovered", "biller")
    again = member.post(f"{address}change/", data, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "not_changed")
    unknown = member.post(f"{address}change/", data | {"assigned_to": "nobody"}, content_type="application/json")
    assert unknown.status_code == 409


def test_filters_of_the_underpaid_lines(member: Client, line: UnderpaidLine, other_practice: Practice) -> None:
    create_underpaid(other_practice, "MAGPIE")
    for query, count in (
        *(("", 1), ("?status=open", 1), ("?status=accepted", 0), (f"?payer={line.payer_id}", 1)),
        *((f"?claim={line.claim_id}", 1), ("?procedure_code=99213", 1), ("?procedure_code=1", 0)),
    ):
        assert len(member.get(f"/api/v1/underpayments/{query}").json()["results"]) == count, query
