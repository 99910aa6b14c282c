"""Underpaid lines: what counts as allowed, what explains a difference, and that people's word outlasts every file."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from claims.models import Claim, ServiceLine
from episodes.hand import Refused
from episodes.lines import link_lines
from episodes.link import link_file
from episodes.recovery import change_line
from episodes.roll import roll_file
from episodes.rollups import MonthSum
from episodes.status import settle_file
from episodes.tests.rows import Files, make_practice
from episodes.underpaid import Tolerance, UnderpaidChange, UnderpaidLine
from marb.access.models import Membership
from marb.parties.models import Payer
from marb.pipeline.jobs import FileJob
from remits.models import Adjustment, Remittance, RemittanceLine

pytestmark = pytest.mark.django_db
LATER = date(2026, 3, 1)


class Office:
    """A practice with one claim of one line, charged 100 and expected to be allowed 80."""

    def __init__(self, expected: str | None = "80", **claim: Any):
        self.files = Files(make_practice())
        self.job = self.files.claims("c", {"patient_control_number": "A1"} | claim)
        self.line = ServiceLine.objects.create(
            practice=self.files.practice, claim=Claim.objects.get(practice=self.files.practice), line_number=1,
            byte_offset=1, procedure_code="99213", charge_amount=100, expected_amount=expected,
            line_control_number="L1",
        )  # fmt: skip
        self.run(self.job)

    def run(self, job: FileJob) -> None:
        for stage in (link_file, link_lines, settle_file, roll_file):
            stage(job)

    def answer(
        self, key: str, paid: str, reasons: dict[str, str], on: date = date(2026, 2, 1), code: str = "1", **more: Any
    ) -> None:
        """Take in a remittance of the line; `reasons` stand at the line, `whole` ones at the claim."""
        sign = -1 if code == "22" else 1
        whole, allowed = more.pop("whole", {}), more.pop("allowed", None)
        row = {"patient_control_number": "A1", "claim_status_code": code, "paid_amount": Decimal(paid)}
        row |= {"charge_amount": Decimal(100 * sign), "payer_claim_control_number": "X1", "adjustments": whole, **more}
        job = self.files.remittances(key, row, paid_on=on)
        made = Remittance.objects.get(file=job.file_id)
        line = RemittanceLine.objects.create(
            practice=self.files.practice, remittance=made, line_number=1, byte_offset=1, procedure_code="99213",
            charge_amount=100 * sign, paid_amount=paid, allowed_amount=allowed, difference_amount=0,
            line_control_number="L1",
        )  # fmt: skip
        for seq, (reason, amount) in enumerate(reasons.items(), len(whole)):
            group, carc = reason.split("-")
            about = {"practice": self.files.practice, "remittance": made, "line": line, "seq": seq}
            Adjustment.objects.create(**about, group_code=group, carc=carc, amount=Decimal(amount))
        self.run(job)

    @property
    def found(self) -> list[tuple[Decimal, Decimal, str]]:
        rows = UnderpaidLine.objects.filter(practice=self.files.practice)
        return list(rows.values_list("allowed_amount", "variance_amount", "status"))

    @property
    def missing(self) -> Decimal:
        return sum((row.underpaid_amount for row in MonthSum.objects.filter(practice=self.files.practice)), Decimal(0))


def test_a_line_allowed_less_than_expected_is_found_though_co_45_hides_it() -> None:
    office = Office()
    office.answer("r", "40", {"CO-45": "40", "PR-2": "20"})
    assert office.found == [(60, 20, "open")]
    assert office.missing == 20


@pytest.mark.parametrize(
    ("paid", "reasons"),
    [
        ("60", {"CO-45": "20", "PR-2": "20"}),
        ("58.80", {"CO-45": "20", "CO-253": "1.20", "PR-2": "20"}),
        ("59.50", {"CO-45": "20.50", "PR-2": "20"}),
        ("0", {"CO-197": "100"}),
        ("0", {"CO-24": "100"}),
        ("30", {"CO-45": "20", "CO-151": "50"}),
        ("0", {"CO-45": "20", "PR-1": "80"}),
    ],
    ids=["as expected", "sequestered", "within tolerance", "denied", "capitated", "denied in part", "deductible"],
)
def test_what_is_no_underpayment(paid: str, reasons: dict[str, str]) -> None:
    office = Office()
    office.answer("r", paid, reasons)
    assert office.found == []
    assert office.missing == 0


def test_a_line_without_a_price_is_not_compared() -> None:
    office = Office(expected=None)
    office.answer("r", "1", {"CO-45": "99"})
    assert office.found == []


def test_a_secondary_claim_is_not_compared() -> None:
    office = Office(payer_sequence_code="S")
    office.answer("r", "10", {"OA-23": "90"}, code="2")
    assert office.found == []


def test_where_the_patient_s_share_stands_at_the_claim_the_stated_amount_counts() -> None:
    office = Office()
    office.answer("r", "40", {"CO-45": "20"}, whole={"PR-1": "40"}, allowed=Decimal(80))
    assert office.found == []
    office.answer("s", "40", {"CO-45": "20"}, whole={"PR-1": "40"})
    # without it nobody can tell
    assert office.found == []


def test_a_reversal_and_its_correction_are_netted_in_either_order() -> None:
    steps = [
        lambda office: office.answer("r", "40", {"CO-45": "60"}),
        lambda office: office.answer("v", "-40", {"CO-45": "-60"}, LATER, "22"),
        lambda office: office.answer("n", "80", {"CO-45": "20"}, LATER),
    ]
    for order in (steps, steps[::-1]):
        office = Office()
        for step in order:
            step(office)
        assert office.found == []
        assert office.missing == 0
    office = Office()
    steps[0](office)
    assert office.found == [(40, 40, "open")]
    steps[1](office)
    assert office.found == []


def test_a_denial_that_was_paid_later_explains_nothing() -> None:
    office = Office()
    office.answer("r", "0", {"CO-197": "100"})
    office.answer("s", "50", {"CO-45": "50"}, LATER)
    assert office.found == [(50, 30, "open")]


def test_a_practice_s_tolerance_and_that_of_a_payer() -> None:
    office = Office()
    office.answer("r", "70", {"CO-45": "30"})
    assert office.found == [(70, 10, "open")]
    Tolerance.objects.create(practice=office.files.practice, amount=5, percent=20)
    roll_file(office.job)
    assert office.found == []
    payer = Payer.objects.get(practice=office.files.practice)
    Tolerance.objects.create(practice=office.files.practice, payer=payer, amount=5, percent=10)
    roll_file(office.job)
    assert office.found == [(70, 10, "open")]


@pytest.fixture
def taken() -> tuple[Office, Any]:
    office = Office()
    office.answer("r", "40", {"CO-45": "60"})
    person = get_user_model().objects.create_user("biller-of-it")
    Membership.objects.create(practice=office.files.practice, user=person)
    change_line(person, UnderpaidLine.objects.get(), "disputed", "Sent the contract", assigned_to=person)
    return office, person


def test_what_a_person_did_is_kept_with_who_and_why_and_outlasts_later_files(taken) -> None:
    office, person = taken
    told = UnderpaidChange.objects.get()
    assert (told.previous_status, told.status, told.changed_by, told.reason) == (
        *("open", "disputed", person, "Sent the contract"),
    )
    office.answer("v", "-40", {"CO-45": "-60"}, LATER, "22")
    office.answer("n", "80", {"CO-45": "20"}, LATER)
    assert office.found == [(80, 0, "disputed")]
    assert office.missing == 0


def test_what_is_recovered_or_accepted_is_no_longer_missing(taken) -> None:
    office, person = taken
    assert office.missing == 40
    for status, missing in (("accepted", 0), ("open", 40), ("recovered", 0)):
        change_line(person, UnderpaidLine.objects.get(), status, "Said so")
        assert office.missing == missing


def test_what_cannot_be_done_is_refused_and_changes_nothing(taken) -> None:
    office, person = taken
    line, stranger = UnderpaidLine.objects.get(), get_user_model().objects.create_user("stranger")
    for status, reason, assignee in (
        ("lost", "x", None),
        ("open", "  ", None),
        ("open", "x" * 301, None),
        ("open", "x", stranger),
        ("disputed", "x", person),
    ):
        with pytest.raises(Refused):
            change_line(person, line, status, reason, assigned_to=assignee)
    assert office.found == [(40, 40, "disputed")]
    assert UnderpaidChange.objects.count() == 1
