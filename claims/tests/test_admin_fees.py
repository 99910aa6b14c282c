"""Contracts, schedules and modifier rules in the admin: who may change what, and what is refused."""

from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from claims.models import Contract, ContractFee, FeeModifier, FeeVersion
from claims.tests.rows import create_claim, create_line
from marb.access.models import Membership, Practice, Role
from marb.parties.models import Payer
from marb.pipeline.tests.rows import create_chunk, create_file

pytestmark = pytest.mark.django_db
ADD = "admin:claims_contract_add"
CHANGE = "admin:claims_contract_change"
NO_RULES = {"modifiers-TOTAL_FORMS": "0", "modifiers-INITIAL_FORMS": "0"}


@pytest.fixture
def payer(practice: Practice) -> Payer:
    return Payer.objects.create(practice=practice, payer_code="COMM", name="Commercial")


@pytest.fixture
def contract(payer: Payer) -> Contract:
    return Contract.objects.create(
        practice=payer.practice, payer=payer, name="Agreement", effective_from_date=date(2026, 1, 1)
    )


def form(payer: Payer, /, **given: Any) -> dict[str, Any]:
    about = {"practice": payer.practice_id, "payer": payer.pk, "name": "120 %", "basis": "medicare", "percent": "120"}
    return {**about, "effective_from_date": "2026-01-01", "reductions": "[]", **NO_RULES, **given}


def errors(response: Any) -> str:
    assert response.status_code == 200
    return str(response.context["errors"])


@pytest.mark.parametrize(
    ("role", "status"), [("manager", 302), ("administrator", 302), ("biller", 403), ("auditor", 403)]
)
def test_who_may_change_payers_may_make_their_contracts(role, status, request, client: Client, payer):
    client.force_login(request.getfixturevalue(role))
    assert client.post(reverse(ADD), form(payer)).status_code == status
    assert Contract.objects.count() == (status == 302)


def test_a_change_holds_from_the_next_chunk_on(client: Client, manager, contract):
    before = FeeVersion.objects.get().number
    client.force_login(manager)
    data = form(contract.payer, percent="130", reductions='{"2": [100, 50, 25], "5": [100]}')
    assert client.post(reverse(CHANGE, args=[contract.pk]), data).status_code == 302
    contract.refresh_from_db()
    assert (contract.percent, contract.reductions, contract.version) == (130, {"2": [100, 50, 25], "5": [100]}, 2)
    assert FeeVersion.objects.get().number > before


def test_a_contract_of_a_biller_is_only_read(client: Client, biller, contract):
    client.force_login(biller)
    assert client.get(reverse(CHANGE, args=[contract.pk])).status_code == 200
    assert client.post(reverse(CHANGE, args=[contract.pk]), form(contract.payer)).status_code == 403
    assert client.post(reverse("admin:claims_contract_delete", args=[contract.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reductions": "[100, 500]"}, "lists of percents"),
        ({"reductions": "[NaN]"}, "lists of percents"),
        ({"reductions": '{"9": [50]}'}, "lists of percents"),
        ({"reductions": '"half"'}, "lists of percents"),
        ({"percent": "-5"}, "contract_percent_positive"),
        ({"effective_to_date": "2025-12-31"}, "contract_period_in_order"),
        ({"basis": "guess"}, "valid choice"),
    ],
)
def test_what_cannot_price_is_refused_in_words(given, said, client: Client, manager, payer):
    client.force_login(manager)
    assert said in errors(client.post(reverse(ADD), form(payer, **given)))
    assert not Contract.objects.exists()


def test_two_contracts_of_a_payer_may_not_hold_on_one_day(client: Client, manager, contract):
    client.force_login(manager)
    said = "Another contract"
    assert said in errors(client.post(reverse(ADD), form(contract.payer, effective_from_date="2026-06-01")))
    assert said in errors(client.post(reverse(ADD), form(contract.payer)))
    before = form(contract.payer, effective_from_date="2025-01-01", effective_to_date="2025-12-31")
    assert client.post(reverse(ADD), before).status_code == 302


def test_a_payer_or_practice_of_somebody_else_is_no_choice(client: Client, manager, payer, other_practice):
    foreign = Payer.objects.create(practice=other_practice, payer_code="X", name="Foreign")
    client.force_login(manager)
    assert "valid choice" in errors(client.post(reverse(ADD), form(foreign)))
    assert "valid choice" in errors(client.post(reverse(ADD), form(payer, payer=foreign.pk)))
    assert "valid choice" in errors(client.post(reverse(ADD), form(payer, practice=other_practice.pk)))
    assert not Contract.objects.exists()


def test_a_payer_of_the_wrong_one_of_two_practices_is_refused(client: Client, manager, payer, other_practice):
    Membership.objects.create(user=manager, practice=other_practice, role=Role.MANAGER)
    client.force_login(manager)
    assert "another practice" in errors(client.post(reverse(ADD), form(payer, practice=other_practice.pk)))


def test_a_contract_keeps_its_payer_whatever_is_posted(client: Client, manager, contract, other_practice):
    foreign = Payer.objects.create(practice=other_practice, payer_code="X", name="Foreign")
    client.force_login(manager)
    client.post(reverse(CHANGE, args=[contract.pk]), form(contract.payer, payer=foreign.pk, practice=other_practice.pk))
    again = Contract.objects.get()
    assert (again.payer_id, again.practice_id) == (contract.payer_id, contract.practice_id)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"effect": "percent", "percent": "150", "indicator": "bilateral", "allowed": "1 3=200"}, ""),
        ({"effect": "portion", "percent": "100", "indicator": "preoperative intraoperative"}, ""),
        ({"effect": "portion", "percent": "100", "indicator": ""}, "Name the portions"),
        ({"effect": "percent", "percent": "150", "indicator": "work"}, "Known are"),
        ({"effect": "percent", "percent": "150", "indicator": "bilateral", "allowed": "1;3"}, "Write values"),
    ],
)
def test_a_contract_has_modifier_rules_of_its_own(rule, said, client: Client, manager, contract):
    client.force_login(manager)
    row = {f"modifiers-0-{name}": value for name, value in {"modifier": "50", **rule}.items()}
    data = form(contract.payer, **row) | {"modifiers-TOTAL_FORMS": "1"}
    answer = client.post(reverse(CHANGE, args=[contract.pk]), data)
    assert (answer.status_code, FeeModifier.objects.count()) == ((302, 1) if not said else (200, 0))
    assert said in answer.content.decode()


@pytest.mark.parametrize("role", ["administrator", "manager", "biller"])
def test_general_rules_are_a_superusers(role, request, client: Client, practice):
    rule = FeeModifier.objects.create(modifier="53", effect="row")
    client.force_login(request.getfixturevalue(role))
    assert client.get(reverse("admin:claims_feemodifier_change", args=[rule.pk])).status_code == 200
    assert client.post(reverse("admin:claims_feemodifier_change", args=[rule.pk]), {}).status_code == 403
    assert client.post(reverse("admin:claims_feemodifier_add"), {}).status_code == 403


def test_rules_and_fees_of_another_practices_contract_are_not_found(client: Client, biller, other_practice):
    payer = Payer.objects.create(practice=other_practice, payer_code="X", name="Foreign")
    foreign = Contract.objects.create(
        practice=other_practice, payer=payer, name="x", effective_from_date=date(2026, 1, 1)
    )
    rule = FeeModifier.objects.create(contract=foreign, modifier="53", effect="row")
    fee = ContractFee.objects.create(contract=foreign, procedure_code="99213", amount=1)
    client.force_login(biller)
    assert client.get(reverse("admin:claims_feemodifier_change", args=[rule.pk])).status_code == 404
    assert client.get(reverse("admin:claims_contractfee_change", args=[fee.pk])).status_code == 404
    assert "99213" not in client.get(reverse("admin:claims_contractfee_changelist")).content.decode()


def test_a_code_is_found_in_every_schedule(client: Client, auditor, practice):
    call_command("load_fee_schedule", "RVU26A", folder=settings.BASE_DIR / "samples" / "fees", verbosity=0)
    client.force_login(auditor)
    answer = client.get(reverse("admin:claims_fee_changelist"), {"q": "45385"})
    assert [str(fee) for fee in answer.context["cl"].result_list] == ["45385", "45385"]
    answer = client.get(reverse("admin:claims_locality_changelist"), {"q": "oh"})
    assert {row.name for row in answer.context["cl"].result_list} == {"OHIO"}
    assert client.get(reverse("admin:claims_feeschedule_changelist")).status_code == 200
    assert client.get(reverse("admin:claims_fee_changelist"), {"q": "\0"}).status_code == 400
    fee = answer.context["cl"].result_list[0].schedule.fees.first()
    assert client.get(reverse("admin:claims_fee_change", args=[fee.pk])).status_code == 200


def test_a_claims_page_and_answer_say_what_is_expected_or_why_not(client: Client, auditor, practice):
    claim = create_claim(create_chunk(create_file(practice)))
    create_line(claim, 1, expected_amount="77.66")
    create_line(claim, 2, expected_reason="the code is not in the fee schedule")
    client.force_login(auditor)
    page = client.get(reverse("admin:claims_claim_change", args=[claim.pk])).content.decode()
    assert "$77.66" in page
    assert "The code is not in the fee schedule" in page
    answer = client.get(f"/api/v1/claims/{claim.pk}/").json()
    assert answer["expected_amount"] is None
    assert [(line["expected_amount"], line["expected_reason"]) for line in answer["lines"]] == [
        ("77.66", ""),
        (None, "the code is not in the fee schedule"),
    ]
