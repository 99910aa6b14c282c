"""Loading claims into PostgreSQL."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from claims.edi837.records import CLAIM_TEXTS, LINE_TEXTS
from claims.load import load_chunk
from claims.models import Claim, ServiceLine
from claims.rows import CLAIM_COLUMNS, CLAIM_FIELDS, LINE_COLUMNS, LINE_FIELDS
from claims.tests.envelope import BILLING, CLAIM, INSTITUTIONAL, LINE, SUBSCRIBER, excerpt, file_text
from marb.access.models import Practice
from marb.parties.models import Payer, Provider
from marb.pipeline.jobs import ChunkJob, LeaseLost
from marb.pipeline.models import Chunk, EdiFile, Finding, Quarantine

BAD = CLAIM.replace("*100*", "*x*").replace("PCN1", "BAD1") + LINE


@pytest.fixture
def practice(db):
    return Practice.objects.create(code="north", name="North Clinic")


def make_job(practice: Practice, text: str | bytes) -> ChunkJob:
    """Make a file of one leased chunk, as the runner does."""
    given = excerpt(text)
    size = len(given.body.data)
    number = EdiFile.objects.count()
    file = EdiFile.objects.create(practice=practice, sha256=f"{number:064d}", name="a.837", byte_count=size)
    lease = {"state": "leased", "lease_no": 1, "lease_until": timezone.now() + timedelta(minutes=1)}
    owner = {"practice": practice, "file": file, "separators": "*:^~"}
    chunk = Chunk.objects.create(seq=0, kind="837", byte_from=0, byte_to=size, **owner, **lease)
    return ChunkJob(practice.pk, file.pk, chunk.pk, 1, "837", given, date(2024, 2, 1))


def columns(model) -> dict[str, Any]:
    return {field.column: field for field in model._meta.concrete_fields}


def test_row_fields_are_copy_columns_are_model_columns():
    assert set(columns(Claim)) == {*CLAIM_COLUMNS, "created_at"}
    assert set(columns(ServiceLine)) == {*LINE_COLUMNS, "id"}
    assert len(set(CLAIM_COLUMNS)) == len(CLAIM_COLUMNS)
    assert len(set(LINE_COLUMNS)) == len(LINE_COLUMNS)


@pytest.mark.parametrize(
    ("model", "texts", "fields"), [(Claim, CLAIM_TEXTS, CLAIM_FIELDS), (ServiceLine, LINE_TEXTS, LINE_FIELDS)]
)
def test_text_lengths_are_those_of_the_columns(model, texts, fields):
    assert fields[: len(texts)] == tuple(text.column for text in texts)
    for text in texts:
        assert columns(model)[text.column].max_length == text.length
    rest = [columns(model)[name] for name in fields[len(texts) :]]
    assert not [field for field in rest if field.get_internal_type() == "CharField"]


def test_a_chunk_becomes_claims_lines_payers_and_providers(practice):
    job = make_job(practice, file_text(BILLING, SUBSCRIBER, CLAIM, "NM1*82*1*ROE*JO****XX*1992739999~", LINE))
    load_chunk(job)
    claim = Claim.objects.select_related("payer", "billing_provider", "rendering_provider").get()
    assert (claim.status, claim.finding_count, claim.charge_amount) == ("processed", 0, Decimal("100.00"))
    assert claim.payer
    assert claim.billing_provider
    assert claim.rendering_provider
    assert (claim.payer.payer_code, claim.payer.name) == ("60054", "ACME HEALTH")
    assert (claim.billing_provider.npi, claim.billing_provider.tax_number) == ("1234567893", "123456789")
    assert (claim.rendering_provider.npi, claim.rendering_provider.name) == ("1992739999", "ROE, JO")
    assert claim.service_from_date == date(2024, 1, 10)
    assert (claim.diagnosis_codes, claim.diagnoses[0]) == (["J209", "E119"], {"qualifier": "ABK", "code": "J209"})
    assert claim.detail["subscriber"]["names"][0]["address"]["lines"] == ["2 OAK AVE"]
    (line,) = claim.lines.all()
    assert (line.procedure_code, line.charge_amount, line.unit_count) == ("99213", Decimal("100.00"), Decimal(1))
    assert (line.diagnosis_pointers, line.practice_id) == ([1], practice.pk)
    chunk = Chunk.objects.get(pk=job.chunk_id)
    assert (chunk.state, chunk.claim_count, chunk.charge_amount) == ("done", 1, Decimal("100.00"))


def test_bad_claims_are_kept_apart_and_the_rest_goes_on(practice):
    unclean = CLAIM.replace("*100*", "*99*").replace("PCN1", "SUM1") + LINE
    job = make_job(practice, file_text(BILLING, SUBSCRIBER, CLAIM, LINE, BAD, unclean))
    load_chunk(job)
    assert list(Claim.objects.order_by("id").values_list("patient_control_number", "status", "finding_count")) == [
        ("PCN1", "processed", 0),
        ("SUM1", "incomplete", 1),
    ]
    kept = Quarantine.objects.get()
    assert (kept.control_number, kept.charge_amount) == ("BAD1", None)
    assert job.excerpt.body.data[kept.byte_from : kept.byte_to].decode() == BAD
    assert set(Finding.objects.values_list("code", "claim_offset")) == {
        ("6", kept.byte_from),
        ("charge_sum", Claim.objects.get(status="incomplete").byte_offset),
    }
    chunk = Chunk.objects.get()
    assert (chunk.claim_count, chunk.claims_quarantined, chunk.finding_count) == (2, 1, 2)


def test_a_chunk_of_nothing_but_bad_claims_is_done(practice):
    load_chunk(make_job(practice, file_text(BILLING, SUBSCRIBER, BAD)))
    assert (Claim.objects.count(), Chunk.objects.get().state) == (0, "done")


def test_without_the_lease_nothing_is_written(practice):
    job = make_job(practice, file_text(BILLING, SUBSCRIBER, CLAIM, LINE, BAD))
    with pytest.raises(LeaseLost):
        load_chunk(job._replace(lease_no=2))
    assert (Claim.objects.count(), ServiceLine.objects.count(), Finding.objects.count()) == (0, 0, 0)


def test_a_chunk_delivered_twice_is_loaded_once(practice):
    job = make_job(practice, file_text(BILLING, SUBSCRIBER, CLAIM, LINE))
    load_chunk(job)
    with pytest.raises(LeaseLost):
        load_chunk(job)
    assert (Claim.objects.count(), ServiceLine.objects.count()) == (1, 1)


def test_the_same_claim_in_another_file_is_another_row_of_the_same_payer(practice):
    for _ in range(2):
        load_chunk(make_job(practice, file_text(BILLING, SUBSCRIBER, CLAIM, LINE)))
    assert Claim.objects.values("file", "byte_offset").distinct().count() == 2
    assert (Payer.objects.count(), Provider.objects.count()) == (1, 1)


def test_text_arrives_as_it_was_sent(practice):
    name = 'O\\NEIL "QUOTE" {A,B} É tab\tend \\N'
    text = file_text(
        BILLING, SUBSCRIBER.replace("DOE", name), CLAIM, f"NTE*ADD*{name}~", LINE.replace("99213", "99213::\\")
    )
    load_chunk(make_job(practice, text.encode()))
    claim = Claim.objects.get()
    assert (claim.subscriber_last_name, claim.detail["notes"][0]["text"]) == (name, name)
    assert claim.lines.get().modifiers == ["\\"]


def test_texts_longer_than_their_columns_do_not_stop_the_chunk(practice):
    long = CLAIM.replace("PCN1", "P" * 300).replace("J209", "J" * 300)
    names = SUBSCRIBER.replace("ACME HEALTH", "A" * 400).replace("60054", "6" * 200).replace("DOE", "D" * 200)
    text = file_text(
        BILLING.replace("NORTH CLINIC", "N" * 500).replace("1234567893", "1" * 90),
        *(names, long, f"{'X' * 80}*1~", LINE.replace("HC:99213", f"HC:99213:{'M' * 50}"), CLAIM, LINE),
    ).replace("ST*837*0009", "ST*837*" + "0" * 60)
    load_chunk(make_job(practice, text))
    first, _ = Claim.objects.order_by("id")
    assert (len(first.patient_control_number), first.status) == (60, "incomplete")
    assert first.detail["long"]["patient_control_number"] == "P" * 300


def test_the_largest_amounts_and_quantities_fit(practice):
    big = "9" * 12 + ".99"
    load_chunk(
        make_job(
            practice,
            file_text(
                BILLING,
                SUBSCRIBER,
                CLAIM.replace("*100*", f"*{big}*"),
                LINE.replace("*100*UN*1*", f"*{big}*UN*{'9' * 12}.999999*"),
            ),
        )
    )
    assert Claim.objects.get().charge_amount == Decimal(big)
    assert ServiceLine.objects.get().unit_count == Decimal("9" * 12 + ".999999")


def test_an_institutional_claim_is_stored_with_its_dates(practice):
    claim = "CLM*I1*100***11:A:1**A*Y*Y~DTP*434*RD8*20240101-20240105~DTP*435*DT*202401010800~HI*ABK:I10~"
    load_chunk(
        make_job(practice, file_text(BILLING, SUBSCRIBER, claim, "LX*1~SV2*0450**100*UN*1~", guide=INSTITUTIONAL))
    )
    row = Claim.objects.get()
    assert (row.claim_type, row.service_to_date, row.admission_date) == ("I", date(2024, 1, 5), date(2024, 1, 1))
    assert row.lines.get().revenue_code == "0450"


def test_statements_do_not_grow_with_the_chunk(practice):
    """SELECT payers, providers, prices, rules, limits; SAVEPOINT, bounds, fence, SELECT ids, four COPY, RELEASE."""
    load_chunk(make_job(practice, file_text(BILLING, SUBSCRIBER, CLAIM, LINE)))
    job = make_job(practice, file_text(BILLING, SUBSCRIBER, *([CLAIM + LINE] * 200)))
    with CaptureQueriesContext(connection) as queries:
        load_chunk(job)
    assert len(queries) == 14
    assert Claim.objects.count() == 201
