"""The ledger of an episode: the order of what happened, where the charge went, and the same sums as its row."""

from datetime import date
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.management import call_command

from episodes.ledger import Ledger, get_ledger
from episodes.models import Episode
from episodes.tests.rows import Files, make_practice
from episodes.tests.test_link import ORIGINAL, PAYMENT, REVERSAL, Step, claims, remittances, run
from marb.access.models import Practice

pytestmark = pytest.mark.django_db
LATER, LAST = date(2026, 3, 1), date(2026, 4, 1)
DENIAL = PAYMENT | {"paid_amount": Decimal(0), "adjustments": {"CO-16": "100"}}


def ledger(*steps: Step) -> Ledger:
    files = run(Files(make_practice()), claims("c", ORIGINAL), *steps)
    episode = Episode.objects.get(practice=files.practice)
    found = get_ledger(episode)
    assert sums(found) == columns(episode)
    return found


def sums(found: Ledger) -> tuple[Decimal, ...]:
    return found.charge_amount, found.paid_amount, found.adjusted_amount, found.patient_amount


def columns(episode: Episode) -> tuple[Decimal, ...]:
    taken = episode.adjustment_amount, episode.patient_responsibility_amount
    return episode.charge_amount, episode.paid_amount, *taken


def test_an_unanswered_claim_is_wholly_open():
    found = ledger()
    assert (found.open_amount, [share.label for share in found.shares]) == (found.charge_amount, ["Open"])


def test_a_payment_comes_after_the_submission_it_answers_even_if_its_file_came_first():
    found = ledger(remittances("r", PAYMENT))
    assert [entry.claim is not None for entry in found.entries] == [True, False]
    assert found.entries[0].day is None
    assert found.open_amount == 0


def test_a_reversal_reopens_and_its_correction_closes():
    found = ledger(remittances("r", PAYMENT), remittances("v", REVERSAL, on=LATER), remittances("w", PAYMENT, on=LAST))
    charge = found.charge_amount
    assert [entry.open_amount for entry in found.entries] == [charge, 0, charge, 0]


def test_a_reversal_stands_before_the_correction_of_the_same_day():
    found = ledger(remittances("r", PAYMENT), remittances("v", PAYMENT, REVERSAL, on=LATER))
    reversed_at = [entry.remittance.is_reversal for entry in found.entries if entry.remittance]
    assert reversed_at == [False, True, False]


def test_a_denial_that_the_payer_replaced_counts_for_nothing():
    found = ledger(remittances("r", DENIAL), remittances("w", PAYMENT, on=LATER))
    assert found.open_amount == 0


def test_the_shares_fill_the_bar_and_no_more():
    found = ledger(remittances("r", PAYMENT | {"adjustments": {"CO-45": "20"}, "paid_amount": Decimal(50)}))
    assert [share.x for share in found.shares] == sorted(share.x for share in found.shares)
    assert sum(share.width for share in found.shares) == 1000
    assert sum(share.amount for share in found.shares) == found.charge_amount


def test_every_ledger_of_the_sample_has_the_sums_of_its_row(practice: Practice):
    call_command("ingest", str(settings.BASE_DIR / "samples"), practice=practice.code, verbosity=0)
    episodes = list(Episode.objects.filter(practice=practice))
    assert len(episodes) > 300
    assert [episode.pk for episode in episodes if sums(get_ledger(episode)) != columns(episode)] == []
