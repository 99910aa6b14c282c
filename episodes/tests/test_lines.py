"""Lines of a remittance find the lines of its claim, each once, and follow its link."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from claims.models import Claim, ServiceLine
from episodes.hand import link_by_hand, unlink_by_hand
from episodes.lines import link_lines
from episodes.models import LineLink
from episodes.tests.rows import Files, make_practice
from episodes.tests.test_link import ORIGINAL, PAYMENT, claims, remittances, run
from marb.pipeline.jobs import FileJob
from remits.models import Remittance, RemittanceLine

pytestmark = pytest.mark.django_db
DAY = date(2026, 1, 5)


def add_lines(owner: Any, *lines: dict[str, Any]) -> list[Any]:
    """Add lines to a claim or a remittance; what is not said is one visit of $50."""
    model: Any = ServiceLine if isinstance(owner, Claim) else RemittanceLine
    base = {"procedure_qualifier": "HC", "procedure_code": "99213", "charge_amount": Decimal(50),
            "service_from_date": DAY, "byte_offset": 0, "practice": owner.practice}  # fmt: skip
    parent = (
        {"claim": owner} if model is ServiceLine else {"remittance": owner, "paid_amount": 0, "difference_amount": 0}
    )
    return [
        model.objects.create(**{**base, **parent, "line_number": n, **line}) for n, line in enumerate(lines, start=1)
    ]


def linked(said: list[dict[str, Any]], sent: list[dict[str, Any]]) -> list[tuple[int, int, str]]:
    """Link lines of one remittance and claim; answers (line said, line sent, method) by number."""
    files = run(Files(make_practice()), claims("c", ORIGINAL), remittances("r", PAYMENT))
    remittance = Remittance.objects.get(practice=files.practice)
    add_lines(Claim.objects.get(practice=files.practice), *sent)
    add_lines(remittance, *said)
    link_lines(FileJob(files.practice.pk, remittance.file_id, DAY))
    rows = LineLink.objects.filter(practice=files.practice).order_by("remittance_line__line_number")
    return list(rows.values_list("remittance_line__line_number", "service_line__line_number", "method"))


def test_the_line_s_own_number_comes_first() -> None:
    said = [{"line_control_number": "B"}, {"line_control_number": "A", "procedure_code": "99999"}]
    sent = [{"line_control_number": "A"}, {"line_control_number": "B"}]
    assert linked(said, sent) == [(1, 2, "control_number"), (2, 1, "control_number")]


def test_equal_lines_are_paired_in_their_order_and_each_once() -> None:
    assert linked([{}, {}, {}], [{}, {}]) == [(1, 1, "procedure"), (2, 2, "procedure")]
    assert linked([{}], [{}, {}]) == [(1, 1, "procedure")]


def test_a_number_given_twice_pairs_each_line_once() -> None:
    twice = [{"line_control_number": "A"}, {"line_control_number": "A"}]
    assert linked(twice, [{"line_control_number": "A"}]) == [(1, 1, "control_number")]


def test_modifiers_tell_lines_apart_until_the_payer_drops_them() -> None:
    sent = [{"modifiers": ["25"]}, {"modifiers": ["59"]}]
    assert linked([{"modifiers": ["59"]}, {"modifiers": ["25"]}], sent) == [(1, 2, "procedure"), (2, 1, "procedure")]
    assert linked([{}, {"modifiers": ["25"]}], sent) == [(1, 2, "without_modifiers"), (2, 1, "procedure")]


def test_the_procedure_that_was_submitted_counts_where_the_payer_recoded() -> None:
    recoded = [{"procedure_code": "99212", "submitted_procedure_code": "99213"}]
    assert linked(recoded, [{}]) == [(1, 1, "procedure")]


def test_another_day_is_left_to_procedure_and_charge_and_another_charge_to_nobody() -> None:
    assert linked([{"service_from_date": None}], [{}]) == [(1, 1, "charge")]
    assert linked([{"charge_amount": Decimal(49)}], [{}]) == []


def test_a_reversal_s_lines_are_those_that_it_takes_back() -> None:
    assert linked([{"charge_amount": Decimal(-50)}], [{}]) == [(1, 1, "procedure")]


def test_a_revenue_code_stands_for_a_line_without_procedure() -> None:
    room = {"procedure_code": "", "revenue_code": "0120"}
    assert linked([room], [room]) == [(1, 1, "procedure")]


def test_lines_follow_a_link_that_people_change(biller) -> None:
    files = run(Files(make_practice()), claims("c", ORIGINAL, {"patient_control_number": "B2"}))
    first, second = Claim.objects.filter(practice=files.practice).order_by("pk")
    lines = [add_lines(claim, {})[0] for claim in (first, second)]
    run(files, remittances("r", PAYMENT))
    remittance = Remittance.objects.get(practice=files.practice)
    add_lines(remittance, {})
    link_lines(FileJob(files.practice.pk, remittance.file_id, DAY))
    assert LineLink.objects.get().service_line_id == lines[0].pk
    link_by_hand(biller, remittance, second, "The payer mixed them up.")
    assert LineLink.objects.get().service_line_id == lines[1].pk
    assert link_lines(FileJob(files.practice.pk, remittance.file_id, DAY)) == {"lines_linked": 0}
    unlink_by_hand(biller, remittance, "Neither.")
    assert not LineLink.objects.exists()
