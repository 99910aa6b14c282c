"""Edits that ask more than the claim: duplicates and NCCI."""

from datetime import date
from decimal import Decimal
from itertools import permutations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from claims.history import edit_file
from claims.models import Answer, Claim, ClaimAnswer, EditRule, NcciPair, UnitLimit
from claims.tests.rows import create_claim, create_line
from marb.access.models import Practice
from marb.parties.models import Payer, Provider
from marb.pipeline.jobs import FileJob
from marb.pipeline.models import Chunk, EdiFile, Finding

pytestmark = pytest.mark.django_db


@pytest.fixture
def practice():
    return Practice.objects.create(code="north", name="North Clinic")


@pytest.fixture
def parties(practice):
    payer = Payer.objects.create(practice=practice, payer_code="P1", name="Payer")
    provider = Provider.objects.create(practice=practice, provider_code="1234567893", npi="1234567893", name="Clinic")
    return {"payer": payer, "billing_provider": provider, "payer_sequence_code": "P", "frequency_code": "1"}


def create_chunk(practice: Practice, mark: str) -> Chunk:
    file = EdiFile.objects.create(practice=practice, sha256=mark * 64, name=f"{mark}.837", byte_count=1000)
    return Chunk.objects.create(
        practice=practice, file=file, seq=0, kind="837", byte_from=0, byte_to=1000, separators="*:^~", state="done"
    )


def edit(claim_or_chunk) -> dict[str, int]:
    return edit_file(FileJob(claim_or_chunk.practice_id, claim_or_chunk.file_id, date(2026, 2, 1)))


def make_claim(practice, mark, parties, *, lines=({},), **columns) -> Claim:
    claim = create_claim(create_chunk(practice, mark), **{**parties, "line_count": len(lines), **columns})
    for number, line in enumerate(lines, 1):
        values = {"unit_code": "UN", "unit_count": Decimal(1), "service_from_date": claim.service_from_date}
        create_line(claim, number, **{**values, **line})
    return claim


def told(code: str) -> list[tuple[int, int | None, str]]:
    found = Finding.objects.filter(code=code).order_by("file_id", "byte_offset")
    return [(each.file_id, each.claim_offset, each.level) for each in found]


def test_the_later_of_two_alike_claims_is_a_duplicate(practice, parties):
    first = make_claim(practice, "a", parties, submitted_date=date(2026, 1, 6))
    second = make_claim(practice, "b", parties, submitted_date=date(2026, 1, 9))
    assert edit(second)["claim_duplicate"] == 1
    assert told("claim_duplicate") == [(second.file_id, second.byte_offset, "C")]
    second.refresh_from_db()
    first.refresh_from_db()
    assert (second.status, second.finding_count) == ("incomplete", 1)
    assert (first.status, first.finding_count) == ("processed", 0)
    assert str(first.pk) in Finding.objects.get(code="claim_duplicate").message


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_the_order_of_arrival_does_not_choose_the_duplicate(practice, parties, order):
    days = {"a": date(2026, 1, 6), "b": date(2026, 1, 7), "c": date(2026, 1, 8)}
    for mark in order:
        edit(make_claim(practice, mark, parties, submitted_date=days[mark]))
    marks = [EdiFile.objects.get(pk=file).name[0] for file, _, _ in told("claim_duplicate")]
    assert sorted(marks) == ["b", "c"]
    assert Claim.objects.filter(status="incomplete").count() == 2


def test_twice_is_once(practice, parties):
    make_claim(practice, "a", parties)
    second = make_claim(practice, "b", parties)
    edit(second)
    before = list(Claim.objects.order_by("pk").values_list("status", "finding_count"))
    assert edit(second)["claim_duplicate"] == 1
    assert len(told("claim_duplicate")) == 1
    assert list(Claim.objects.order_by("pk").values_list("status", "finding_count")) == before


@pytest.mark.parametrize(
    "other",
    [
        {"charge_amount": Decimal("121.00")},
        {"frequency_code": "7"},
        {"patient_first_name": "JOHN"},
        {"service_from_date": date(2026, 1, 4)},
        {"lines": ({"procedure_code": "99214"},)},
        {"lines": ({"modifiers": ["59"]},)},
        {"payer_sequence_code": "S"},
        {"payer": None},
    ],
)
def test_what_differs_in_anything_is_no_duplicate(practice, parties, other):
    make_claim(practice, "a", parties)
    edit(make_claim(practice, "b", parties, **other))
    assert told("claim_duplicate") == []


def test_many_alike_are_told_in_one_pass(practice, parties):
    chunk = create_chunk(practice, "a")
    for offset in range(100, 3100, 100):
        create_line(create_claim(chunk, offset, **parties))
    with CaptureQueriesContext(connection) as queries:
        assert edit(chunk)["claim_duplicate"] == 29
    # nothing is asked claim by claim
    assert len(queries) <= 14
    assert Claim.objects.filter(status="processed").count() == 1


def test_another_practices_claim_is_no_twin(practice, parties):
    make_claim(practice, "a", parties)
    south = Practice.objects.create(code="south", name="South Clinic")
    edit(make_claim(south, "b", parties))
    assert told("claim_duplicate") == []


def test_a_claim_sent_again_after_its_rejection_is_no_duplicate(practice, parties):
    first = make_claim(practice, "a", parties)
    answers = create_chunk(practice, "c").file
    answer = Answer.objects.create(
        practice=practice, file=answers, seq=0, level="claim", verdict="rejected", said_at=timezone.now()
    )
    ClaimAnswer.objects.create(practice=practice, claim=first, answer=answer, verdict="rejected", is_current=True)
    edit(make_claim(practice, "b", parties))
    assert told("claim_duplicate") == []


@pytest.mark.parametrize(
    ("own", "general", "level"), [("W", None, ["W"]), (None, "off", []), ("C", "off", ["C"]), (None, None, ["C"])]
)
def test_a_payers_rule_comes_before_the_practices(practice, parties, own, general, level):
    for payer, said in ((parties["payer"], own), (None, general)):
        if said:
            EditRule.objects.create(practice=practice, payer=payer, code="claim_duplicate", level=said)
    make_claim(practice, "a", parties)
    second = make_claim(practice, "b", parties)
    edit(second)
    assert [said for *_, said in told("claim_duplicate")] == level
    second.refresh_from_db()
    assert second.status == ("incomplete" if level == ["C"] else "processed")


PAIR = {"table": "practitioner", "column_one_code": "11111", "column_two_code": "22222"}


@pytest.mark.parametrize(
    ("indicator", "modifiers", "found"),
    [("1", [], 1), ("1", ["59"], 0), ("1", ["XS"], 0), ("1", ["GT"], 1), ("0", ["59"], 1), ("9", [], 0)],
)
def test_a_pair_is_told_unless_a_modifier_parts_it(practice, parties, indicator, modifiers, found):
    NcciPair.objects.create(**PAIR, effective_from_date=date(2025, 1, 1), modifier_indicator=indicator)
    lines = ({"procedure_code": "11111", "modifiers": []}, {"procedure_code": "22222", "modifiers": modifiers})
    claim = make_claim(practice, "a", parties, lines=lines, filing_indicator_code="MB")
    assert edit(claim)["ncci_pair"] == found
    assert told("ncci_pair") == [(claim.file_id, claim.byte_offset, "C")] * found


@pytest.mark.parametrize(
    ("first", "last", "found"),
    [
        (date(2026, 1, 5), date(2026, 1, 5), 1),
        (date(2026, 1, 6), None, 0),
        (date(2025, 1, 1), date(2026, 1, 4), 0),
    ],
)
def test_a_pair_holds_from_its_day_to_its_day(practice, parties, first, last, found):
    NcciPair.objects.create(**PAIR, effective_from_date=first, effective_to_date=last, modifier_indicator="0")
    lines = ({"procedure_code": "11111"}, {"procedure_code": "22222"})
    assert edit(make_claim(practice, "a", parties, lines=lines))["ncci_pair"] == found


def test_ncci_is_a_note_for_payers_that_it_is_not_made_for(practice, parties):
    NcciPair.objects.create(**PAIR, effective_from_date=date(2025, 1, 1), modifier_indicator="0")
    lines = ({"procedure_code": "11111"}, {"procedure_code": "22222"})
    claim = make_claim(practice, "a", parties, lines=lines, filing_indicator_code="CI")
    edit(claim)
    claim.refresh_from_db()
    assert [level for *_, level in told("ncci_pair")] == ["W"]
    assert claim.status == "processed"


@pytest.mark.parametrize(
    ("indicator", "units", "found"),
    [("1", (2, 2), 0), ("1", (3, 1), 1), ("2", (1, 1), 0), ("2", (2, 1), 1), ("3", (1, 2), 1)],
)
def test_units_are_held_to_the_limit_of_a_line_or_a_day(practice, parties, indicator, units, found):
    UnitLimit.objects.create(
        table="practitioner",
        procedure_code="11111",
        effective_from_date=date(2026, 1, 1),
        unit_count=2,
        adjudication_indicator=indicator,
    )
    lines = [{"procedure_code": "11111", "unit_count": Decimal(count)} for count in units]
    assert edit(make_claim(practice, "a", parties, lines=lines))["ncci_units"] == found


def test_the_limit_is_that_of_the_day_of_service(practice, parties):
    for day, most in ((date(2025, 1, 1), 1), (date(2026, 1, 1), 5), (date(2026, 2, 1), 1)):
        UnitLimit.objects.create(
            table="practitioner", procedure_code="11111", effective_from_date=day, unit_count=most,
            adjudication_indicator="2",
        )  # fmt: skip
    lines = ({"procedure_code": "11111", "unit_count": Decimal(4)},)
    assert edit(make_claim(practice, "a", parties, lines=lines))["ncci_units"] == 0
