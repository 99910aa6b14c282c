"""What no control number links: candidates, links by likeness, the queue; in any order of arrival the same."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from claims.models import Claim
from episodes.candidates import NAME_KEY, NUMBER_KEY
from episodes.link import link_file
from episodes.match import normalise
from episodes.models import Episode, EpisodeClaim, EpisodeRemittance, OpenRemittance
from episodes.tests.rows import Files, make_practice
from episodes.tests.test_link import PAID, claims, digest, remittances, run, same_in_any_order, statuses
from marb.pipeline.jobs import FileJob

pytestmark = pytest.mark.django_db
PERSON = {"patient_last_name": "Abernathy", "patient_first_name": "Rosalind"}
CLAIM = PERSON | {"patient_control_number": "MF00001234", "subscriber_member_id": "M1"}
ANSWER = PERSON | {
    "patient_control_number": "mf00001234", "member_id": "M1", "paid_amount": Decimal(60), "adjustments": PAID,
    "payer_claim_control_number": "X1",
}  # fmt: skip


def link_of(files: Files) -> EpisodeRemittance:
    return EpisodeRemittance.objects.get(practice=files.practice)


@pytest.mark.parametrize(
    ("number", "method"),
    [
        ("mf00001234", "number_variant"),
        ("00MF-0000-1234", "number_variant"),
        ("", "member"),
        ("PAYERS OWN 77", "member"),
    ],
)
def test_a_damaged_number_is_linked_in_both_orders_of_arrival(number: str, method: str) -> None:
    answer = ANSWER | {"patient_control_number": number}
    files = same_in_any_order(claims("c", CLAIM), remittances("r", answer))
    link = link_of(files)
    assert (link.method, link.claim.patient_control_number) == (method, "MF00001234")
    assert link.evidence["member"] == "same"
    assert statuses(files) == ["complete"]
    assert OpenRemittance.objects.get(remittance=link.remittance).state == "linked"


def test_a_number_that_the_payer_cut_short_is_found() -> None:
    long = CLAIM | {"patient_control_number": "MF00001234-MILLBROOK", "subscriber_member_id": "OTHER"}
    answer = ANSWER | {"patient_control_number": "MF00001234-MILLB", "member_id": ""}
    files = same_in_any_order(claims("c", long), remittances("r", answer))
    assert link_of(files).evidence["control_number"] == "cut"


def test_a_reversal_is_found_by_the_payer_s_number_of_what_it_takes_back() -> None:
    paid = ANSWER | {"patient_control_number": "MF00001234"}
    taken_back = paid | {
        "patient_control_number": "", "member_id": "", "claim_status_code": "22", "charge_amount": Decimal(-100),
        "paid_amount": Decimal(-60), "adjustments": {"CO-45": "-20", "PR-2": "-20"},
    }  # fmt: skip
    files = same_in_any_order(claims("c", CLAIM), remittances("r", paid), remittances("r2", taken_back))
    found = EpisodeRemittance.objects.get(practice=files.practice, remittance__claim_status_code="22")
    assert found.method == "payer_number"
    assert Episode.objects.get(practice=files.practice).paid_amount == 0


def test_two_claims_alike_wait_in_the_queue_with_both_as_candidates() -> None:
    twin = CLAIM | {"patient_control_number": "MF00009999"}
    files = same_in_any_order(
        claims("c", CLAIM), claims("d", twin), remittances("r", ANSWER | {"patient_control_number": ""})
    )
    open_one = OpenRemittance.objects.get(practice=files.practice)
    assert (open_one.state, open_one.candidate_count, statuses(files)) == ("open", 2, ["pending", "pending"])
    assert [each["score"] for each in open_one.candidates] == [0.99, 0.99]


def test_a_claim_that_comes_later_takes_back_what_is_no_longer_beyond_doubt() -> None:
    files = run(Files(make_practice()), claims("c", CLAIM), remittances("r", ANSWER | {"patient_control_number": ""}))
    assert statuses(files) == ["complete"]
    run(files, claims("d", CLAIM | {"patient_control_number": "MF00009999"}))
    assert statuses(files) == ["pending", "pending"]
    assert not EpisodeRemittance.objects.exists()


def test_the_claim_of_its_number_takes_a_remittance_from_one_that_is_only_like_it() -> None:
    like = CLAIM | {"patient_control_number": "OLD77"}
    answer = ANSWER | {"patient_control_number": "NEW88"}
    files = same_in_any_order(claims("c", like), remittances("r", answer), claims("d", CLAIM | answer_number("NEW88")))
    link = link_of(files)
    assert (link.method, link.claim.patient_control_number) == ("control_number", "NEW88")
    assert statuses(files) == ["complete", "pending"]
    assert not OpenRemittance.objects.exists() or not OpenRemittance.objects.filter(practice=files.practice).exists()


def answer_number(number: str) -> dict[str, str]:
    return {"patient_control_number": number}


def test_a_replacement_joins_by_the_number_of_a_payment_that_is_linked_by_likeness() -> None:
    replacement = {"patient_control_number": "B7", "frequency_code": "7", "payer_claim_control_number": "X1"}
    files = same_in_any_order(claims("c", CLAIM), remittances("r", ANSWER), claims("c7", replacement))
    episode = Episode.objects.get(practice=files.practice)
    assert (episode.claim.patient_control_number, episode.claim_count) == ("MF00001234", 2)


def test_somebody_else_s_claim_is_not_taken() -> None:
    stranger = CLAIM | {"patient_last_name": "Okonkwo", "patient_first_name": "Ada"}
    files = same_in_any_order(claims("c", stranger), remittances("r", ANSWER | {"patient_control_number": ""}))
    assert statuses(files) == ["pending"]


def test_a_subscriber_who_is_the_patient_is_found_by_name_and_day() -> None:
    alone = {"patient_control_number": "MF00001234-MILLBROOK", "subscriber_last_name": "Abernathy",
             "subscriber_first_name": "Rosalind", "service_from_date": date(2026, 1, 4)}  # fmt: skip
    files = same_in_any_order(
        claims("c", alone),
        remittances("r", ANSWER | {"patient_control_number": "77", "member_id": "", "payer_claim_control_number": ""}),
    )
    open_one = OpenRemittance.objects.get(practice=files.practice)
    (candidate,) = open_one.candidates
    assert ["service_date", "near", 1] in candidate["reasons"]
    assert ["name", "same", 4] in candidate["reasons"]


def test_what_more_claims_share_than_may_be_looked_at_says_nothing() -> None:
    many = [CLAIM | {"patient_control_number": f"MF{n:08}"} for n in range(51)]
    files = run(Files(make_practice()), claims("c", *many), remittances("r", ANSWER | {"patient_control_number": ""}))
    assert OpenRemittance.objects.get(practice=files.practice).candidate_count == 0


def test_another_practice_s_claim_is_no_candidate() -> None:
    run(Files(make_practice()), claims("c", CLAIM))
    files = run(Files(make_practice()), remittances("r", ANSWER))
    assert OpenRemittance.objects.get(practice=files.practice).candidate_count == 0


def test_weighing_twice_changes_nothing() -> None:
    files = run(
        Files(make_practice()), claims("c", CLAIM), remittances("r", ANSWER),
        remittances("q", ANSWER | {"patient_control_number": "", "charge_amount": Decimal(5)}),
    )  # fmt: skip
    before = digest(files), list(OpenRemittance.objects.order_by("pk").values())
    for pk in EpisodeClaim.objects.values_list("claim__file", flat=True):
        counts = link_file(FileJob(files.practice.pk, pk, date(2026, 6, 30)))
        assert not any(value for name, value in counts.items() if name != "without_claim")
    assert (digest(files), list(OpenRemittance.objects.order_by("pk").values())) == before


TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


@given(TEXTS, TEXTS)
def test_the_keys_of_sql_are_those_of_the_scorer(text: str, first: str) -> None:
    with connection.cursor() as cursor:
        named = NAME_KEY.format("%s::text", "%s::text")
        cursor.execute(f"SELECT {NUMBER_KEY.format('%s::text')}, {named}", [text, text, first])
        number, name = cursor.fetchone()
    last, initial = ("".join(c for c in word if c.isascii() and c.isalpha()).upper() for word in (text, first))
    assert number == normalise(text)
    assert name == (f"{last} {initial[:1]}" if last else "")


def test_a_file_without_open_remittances_reads_no_candidates(django_assert_max_num_queries) -> None:
    files = run(Files(make_practice()), claims("c", CLAIM), remittances("r", ANSWER | answer_number("MF00001234")))
    job = FileJob(files.practice.pk, Claim.objects.get().file_id, date(2026, 6, 30))
    with django_assert_max_num_queries(38) as queries:
        link_file(job)
    assert not any("linking_candidate AS" in query["sql"] for query in queries.captured_queries)
