"""Adjudicated lines: what was first decided of each line, in any order of arrival, however often noted."""

import itertools
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from claims.models import Claim
from episodes.hand import link_by_hand, release, unlink_by_hand
from episodes.lines import link_lines
from episodes.tests.rows import Files, make_practice
from episodes.tests.test_lines import add_lines
from episodes.tests.test_link import ORIGINAL, PAYMENT, Step, run
from marb.parties.models import Provider
from marb.pipeline.jobs import FileJob
from remits.models import Adjustment, Remittance
from risk.adjudication import note_file, note_practice
from risk.models import AdjudicatedLine

pytestmark = pytest.mark.django_db
LATER = date(2026, 3, 1)
FIRST, SECOND = {"patient_control_number": "A1"}, {"patient_control_number": "B2"}


def sent(key: str, *rows: dict[str, Any]) -> Step:
    """Send claims of two lines each, a visit and a test."""

    def step(files: Files) -> FileJob:
        job = files.claims(key, *(ORIGINAL | {"diagnosis_codes": ["E119", "I10"]} | row for row in rows))
        for claim in Claim.objects.filter(file_id=job.file_id):
            add_lines(claim, {"diagnosis_pointers": [2]}, {"procedure_code": "83036", "modifiers": ["QW"]})
        return job

    return step


def answered(key: str, *rows: dict[str, Any], on: date = date(2026, 2, 1)) -> Step:
    """Answer claims of two lines; `denied` gives the reason by line number, `paid` what the others are paid."""

    def step(files: Files) -> FileJob:
        plain = [{name: value for name, value in row.items() if name != "denied"} for row in rows]
        job = files.remittances(key, *(PAYMENT | {"adjustments": {}} | row for row in plain), paid_on=on)
        for remittance, row in zip(Remittance.objects.filter(file_id=job.file_id).order_by("pk"), rows, strict=True):
            deny(remittance, row.get("denied", {}))
        return job

    return step


def deny(remittance: Remittance, reasons: dict[int, str]) -> None:
    paid = [Decimal(0) if number in reasons else Decimal(40) for number in (1, 2)]
    lines = add_lines(remittance, {"paid_amount": paid[0]}, {"paid_amount": paid[1], "procedure_code": "83036"})
    for number, carc in reasons.items():
        Adjustment.objects.create(
            practice=remittance.practice, remittance=remittance, line=lines[number - 1], seq=20 + number,
            group_code="CO", carc=carc, amount=50,
        )  # fmt: skip


def noted(*steps: Step) -> Files:
    files = Files(make_practice())
    for step in steps:

        def again(files: Files, step: Step = step) -> FileJob:
            again.job = step(files)  # type: ignore[attr-defined]
            return again.job  # type: ignore[attr-defined]

        run(files, again)
        link_lines(again.job)  # type: ignore[attr-defined]
        note_file(again.job)  # type: ignore[attr-defined]
    return files


NAMES = ("procedure_code", "diagnosis", "adjudicated_date", "is_denied", "carcs", "denied_amount", "is_duplicate")


def rows_of(files: Files) -> list[tuple[Any, ...]]:
    place = ("claim__file__sha256", "claim__byte_offset", "service_line__line_number")
    return sorted(AdjudicatedLine.objects.filter(practice=files.practice).values_list(*place, *NAMES), key=repr)


def in_any_order(*steps: Step) -> list[tuple[Any, ...]]:
    """Note files in every order; answers the rows without their place, which must always be the same."""
    found = [rows_of(noted(*order)) for order in itertools.permutations(steps)]
    assert all(rows == found[0] for rows in found)
    return [row[3:] for row in found[0]]


def test_a_denied_line_and_a_paid_one():
    rows = in_any_order(sent("c", {}), answered("r", {"denied": {2: "50"}}))
    day = date(2026, 2, 1)
    assert rows == [
        ("99213", "I10", day, False, [], Decimal(0), False),
        ("83036", "", day, True, ["50"], Decimal(50), False),
    ]


def test_the_first_adjudication_counts_whatever_comes_later():
    paid_later = answered("r2", {"denied": {}}, on=LATER)
    rows = in_any_order(sent("c", {}), answered("r", {"denied": {1: "16"}}), paid_later)
    assert [(row[3], row[4]) for row in rows] == [(True, ["16"]), (False, [])]


def test_a_reversal_and_a_predetermination_are_no_adjudication():
    early = {"claim_status_code": "25", "denied": {1: "50"}}, {"claim_status_code": "22", "denied": {1: "50"}}
    steps = [answered(f"e{number}", row, on=date(2026, 1, 9)) for number, row in enumerate(early)]
    assert [row[3] for row in rows_only(sent("c", {}), *steps, answered("r", {}))] == [False, False]
    assert rows_only(sent("c", {}), *steps) == []


def rows_only(*steps: Step) -> list[tuple[Any, ...]]:
    return [row[3:] for row in rows_of(noted(*steps))]


def test_another_payers_answer_is_no_adjudication_of_the_claim():
    assert rows_only(sent("c", {}), answered("r", {"payer": "OTHER", "denied": {1: "50"}})) == []


def test_a_whole_claim_that_is_denied_denies_its_lines():
    rows = rows_only(sent("c", {}), answered("r", {"adjustments": {"CO-197": "100"}}))
    assert [(row[3], row[4], row[5]) for row in rows] == [(True, ["197"], Decimal(50))] * 2


def test_an_answer_without_lines_is_the_claims_own():
    def whole(files: Files) -> FileJob:
        return files.remittances("r", PAYMENT | {"paid_amount": 0, "adjustments": {"CO-29": "100"}})

    rows = in_any_order(sent("c", {}), whole)
    assert rows == [("", "", date(2026, 2, 1), True, ["29"], Decimal(100), False)]


def test_a_claim_sent_twice_is_a_duplicate_the_second_time():
    steps = [twice("c", "2026-01-09"), twice("d", "2026-02-09"), answered("r", FIRST, SECOND)]
    in_any_order(*steps)
    found = AdjudicatedLine.objects.filter(practice=noted(*steps).practice)
    assert set(found.values_list("claim__patient_control_number", "is_duplicate")) == {("A1", False), ("B2", True)}


def twice(key: str, submitted: str) -> Step:
    """Send a person's visit; the days of the files are said."""

    def step(files: Files) -> FileJob:
        provider = Provider.objects.get_or_create(practice=files.practice, provider_code="1")[0]
        person = {"subscriber_member_id": "M1", "patient_first_name": "ANN", "billing_provider": provider}
        job = sent(key, person | (FIRST if key == "c" else SECOND))(files)
        Claim.objects.filter(file_id=job.file_id).update(submitted_date=submitted)
        return job

    return step


def test_to_note_twice_writes_nothing():
    files = noted(sent("c", {}), answered("r", {"denied": {2: "50"}}))
    before = list(AdjudicatedLine.objects.values())
    assert note_practice(files.practice.pk) == 0
    assert list(AdjudicatedLine.objects.values()) == before


def test_rows_follow_links_made_and_taken_by_hand():
    files = noted(
        sent("c", {"patient_control_number": "A1"}, {"patient_control_number": "A2"}),
        answered("r", {"patient_control_number": "A1", "denied": {1: "50"}}),
    )
    user = get_user_model().objects.create(username="biller")
    remittance = Remittance.objects.get(practice=files.practice)
    first, second = Claim.objects.filter(practice=files.practice).order_by("patient_control_number")
    unlink_by_hand(user, remittance, "wrong")
    assert rows_of(files) == []
    link_by_hand(user, remittance, second, "right")
    assert {row.claim_id for row in AdjudicatedLine.objects.filter(practice=files.practice)} == {second.pk}
    release(user, remittance, "no")
    assert {row.claim_id for row in AdjudicatedLine.objects.filter(practice=files.practice)} == {first.pk}
