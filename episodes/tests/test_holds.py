"""What is held: unbalanced and repeated payments, reversals without original; rulings, and the dry run of a release."""

import itertools
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from episodes.hand import Refused
from episodes.holds import hold_file, rule, try_posting
from episodes.link import link_file
from episodes.models import Episode, Hold, HoldChange, StageChange, Takeback
from episodes.stages import set_stage
from episodes.status import settle_file
from episodes.tests.rows import Files, make_practice
from episodes.tests.test_link import ORIGINAL, PAYMENT, REVERSAL, claims, remittances
from marb.pipeline.jobs import FileJob
from marb.pipeline.models import EdiFile
from remits.models import Payment, ProviderAdjustment

pytestmark = pytest.mark.django_db
Step = Callable[[Files], FileJob]
LATER = date(2026, 3, 1)
TRACED = {"trace_number": "EFT1", "payment_amount": Decimal(60), "production_date": date(2026, 2, 1)}
WRONG = TRACED | {"difference_amount": Decimal("-5.00")}


def run(files: Files, *steps: Step) -> Files:
    for step in steps:
        job = step(files)
        for stage in (hold_file, link_file, settle_file):
            stage(job)
    return files


def begin(*steps: Step) -> Files:
    return run(Files(make_practice()), *steps)


def paid(key: str, payment: dict[str, Any], on: date = date(2026, 2, 1), **row: Any) -> Step:
    return remittances(key, PAYMENT | {"payment": payment} | row, on=on)


def state(files: Files) -> list[Any]:
    """What is posted and what is held, in names that do not depend on ids."""
    episodes = Episode.objects.filter(practice=files.practice).order_by("claim__file__sha256", "claim__byte_offset")
    columns = ("status", "stage", "paid_amount", "adjustment_amount", "open_amount", "held_count", "takeback_amount")
    holds = Hold.objects.filter(practice=files.practice).order_by("payment__file__sha256", "payment__byte_offset")
    return [
        list(episodes.values_list(*columns)),
        list(holds.exclude(state="cleared").values_list("payment__file__sha256", "reason", "state", "sentence")),
    ]


def same_in_any_order(*steps: Step) -> Files:
    found = [begin(*order) for order in itertools.permutations(steps)]
    assert all(state(files) == state(found[0]) for files in found)
    return found[0]


def episode_of(files: Files) -> Episode:
    return Episode.objects.get(practice=files.practice)


def hold_of(files: Files, **columns: Any) -> Hold:
    return Hold.objects.get(practice=files.practice, **columns)


@pytest.fixture
def person() -> Any:
    return get_user_model().objects.create_user("biller-of-holds")


def test_a_payment_that_does_not_balance_is_held_whole_with_a_sentence():
    files = same_in_any_order(claims("c", ORIGINAL), paid("r", WRONG))
    episode, hold = episode_of(files), hold_of(files)
    assert (episode.status, episode.stage, episode.paid_amount) == ("pending", "in_adjudication", 0)
    assert (episode.remittance_count, episode.held_count, episode.open_amount) == (1, 1, 100)
    assert (hold.reason, hold.state, hold.remittance) == ("unbalanced", "held", None)
    assert "a difference of -5.00" in hold.sentence


def test_one_claim_that_does_not_balance_holds_the_payment():
    fault = TRACED | {"unbalanced_count": 1, "claim_difference_amount": Decimal("2.36")}
    files = begin(claims("c", ORIGINAL), paid("r", fault))
    assert episode_of(files).status == "pending"
    assert "Claims of it that do not balance: 1, by 2.36" in hold_of(files).sentence


def test_a_payment_that_is_not_settled_yet_is_not_posted():
    files = begin(claims("c", ORIGINAL), paid("r", TRACED | {"difference_amount": None}))
    assert episode_of(files).status == "pending"
    assert not Hold.objects.exists()


def test_released_it_is_posted_and_the_dry_run_had_said_so(person):
    files = begin(claims("c", ORIGINAL), paid("r", WRONG))
    before = state(files)
    tried = try_posting(hold_of(files))
    assert state(files) == before
    assert rule(person, hold_of(files), "release", "The payer confirmed it by phone")
    episode, (step,) = episode_of(files), tried.steps
    assert (episode.status, episode.stage, episode.paid_amount) == ("complete", "paid", 60)
    assert (step.after.status, step.after.stage, step.after.paid_amount) == ("complete", "paid", 60)
    assert (step.before.status, step.before.paid_amount, tried.after["paid_amount"]) == ("pending", 0, 60)
    change = HoldChange.objects.get(hold=hold_of(files))
    assert (change.from_state, change.to_state, change.changed_by) == ("held", "released", person)


def test_the_same_ruling_twice_changes_nothing(person):
    files = begin(claims("c", ORIGINAL), paid("r", WRONG))
    assert rule(person, hold_of(files), "release", "Once")
    before = state(files)
    assert not rule(person, hold_of(files), "release", "Twice")
    assert (state(files), HoldChange.objects.count()) == (before, 1)


@pytest.mark.parametrize("first", ["release", "keep", "discard"])
@pytest.mark.parametrize("last", ["release", "keep", "discard", "reopen"])
def test_after_any_rulings_the_last_one_stands(person, first, last):
    files, direct = (begin(claims("c", ORIGINAL), paid("r", WRONG)) for _ in range(2))
    rule(person, hold_of(files), first, "At first")
    rule(person, hold_of(files), last, "At last")
    rule(person, hold_of(direct), last, "At last")
    assert state(files) == state(direct)


def test_a_ruling_needs_a_reason(person):
    files = begin(claims("c", ORIGINAL), paid("r", WRONG))
    with pytest.raises(Refused, match="Say why"):
        rule(person, hold_of(files), "release", "  ")
    assert hold_of(files).state == "held"


def test_a_ruling_outlasts_later_files(person):
    files = begin(claims("c", ORIGINAL), paid("r", WRONG))
    rule(person, hold_of(files), "discard", "Sent by mistake")
    job = FileJob(files.practice.pk, EdiFile.objects.get(name="r").pk, LATER)
    assert hold_file(job) == {"holds": 0}
    settle_file(job)
    assert (hold_of(files).state, episode_of(files).paid_amount) == ("discarded", 0)


def test_a_corrected_file_is_posted_in_the_place_of_the_wrong_one_in_any_order():
    files = same_in_any_order(
        claims("c", ORIGINAL), paid("r", WRONG), paid("corrected", TRACED | {"production_date": LATER})
    )
    assert (episode_of(files).status, episode_of(files).paid_amount) == ("complete", 60)
    hold = hold_of(files, state="held")
    assert (hold.payment.file.name, hold.reason) == ("r", "duplicate")


def test_a_payment_that_was_paid_before_is_held_in_any_order():
    files = same_in_any_order(
        claims("c", ORIGINAL), paid("r", TRACED), paid("again", TRACED | {"production_date": LATER})
    )
    hold = hold_of(files)
    assert (hold.payment.file.name, hold.reason) == ("again", "duplicate")
    assert episode_of(files).paid_amount == 60


def test_where_the_first_is_discarded_the_second_is_posted(person):
    files = begin(claims("c", ORIGINAL), paid("r", WRONG), paid("again", WRONG | {"production_date": LATER}))
    assert set(Hold.objects.values_list("reason", "state")) == {("unbalanced", "held"), ("duplicate", "held")}
    rule(person, hold_of(files, reason="unbalanced"), "discard", "The second one counts")
    assert set(Hold.objects.values_list("reason", "state")) == {("unbalanced", "discarded"), ("unbalanced", "held")}


@pytest.mark.parametrize("column", ["trace_number", "payment_amount"])
def test_another_trace_number_or_amount_is_another_payment(column):
    other = TRACED | {column: {"trace_number": "EFT2", "payment_amount": Decimal(61)}[column]}
    assert not Hold.objects.filter(practice=begin(paid("r", TRACED), paid("other", other)).practice).exists()


def test_a_reversal_is_held_until_its_original_comes():
    files = begin(claims("c", ORIGINAL), remittances("v", REVERSAL, on=LATER))
    hold = hold_of(files)
    assert (hold.reason, hold.state, episode_of(files).paid_amount) == ("reversal", "held", 0)
    run(files, remittances("r", PAYMENT))
    assert (hold_of(files).state, episode_of(files).stage) == ("cleared", "reversed")


def test_a_reversal_of_what_is_held_waits_with_it(person):
    files = begin(claims("c", ORIGINAL), paid("r", WRONG), remittances("v", REVERSAL, on=LATER))
    assert (episode_of(files).paid_amount, episode_of(files).held_count) == (0, 2)
    rule(person, hold_of(files, reason="unbalanced"), "release", "It is right")
    assert (episode_of(files).stage, episode_of(files).held_count) == ("reversed", 0)


@pytest.mark.parametrize(
    "row",
    [
        {"claim_status_code": "4"},
        {"claim_status_code": "23"},
        {"claim_status_code": "22"},
        {"charge_amount": Decimal(-100), "paid_amount": Decimal(-60)},
    ],
)
def test_what_contradicts_itself_is_held_in_any_order_and_a_person_may_post_it(row, person):
    files = same_in_any_order(claims("c", ORIGINAL), remittances("r", PAYMENT | row))
    hold = hold_of(files)
    assert (hold.reason, hold.remittance_id is not None) == ("contradiction", True)
    assert episode_of(files).paid_amount == 0
    (step,) = try_posting(hold).steps
    assert rule(person, hold, "release", "As the payer says")
    assert episode_of(files).paid_amount == step.after.paid_amount != 0


def test_paid_reversed_corrected_ends_at_the_corrected_values_in_any_order():
    corrected = PAYMENT | {"paid_amount": Decimal(70), "adjustments": {"CO-45": "20", "PR-2": "10"}}
    files = same_in_any_order(
        claims("c", ORIGINAL), remittances("r", PAYMENT), remittances("v", REVERSAL, corrected, on=LATER)
    )
    episode = episode_of(files)
    assert (episode.stage, episode.paid_amount, episode.contractual_amount, episode.open_amount) == ("paid", 70, 20, 0)


# --- takebacks ---


def with_plb(key: str, reference: str, amount: str, code: str = "WO") -> Step:
    """A payment of another claim whose PLB names `reference`."""

    def step(files: Files) -> FileJob:
        job = files.remittances(key, {"patient_control_number": f"OTHER-{key}"}, paid_on=LATER)
        payment = Payment.objects.get(file_id=job.file_id)
        ProviderAdjustment.objects.create(
            practice=files.practice, payment=payment, byte_offset=900, seq=1, provider_code="1", reason_code=code,
            reference_number=reference, amount=Decimal(amount),
        )  # fmt: skip
        return job

    return step


@pytest.mark.parametrize("reference", ["X1", "A1"])
def test_a_takeback_is_given_to_the_episode_that_it_names_in_any_order(reference):
    files = same_in_any_order(claims("c", ORIGINAL), remittances("r", PAYMENT), with_plb("w", reference, "12.50"))
    episode = episode_of(files)
    assert (episode.takeback_amount, episode.net_paid_amount, episode.paid_amount) == (Decimal("12.50"), 47.5, 60)


def test_interest_is_kept_apart_from_what_was_paid_and_taken_back():
    files = begin(claims("c", ORIGINAL), remittances("r", PAYMENT), with_plb("w", "X1", "-3.10", "L6"))
    episode = episode_of(files)
    assert (episode.interest_amount, episode.takeback_amount, episode.paid_amount) == (Decimal("3.10"), 0, 60)


def test_a_reference_that_fits_several_episodes_is_given_to_none():
    two = [{"patient_control_number": name} for name in ("A1", "B1")]
    answers = [PAYMENT | {"patient_control_number": name} for name in ("A1", "B1")]
    begin(claims("c", *two), remittances("r", *answers), with_plb("w", "X1", "5"))
    assert not Takeback.objects.exists()


# --- stages ---


def test_the_second_stage_is_told_with_its_file_and_the_first_is_not():
    files = begin(claims("c", ORIGINAL), remittances("r", PAYMENT))
    assert not StageChange.objects.exists()
    run(files, remittances("v", REVERSAL, on=LATER))
    change = StageChange.objects.get()
    assert (change.from_stage, change.to_stage, change.file and change.file.name) == ("paid", "reversed", "v")


def test_a_denial_that_a_replacement_follows_is_submitted_again():
    denial = PAYMENT | {"paid_amount": Decimal(0), "adjustments": {"CO-16": "100"}}
    again = ORIGINAL | {"frequency_code": "7", "payer_claim_control_number": "X1"}
    files = begin(claims("c", ORIGINAL), remittances("r", denial))
    assert (episode_of(files).status, episode_of(files).stage) == ("denied", "denied")
    run(files, claims("c7", again))
    assert (episode_of(files).status, episode_of(files).stage) == ("denied", "submitted")


def test_a_person_s_word_stands_beside_what_is_derived(person):
    files = begin(claims("c", ORIGINAL), remittances("r", PAYMENT | {"adjustments": {}}))
    assert set_stage(person, episode_of(files), "written_off", "Too small to chase")
    episode = episode_of(files)
    assert (episode.status, episode.stage, episode.hand_stage) == ("complete", "partially_paid", "written_off")
    run(files, remittances("v", REVERSAL, on=LATER))
    assert (episode_of(files).stage, episode_of(files).hand_stage) == ("reversed", "written_off")
    assert set_stage(person, episode_of(files), "", "Reopened")
    assert episode_of(files).status == "linked"


def test_what_the_patient_s_next_payer_is_owed_is_due_until_it_is_billed():
    covered = ORIGINAL | {"other_payers": [{"sequence_code": "S"}]}
    files = begin(claims("c", covered), remittances("r", PAYMENT))
    assert episode_of(files).is_secondary_due
    crossed = begin(claims("c", covered), remittances("r", PAYMENT | {"claim_status_code": "19"}))
    assert not episode_of(crossed).is_secondary_due
    run(files, claims("s", covered | {"payer_sequence_code": "S", "payer": "SECO"}))
    assert not episode_of(files).is_secondary_due
