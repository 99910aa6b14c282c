from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marb.edi.x12 import read_segments
from marb.parties.models import Payer, Provider
from marb.pipeline.jobs import ChunkJob, LeaseLost
from marb.pipeline.models import Chunk, EdiFile, Finding, Quarantine
from remits import rows
from remits.load import load_chunk
from remits.models import Adjustment, Payment, ProviderAdjustment, Remittance, RemittanceLine
from remits.tests.conftest import lease
from remits.tests.x12 import CLAIM, HEADING, cut, whole, wrap

Load = Callable[..., EdiFile]
TABLES = (Payment, ProviderAdjustment, Remittance, RemittanceLine, Adjustment)
# what differs from one load to the next, and what stands in place of it
OWN = {"id", "created_at", "file", "chunk", "payment", "remittance", "line"}


def content(file: EdiFile) -> list[Any]:
    """Get all rows of a file without ids and times, in the order of the file."""
    owners: dict[type[models.Model], str] = {Payment: "file", ProviderAdjustment: "payment__file", Remittance: "file"}
    found = []
    for model in TABLES:
        names = [field.name for field in model._meta.fields if field.name not in OWN]
        keys: dict[type[models.Model], list[str]] = {
            RemittanceLine: ["remittance__byte_offset"],
            Adjustment: ["remittance__byte_offset", "line__line_number"],
        }
        order = ["remittance__byte_offset", "seq"] if model is Adjustment else ["byte_offset"]
        owned = model.objects.filter(**{owners.get(model, "remittance__file"): file}).order_by(*order)
        found.append(list(owned.values_list(*names, *keys.get(model, []))))
    return found


def test_a_file_becomes_a_payment_a_remittance_a_line_and_adjustments(load: Load):
    file = load(wrap(HEADING + CLAIM))
    payment, remittance = Payment.objects.get(), Remittance.objects.get()
    assert (payment.payment_amount, payment.payer, payment.payee) == (80, Payer.objects.get(), Provider.objects.get())
    assert (Payer.objects.get().payer_code, Provider.objects.get().npi) == ("H0001", "1234567893")
    assert (remittance.charge_amount, remittance.paid_amount, remittance.allowed_amount) == (100, 80, 85)
    assert (remittance.patient_responsibility_amount, remittance.adjustment_amount) == (5, 20)
    assert (remittance.status, remittance.payment_id, remittance.payer_id) == (
        "processed",
        payment.pk,
        payment.payer_id,
    )
    line = remittance.lines.get()
    assert (line.procedure_code, line.modifiers, line.allowed_amount, line.difference_amount) == (
        "99213",
        ["25"],
        85,
        0,
    )
    assert [str(each) for each in line.adjustments.all()] == ["CO-45", "PR-1"]
    chunk = Chunk.objects.get()
    assert (chunk.state, chunk.remittance_count, chunk.charge_amount, chunk.paid_amount) == ("done", 1, 0, 80)
    assert remittance.file_id == file.pk


def test_the_rendering_provider_is_found_by_npi(load: Load):
    load(wrap(HEADING + CLAIM.replace("~DTM*232", "~NM1*82*1*SMITH*ANN****XX*1992999999~DTM*232")))
    assert Remittance.objects.get().rendering_provider == Provider.objects.get(npi="1992999999")


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_file_cut_into_chunks_gives_the_same_rows(load: Load, size: int):
    adjusted = CLAIM.replace("SVC", "CAS*OA*23*0~SVC")
    body = [
        HEADING + CLAIM + adjusted + CLAIM + "LX*2~" + CLAIM,
        HEADING + adjusted * 2 + "PLB*1*20251231*WO:A*5*CS*-5~",
    ]
    whole_file, pieces = load(wrap(*body)), load(wrap(*body), size)
    assert content(pieces) == content(whole_file)
    assert Payment.objects.filter(file=pieces).count() == 2


def test_chunks_of_one_set_may_come_in_any_order(load: Load, received: Callable[[bytes], EdiFile]):
    data = wrap(HEADING + CLAIM * 3)
    forward = load(data, 1, settle=False)
    backward = received(data)
    for excerpt in reversed(cut(data, 1)):
        load_chunk(lease(backward, excerpt))
    assert content(backward) == content(forward)


@pytest.mark.django_db(transaction=True)
def test_chunks_of_one_set_may_be_loaded_at_the_same_time(received: Callable[[bytes], EdiFile]):
    data = wrap(HEADING + CLAIM * 4)
    file = received(data)
    jobs = [lease(file, excerpt) for excerpt in cut(data, 1)]
    start = Barrier(len(jobs))

    def run(job: ChunkJob) -> None:
        start.wait()
        try:
            load_chunk(job)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as threads:
        list(threads.map(run, jobs))
    assert (Payment.objects.count(), Payer.objects.count(), Remittance.objects.count()) == (1, 1, 4)


FILE = wrap(HEADING + CLAIM + CLAIM + "PLB*1234567893*20251231*WO:A*5~")


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(at=st.integers(110, len(FILE) - 1), piece=st.binary(min_size=1, max_size=2))
def test_no_wound_of_a_file_stops_its_chunk(received: Callable[[bytes], EdiFile], at: int, piece: bytes):
    data = FILE[:at] + piece + FILE[at + 1 :]
    excerpt = whole(data)
    with transaction.atomic():
        file = received(data)
        load_chunk(lease(file, excerpt))
        segments = read_segments(excerpt.body, excerpt.separators)
        claims = sum(elements[0] == "CLP" for _, _, elements in segments)
        kept = Remittance.objects.filter(file=file).count() + Quarantine.objects.filter(file=file).count()
        transaction.set_rollback(True)
    assert kept == claims


def test_a_chunk_whose_lease_is_lost_writes_no_rows(received: Callable[[bytes], EdiFile]):
    job = lease(received(b""), whole(wrap(HEADING + CLAIM)))
    load_chunk(job)
    with pytest.raises(LeaseLost):
        load_chunk(job)
    assert (Payment.objects.count(), Remittance.objects.count()) == (1, 1)


def test_an_unbalanced_remittance_is_stored_with_its_differences_and_findings(load: Load):
    file = load(wrap(HEADING + CLAIM.replace("CO*45*15", "CO*45*14")))
    remittance = Remittance.objects.get()
    assert (remittance.status, remittance.claim_difference_amount, remittance.line_difference_amount) == ("error", 1, 1)
    assert remittance.finding_count == 2
    findings = Finding.objects.filter(file=file, claim_offset=remittance.byte_offset)
    assert {finding.code for finding in findings} == {"line_balance", "claim_balance"}


def test_a_quarantined_claim_payment_is_kept_and_counted(load: Load):
    load(wrap(HEADING + "CLP*P9*1*X*80~" + CLAIM))
    chunk = Chunk.objects.get()
    assert (chunk.remittance_count, chunk.remittances_quarantined, chunk.claims_quarantined) == (1, 1, 0)
    assert Quarantine.objects.get().control_number == "P9"


def test_text_longer_than_its_column_does_not_stop_the_chunk(load: Load):
    long = "X" * 300
    heading = HEADING.replace("HARBOR HEALTH*XV*H0001", f"{long}*XV*{long}").replace("ELM CLINIC", long)
    heading = heading.replace("TRACE1*1512345678", f"{long}*{long}").replace("BPR*I*80*C*ACH", "BPR*III*80*CC*ACHH")
    names = f"NM1*QC*1*{long}*{long}****MI*{long}~NM1*TT*2*{long}~NM1*82*1*{long}*{long}****XX*{long}~"
    line = f"SVC*{long}:99213:{long}*1*1*{long}**HC:{long}~REF*6R*{long}~LQ*HE*{long}~"
    load(
        wrap(
            f"{heading}CLP*{long}*1*1*1~"
            + f"CLP*P*1*1*1*0*{long}*{long}*{long}*{long}**{long}~MOA***{long}~{names}{line}"
        )
        .replace(b"ST*835*0001", f"ST*835*{long}".encode())
        .replace(b"005010X221A1", long.encode())
        .replace(b"*000000001*0*P", b"*" + b"9" * 50 + b"*0*P")
    )
    assert Remittance.objects.count() == 1
    assert Quarantine.objects.count() == 1
    assert Payment.objects.get().detail["oversize"]["N102"] == long


def test_text_that_copy_or_json_would_mind_is_kept_as_it_is(load: Load):
    odd = "\\N\\t'\"{},é"
    load(wrap(HEADING + f"CLP*{odd}*1*0*0~NM1*QC*1*{odd}~REF*EA*{odd}~MOA***{odd}~SVC*HC:{odd}:{odd[:8]}*0*0~"))
    remittance = Remittance.objects.get()
    assert remittance.patient_control_number == remittance.patient_last_name == odd
    assert (remittance.remark_codes, remittance.detail["references"][0]["value"]) == ([odd], odd)
    assert (remittance.lines.get().procedure_code, remittance.lines.get().modifiers) == (odd, [odd[:8]])


def test_parts_of_a_cent_are_never_rounded(load: Load):
    load(wrap(HEADING + "CLP*P*1*1.005*1~" + "CLP*P*1*1.10*.99~CAS*CO*45*.11~"))
    assert Remittance.objects.get().paid_amount == Decimal("0.99")
    assert Quarantine.objects.count() == 1


def test_a_provider_without_an_npi_is_known_by_name(load: Load):
    heading = HEADING.replace("ELM CLINIC*XX*1234567893", "Elm Clinic*FI*123456789")
    load(wrap(heading + CLAIM.replace("~DTM*232", "~NM1*82*1*SMITH*ANN****PC*77~DTM*232")))
    assert set(Provider.objects.values_list("provider_code", "npi")) == {("ELM CLINIC", ""), ("SMITH, ANN", "")}
    assert Provider.objects.get(provider_code="ELM CLINIC").tax_number == "123456789"


def test_two_files_of_one_payer_share_its_row(load: Load):
    load(wrap(HEADING + CLAIM))
    load(wrap(HEADING + CLAIM))
    assert Payer.objects.count() == 1
    assert Provider.objects.count() == 1


def test_a_chunk_costs_the_same_statements_however_many_claim_payments(received: Callable[[bytes], EdiFile]):
    def statements(count: int) -> int:
        job = lease(received(b""), whole(wrap(HEADING + CLAIM * count)))
        with CaptureQueriesContext(connection) as queries:
            load_chunk(job)
        return len(queries)

    statements(1)
    # payers and providers looked up; payment looked up, inserted between savepoint and release, looked up; bounds,
    # savepoint, fence, findings; quarantine; ids of remittances and of lines; four COPYs; release
    assert statements(1) == statements(50) == 19


@pytest.mark.parametrize(
    ("model", "columns", "left_to_the_database"),
    [
        (
            Payment,
            rows.PAYMENT_COLUMNS,
            {
                *("id", "created_at", "claim_paid_amount", "provider_adjustment_amount", "difference_amount"),
                *("claim_difference_amount", "line_difference_amount", "unbalanced_count"),
            },
        ),
        (ProviderAdjustment, rows.PROVIDER_ADJUSTMENT_COLUMNS, {"id"}),
        (Remittance, rows.REMITTANCE_COLUMNS, {"created_at"}),
        (RemittanceLine, rows.LINE_COLUMNS, set()),
        (Adjustment, rows.ADJUSTMENT_COLUMNS, {"id"}),
    ],
)
def test_the_columns_written_are_the_models_columns(
    model: type[models.Model], columns: tuple[str, ...], left_to_the_database: set[str]
):
    assert len(set(columns)) == len(columns)
    assert {field.column for field in model._meta.fields} - left_to_the_database == set(columns)
