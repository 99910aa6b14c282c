"""Links made by people: they stand whatever comes and in whatever order, and say who made them and why."""

import itertools
import os
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claims.models import Claim
from episodes.hand import Refused, link_by_hand, release, unlink_by_hand
from episodes.lines import link_lines
from episodes.link import link_file
from episodes.models import Episode, EpisodeRemittance, LinkChange, OpenRemittance
from episodes.status import settle_file
from episodes.tests.rows import Files, make_practice
from episodes.tests.test_candidates import ANSWER, CLAIM, answer_number
from episodes.tests.test_link import ORIGINAL, PAYMENT, claims, digest, remittances, run, statuses
from marb.pipeline.jobs import FileJob
from marb.pipeline.models import EdiFile
from remits.models import Remittance

pytestmark = pytest.mark.django_db
WHY = "The payer confirmed it on the phone."


def again(files: Files, order: list[int] | None = None) -> None:
    """Run the stages of every file once more, in an order of their ids."""
    for pk in order or list(EdiFile.objects.filter(practice=files.practice).values_list("pk", flat=True)):
        job = FileJob(files.practice.pk, pk, date(2026, 6, 30))
        for stage in (link_file, link_lines, settle_file):
            stage(job)


def one(files: Files, number: str) -> Any:
    return Claim.objects.get(practice=files.practice, patient_control_number=number)


def remitted(files: Files) -> Remittance:
    return Remittance.objects.get(practice=files.practice)


@pytest.fixture
def two(biller) -> Files:
    """Two claims, and a payment that is linked to the first by its number."""
    return run(
        Files(make_practice()), claims("c", ORIGINAL, {"patient_control_number": "B2"}), remittances("r", PAYMENT)
    )


def test_a_link_by_hand_moves_the_money_at_once_and_stays(two: Files, biller) -> None:
    link_by_hand(biller, remitted(two), one(two, "B2"), WHY)
    found = list(Episode.objects.order_by("claim__patient_control_number").values_list("status", "paid_amount"))
    assert found == [("pending", 0), ("complete", 60)]
    before = digest(two)
    again(two)
    assert digest(two) == before
    link = EpisodeRemittance.objects.get()
    assert (link.method, link.linked_by, link.confidence) == ("manual", biller, 1)


def test_a_change_says_who_when_why_and_what_was_before(two: Files, biller) -> None:
    link_by_hand(biller, remitted(two), one(two, "B2"), f"  {WHY} ")
    unlink_by_hand(biller, remitted(two), "Not this one either.")
    last, first = LinkChange.objects.all()
    assert (first.action, first.claim, first.previous_claim, first.previous_method, first.reason) == (
        *("link", one(two, "B2"), one(two, "A1"), "control_number", WHY),
    )
    assert (last.action, last.claim, last.previous_claim, last.previous_method) == (
        *("unlink", None, one(two, "B2"), "manual"),
    )
    assert last.changed_by == biller
    assert last.changed_at >= first.changed_at


def test_what_is_kept_apart_is_linked_by_nothing_but_a_person(two: Files, biller) -> None:
    unlink_by_hand(biller, remitted(two), WHY)
    again(two)
    assert statuses(two) == ["pending", "pending"]
    assert not EpisodeRemittance.objects.exists()
    assert OpenRemittance.objects.get().state == "apart"
    link_by_hand(biller, remitted(two), one(two, "A1"), WHY)
    assert statuses(two) == ["complete", "pending"]
    assert not OpenRemittance.objects.exists()


def test_candidates_of_what_is_kept_apart_are_still_looked_for(biller) -> None:
    files = run(Files(make_practice()), remittances("r", ANSWER))
    unlink_by_hand(biller, remitted(files), WHY)
    run(files, claims("c", CLAIM))
    place = OpenRemittance.objects.get()
    assert (place.state, place.candidate_count) == ("apart", 1)
    assert not EpisodeRemittance.objects.exists()


def test_giving_back_forgets_what_people_said(two: Files, biller) -> None:
    calm = digest(two)
    link_by_hand(biller, remitted(two), one(two, "B2"), WHY)
    release(biller, remitted(two), "Wrong of me.")
    assert digest(two) == calm
    unlink_by_hand(biller, remitted(two), WHY)
    release(biller, remitted(two), "Wrong of me.")
    assert digest(two) == calm


@pytest.mark.parametrize(
    ("number", "method"), [("mf00001234", "number_variant"), ("", "member"), ("PAYERS OWN 77", "member")]
)
def test_a_link_by_likeness_can_be_taken_back_and_given_back(number: str, method: str, biller) -> None:
    files = run(Files(make_practice()), claims("c", CLAIM), remittances("r", ANSWER | answer_number(number)))
    calm = digest(files)
    unlink_by_hand(biller, remitted(files), WHY)
    assert statuses(files) == ["pending"]
    release(biller, remitted(files), WHY)
    assert digest(files) == calm
    assert EpisodeRemittance.objects.get().method == method


def test_a_payment_without_any_number_is_linked_to_a_claim_without_any(biller) -> None:
    files = run(
        Files(make_practice()),
        claims("c", {"patient_control_number": ""}),
        remittances("r", PAYMENT | {"patient_control_number": "", "payer_claim_control_number": ""}),
    )
    link_by_hand(biller, remitted(files), one(files, ""), WHY)
    assert statuses(files) == ["complete"]
    before = digest(files)
    again(files)
    assert digest(files) == before


def test_what_cannot_be_done_changes_nothing_and_says_why(two: Files, biller) -> None:
    other = run(Files(make_practice()), claims("x", ORIGINAL))
    before = digest(two)
    remittance = remitted(two)
    for act, sentence in (
        (lambda: link_by_hand(biller, remittance, one(other, "A1"), WHY), "another practice"),
        (lambda: link_by_hand(biller, remittance, one(two, "A1"), "  "), "Say why"),
        (lambda: unlink_by_hand(biller, remittance, "x" * 301), "Say why"),
        (lambda: release(biller, remittance, WHY), "Nobody has"),
    ):
        with pytest.raises(Refused, match=sentence):
            act()
    two.claims("late", {"patient_control_number": "C3"})
    with pytest.raises(Refused, match="not finished yet"):
        link_by_hand(biller, remittance, one(two, "C3"), WHY)
    assert digest(two) == before
    assert not LinkChange.objects.exists()


def test_the_same_twice_is_refused_the_second_time(two: Files, biller) -> None:
    link_by_hand(biller, remitted(two), one(two, "B2"), WHY)
    with pytest.raises(Refused, match="already"):
        link_by_hand(biller, remitted(two), one(two, "B2"), WHY)
    unlink_by_hand(biller, remitted(two), WHY)
    with pytest.raises(Refused, match="already"):
        unlink_by_hand(biller, remitted(two), WHY)
    assert LinkChange.objects.count() == 2


REVERSED = PAYMENT | {
    "claim_status_code": "22", "charge_amount": Decimal(-100), "paid_amount": Decimal(-60),
    "adjustments": {"CO-45": "-20", "PR-2": "-20"},
}  # fmt: skip
LATER = [
    claims("twin", CLAIM | {"patient_control_number": "MF00009999"}),
    claims("seven", {"patient_control_number": "B7", "frequency_code": "7", "payer_claim_control_number": "X1"}),
    remittances("reversal", REVERSED, on=date(2026, 3, 1)),
    remittances("damaged", ANSWER),
]
ORDERS = list(itertools.permutations(range(len(LATER))))


EXAMPLES = int(os.environ.get("LINK_EXAMPLES", 3))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=EXAMPLES, derandomize=True)
@given(st.sampled_from(ORDERS[1:]), st.lists(st.integers(0, 6), max_size=2))
def test_any_order_and_repetition_of_files_ends_in_one_state_and_keeps_what_people_said(
    biller, calm: list[Any], order: tuple[int, ...], repeated: list[int]
) -> None:
    assert after_all(biller, order, repeated) == calm


@pytest.fixture
def calm(biller) -> list[Any]:
    return after_all(biller, ORDERS[0], [])


def after_all(biller: Any, order: tuple[int, ...], repeated: list[int]) -> list[Any]:
    """Link one payment by hand and keep another apart, then let other files come in an order, some of them again."""
    files = run(
        Files(make_practice()),
        claims("c", ORIGINAL, {"patient_control_number": "B2"}, CLAIM),
        remittances("r", PAYMENT, ANSWER | answer_number("B2")),
    )
    payments = Remittance.objects.filter(practice=files.practice).order_by("pk")
    link_by_hand(biller, payments[0], one(files, "B2"), WHY)
    unlink_by_hand(biller, payments[1], WHY)
    run(files, *(LATER[place] for place in order))
    ids = list(EdiFile.objects.filter(practice=files.practice).order_by("pk").values_list("pk", flat=True))
    if repeated:
        again(files, [ids[place % len(ids)] for place in repeated])
    hand = EpisodeRemittance.objects.get(remittance=payments[0])
    assert (hand.method, hand.claim.patient_control_number) == ("manual", "B2")
    assert not EpisodeRemittance.objects.filter(remittance=payments[1]).exists()
    places = OpenRemittance.objects.filter(practice=files.practice).order_by("remittance__file__sha256")
    return [digest(files), list(places.values_list("state", "candidate_count", "best_score"))]
