"""Which table prices a claim, and that a change of schedule or contract is seen at once, everywhere."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from claims import feecache, pricing
from claims.models import Contract, ContractFee, Fee, FeeModifier, FeeSchedule
from claims.pricing import ToPrice
from claims.rvu import Line, Price
from claims.tests.test_feefiles import PPRRVU
from marb.parties.models import Payer

pytestmark = pytest.mark.django_db

GPCI = (
    "Medicare Administrative Contractor (MAC),State,Locality Number,Locality Name,2025 PW GPCI,2025 PE GPCI,"
    "2025 MP GPCI\n01182,CA,18,LOS ANGELES,1.000,1.000,1.000\n"
)
VISIT = [Line("A1234", (), "11", "1")]


@pytest.fixture(autouse=True)
def _no_books_from_other_tests():
    pricing.BOOKS.clear()
    feecache.SCHEDULES.clear()
    cache.clear()


@pytest.fixture
def loaded(tmp_path):
    """The synthetic 2025 schedule, loaded by the command."""
    (tmp_path / "fees.csv").write_text(PPRRVU)
    (tmp_path / "gpci.csv").write_text(GPCI)
    (tmp_path / "zips.csv").write_text("STATE,ZIP CODE,CARRIER,LOCALITY\nCA,90001,01182,18\n")
    load(tmp_path)
    return tmp_path


def load(folder):
    call_command(
        "load_fee_schedule",
        "RVU25A",
        fees=[folder / "fees.csv"],
        localities=[folder / "gpci.csv"],
        zips=[folder / "zips.csv"],
        first=date(2025, 1, 1),
        last=date(2025, 12, 31),
        verbosity=0,
    )


@pytest.fixture
def medicare(practice):
    return Payer.objects.create(practice=practice, payer_code="MCARE", name="Medicare", payer_type="medicare")


@pytest.fixture
def commercial(practice):
    return Payer.objects.create(practice=practice, payer_code="COMM", name="Commercial", payer_type="commercial")


def price(payer: Payer, day: str = "2025-03-01", zip_code: str = "900011234", lines=VISIT) -> Price:
    return pricing.open_book(payer.practice_id).price(ToPrice(payer.pk, zip_code, "P", "CI", day, lines))[0]


@pytest.mark.usefixtures("loaded")
def test_medicare_is_priced_by_the_schedule_of_the_day(medicare):
    assert price(medicare) == Price(8604, "")
    assert price(medicare, day="2026-03-01").reason == "no fee schedule is loaded for this date"
    assert price(medicare, zip_code="10001").reason.startswith("no locality")
    assert price(medicare, day="").reason == pricing.NO_DATE


@pytest.mark.usefixtures("loaded")
def test_a_payer_without_a_contract_is_not_priced(commercial):
    assert price(commercial) == Price(None, pricing.NO_CONTRACT)


@pytest.mark.usefixtures("loaded")
def test_a_contract_prices_in_its_period_only(commercial):
    Contract.objects.create(
        practice=commercial.practice,
        payer=commercial,
        name="120 %",
        percent=Decimal(120),
        effective_from_date=date(2025, 2, 1),
        effective_to_date=date(2025, 6, 30),
    )
    assert price(commercial) == Price(10325, "")
    assert price(commercial, day="2025-01-31").reason == pricing.NO_CONTRACT
    assert price(commercial, day="2025-07-01").reason == pricing.NO_CONTRACT


def test_a_contract_with_its_own_fees_needs_no_schedule(commercial):
    contract = Contract.objects.create(
        practice=commercial.practice, payer=commercial, name="own", basis="own", effective_from_date=date(2025, 1, 1)
    )
    ContractFee.objects.create(contract=contract, procedure_code="A1234", amount=Decimal("99.00"))
    pricing.bump()
    assert price(commercial) == Price(9900, "")


def test_loading_again_replaces_and_the_next_chunk_sees_it(loaded, medicare):
    assert price(medicare).cents == 8604
    (loaded / "fees.csv").write_text(PPRRVU.replace("1.30", "2.30"))
    load(loaded)
    assert price(medicare).cents == 11839
    assert (FeeSchedule.objects.count(), Fee.objects.count()) == (1, 2)


def test_a_bad_file_loads_nothing_and_says_its_row(loaded, medicare):
    (loaded / "fees.csv").write_text(PPRRVU.replace("1.30", "many"))
    with pytest.raises(CommandError, match="Row 8: work is not a number"):
        load(loaded)
    assert price(medicare).cents == 8604


@pytest.mark.usefixtures("loaded")
def test_a_change_of_contract_is_seen_without_being_told(commercial):
    contract = Contract.objects.create(
        practice=commercial.practice, payer=commercial, name="100 %", effective_from_date=date(2025, 1, 1)
    )
    assert price(commercial).cents == 8604
    contract.percent = Decimal(50)
    contract.save()
    assert price(commercial).cents == 4302


@pytest.mark.usefixtures("loaded")
def test_a_payer_that_staff_call_medicare_is_priced_as_medicare(commercial):
    assert price(commercial).reason == pricing.NO_CONTRACT
    commercial.payer_type = "medicare"
    commercial.save()
    assert price(commercial).cents == 8604


@pytest.mark.usefixtures("loaded")
def test_an_institutional_claim_is_not_priced_by_the_physicians_schedule(medicare):
    day = ToPrice(medicare.pk, "90001", "I", "MA", "2025-03-01", VISIT)
    assert pricing.open_book(medicare.practice_id).price(day) == [Price(None, pricing.NOT_PROFESSIONAL)]


@pytest.mark.usefixtures("loaded")
def test_medicare_is_known_by_its_filing_indicator(commercial):
    day = ToPrice(commercial.pk, "90001", "P", "MB", "2025-03-01", VISIT)
    assert pricing.open_book(commercial.practice_id).price(day) == [Price(8604, "")]


@pytest.mark.usefixtures("loaded")
def test_a_contract_may_have_modifier_rules_of_its_own(commercial):
    contract = Contract.objects.create(
        practice=commercial.practice, payer=commercial, name="x", effective_from_date=date(2025, 1, 1)
    )
    reduced = [Line("A1234", ("52",), "11", "1")]
    assert price(commercial, lines=reduced).cents == 4302
    FeeModifier.objects.create(modifier="52", effect="percent", percent=75)
    assert price(commercial, lines=reduced).cents == 6453
    FeeModifier.objects.create(contract=contract, modifier="52", effect="by_report")
    assert "by report" in price(commercial, lines=reduced).reason


@pytest.mark.usefixtures("loaded")
def test_warm_tables_cost_one_query_a_chunk(medicare, django_assert_num_queries):
    price(medicare)
    claims = [ToPrice(medicare.pk, "900011234", "P", "MB", "2025-03-01", VISIT)] * 1000
    with django_assert_num_queries(1):  # the version
        book = pricing.open_book(medicare.practice_id)
        prices = [book.price(claim) for claim in claims]
    assert sum(line.cents or 0 for (line,) in prices) == 1000 * 8604
    assert pricing.statistics().hit_rate > 95


@pytest.mark.usefixtures("loaded")
def test_a_second_process_finds_the_rows_in_the_shared_cache(medicare, django_assert_max_num_queries):
    price(medicare)
    before = pricing.statistics().cache_hits
    pricing.BOOKS.clear()
    feecache.SCHEDULES.clear()
    price(medicare)
    assert pricing.statistics().cache_hits > before


@pytest.mark.usefixtures("loaded")
def test_prices_are_right_with_the_cache_down(medicare, settings):
    settings.CACHES = {
        "default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0", "KEY_PREFIX": "down"}
    }
    assert price(medicare).cents == 8604
