"""The sums of key figures are those of the rows, whatever the order of the files and what people relink."""

import itertools
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from claims.models import Claim
from episodes.denials import denial_carcs
from episodes.hand import link_by_hand, unlink_by_hand
from episodes.link import link_file
from episodes.models import Episode, EpisodeRemittance
from episodes.roll import SUMS, rebuild, roll_file
from episodes.rollups import CountedChain, DayBalance, MonthSum
from episodes.status import settle_file
from episodes.tests.rows import Files, make_practice
from episodes.tests.test_link import ORIGINAL, PAYMENT, REVERSAL, Step, claims, remittances
from marb.parties.models import Provider
from marb.pipeline.models import EdiFile
from remits.models import Remittance

pytestmark = pytest.mark.django_db
DENIAL = PAYMENT | {"paid_amount": Decimal(0), "adjustments": {"CO-197": "100"}}
SECOND = {"patient_control_number": "B2", "submitted_date": date(2026, 2, 28), "status": "incomplete"}
LONE = PAYMENT | {"patient_control_number": "ZZ", "status": "error", "adjustments": {}, "payer": "SECO"}
STEPS: tuple[Step, ...] = (
    claims("c", ORIGINAL, SECOND),
    remittances("r", PAYMENT, LONE),
    remittances("d", DENIAL | {"patient_control_number": "B2"}, on=date(2026, 3, 10)),
    remittances("v", REVERSAL, on=date(2026, 4, 2)),
)


def run(files: Files, *steps: Step) -> Files:
    for step in steps:
        job = step(files)
        for stage in (link_file, settle_file, roll_file):
            stage(job)
    return files


def first_of(day: date) -> date:
    return day.replace(day=1)


def counted(files: Files) -> dict[Any, Any]:
    """The sums as they are kept: {(what, place): sum}, zeros left out."""
    found: dict[Any, Any] = {}
    for row in MonthSum.objects.filter(practice=files.practice).select_related("payer", "provider"):
        place = (row.month, row.payer and row.payer.payer_code, row.provider and row.provider.provider_code)
        found |= {(name, *place): getattr(row, name) for name in SUMS if getattr(row, name)}
    for day in DayBalance.objects.filter(practice=files.practice).select_related("payer", "provider"):
        place = (day.day, day.payer and day.payer.payer_code, day.provider and day.provider.provider_code)
        found |= {(name, *place): getattr(day, name) for name in ("open_amount", "net_open_amount")}
    return {key: value for key, value in found.items() if value}


def worked_out(files: Files) -> dict[Any, Any]:
    """The same worked out one row after the other, in Python."""
    found: Counter[Any] = Counter()
    for episode in Episode.objects.filter(practice=files.practice):
        count_chain(found, episode)
    for remittance in Remittance.objects.filter(practice=files.practice):
        count_remittance(found, remittance)
    return {key: value for key, value in found.items() if value}


def is_denial(remittance: Remittance) -> bool:
    reasons = remittance.adjustments.filter(amount__gt=0, carc__in=denial_carcs(remittance.practice_id))
    return not remittance.paid_amount and remittance.claim_status_code != "22" and reasons.exists()


def count_chain(found: Counter[Any], episode: Episode) -> None:
    claim = episode.claim
    place = (claim.payer and claim.payer.payer_code, claim.billing_provider and claim.billing_provider.provider_code)
    sent: Any = claim.submitted_date or claim.service_from_date + timedelta(days=1)  # type: ignore[operator]
    links = EpisodeRemittance.objects.filter(episode=episode).select_related("remittance__payment")
    said = sorted((link.remittance for link in links), key=lambda r: (r.payment.payment_date, r.claim_status_code))
    answers = [remittance for remittance in said if remittance.claim_status_code != "22"]
    carcs = denial_carcs(episode.practice_id)
    refused = sum(a.amount for r in said for a in r.adjustments.filter(carc__in=carcs))
    due = episode.charge_amount - episode.adjustment_amount + refused
    balance = episode.charge_amount - episode.paid_amount - episode.adjustment_amount
    balance -= episode.patient_responsibility_amount
    net = due if answers else episode.charge_amount
    by_sent: dict[str, Any] = {"claim_count": 1, "clean_count": int(claim.is_clean), "line_count": claim.line_count}
    by_sent |= {"charge_amount": episode.charge_amount, "net_amount": net, "paid_amount": episode.paid_amount}
    by_sent["due_amount"] = due - episode.patient_responsibility_amount if answers else 0
    add(found, by_sent, first_of(sent), place)
    add(found, {"open_amount": balance, "net_open_amount": balance}, sent, place)
    if answers:
        day: Any = answers[0].payment.payment_date
        denied = is_denial(answers[0])
        by_answer: dict[str, Any] = {
            "answered_count": 1,
            "lag_days": max(0, (day - sent).days),
            "first_denied_count": int(denied),
        }
        by_answer["first_denied_amount"] = episode.charge_amount if denied else 0
        by_answer["first_pass_count"] = int(episode.status == "complete" and len(said) == 1 and not denied)
        add(found, by_answer, first_of(day), place)


def count_remittance(found: Counter[Any], remittance: Remittance) -> None:
    link = EpisodeRemittance.objects.filter(remittance=remittance).select_related("claim__billing_provider").first()
    provider = link.claim.billing_provider if link else None
    balanced = remittance.status == "processed"
    sums = {"remittance_count": 1, "adjudicated_count": int(remittance.claim_status_code != "22")}
    sums |= {"denied_count": int(is_denial(remittance)), "linked_count": int(link is not None)}
    sums["posted_count"] = int(link is not None and link.method != "manual" and balanced)
    sums["unbalanced_count"] = int(not balanced)
    place = (remittance.payer and remittance.payer.payer_code, provider and provider.provider_code)
    add(found, sums, first_of(remittance.payment.payment_date), place)  # type: ignore[arg-type]


def add(found: Counter[Any], sums: dict[str, Any], day: date, place: tuple[Any, ...]) -> None:
    for name, value in sums.items():
        found[name, day, *place] += value


def with_providers(files: Files) -> Files:
    """Give each claim a billing provider of its own."""
    for claim in Claim.objects.filter(practice=files.practice, billing_provider=None):
        code = f"P-{claim.patient_control_number}"
        provider = Provider.objects.create(practice=files.practice, provider_code=code, name=code)
        Claim.objects.filter(pk=claim.pk).update(billing_provider=provider)
    return files


def claims_with_providers(files: Files) -> Any:
    job = STEPS[0](files)
    with_providers(files)
    return job


ORDERS = [*itertools.permutations((claims_with_providers, *STEPS[1:]))][::7]


def test_the_sums_are_those_of_the_rows_in_any_order_of_the_files() -> None:
    found = [run(Files(make_practice()), *order) for order in ORDERS]
    sums = counted(found[0])
    assert sums == worked_out(found[0])
    assert all(counted(files) == sums for files in found)


def test_what_the_sums_say_of_a_month() -> None:
    files = run(Files(make_practice()), *STEPS)
    sums = counted(files)
    assert sums["claim_count", date(2026, 1, 1), "MEDI", None] == 1
    assert sums["claim_count", date(2026, 2, 1), "MEDI", None] == 1
    assert sums["first_denied_amount", date(2026, 3, 1), "MEDI", None] == 100
    assert sums["lag_days", date(2026, 2, 1), "MEDI", None] == 26
    # the reversal took the payment back, so the first claim is open again
    assert sums["open_amount", date(2026, 1, 6), "MEDI", None] == 100
    assert sums["unbalanced_count", date(2026, 2, 1), "SECO", None] == 1


def test_a_file_that_is_rolled_twice_changes_nothing() -> None:
    files = Files(make_practice())
    jobs = [step(files) for step in STEPS]
    for job in jobs:
        for stage in (link_file, settle_file, roll_file):
            stage(job)
    before = counted(files)
    for job in jobs:
        assert not any(roll_file(job).values())
    assert counted(files) == before


@pytest.fixture
def moved() -> tuple[Files, Remittance, Claim]:
    files = run(Files(make_practice()), claims_with_providers, remittances("r", PAYMENT))
    other = Claim.objects.get(practice=files.practice, patient_control_number="B2")
    return files, Remittance.objects.get(practice=files.practice), other


def by_hand(act: Callable[..., None], *arguments: Any) -> None:
    person, _ = get_user_model().objects.get_or_create(username="linker")
    act(person, *arguments, "Called the payer")


def test_a_link_that_a_person_moves_takes_its_figures_to_the_other_provider(moved) -> None:
    files, remittance, other = moved
    assert counted(files)["linked_count", date(2026, 2, 1), "MEDI", "P-A1"] == 1
    by_hand(link_by_hand, remittance, other)
    sums = counted(files)
    assert sums == worked_out(files)
    assert sums["linked_count", date(2026, 2, 1), "MEDI", "P-B2"] == 1
    # it needed a person
    assert ("posted_count", date(2026, 2, 1), "MEDI", "P-B2") not in sums
    assert not any(key[0] == "answered_count" and key[-1] == "P-A1" for key in sums)


def test_an_unlinked_remittance_leaves_its_claim_s_figures(moved) -> None:
    files, remittance, _ = moved
    by_hand(unlink_by_hand, remittance)
    assert counted(files) == worked_out(files)
    assert not CountedChain.objects.filter(practice=files.practice, answered_month__isnull=False).exists()


def test_chains_that_join_are_one() -> None:
    replacement = ORIGINAL | {"frequency_code": "7", "payer_claim_control_number": "X1"}
    steps = (claims("c7", replacement), claims("c", ORIGINAL), remittances("r", PAYMENT))
    for order in (steps, steps[::-1]):
        files = run(Files(make_practice()), *order)
        assert CountedChain.objects.filter(practice=files.practice).count() == 1
        assert counted(files)["claim_count", date(2026, 1, 1), "MEDI", None] == 1


def test_a_voided_chain_is_neither_open_nor_due() -> None:
    void = ORIGINAL | {"frequency_code": "8", "payer_claim_control_number": "X1"}
    steps = (claims("c", ORIGINAL), remittances("r", PAYMENT), claims("c8", void), remittances("v", REVERSAL))
    files = run(Files(make_practice()), *steps)
    chain = CountedChain.objects.get(practice=files.practice)
    assert (chain.open_amount, chain.net_open_amount, chain.due_amount) == (0, 0, 0)


def test_a_rebuild_comes_to_the_same_sums_and_leaves_others_alone() -> None:
    files, other = run(Files(make_practice()), *STEPS), run(Files(make_practice()), *STEPS[:2])
    before, others = counted(files), counted(other)
    MonthSum.objects.filter(practice=files.practice).update(claim_count=99)
    for pk in CountedChain.objects.filter(practice=files.practice).values_list("pk", flat=True)[:1]:
        CountedChain.objects.filter(pk=pk).update(charge_amount=1)
    finish(files)
    list(rebuild(files.practice.pk))
    assert counted(files) == before
    assert counted(other) == others


def finish(files: Files) -> None:
    EdiFile.objects.filter(practice=files.practice).update(finished_at=timezone.now())
