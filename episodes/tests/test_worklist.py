"""The denials to work on: what they are derived to, closed by rows, worked on by people; and the same in any order."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from episodes.models import DenialItem, DenialNote, DenialReason, Episode
from episodes.tests.rows import Files, make_practice
from episodes.tests.test_link import ORIGINAL, PAYMENT, Step, claims, remittances, run, same_in_any_order
from episodes.worklist import WRITTEN, redate_items
from marb.parties.models import Payer

pytestmark = pytest.mark.django_db
DENIAL = PAYMENT | {"paid_amount": Decimal(0), "adjustments": {"CO-50": "100"}}
LATER = date(2026, 3, 1)
SHOWN = tuple(name for name in WRITTEN if not name.endswith("_id"))


def digest(files: Files) -> list[tuple[Any, ...]]:
    rows = DenialItem.objects.filter(practice=files.practice)
    place = ("remittance__file__sha256", "remittance__byte_offset", "payer__payer_code", "status", "resolution")
    return sorted(rows.values_list(*place, *SHOWN), key=repr)


def item_of(*steps: Step) -> DenialItem:
    """Run the steps in every order; the items must not differ by it."""
    files = same_in_any_order(claims("c", ORIGINAL), *steps, also=digest)
    return DenialItem.objects.get(practice=files.practice)


def test_a_denied_claim_is_an_item_with_its_reason_and_amount():
    item = item_of(remittances("r", DENIAL))
    assert (item.status, item.group_code, item.carc, item.category) == ("open", "CO", "50", "medical_necessity")
    assert (item.strategy, item.denied_amount, item.is_whole) == ("APPEAL", 100, True)
    assert (item.denied_date, item.reasons, item.closed_by) == (date(2026, 2, 1), ["CO-50"], "")


def test_a_part_that_is_denied_is_an_item_of_that_part():
    item = item_of(remittances("r", PAYMENT | {"adjustments": {"CO-97@1": "25", "CO-50@2": "15"}}))
    assert (item.is_whole, item.denied_amount, item.carc) == (False, 40, "97")
    assert item.reasons == ["CO-50", "CO-97"]


def test_what_is_no_denial_makes_no_item():
    zero = PAYMENT | {"paid_amount": Decimal(0)}
    for adjustments in ({"PR-1": "100"}, {"CO-24": "100"}, {"CO-45": "100"}, {"OA-23": "100"}, {"CO-999": "100"}):
        files = run(
            Files(make_practice()), claims("c", ORIGINAL), remittances("r", zero | {"adjustments": adjustments})
        )
        assert not DenialItem.objects.filter(practice=files.practice).exists(), adjustments


def test_status_4_without_a_reason_is_an_item():
    item = item_of(remittances("r", DENIAL | {"claim_status_code": "4", "adjustments": {}}))
    assert (item.category, item.strategy, item.denied_amount) == ("eligibility", "CORRECT_AND_RESUBMIT", 100)


def test_sixteen_is_what_its_remark_says():
    item = item_of(remittances("r", DENIAL | {"adjustments": {"CO-16": "100"}, "remark_codes": ["N1", "M62"]}))
    assert (item.category, item.strategy, item.remark_codes) == ("authorization", "CORRECT_AND_RESUBMIT", ["N1", "M62"])
    bare = item_of(remittances("r", DENIAL | {"adjustments": {"CO-16": "100"}}))
    assert bare.category == "documentation"


def test_what_the_payer_leaves_to_the_patient_is_billed_to_the_patient():
    assert item_of(remittances("r", DENIAL | {"adjustments": {"PR-204": "100"}})).strategy == "PATIENT_RESPONSIBILITY"


def test_a_later_payment_closes_it():
    item = item_of(remittances("r", DENIAL), remittances("s", PAYMENT, on=LATER))
    assert (item.status, item.closed_by) == ("resolved", "paid")


def test_a_resubmission_closes_it_and_another_denial_opens_it_anew():
    again = claims("c7", ORIGINAL | {"frequency_code": "7", "payer_claim_control_number": "X1"})
    item = item_of(remittances("r", DENIAL), again)
    assert (item.status, item.closed_by) == ("resolved", "resubmitted")
    second = DENIAL | {"payer_claim_control_number": "X2", "frequency_code": "7", "adjustments": {"CO-29": "100"}}
    item = item_of(remittances("r", DENIAL), again, remittances("s", second, on=LATER))
    assert (item.status, item.closed_by, item.carc) == ("open", "", "29")


def test_a_reversal_closes_it():
    reversal = DENIAL | {"claim_status_code": "22", "charge_amount": Decimal(-100), "adjustments": {"CO-50": "-100"}}
    item = item_of(remittances("r", DENIAL), remittances("v", reversal, on=LATER))
    assert (item.status, item.closed_by) == ("resolved", "reversed")


def test_settling_twice_writes_nothing():
    files = run(Files(make_practice()), claims("c", ORIGINAL), remittances("r", DENIAL))
    before = list(DenialItem.objects.values())
    run(files, lambda each: each.claims("d", {"patient_control_number": "other"}))
    assert list(DenialItem.objects.values()) == before


def test_what_a_person_resolved_stays_until_another_answer_denies(biller):
    files = run(Files(make_practice()), claims("c", ORIGINAL), remittances("r", DENIAL))
    DenialItem.objects.update(status="resolved", resolution="write_off", resolved_at="2026-02-02T00:00Z")
    run(files, remittances("x", PAYMENT | {"claim_status_code": "25"}, on=LATER))
    assert DenialItem.objects.get(practice=files.practice).resolution == "write_off"
    run(files, remittances("s", DENIAL | {"adjustments": {"CO-29": "100"}}, on=LATER))
    item = DenialItem.objects.get(practice=files.practice)
    assert (item.status, item.resolution, item.carc, item.resolved_at) == ("open", "", "29", None)


def test_an_episode_that_joins_another_brings_what_people_did(biller):
    lone = {"patient_control_number": "B7", "frequency_code": "7", "payer_claim_control_number": "X1"}
    answer = DENIAL | {"patient_control_number": "B7", "payer_claim_control_number": "X2", "frequency_code": "7"}
    files = run(Files(make_practice()), claims("c7", lone), remittances("r7", answer, on=LATER))
    item = DenialItem.objects.get(practice=files.practice)
    DenialNote.objects.create(practice=files.practice, item=item, text="Called.", author=biller)
    run(files, claims("c", ORIGINAL), remittances("r", DENIAL))
    episode = Episode.objects.get(practice=files.practice)
    kept = DenialItem.objects.get(practice=files.practice)
    assert (kept.episode_id, kept.notes.get().text, kept.denied_date) == (episode.pk, "Called.", LATER)


@pytest.mark.parametrize(
    ("days", "adjustments", "remarks", "deadline", "basis"),
    [
        ({}, {"CO-50": "100"}, [], None, ""),
        ({"appeal_days": 90}, {"CO-50": "100"}, [], date(2026, 5, 2), "appeal_days"),
        ({"payer_type": "medicare"}, {"CO-50": "100"}, [], date(2026, 6, 6), "redetermination"),
        ({"payer_type": "medicare"}, {"CO-50": "100"}, ["MA130"], date(2027, 1, 5), "timely_filing"),
        ({"timely_filing_days": 180}, {"CO-4": "100"}, [], date(2026, 7, 4), "timely_filing"),
        ({"appeal_days": 30}, {"CO-50": "100"}, ["MA130"], None, ""),
    ],
)
def test_the_deadline_is_that_of_what_is_to_be_done(days, adjustments, remarks, deadline, basis):
    files = run(
        Files(make_practice()),
        claims("c", ORIGINAL),
        remittances("r", DENIAL | {"adjustments": adjustments, "remark_codes": remarks}),
    )
    Payer.objects.filter(practice=files.practice).update(**days)
    payer = Payer.objects.get(practice=files.practice)
    redate_items(payer)
    item = DenialItem.objects.get(practice=files.practice)
    assert (item.deadline_date, item.deadline_basis) == (deadline, basis)
    assert item.is_appealable is (remarks == [])
    # settling reckons the same
    DenialItem.objects.update(deadline_date=None, deadline_basis="")
    run(files, remittances("x", PAYMENT | {"claim_status_code": "25"}, on=LATER))
    assert DenialItem.objects.filter(practice=files.practice, deadline_date=deadline, deadline_basis=basis).exists()


def test_the_soonest_deadline_comes_first_then_the_most_dollars():
    rows = {
        "late": {"adjustments": {"CO-50": "90"}}, "soon": {"adjustments": {"CO-50": "10"}},
        "more": {"adjustments": {"CO-50": "95.50"}},
    }  # fmt: skip
    files = Files(make_practice())
    run(files, claims("c", *({"patient_control_number": name} for name in rows)))
    run(files, remittances("r", *(DENIAL | row | {"patient_control_number": name} for name, row in rows.items())))
    named = {item.episode.claim.patient_control_number: item for item in DenialItem.objects.all()}
    DenialItem.objects.filter(pk=named["soon"].pk).update(deadline_date=LATER)
    found = DenialItem.objects.filter(practice=files.practice)
    assert [item.episode.claim.patient_control_number for item in found] == ["soon", "more", "late"]


def test_a_practice_s_own_row_comes_before_the_shipped_ones():
    files = Files(make_practice())
    own = {"practice": files.practice, "carc": "45", "category": "other", "strategy": "APPEAL"}
    DenialReason.objects.create(**own)
    DenialReason.objects.create(**own | {"carc": "50", "is_denial": False, "strategy": ""})
    run(files, claims("c", ORIGINAL, {"patient_control_number": "B1"}))
    row = DENIAL | {"patient_control_number": "B1"}
    run(files, remittances("r", DENIAL, row | {"adjustments": {"CO-45": "100"}}))
    item = DenialItem.objects.get(practice=files.practice)
    assert (item.carc, item.episode.claim.patient_control_number) == ("45", "B1")
    found = Episode.objects.filter(practice=files.practice).values_list("claim__patient_control_number", "status")
    assert dict(found) == {"A1": "complete", "B1": "denied"}


def test_group_and_remark_decide_where_rows_tell_them_apart():
    files = Files(make_practice())
    own = {"practice": files.practice, "carc": "242", "category": "other", "strategy": "APPEAL"}
    DenialReason.objects.create(**own | {"group_code": "CO"})
    DenialReason.objects.create(**own | {"rarc": "N130", "is_denial": False, "group_code": "CO", "strategy": ""})
    cases = {"co": ("CO-242", []), "pr": ("PR-242", []), "remark": ("CO-242", ["N130"])}
    run(files, claims("c", *({"patient_control_number": name} for name in cases)))
    rows = [
        DENIAL | {"patient_control_number": name, "adjustments": {reason: "100"}, "remark_codes": remarks}
        for name, (reason, remarks) in cases.items()
    ]
    run(files, remittances("r", *rows))
    found = Episode.objects.filter(practice=files.practice, status="denied")
    assert [episode.claim.patient_control_number for episode in found] == ["co"]
    assert [item.episode_id for item in DenialItem.objects.filter(practice=files.practice)] == [found[0].pk]
