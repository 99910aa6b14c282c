"""Linking by control number and chains of submissions, on rows; the order of the files must never matter."""

import itertools
import threading
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from episodes.link import link_file
from episodes.models import Episode, EpisodeClaim, EpisodeRemittance
from episodes.status import settle_file
from episodes.tests.rows import Files, make_practice
from marb.pipeline.jobs import FileJob

Step = Callable[[Files], FileJob]
PAID = {"CO-45": "20", "PR-2": "20"}


def run(files: Files, *steps: Step) -> Files:
    for step in steps:
        job = step(files)
        link_file(job)
        settle_file(job)
    return files


def digest(files: Files) -> list[tuple[object, ...]]:
    """What is linked to what, said in names that do not depend on ids."""
    place = "episode__claim__file__sha256", "episode__claim__byte_offset"
    claims = EpisodeClaim.objects.filter(practice=files.practice).values_list(
        *place, "claim__file__sha256", "claim__byte_offset"
    )
    links = EpisodeRemittance.objects.filter(practice=files.practice).values_list(
        *place, "claim__file__sha256", "claim__byte_offset", "remittance__file__sha256", "remittance__byte_offset",
        "method", "confidence",
    )  # fmt: skip
    episodes = Episode.objects.filter(practice=files.practice).values_list(
        "claim__file__sha256", "claim__byte_offset", "status", "charge_amount", "paid_amount", "adjustment_amount",
        "patient_responsibility_amount", "claim_count", "remittance_count", "denial_count", "adjustment_count",
    )  # fmt: skip
    return sorted([*claims, *links, *episodes], key=repr)


def nothing(files: Files) -> list[tuple[object, ...]]:
    return []


def same_in_any_order(*steps: Step, also: Callable[[Files], list[tuple[object, ...]]] = nothing) -> Files:
    orders = list(itertools.permutations(steps))
    found = []
    for order in orders if len(orders) <= 6 else (*orders[::4], orders[-1]):
        files = run(Files(make_practice()), *order)
        found.append((digest(files) + also(files), files))
    assert all(each == found[0][0] for each, _ in found)
    return found[0][1]


def statuses(files: Files) -> list[str]:
    return sorted(Episode.objects.filter(practice=files.practice).values_list("status", flat=True))


def claims(key: str, *rows: Mapping[str, Any]) -> Step:
    return lambda files: files.claims(key, *rows)


def remittances(key: str, *rows: Mapping[str, Any], on: date = date(2026, 2, 1)) -> Step:
    return lambda files: files.remittances(key, *rows, paid_on=on)


ORIGINAL = {"patient_control_number": "A1"}
PAYMENT = {
    "patient_control_number": "A1",
    "paid_amount": Decimal(60),
    "payer_claim_control_number": "X1",
    "frequency_code": "1",
    "adjustments": PAID,
}
REVERSAL = PAYMENT | {
    "claim_status_code": "22",
    "charge_amount": Decimal(-100),
    "paid_amount": Decimal(-60),
    "adjustments": {"CO-45": "-20", "PR-2": "-20"},
}


@pytest.mark.django_db
def test_a_remittance_finds_its_claim_in_both_orders_of_arrival():
    files = same_in_any_order(claims("c", ORIGINAL), remittances("r", PAYMENT))
    link = EpisodeRemittance.objects.get(practice=files.practice)
    assert (link.method, link.confidence) == ("control_number", 1)
    assert link.evidence == {
        "control_number": True, "payer": True, "charge": True, "service_date": True, "frequency": True, "candidates": 1,
    }  # fmt: skip
    assert statuses(files) == ["complete"]


@pytest.mark.django_db
def test_linking_and_settling_twice_changes_nothing():
    files = run(Files(make_practice()), claims("c", ORIGINAL), remittances("r", PAYMENT))
    before = list(Episode.objects.values()), list(EpisodeRemittance.objects.values())
    for job in (
        FileJob(files.practice.pk, pk, date(2026, 6, 30))
        for pk in EpisodeClaim.objects.values_list("claim__file", flat=True)
    ):
        assert not any(value for name, value in link_file(job).items())
        assert settle_file(job) == {"settled": 0, "complete": 1}
    assert (list(Episode.objects.values()), list(EpisodeRemittance.objects.values())) == before


@pytest.mark.django_db
def test_another_practice_is_never_reached():
    files = run(Files(make_practice()), claims("c", ORIGINAL))
    run(Files(make_practice()), remittances("r", PAYMENT))
    assert statuses(files) == ["pending"]
    assert not EpisodeRemittance.objects.exists()


@pytest.mark.django_db
def test_a_replacement_joins_by_the_payer_s_number_under_a_new_control_number():
    replacement = {"patient_control_number": "B7", "frequency_code": "7", "payer_claim_control_number": "X1"}
    answer = PAYMENT | {"patient_control_number": "B7", "payer_claim_control_number": "X2", "frequency_code": "7"}
    files = same_in_any_order(
        claims("c", ORIGINAL),
        remittances("r", PAYMENT),
        claims("c7", replacement),
        remittances("r7", REVERSAL, answer, on=date(2026, 3, 1)),
    )
    episode = Episode.objects.get(practice=files.practice)
    assert (episode.claim.patient_control_number, episode.status, episode.paid_amount) == ("A1", "complete", 60)
    assert (episode.claim_count, episode.remittance_count) == (2, 3)


@pytest.mark.django_db
def test_a_replacement_of_the_same_control_number_takes_its_own_payment():
    replacement = ORIGINAL | {
        "frequency_code": "7", "payer_claim_control_number": "X1", "charge_amount": Decimal(130),
    }  # fmt: skip
    answer = PAYMENT | {
        "charge_amount": Decimal(130), "paid_amount": Decimal(90), "payer_claim_control_number": "X2",
        "frequency_code": "7",
    }  # fmt: skip
    files = same_in_any_order(
        claims("c", ORIGINAL), claims("c7", replacement), remittances("r", PAYMENT),
        remittances("r7", REVERSAL, answer, on=date(2026, 3, 1)),
    )  # fmt: skip
    episode = Episode.objects.get(practice=files.practice)
    assert (episode.charge_amount, episode.paid_amount, episode.status) == (130, 90, "complete")
    answered = EpisodeRemittance.objects.filter(remittance__paid_amount=90).get(practice=files.practice)
    assert answered.claim.frequency_code == "7"


@pytest.mark.django_db
def test_a_void_taken_back_by_the_payer_closes_its_episode():
    void = ORIGINAL | {"frequency_code": "8", "payer_claim_control_number": "X1"}
    files = same_in_any_order(
        claims("c", ORIGINAL), remittances("r", PAYMENT), claims("c8", void),
        remittances("r8", REVERSAL, on=date(2026, 3, 1)),
    )  # fmt: skip
    episode = Episode.objects.get(practice=files.practice)
    assert (episode.status, episode.paid_amount, episode.charge_amount) == ("complete", 0, 100)


@pytest.mark.django_db
def test_the_secondary_payer_s_claim_and_payment_stand_in_the_primary_s_episode():
    secondary = ORIGINAL | {"payer": "SECO", "payer_sequence_code": "S"}
    answer = {
        "patient_control_number": "A1", "payer": "SECO", "claim_status_code": "2", "paid_amount": Decimal(20),
        "adjustments": {"OA-23": "80"},
    }  # fmt: skip
    files = same_in_any_order(
        claims("c", ORIGINAL), remittances("r", PAYMENT), claims("s", secondary),
        remittances("rs", answer, on=date(2026, 3, 1)),
    )  # fmt: skip
    episode = Episode.objects.get(practice=files.practice)
    assert (episode.paid_amount, episode.adjustment_amount, episode.patient_responsibility_amount) == (80, 20, 0)
    assert (episode.status, episode.claim_count) == ("complete", 2)
    answered = EpisodeRemittance.objects.get(practice=files.practice, remittance__claim_status_code="2")
    assert answered.claim.payer_sequence_code == "S"


@pytest.mark.django_db
def test_replacements_of_one_day_without_an_original_share_an_episode():
    later = ORIGINAL | {"frequency_code": "7"}
    another_day = later | {"service_from_date": date(2026, 1, 6)}
    files = same_in_any_order(claims("c", *[later] * 20), claims("d", later, another_day))
    found = Episode.objects.filter(practice=files.practice).order_by("claim_count")
    assert list(found.values_list("claim_count", flat=True)) == [1, 21]


@pytest.mark.django_db
def test_fellows_of_a_replacement_that_quotes_its_original_share_its_episode():
    quoting = ORIGINAL | {"patient_control_number": "B7", "frequency_code": "7", "payer_claim_control_number": "X1"}
    fellows = [quoting | {"payer_claim_control_number": number} for number in ("", "unknown")]
    files = same_in_any_order(
        claims("c", ORIGINAL), remittances("r", PAYMENT), claims("q", quoting), claims("f", *fellows)
    )
    assert Episode.objects.get(practice=files.practice).claim_count == 4


@pytest.mark.django_db
def test_two_claims_alike_leave_the_payment_unlinked():
    files = same_in_any_order(claims("c", ORIGINAL), claims("d", ORIGINAL), remittances("r", PAYMENT))
    assert statuses(files) == ["pending", "pending"]


@pytest.mark.django_db
def test_the_service_date_decides_between_two_visits_of_one_control_number():
    files = same_in_any_order(
        claims("c", ORIGINAL, ORIGINAL | {"service_from_date": date(2026, 1, 12)}), remittances("r", PAYMENT)
    )
    link = EpisodeRemittance.objects.get(practice=files.practice)
    assert (link.claim.service_from_date, link.confidence) == (date(2026, 1, 5), Decimal("0.950"))
    assert statuses(files) == ["complete", "pending"]


@pytest.mark.django_db
def test_a_payer_that_speaks_against_charge_and_date_is_not_guessed():
    files = same_in_any_order(
        claims("c", ORIGINAL | {"charge_amount": Decimal(70), "service_from_date": date(2025, 5, 5)},
               ORIGINAL | {"payer": "OTHE"}),
        remittances("r", PAYMENT),
    )  # fmt: skip
    assert statuses(files) == ["pending", "pending"]


@pytest.mark.django_db
def test_a_control_number_with_nothing_else_in_common_is_not_enough():
    stranger = PAYMENT | {"payer": "OTHE", "charge_amount": Decimal(33), "service_from_date": date(2020, 1, 1)}
    assert statuses(same_in_any_order(claims("c", ORIGINAL), remittances("r", stranger))) == ["pending"]


@pytest.mark.django_db
def test_claims_without_a_control_number_have_episodes_of_their_own():
    nameless = {"patient_control_number": ""}
    files = same_in_any_order(
        claims("c", nameless, nameless), remittances("r", PAYMENT | {"patient_control_number": ""})
    )
    assert statuses(files) == ["pending", "pending"]


@pytest.mark.django_db
def test_a_link_made_by_hand_stays():
    files = run(
        Files(make_practice()), claims("c", ORIGINAL, {"patient_control_number": "B2"}), remittances("r", PAYMENT)
    )
    link = EpisodeRemittance.objects.get()
    other = EpisodeClaim.objects.get(claim__patient_control_number="B2")
    user = get_user_model().objects.create_user("ada", password="x")
    EpisodeRemittance.objects.update(
        claim=other.claim, episode=other.episode, method="manual", linked_by=user, confidence=1
    )
    for file in (link.remittance.file_id, other.claim.file_id):
        job = FileJob(files.practice.pk, file, date(2026, 6, 30))
        link_file(job)
        settle_file(job)
    link.refresh_from_db()
    assert (link.claim_id, link.method) == (other.claim_id, "manual")
    assert statuses(files) == ["complete", "pending"]


@pytest.mark.django_db(transaction=True)
def test_files_of_one_practice_link_at_the_same_time():
    files, jobs = Files(make_practice()), list[FileJob]()
    for first in range(4):
        numbers = [(f"P{n}", f"X{n}") for n in range(first, 20, 4)]
        jobs.append(files.claims(f"c{first}", *({"patient_control_number": p} for p, _ in numbers)))
        paid = [PAYMENT | {"patient_control_number": p, "payer_claim_control_number": x} for p, x in numbers]
        jobs.append(files.remittances(f"r{first}", *paid))

    def work(job: FileJob) -> None:
        link_file(job)
        settle_file(job)
        connection.close()

    threads = [threading.Thread(target=work, args=(job,)) for job in (*jobs, *jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses(files) == ["complete"] * 20
    assert EpisodeRemittance.objects.count() == 20
