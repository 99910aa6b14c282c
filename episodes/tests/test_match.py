"""The weight of evidence: what each field says, and that nothing is guessed between two that are alike."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from episodes.match import CLEAR_BITS, LEAST_SCORE, WEIGHTS, Line, Side, choose, method_of, normalise, weigh

CLAIM = Side(
    number="MF00001234", payer=7, member_id="M12345", last_name="Abernathy", first_name="Rosalind",
    from_date=date(2026, 1, 5), to_date=date(2026, 1, 5), charge_cents=18500, providers=frozenset([3]),
    lines=(Line("MF00001234L1", "99214"), Line("MF00001234L2", "83036")),
)  # fmt: skip
REMITTANCE = CLAIM._replace(payer_number="ICN9", lines=(Line("", "99214"), Line("", "83036")))


def finding(feature: str, remittance: Side, claim: Side = CLAIM) -> str:
    return next((r.finding for r in weigh(remittance, 1, claim).reasons if r.feature == feature), "")


@pytest.mark.parametrize(
    ("said", "sent", "found"),
    [
        ("mf00001234", "MF00001234", "same"),
        ("0001234", "1234", "same"),
        ("MF-0000-1234", "MF00001234", "same"),
        ("MF00001234MILLBRO", "MF00001234MILLBROOK", "cut"),
        ("MF0000", "MF00001234", "different"),
        ("MF00001235", "MF00001234", "near"),
        ("OLD9", "MF00001234", "different"),
        ("", "MF00001234", ""),
        ("---", "MF00001234", ""),
    ],
)
def test_a_control_number_is_compared_past_its_writing(said: str, sent: str, found: str) -> None:
    assert finding("control_number", CLAIM._replace(number=said), CLAIM._replace(number=sent)) == found


@pytest.mark.parametrize(
    ("last", "first", "found"),
    [
        ("ABERNATHY", "ROSALIND", "same"),
        ("Abernathy", "", "same"),
        ("Abernathy", "R", "initial"),
        ("Rosalind", "Abernathy", "swapped"),
        ("Abernathey", "Rosalind", "near"),
        ("Abernathy", "Thomas", "different"),
        ("Okonkwo", "Thomas", "different"),
        ("", "Rosalind", ""),
    ],
)
def test_a_name_is_compared_past_its_writing(last: str, first: str, found: str) -> None:
    assert finding("name", CLAIM._replace(last_name=last, first_name=first)) == found


@pytest.mark.parametrize(("days", "found"), [(0, "same"), (2, "near"), (-3, "near"), (4, "different")])
def test_a_day_of_service_counts_within_three_days(days: int, found: str) -> None:
    assert finding("service_date", CLAIM._replace(from_date=date(2026, 1, 5) + timedelta(days=days))) == found


def test_a_part_of_the_lines_may_carry_a_part_of_the_charge() -> None:
    part = REMITTANCE._replace(charge_cents=12500, lines=(Line("", "99214"),))
    assert (finding("charge", part), finding("procedures", part)) == ("part", "same")
    assert finding("charge", REMITTANCE._replace(charge_cents=12500)) == "different"


def test_a_damaged_number_with_all_else_alike_is_beyond_doubt() -> None:
    for number in ("mf00001234", "0000MF00001234", "", "PAYERS OWN 77"):
        weighed = weigh(REMITTANCE._replace(number=number), 1, CLAIM)
        assert choose([weighed]) is weighed, number


def test_the_method_names_the_evidence_that_stands_first() -> None:
    known = CLAIM._replace(known_numbers=frozenset(["ICN9"]))
    assert method_of(weigh(REMITTANCE, 1, CLAIM)) == "number_variant"
    assert method_of(weigh(REMITTANCE._replace(number=""), 1, known)) == "payer_number"
    assert method_of(weigh(REMITTANCE._replace(number=""), 1, CLAIM)) == "member"
    assert method_of(weigh(REMITTANCE._replace(number="", from_date=date(2026, 1, 6)), 1, CLAIM)) == "likeness"


def test_two_claims_alike_are_not_chosen_between() -> None:
    nameless = REMITTANCE._replace(number="")
    assert choose([weigh(nameless, 1, CLAIM), weigh(nameless, 2, CLAIM._replace(number="MF00009999"))]) is None


def test_a_second_claim_that_is_clearly_behind_does_not_hold_the_first_back() -> None:
    other = CLAIM._replace(number="MF00009999", charge_cents=9900, from_date=date(2026, 1, 7))
    chosen = choose([weigh(REMITTANCE, 2, other), weigh(REMITTANCE, 1, CLAIM)])
    assert chosen is not None
    assert chosen.claim_id == 1


def test_a_number_and_line_numbers_that_both_speak_against_it_are_believed() -> None:
    stranger = REMITTANCE._replace(number="OLD00000077", lines=(Line("OLD00000077L1", "99214"),))
    assert choose([weigh(stranger, 1, CLAIM)]) is None
    neighbour = REMITTANCE._replace(number="MF00001235", lines=(Line("MF00001235L1", "99214"),))
    assert choose([weigh(neighbour, 1, CLAIM)]) is None


def test_a_name_a_day_and_a_charge_alone_are_not_enough() -> None:
    bare = Side(last_name="Abernathy", first_name="Rosalind", from_date=date(2026, 1, 5), charge_cents=18500, payer=7)
    assert choose([weigh(bare, 1, CLAIM)]) is None


def test_another_member_of_the_family_is_not_taken() -> None:
    child = REMITTANCE._replace(number="", first_name="Thomas")
    assert choose([weigh(child, 1, CLAIM)]) is None


SIDES = st.builds(
    Side,
    number=st.sampled_from(["", "MF1", "MF2", "MF000000012345", "MF0000000123"]),
    payer_number=st.sampled_from(["", "X1", "X2"]),
    payer=st.sampled_from([None, 1, 2]),
    member_id=st.sampled_from(["", "M1", "M2"]),
    last_name=st.sampled_from(["", "Ray", "Roy"]),
    first_name=st.sampled_from(["", "Ann", "A"]),
    from_date=st.sampled_from([None, date(2026, 1, 1), date(2026, 1, 3), date(2026, 2, 1)]),
    charge_cents=st.sampled_from([0, 100, 200]),
    lines=st.sampled_from([(), (Line("LINE1", "99213"),), (Line("LINE2", "99214"), Line("", "99213"))]),
    known_numbers=st.sampled_from([frozenset(), frozenset(["X1"])]),
)


@given(SIDES, st.lists(SIDES, max_size=5), st.randoms(use_true_random=False))
def test_the_choice_is_likely_clear_and_does_not_depend_on_the_order(remittance: Side, claims, random) -> None:
    weighed = [weigh(remittance, number, claim) for number, claim in enumerate(claims)]
    chosen = choose(weighed)
    shuffled = random.sample(weighed, len(weighed))
    assert choose(shuffled) == chosen
    assert all(0 <= each.score < 1 for each in weighed)
    if chosen is not None:
        assert chosen.score >= LEAST_SCORE
        assert all(chosen.bits - each.bits >= CLEAR_BITS for each in weighed if each is not chosen)


@given(SIDES, SIDES)
def test_every_finding_has_a_weight_and_the_bits_are_their_sum(remittance: Side, claim: Side) -> None:
    weighed = weigh(remittance, 1, claim)
    assert all(WEIGHTS[reason.feature][reason.finding] == reason.bits for reason in weighed.reasons)
    assert weighed.bits == -10 + sum(reason.bits for reason in weighed.reasons)


@given(st.text(max_size=30))
def test_a_number_is_normalised_once_and_for_all(number: str) -> None:
    assert normalise(normalise(number)) == normalise(number)
    assert normalise(f"00{number}") == normalise(number)
