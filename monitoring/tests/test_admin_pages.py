"""Every page of the admin opens for every role, at a cost that does not grow, and says what a biller must know."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from claims.models import Claim
from marb.access.models import AuditEntry, Membership, Practice, Role
from marb.core.estimate import EstimatedPaginator
from monitoring.tests.rows import Rows, create_rows
from monitoring.tests.test_admin_scope import SCOPED, body, name_of

pytestmark = pytest.mark.django_db
LISTS = ["claims_claim", "remits_remittance", "remits_payment", "episodes_episode", "pipeline_edifile", "parties_payer"]


def test_every_list_and_page_opens_for_every_role(client: Client, person: Any, rows: Rows) -> None:
    client.force_login(person)
    for model in SCOPED:
        first = model._default_manager.filter(practice=rows.practice)[0]
        # who read what is for those who watch over it
        status = 403 if model is AuditEntry and person.username in ("manager", "biller") else 200
        assert client.get(reverse(name_of(model, "changelist"))).status_code == status, model
        for page in ("change", "history"):
            found = client.get(reverse(name_of(model, page), args=[first.pk])).status_code
            # a row that is none of theirs is not there at all
            assert found in ((403, 404) if status == 403 else (200,)), (model, page)
    assert client.get(reverse("admin:index")).status_code == 200
    assert client.get(reverse("admin:access_practice_changelist")).status_code == 200


def test_a_superuser_opens_what_belongs_to_no_practice(client: Client, root: Any, rows: Rows) -> None:
    client.force_login(root)
    for model in admin.site._registry:
        assert client.get(reverse(name_of(model, "changelist"))).status_code == 200, model


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_many_costs_as_many_queries_as_one_of_few(
    name: str, client: Client, biller: Any, practice: Practice
) -> None:
    client.force_login(biller)
    create_rows(practice, "A", 1)
    few = count_queries(client, f"admin:{name}_changelist")
    create_rows(practice, "B", 20)
    assert count_queries(client, f"admin:{name}_changelist") == few <= 9


@pytest.mark.parametrize(
    ("name", "most"),
    [("claims_claim", 29), ("remits_remittance", 20), ("episodes_episode", 17), ("remits_payment", 13)],
)
def test_a_page_costs_a_fixed_number_of_queries(
    name: str, most: int, client: Client, biller: Any, practice: Practice, rows: Rows
) -> None:
    client.force_login(biller)
    made: dict[str, Any] = {
        "claims_claim": rows.claims,
        "remits_remittance": rows.remittances,
        "episodes_episode": rows.episodes,
    }
    record = made.get(name, [rows.payment])[0]
    assert count_queries(client, f"admin:{name}_change", record.pk) <= most
    # the file's bytes are kept from here on
    before = count_queries(client, f"admin:{name}_change", record.pk)
    for line in list(getattr(record, "lines", Claim.objects.none()).all()):
        line.pk, line.line_number = None, line.line_number + 10
        line._state.adding = True
        line.save()
    assert count_queries(client, f"admin:{name}_change", record.pk) == before


def test_a_file_page_costs_the_same_with_many_quarantined(client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    before = count_queries(client, "admin:pipeline_edifile_change", rows.claim_file.pk)
    for number in range(10):
        held = rows.quarantine
        held.pk, held.byte_from, held.byte_to = None, held.byte_from - number - 1, held.byte_to
        held._state.adding = True
        held.save()
    assert count_queries(client, "admin:pipeline_edifile_change", rows.claim_file.pk) <= before + 1


def test_the_first_page_costs_some_dozen_queries(client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    # three of them for the key figures
    assert count_queries(client, "admin:index") <= 17


def count_queries(client: Client, name: str, *args: int) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(reverse(name, args=args)).status_code == 200
    return len(captured)


def test_a_claim_page_says_it_in_words(client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    text = body(client.get(reverse("admin:claims_claim_change", args=[rows.claims[1].pk])))
    for said in (
        *("PCN00001", "Not clean", "Okonkwo, Rosalind", "04/11/1957", "Self (18)", "MEM000001", "Primary (P)"),
        *("Office (11)", "2300 CLM02", "The lines add up to $180.00", "99214", "$125.00", "$185.00", "FOLLOW UP"),
        *("Billing provider (85)", "Clearinghouse trace", "Episode", "Processed as primary", "HC:99214:25"),
    ):
        assert said in text, said


def test_an_auditor_sees_identifiers_masked_and_no_raw_segments(client: Client, auditor: Any, rows: Rows) -> None:
    client.force_login(auditor)
    text = body(client.get(reverse("admin:claims_claim_change", args=[rows.claims[1].pk])))
    for hidden in ("MEM000001", "04/11/1957", "HC:99214:25", "FOLLOW UP"):
        assert hidden not in text, hidden
    text = body(client.get(reverse("admin:pipeline_edifile_change", args=[rows.claim_file.pk])))
    assert "12X4.00" not in text


def test_lists_mask_the_patient(client: Client, administrator: Any, rows: Rows) -> None:
    client.force_login(administrator)
    text = body(client.get(reverse("admin:claims_claim_changelist")))
    assert "Abernathy, R. (1957)" in text
    assert "Rosalind" not in text
    assert "MEM0" not in text


def test_a_remittance_page_says_what_does_not_balance(client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    text = body(client.get(reverse("admin:remits_remittance_change", args=[rows.remittances[1].pk])))
    for said in (
        "This remittance does not balance",
        "The charge less all adjustments is $82.36, but $80.00 was paid: a difference of $2.36.",
        "Contractual obligation",
        "Coinsurance",
        "N130",
        "Processed as primary (1)",
    ):
        assert said in text, said


def test_a_balanced_remittance_raises_no_alarm(client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    text = body(client.get(reverse("admin:remits_remittance_change", args=[rows.remittances[0].pk])))
    assert "does not balance" not in text
    assert "Balanced" in text


def test_a_payment_page_names_provider_adjustments_and_the_difference(client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    text = body(client.get(reverse("admin:remits_payment_change", args=[rows.payment.pk])))
    for said in ("Overpayment recovered", "-$5.00", "hold this payment", "PCN00000"):
        assert said in text, said


def test_a_file_page_shows_the_bytes_of_a_quarantined_claim(client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    text = body(client.get(reverse("admin:pipeline_edifile_change", args=[rows.claim_file.pk])))
    assert "12X4.00" in text
    assert "The 4 claims counted in the raw bytes are all accounted for." in text


def test_progress_answers_the_figures_by_key(client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    answer = client.get(reverse("admin:pipeline_edifile_progress", args=[rows.claim_file.pk])).json()
    assert answer["is_finished"] is True
    assert answer["percent"] == 100
    assert answer["figures"]["claim_count"] == "3"


@pytest.mark.parametrize("role", ["administrator", "manager", "biller", "auditor"])
def test_what_comes_from_files_cannot_be_changed(
    role: str, request: pytest.FixtureRequest, client: Client, rows: Rows
) -> None:
    client.force_login(request.getfixturevalue(role))
    for name, record in (("claims_claim", rows.claims[0]), ("remits_payment", rows.payment)):
        assert client.post(reverse(f"admin:{name}_change", args=[record.pk]), {"charge_amount": "1"}).status_code == 403
        assert client.get(reverse(f"admin:{name}_add")).status_code == 403
        assert client.post(reverse(f"admin:{name}_delete", args=[record.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("term", "count"),
    [
        ("PCN00001", 1),
        ("PCN", 3),
        ("MEM000002", 1),
        ("aber", 1),
        ("Abernathy, R", 1),
        ("Abernathy, X", 0),
        ("nobody", 0),
    ],
)
def test_claims_are_found_by_number_member_and_name(
    term: str, count: int, client: Client, biller: Any, rows: Rows
) -> None:
    client.force_login(biller)
    found = client.get(reverse("admin:claims_claim_changelist"), {"q": term}).context["cl"].result_count
    assert found == count


def test_a_search_uses_the_indexes(client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    copy_claims(rows.claims[0], 3_000)
    found = client.get(reverse("admin:claims_claim_changelist"), {"q": "Aber"}).context["cl"].queryset
    plan = found.explain()
    for index in ("claim_by_control_number", "claim_by_patient_name", "claim_by_member_id"):
        assert index in plan, plan


def copy_claims(claim: Claim, count: int) -> None:
    """Fill the table so that the planner has a choice."""
    copies = []
    for number in range(count):
        values = {field.attname: getattr(claim, field.attname) for field in Claim._meta.concrete_fields}
        place = {"byte_offset": 10_000 + number, "byte_end": 10_001 + number, "id": None}
        named = {"patient_control_number": f"X{number}", "patient_last_name": f"N{number}"}
        copies.append(
            Claim(**values | place | named | {"subscriber_member_id": f"M{number}", "created_at": datetime.now(UTC)})
        )
    Claim.objects.bulk_create(copies)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE claims_claim")


@pytest.mark.parametrize(
    "query",
    [
        "q=" + "x" * 201,
        "status__exact=a%00b",
        "detail__contains=x",
        "payer__name__startswith=A",
        "practice__memberships__user__password__startswith=p",
    ],
)
def test_a_query_that_would_scan_or_break_is_refused(query: str, client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    assert client.get(f"{reverse('admin:claims_claim_changelist')}?{query}").status_code == 400


@pytest.mark.parametrize("key", ["9223372036854775808", "-1", "1.0", "x", "%00", "1' OR '1'='1"])
def test_a_key_that_is_none_is_not_found(key: str, client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    assert client.get(f"/claims/claim/{key}/change/").status_code == 404


def test_date_filters_include_both_days(client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    address = reverse("admin:claims_claim_changelist")
    ends = {"service_from_date_from": "2026-03-02", "service_from_date_to": "2026-03-03"}
    assert client.get(address, ends).context["cl"].result_count == 2
    day = f"{Claim.objects.get(pk=rows.claims[0].pk).created_at:%Y-%m-%d}"
    assert client.get(address, {"created_at_from": day, "created_at_to": day}).context["cl"].result_count == 3
    assert client.get(address, {"created_at_from": "no day"}).context["cl"].result_count == 3


def test_a_long_list_is_counted_by_estimate(
    client: Client, biller: Any, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_rows(practice, "", 12)
    monkeypatch.setattr(EstimatedPaginator, "MOST", 10)
    client.force_login(biller)
    response = client.get(reverse("admin:claims_claim_changelist"))
    paginator = response.context["cl"].paginator
    assert paginator.is_estimate
    assert paginator.num_pages == 1
    assert "about" in body(response)


def test_an_exact_count_is_called_exact(client: Client, biller: Any, rows: Rows) -> None:
    client.force_login(biller)
    text = body(client.get(reverse("admin:claims_claim_changelist")))
    assert "3 claims" in text
    assert "about" not in text


def test_only_those_who_may_change_payers(client: Client, manager: Any, biller: Any, rows: Rows) -> None:
    payer = rows.payers[0]
    address = reverse("admin:parties_payer_change", args=[payer.pk])
    data = {"name": "Renamed", "payer_type": "medicare", "timely_filing_days": 365, "appeal_days": "", "rules": "{}"}
    client.force_login(biller)
    assert client.post(address, data).status_code == 403
    client.force_login(manager)
    assert client.post(address, {**data, "payer_code": "STOLEN", "practice": 1}).status_code == 302
    payer.refresh_from_db()
    assert (payer.name, payer.timely_filing_days, payer.payer_code) == ("Renamed", 365, "MEDIC")


class TestPeople:
    """Who manages whom."""

    def test_only_an_administrator_sees_people(
        self, client: Client, administrator: Any, manager: Any, biller: Any, auditor: Any
    ) -> None:
        for person, status in ((administrator, 200), (manager, 403), (biller, 403), (auditor, 403)):
            client.force_login(person)
            assert client.get(reverse("admin:auth_user_changelist")).status_code == status

    def test_an_administrator_makes_a_member_of_their_own_practice(
        self, client: Client, administrator: Any, practice: Practice, django_user_model: Any
    ) -> None:
        client.force_login(administrator)
        response = client.post(reverse("admin:auth_user_add"), self.new_person(practice))
        assert response.status_code == 302, response.content.decode()
        made = django_user_model.objects.get(username="newcomer")
        assert (made.is_staff, made.is_superuser) == (True, False)
        assert made.memberships.get().role == Role.BILLER

    def test_an_administrator_gives_no_role_in_another_practice(
        self, client: Client, administrator: Any, other_practice: Practice, django_user_model: Any
    ) -> None:
        client.force_login(administrator)
        assert client.post(reverse("admin:auth_user_add"), self.new_person(other_practice)).status_code == 200
        assert not Membership.objects.filter(practice=other_practice).exists()

    def test_an_administrator_makes_nobody_a_superuser(
        self, client: Client, administrator: Any, biller: Any, practice: Practice
    ) -> None:
        client.force_login(administrator)
        membership = biller.memberships.get()
        data = {**self.membership(practice, membership.pk, 1), "username": biller.username, "is_active": "on"}
        address = reverse("admin:auth_user_change", args=[biller.pk])
        assert client.post(address, {**data, "is_superuser": "on", "is_staff": "on"}).status_code == 302
        biller.refresh_from_db()
        assert biller.is_superuser is False

    def test_a_person_with_a_foot_in_another_practice_is_seen_but_not_changed(
        self, client: Client, administrator: Any, biller: Any, other_practice: Practice
    ) -> None:
        Membership.objects.create(practice=other_practice, user=biller, role=Role.BILLER)
        client.force_login(administrator)
        assert client.get(reverse("admin:auth_user_change", args=[biller.pk])).status_code == 200
        assert client.post(reverse("admin:auth_user_change", args=[biller.pk]), {"username": "x"}).status_code == 403
        assert client.get(reverse("admin:auth_user_password_change", args=[biller.pk])).status_code == 403

    def test_an_administrator_does_not_touch_a_superuser(
        self, client: Client, administrator: Any, root: Any, practice: Practice
    ) -> None:
        Membership.objects.create(practice=practice, user=root, role=Role.BILLER)
        client.force_login(administrator)
        assert client.get(reverse("admin:auth_user_password_change", args=[root.pk])).status_code == 403

    def new_person(self, practice: Practice) -> dict[str, Any]:
        words = "quite a long passphrase"
        named = {"username": "newcomer", "password1": words, "password2": words, "is_active": "on"}
        return {**named, "usable_password": "true", **self.membership(practice)}

    def membership(self, practice: Practice, pk: int | str = "", initial: int = 0) -> dict[str, Any]:
        form = {"TOTAL_FORMS": 1, "INITIAL_FORMS": initial, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 1000}
        row = {"0-practice": practice.pk, "0-role": "biller", "0-id": pk}
        return {f"memberships-{key}": value for key, value in {**form, **row}.items()}
