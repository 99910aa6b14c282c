"""Expected amounts on the rows of claims: as they are loaded, and priced again later."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from claims import expected, feecache, pricing
from claims.load import load_chunk
from claims.models import Claim, Contract, ServiceLine
from claims.tests.envelope import BILLING, SUBSCRIBER, file_text
from claims.tests.test_load import make_job
from marb.parties.models import Payer

pytestmark = pytest.mark.django_db

OHIO = BILLING.replace("N4*TOWN*PA*190010000~", "N4*SPRINGDALE*OH*452460001~")
MEDICARE = SUBSCRIBER.replace("******CI~", "******MB~")
VISIT = "CLM*PCN1*100***11:B:1*Y*A*Y*Y~HI*ABK:J209~"
NEW_YEAR = "CLM*PCN2*100***11:B:1*Y*A*Y*Y~HI*ABK:J209~"
LAST_DAY = "LX*1~SV1*HC:99213*50*UN*1***1~DTP*472*D8*20251231~"
FIRST_DAY = "LX*2~SV1*HC:99213*50*UN*1***1~DTP*472*D8*20260101~"
# the shipped schedule: (1.16 + 1.13 x 0.926 + 0.12 x 0.988) x 33.4009 = 77.655
FEE = Decimal("77.66")


@pytest.fixture(autouse=True)
def _no_books_from_other_tests():
    pricing.BOOKS.clear()
    feecache.SCHEDULES.clear()


@pytest.fixture
def schedule(practice):
    call_command("load_fee_schedule", "RVU26A", folder=settings.BASE_DIR / "samples" / "fees", verbosity=0)


def line(code: str = "99213", units: str = "1", unit_code: str = "UN", day: str = "20260203") -> str:
    return f"LX*1~SV1*HC:{code}*100*{unit_code}*{units}***1~DTP*472*D8*{day}~"


def load(practice, *loops: str) -> None:
    load_chunk(make_job(practice, file_text(OHIO, MEDICARE, *loops)))


def lines() -> list[Any]:
    return list(ServiceLine.objects.order_by("id").values_list("expected_amount", "expected_reason"))


def snapshot() -> list[Any]:
    return [*lines(), *Claim.objects.order_by("id").values_list("expected_amount", flat=True)]


@pytest.mark.usefixtures("schedule")
def test_a_loaded_claim_bears_its_price(practice):
    load(practice, VISIT, line())
    assert lines() == [(FEE, "")]
    assert Claim.objects.get().expected_amount == FEE


@pytest.mark.usefixtures("schedule")
def test_a_claim_with_a_line_without_a_price_has_no_sum(practice):
    load(practice, VISIT, line(), line("ZZZZZ").replace("LX*1", "LX*2"))
    assert lines() == [(FEE, ""), (None, "the code is not in the fee schedule")]
    assert Claim.objects.get().expected_amount is None


@pytest.mark.usefixtures("schedule")
def test_each_line_is_priced_by_its_own_day(practice):
    load(practice, NEW_YEAR, LAST_DAY, FIRST_DAY)
    assert lines() == [(None, "no fee schedule is loaded for this date"), (FEE, "")]


@pytest.mark.usefixtures("schedule")
def test_minutes_are_no_units(practice):
    load(practice, VISIT, line(units="15", unit_code="MJ"))
    assert lines() == [(None, "the units are not a count of services")]


@pytest.mark.usefixtures("schedule")
@pytest.mark.parametrize("most", [expected.MOST_REMEMBERED, 1])
def test_services_that_differ_in_their_charge_alone_share_a_price(practice, monkeypatch, most):
    monkeypatch.setattr(expected, "MOST_REMEMBERED", most)
    services = [line(), line().replace("*100*", "*120*"), line(units="2"), line(unit_code="MJ"), line()]
    for service in services:
        load(practice, VISIT, service)
    minutes = (None, "the units are not a count of services")
    assert lines() == [(FEE, ""), (FEE, ""), (2 * FEE, ""), minutes, (FEE, "")]


@pytest.mark.usefixtures("schedule")
def test_the_service_facility_says_the_place(practice):
    elsewhere = "NM1*77*2*OTHER PLACE*****XX*1992739999~N3*1 ELM ST~N4*LAWRENCEBURG*IN*470250005~"
    load(practice, VISIT, elsewhere, line())
    # Indiana's practice expense weighs 0.902 and malpractice 0.611
    assert lines() == [(Decimal("75.24"), "")]


@pytest.mark.usefixtures("schedule")
def test_without_a_known_place_there_is_a_reason(practice):
    load_chunk(make_job(practice, file_text(BILLING, MEDICARE, VISIT, line())))
    assert lines() == [(None, "no locality is known for the ZIP code of the place of service")]


def test_a_claim_loaded_before_its_schedule_is_priced_by_the_command(practice, request):
    load(practice, VISIT, line(), line("J1100").replace("LX*1", "LX*2"))
    assert [amount for amount, _ in lines()] == [None, None]
    request.getfixturevalue("schedule")
    call_command("reprice", verbosity=0)
    assert lines() == [(FEE, ""), (None, "the fee schedule gives no price for status E")]
    assert Claim.objects.get().expected_amount is None


def test_pricing_again_is_what_a_load_would_have_been(practice, request, capsys):
    elsewhere = "NM1*77*2*OTHER PLACE*****XX*1992739999~N3*1 ELM ST~N4*LAWRENCEBURG*IN*470250005~"
    therapy = line("97110", "3") + line("97140").replace("LX*1", "LX*2")
    loops = [VISIT, line(units="2.0"), VISIT, elsewhere, line(), NEW_YEAR, LAST_DAY, FIRST_DAY, VISIT, therapy]
    load(practice, *loops)
    request.getfixturevalue("schedule")
    call_command("reprice")
    priced = snapshot()
    Claim.objects.all().delete()
    load(practice, *loops)
    assert snapshot() == priced
    assert priced.count((None, "no fee schedule is loaded for this date")) == 1
    capsys.readouterr()
    call_command("reprice")
    assert capsys.readouterr().out == "4 claims, 0 changed; 6 lines, 0 changed\n"


@pytest.mark.usefixtures("schedule")
def test_pricing_again_from_a_day_leaves_older_claims(practice):
    load(practice, VISIT, line(day="20260110"), VISIT, line(day="20260210"))
    payer = Payer.objects.get()
    Contract.objects.create(practice=practice, payer=payer, name="x", percent=200, effective_from_date="2026-01-01")
    call_command("reprice", first=date(2026, 2, 1), practice="main", verbosity=0)
    assert [amount for amount, _ in lines()] == [FEE, 2 * FEE]
    with pytest.raises(CommandError, match="no practice"):
        call_command("reprice", practice="nobody")


@pytest.mark.usefixtures("schedule")
def test_pricing_again_costs_the_same_for_many(practice, django_assert_max_num_queries):
    load(practice, *[VISIT + line() for _ in range(150)])
    ServiceLine.objects.update(expected_amount=None)
    Claim.objects.update(expected_amount=None)
    call_command("reprice", verbosity=0)
    ServiceLine.objects.update(expected_amount=None)
    with django_assert_max_num_queries(10):
        call_command("reprice", verbosity=0)
    assert set(lines()) == {(FEE, "")}


@pytest.mark.usefixtures("schedule")
def test_the_samples_are_answered_from_memory(practice):
    """Of the practice's lines, more than 95 of 100 meet their table in process memory."""
    fees = settings.BASE_DIR / "samples" / "fees"
    call_command("load_contracts", fees / "contracts.csv", fees=fees / "contract_fees.csv", verbosity=0)
    before = pricing.statistics()
    for path in sorted((settings.BASE_DIR / "samples").glob("*-837p.x12")):
        load_chunk(make_job(practice, path.read_bytes()))
    now = pricing.statistics()
    hits, misses = now.memory_hits - before.memory_hits, now.memory_misses - before.memory_misses
    # a table for each of ten contracts; two sets of rows for all of them
    assert misses == 10
    assert (now.cache_hits + now.cache_misses) - (before.cache_hits + before.cache_misses) == 11
    assert hits / (hits + misses) > 0.95
    assert not ServiceLine.objects.filter(expected_amount=None, expected_reason="").exists()
    assert ServiceLine.objects.filter(procedure_code="99213", expected_amount=None).count() < 10
