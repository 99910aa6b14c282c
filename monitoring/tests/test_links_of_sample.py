"""Linking a whole sample against its truth: no wrong link, at least 99.5 % of what has a claim; and every line."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from django.core.management import call_command

from episodes.models import EpisodeRemittance, LineLink
from episodes.sample.adjudication import Remittance as Answer
from episodes.sample.truth import Truth
from episodes.sample.writer import Sample
from episodes.tests.rows import make_practice
from monitoring.invariants import find_violations
from remits.models import Remittance, RemittanceLine

pytestmark = pytest.mark.django_db(transaction=True)
LEAST_LINKED = 0.995
Key = tuple[str, str]


class Told(Truth):
    """Remembers of every answer which submission it is of: (number, frequency, payer sequence)."""

    def __init__(self, total: int, seed: int, until: str):
        super().__init__(total, seed, until)
        self.answers: dict[Key, tuple[str, str, str]] = {}

    def add_remittance(self, answer: Answer) -> None:
        super().add_remittance(answer)
        claim = answer.claim
        self.answers[answer.payer_number, answer.status] = claim.number, claim.frequency, claim.sequence


def test_no_link_is_wrong_and_few_are_missed(tmp_path: Path) -> None:
    sample = Sample(1_200, 6, date(2026, 6, 30))
    told = sample.truth = sample.course.truth = Told(1_200, 6, "2026-06-30")
    practice = make_practice()
    for name, text in sample.files():
        (tmp_path / name).write_bytes(text.encode())
    call_command("ingest", str(tmp_path), practice=practice.code, json=True)
    remittances = Remittance.objects.filter(practice=practice)
    links = EpisodeRemittance.objects.filter(practice=practice).values_list(
        "remittance__payer_claim_control_number", "remittance__claim_status_code", "method",
        "claim__patient_control_number", "claim__frequency_code", "claim__payer_sequence_code",
    )  # fmt: skip
    linked = {(given, status): tuple(claim) for given, status, _, *claim in links}
    expected = {key: claim for key, claim in told.answers.items() if not claim[0].startswith("OLD")}
    wrong = {key: claim for key, claim in linked.items() if expected.get(key, ())[:1] != claim[:1]}
    assert wrong == {}
    assert remittances.count() == len(told.answers)
    assert len(linked) >= LEAST_LINKED * len(expected)
    damaged = [given for given in told.numbers if not told.numbers[given].startswith("OLD")]
    assert len({given for given, _ in linked} & set(damaged)) >= 0.9 * len(damaged) > 5
    assert Counter(method for *_, method, _, _, _ in links)["number_variant"] > 0
    # every line of a linked remittance is a line of its claim in the sample
    lines = RemittanceLine.objects.filter(practice=practice, remittance__in=links.values("remittance"))
    assert LineLink.objects.filter(practice=practice).count() == lines.count()
    assert list(find_violations()) == []
