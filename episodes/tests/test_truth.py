"""The whole belt on sample files: what comes out is what the truth says was planted, in any order of arrival."""

from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import pytest
from django.core.management import call_command
from django.db.models import Sum

from claims.models import Claim
from episodes.models import Episode, EpisodeRemittance
from episodes.sample.truth import Truth
from episodes.sample.writer import Sample
from episodes.tests.rows import Files, make_practice
from episodes.tests.test_link import digest
from remits.models import Payment, ProviderAdjustment, Remittance

pytest.importorskip("marb.pipeline.run", reason="the belt is not merged yet")
pytest.importorskip("claims.load", reason="the claim loader is not merged yet")
pytest.importorskip("remits.load", reason="the remittance loader is not merged yet")
pytestmark = pytest.mark.django_db(transaction=True)


def ingest(folder: Path, names: list[str]) -> Files:
    files = Files(make_practice())
    for name in names:
        call_command("ingest", str(folder / name), practice=files.practice.code, json=True)
    return files


@pytest.fixture
def sample(tmp_path: Path) -> tuple[list[str], Truth]:
    made = Sample(300, 4, date(2026, 6, 30))
    names = []
    for name, text in made.files():
        (tmp_path / name).write_bytes(text.encode())
        names.append(name)
    return names, made.truth


def test_the_belt_finds_what_was_planted(sample, tmp_path):
    names, truth = sample
    practice = ingest(tmp_path, names).practice
    claims, remittances = Claim.objects.filter(practice=practice), Remittance.objects.filter(practice=practice)
    unquoted = truth.claims["unquoted"]
    clean = Counter({"processed": truth.claims["total"] - unquoted, "incomplete": unquoted})
    assert Counter(claims.values_list("status", flat=True)) == clean
    assert claims.aggregate(Sum("charge_amount"))["charge_amount__sum"] * 100 == truth.claims["charge_cents"]
    assert Counter(remittances.values_list("status", flat=True)) == {"processed": truth.remittances["total"]}
    assert remittances.aggregate(Sum("paid_amount"))["paid_amount__sum"] * 100 == truth.remittances["paid_cents"]
    statuses = Episode.objects.filter(practice=practice).values_list("status", flat=True)
    assert Counter(statuses) == truth.episodes
    unlinked = remittances.count() - EpisodeRemittance.objects.filter(practice=practice).count()
    assert unlinked == truth.remittances["without_claim"]


def test_every_check_balances_and_its_provider_adjustments_are_kept(sample, tmp_path):
    names, truth = sample
    practice = ingest(tmp_path, names).practice
    payments = Payment.objects.filter(practice=practice)
    assert set(payments.values_list("difference_amount", flat=True)) == {0}
    assert payments.aggregate(Sum("payment_amount"))["payment_amount__sum"] * 100 == truth.payments["bpr_cents"]
    kept: Counter[str] = Counter()
    for code, amount in ProviderAdjustment.objects.filter(practice=practice).values_list("reason_code", "amount"):
        kept[code] += int(amount * 100)
    assert kept == truth.provider_adjustment_cents


def test_any_order_of_the_files_ends_in_the_same_links_and_episodes(sample, tmp_path):
    names, _ = sample
    calm = digest(ingest(tmp_path, names))
    orders = [names[::-1], Random(1).sample(names, len(names)), Random(2).sample(names, len(names))]
    assert all(digest(ingest(tmp_path, order)) == calm for order in orders)
