"""Loading contracts from CSV files, and the shipped schedule and contracts of the sample practice."""

from datetime import date
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from claims import pricing
from claims.models import Contract, ContractFee, Fee, FeeCap, FeeSchedule, Locality, LocalityZip
from claims.pricing import ToPrice
from claims.rvu import Line, Price
from marb.parties.models import Payer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("practice")]

SAMPLES = settings.BASE_DIR / "samples" / "fees"
HEADING = "practice,payer_code,payer_name,payer_type,basis,percent,from,to\n"


@pytest.fixture
def write(tmp_path):
    def write_file(*rows: str, name: str = "contracts.csv", heading: str = HEADING):
        path = tmp_path / name
        path.write_text(heading + "".join(f"{row}\n" for row in rows))
        return path

    return write_file


def load(path, **options):
    call_command("load_contracts", path, verbosity=0, **options)


def test_a_row_makes_the_payer_and_its_contract(write, practice):
    load(write("main,comm1,COMMERCIAL ONE,commercial,medicare,120.5,2025-01-01,2025-12-31"))
    contract = Contract.objects.select_related("payer").get()
    assert (contract.practice_id, contract.basis, contract.percent) == (practice.pk, "medicare", Decimal("120.50"))
    assert (contract.payer.payer_code, contract.payer.payer_type) == ("COMM1", "commercial")
    assert (contract.effective_from_date, contract.effective_to_date) == (date(2025, 1, 1), date(2025, 12, 31))


def test_loading_again_replaces_and_keeps_what_staff_wrote_on_the_payer(write, practice):
    payer = Payer.objects.create(practice=practice, payer_code="COMM1", name="Written by staff", payer_type="medicaid")
    load(write(",COMM1,OTHER NAME,commercial,medicare,120,2025-01-01,"))
    load(write(",COMM1,OTHER NAME,commercial,medicare,130,2025-01-01,"))
    payer.refresh_from_db()
    assert (payer.name, payer.payer_type) == ("Written by staff", "medicaid")
    assert list(Contract.objects.values_list("percent", "version")) == [(Decimal(130), 2)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",COMM1,X,,medicare,many,2025-01-01,", "row 3: percent is not a number"),
        (",COMM1,X,,medicare,NaN,2025-01-01,", "row 3: percent is not a number"),
        (",COMM1,X,,medicare,120,01/01/2025,", "row 3: from is not a date"),
        (",COMM1,X,,guess,120,2025-01-01,", "row 3: basis"),
        (",COMM1,X,pirate,medicare,120,2025-01-01,", "row 3: payer_type"),
        (",,X,,medicare,120,2025-01-01,", "row 3: no payer_code"),
        ("nobody,COMM1,X,,medicare,120,2025-01-01,", "row 3: no practice nobody"),
    ],
)
def test_a_bad_row_loads_nothing_and_says_where(write, row, said):
    with pytest.raises(CommandError, match=said):
        load(write(",GOOD,X,,medicare,120,2025-01-01,", row))
    assert Contract.objects.count() == Payer.objects.count() == 0


def test_a_file_without_a_column_is_refused_by_name(write):
    with pytest.raises(CommandError, match="no column percent"):
        load(write(heading="payer_code,basis,from\n"))


@pytest.mark.usefixtures("other_practice")
def test_of_several_practices_one_must_be_named(write):
    with pytest.raises(CommandError, match="name the practice"):
        load(write(",COMM1,X,,medicare,120,2025-01-01,"))


def test_fees_of_a_contract_price_by_the_next_chunk(write, practice):
    contracts = write(",OWN1,X,,own,100,2025-01-01,")
    heading = "payer_code,from,procedure_code,modifier,amount,facility_amount\n"
    load(contracts, fees=write("OWN1,2025-01-01,80053,,12.50,", name="a.csv", heading=heading))
    payer = Payer.objects.get()
    lab = ToPrice(payer.pk, "", "I", "CI", "2025-03-01", [Line("80053", (), "", "2")])
    assert pricing.open_book(practice.pk).price(lab) == [Price(2500, "")]
    load(contracts, fees=write("OWN1,2025-01-01,80053,,20,", name="b.csv", heading=heading))
    assert pricing.open_book(practice.pk).price(lab) == [Price(4000, "")]
    assert ContractFee.objects.count() == 1
    with pytest.raises(CommandError, match="row 2: no contract"):
        load(contracts, fees=write("OTHER,2025-01-01,80053,,20,", name="c.csv", heading=heading))


def test_an_agreed_fee_comes_before_medicares(write, practice):
    call_command("load_fee_schedule", "RVU26A", folder=SAMPLES, verbosity=0)
    heading = "payer_code,from,procedure_code,modifier,amount\n"
    agreed = write("MIX1,2025-01-01,80053,,12.50", name="agreed.csv", heading=heading)
    load(write(",MIX1,X,,medicare,200,2025-01-01,"), fees=agreed)
    payer = Payer.objects.get()
    lines = [Line("80053", (), "11", "1"), Line("99213", (), "11", "1")]
    day = ToPrice(payer.pk, "45246", "P", "CI", "2026-03-01", lines)
    assert pricing.open_book(practice.pk).price(day) == [Price(1250, ""), Price(15532, "")]


def test_the_shipped_folder_is_loaded_whole():
    call_command("load_fee_schedule", "RVU26A", folder=SAMPLES, verbosity=0)
    found = FeeSchedule.objects.order_by("name").values_list("name", "qualifier", "year")
    assert list(found) == [("RVU26A QP", "QP", 2026), ("RVU26A nonQP", "nonQP", 2026)]
    rows = (SAMPLES / "PPRRVU2026_Jan_QPP.csv").read_text(encoding="latin-1").splitlines()[7:]
    assert Fee.objects.count() == 2 * len(rows)
    assert (Locality.objects.count(), FeeCap.objects.count(), LocalityZip.objects.count()) == (6, 12, 12)
    factors = set(Fee.objects.values_list("schedule__qualifier", "conversion_factor"))
    assert factors == {("QP", Decimal("33.5675")), ("nonQP", Decimal("33.4009"))}


def test_the_shipped_contracts_price_a_visit(practice):
    call_command("load_fee_schedule", "RVU26A", folder=SAMPLES, verbosity=0)
    load(SAMPLES / "contracts.csv", fees=SAMPLES / "contract_fees.csv")
    visit = [Line("99213", ("25",), "11", "1")]
    payers = dict(Payer.objects.values_list("payer_code", "pk"))
    claims = [ToPrice(payers[code], "452460001", "P", "", "2026-02-03", visit) for code in ("SMP01", "SBX03")]
    book = pricing.open_book(practice.pk)
    (medicare,), (blue,) = map(book.price, claims)
    # (1.16 + 1.13 x 0.926 + 0.12 x 0.988) x 33.4009
    assert (medicare, blue) == (Price(7766, ""), Price(11261, ""))


def test_a_folder_without_a_schedule_is_refused(tmp_path):
    with pytest.raises(CommandError, match="no PPRRVU"):
        call_command("load_fee_schedule", "X", folder=tmp_path)
    (tmp_path / "PPRRVU_new.csv").write_text("")
    with pytest.raises(CommandError, match="does not say its year"):
        call_command("load_fee_schedule", "X", folder=tmp_path)


@pytest.mark.parametrize("text", ["HCPCS,MOD\n" + "a" * 200_000 + "\n", 'HCPCS\n"x', "\0"])
def test_what_is_no_schedule_at_all_is_refused_in_a_sentence(tmp_path, text):
    (tmp_path / "PPRRVU2026.csv").write_text(text)
    with pytest.raises(CommandError, match=r"Nothing was loaded|No heading|No column"):
        call_command("load_fee_schedule", "X", folder=tmp_path, verbosity=0)
    assert not FeeSchedule.objects.exists()
