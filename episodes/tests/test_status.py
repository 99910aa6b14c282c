"""Totals and statuses of episodes, on rows: signs, denials, payers one after the other."""

from datetime import date
from decimal import Decimal

import pytest

from episodes.denials import denial_carcs
from episodes.models import Episode, EpisodeStatus, Hold
from episodes.tests.rows import Files, make_practice
from episodes.tests.test_link import ORIGINAL, PAYMENT, REVERSAL, Step, claims, remittances, run, same_in_any_order

DENIAL = PAYMENT | {"paid_amount": Decimal(0), "adjustments": {"CO-16": "100"}}
LATER = date(2026, 3, 1)


def settled(*steps: Step) -> Episode:
    files = same_in_any_order(claims("c", ORIGINAL), *steps)
    return Episode.objects.get(practice=files.practice)


@pytest.mark.django_db
def test_every_status_of_the_seeds_is_reachable():
    half = PAYMENT | {"charge_amount": Decimal(40), "paid_amount": Decimal(40), "adjustments": {}}
    rows = {"pending": None, "linked": half, "complete": PAYMENT, "denied": DENIAL}
    files = run(
        Files(make_practice()),
        claims("c", *({"patient_control_number": name} for name in rows)),
        remittances("r", *(row | {"patient_control_number": name} for name, row in rows.items() if row)),
    )
    found = Episode.objects.filter(practice=files.practice).values_list("claim__patient_control_number", "status")
    assert dict(found) == {name: name for name in rows}
    assert set(rows) == set(EpisodeStatus.values)


@pytest.mark.django_db
def test_zero_paid_against_the_deductible_is_complete_and_no_denial():
    episode = settled(remittances("r", DENIAL | {"adjustments": {"CO-45": "30", "PR-1": "70"}}))
    assert (episode.status, episode.denial_count, episode.patient_responsibility_amount) == ("complete", 0, 70)


@pytest.mark.django_db
def test_zero_paid_by_capitation_is_no_denial():
    assert settled(remittances("r", DENIAL | {"adjustments": {"CO-24": "100"}})).status == "complete"


@pytest.mark.django_db
def test_a_denied_line_beside_a_deductible_is_no_denied_claim():
    episode = settled(remittances("r", DENIAL | {"adjustments": {"CO-97": "30", "PR-1": "70"}}))
    assert (episode.status, episode.denial_count) == ("complete", 1)


@pytest.mark.django_db
def test_a_denied_line_beside_a_capitated_one_is_no_denied_claim():
    beside = settled(remittances("r", DENIAL | {"adjustments": {"CO-97@1": "30", "CO-24@2": "70"}}))
    assert (beside.status, beside.denial_count) == ("complete", 1)


@pytest.mark.django_db
def test_every_line_denied_is_a_denied_claim():
    lines = {"CO-97@1": "30", "CO-45@2": "20", "PR-204@2": "50"}
    assert settled(remittances("r", DENIAL | {"adjustments": lines})).status == "denied"


@pytest.mark.django_db
def test_a_second_payer_that_denies_what_the_first_left_denies_the_claim():
    answer = DENIAL | {"claim_status_code": "2", "adjustments": {"OA-23@1": "40", "OA-23@2": "40", "CO-29@2": "20"}}
    episode = settled(remittances("r", PAYMENT), remittances("s", answer | {"payer": "SECO"}, on=LATER))
    assert (episode.status, episode.paid_amount) == ("denied", 60)


@pytest.mark.django_db
def test_status_4_is_a_denial_without_any_reason():
    assert settled(remittances("r", DENIAL | {"claim_status_code": "4", "adjustments": {}})).status == "denied"


@pytest.mark.django_db
def test_a_reversal_cancels_the_first_payment_and_reopens_the_episode():
    episode = settled(remittances("r", PAYMENT), remittances("v", REVERSAL, on=LATER))
    assert (episode.status, episode.paid_amount, episode.adjustment_amount) == ("linked", 0, 0)
    assert (episode.patient_responsibility_amount, episode.remittance_count) == (0, 2)


@pytest.mark.django_db
def test_paid_reversed_corrected_ends_at_the_corrected_values():
    corrected = PAYMENT | {"paid_amount": Decimal(70), "adjustments": {"CO-45": "20", "PR-2": "10"}}
    episode = settled(
        remittances("r", PAYMENT), remittances("v", REVERSAL, on=LATER), remittances("w", corrected, on=LATER)
    )
    assert (episode.status, episode.paid_amount, episode.patient_responsibility_amount) == ("complete", 70, 10)


@pytest.mark.django_db
def test_a_reversed_denial_that_is_paid_at_last_is_complete():
    reversal = DENIAL | {
        "claim_status_code": "22", "charge_amount": Decimal(-100), "adjustments": {"CO-16": "-100"},
    }  # fmt: skip
    episode = settled(
        remittances("r", DENIAL), remittances("v", reversal, on=LATER), remittances("w", PAYMENT, on=LATER)
    )
    assert (episode.status, episode.paid_amount, episode.adjustment_amount) == ("complete", 60, 20)


@pytest.mark.django_db
def test_a_denial_never_reversed_counts_no_more_once_the_resubmission_is_paid():
    again = ORIGINAL | {"frequency_code": "7", "payer_claim_control_number": "X1"}
    answer = PAYMENT | {"payer_claim_control_number": "X2", "frequency_code": "7"}
    episode = settled(remittances("r", DENIAL), claims("c7", again), remittances("r7", answer, on=LATER))
    assert (episode.status, episode.paid_amount, episode.adjustment_amount) == ("complete", 60, 20)
    assert (episode.denial_count, episode.remittance_count) == (1, 2)


@pytest.mark.django_db
def test_a_predetermination_is_no_payment():
    episode = settled(remittances("r", PAYMENT | {"claim_status_code": "25"}))
    assert (episode.status, episode.paid_amount, episode.remittance_count) == ("linked", 0, 1)


@pytest.mark.django_db
def test_the_second_payer_s_word_alone_leaves_the_episode_open():
    answer = PAYMENT | {
        "payer": "SECO", "claim_status_code": "2", "paid_amount": Decimal(20), "adjustments": {"OA-23": "80"},
    }  # fmt: skip
    episode = settled(remittances("r", answer))
    assert (episode.status, episode.paid_amount, episode.adjustment_amount) == ("linked", 20, 0)


@pytest.mark.django_db
def test_a_second_reversal_of_one_payment_is_held_and_takes_nothing_back():
    episode = settled(
        remittances("r", PAYMENT), remittances("v", REVERSAL, on=LATER), remittances("w", REVERSAL, on=LATER)
    )
    assert (episode.status, episode.stage, episode.paid_amount) == ("linked", "reversed", 0)
    assert (episode.remittance_count, episode.held_count) == (3, 1)
    hold = Hold.objects.get(practice=episode.practice)
    assert (hold.reason, hold.state) == ("reversal", "held")
    assert "With it 200.00 of charges are taken back, but this payer answered only 100.00" in hold.sentence


@pytest.mark.django_db
def test_reasons_that_are_never_denials_are_not_in_the_table():
    found = set(denial_carcs(make_practice().pk))
    assert not {"45", "253", "1", "2", "3", "23", "24", "94", "144", "187", "237", "246"} & found
    assert {"15", "16", "18", "22", "29", "50", "97", "109", "B7", "252"} <= found
