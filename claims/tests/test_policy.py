"""What payers make of edits: levels, limits and demands."""

import inspect
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claims import edits
from claims.codes import is_npi
from claims.edits import check_claim
from claims.policy import DEMANDS, EDITS, Policy, earliest, judge
from claims.tests.envelope import CLAIM, LINE, read_claim
from claims.tests.test_edits import TODAY

PLAIN = Policy({}, {}, None)


def codes(policy: Policy, claim) -> list[tuple[str, str]]:
    return [(found.code, found.level) for found in judge(policy, claim, list(check_claim(claim, TODAY)))]


def test_without_rules_the_findings_stay_as_they_are():
    bad = read_claim(CLAIM.replace("*100*", "*90*") + LINE)
    assert codes(PLAIN, bad) == [("charge_sum", "C")]


@pytest.mark.parametrize(("level", "left"), [("off", []), ("W", [("charge_sum", "W")]), ("C", [("charge_sum", "C")])])
def test_a_rule_weighs_an_edit_for_its_payer(level, left):
    bad = read_claim(CLAIM.replace("*100*", "*90*") + LINE)
    assert codes(Policy({"charge_sum": level}, {}, None), bad) == left


def test_a_payer_demands_what_others_do_not():
    demands = dict.fromkeys(DEMANDS, "C")
    policy = Policy(demands, {"control_number_limit": 3}, None)
    assert {code for code, _ in codes(policy, read_claim(CLAIM + LINE))} == {
        "auth_number_missing",
        "referral_missing",
        "rendering_missing",
        "control_number_limit",
    }
    whole = CLAIM + "REF*G1*AUTH1~REF*9F*REFER1~NM1*82*1*ROE*JO****XX*1992739999~" + LINE
    assert codes(policy._replace(limits={}), read_claim(whole)) == []


@pytest.mark.parametrize(("days", "found"), [(None, []), (5, []), (4, [("timely_filing", "C")])])
def test_a_claim_sent_after_the_payers_days_is_late(days, found):
    # served on the 10th, sent on the 15th
    assert codes(PLAIN._replace(filing_days=days), read_claim(CLAIM + LINE)) == found


def test_a_rule_has_the_last_word_on_the_days_to_file():
    late = Policy({"timely_filing": "W"}, {"timely_filing": 2}, 90)
    assert codes(late, read_claim(CLAIM + LINE)) == [("timely_filing", "W")]
    assert codes(Policy({"timely_filing": "off"}, {"timely_filing": 2}, 90), read_claim(CLAIM + LINE)) == []


def test_a_replacement_is_not_late():
    replacement = CLAIM.replace("11:B:1", "11:B:7") + "REF*F8*ICN1~" + LINE
    assert codes(PLAIN._replace(filing_days=1), read_claim(replacement)) == []


def test_medicare_has_a_year_without_any_rule():
    claim = read_claim(CLAIM + LINE)._replace(filing_indicator_code="MB", submitted_date="2025-01-10")
    assert codes(PLAIN, claim) == [("timely_filing", "C")]
    assert codes(PLAIN, claim._replace(submitted_date="2025-01-09")) == []


def test_every_code_of_the_edits_is_in_the_catalogue():
    said = set(re.findall(r'on_(?:claim|line)\(claim, (?:line, )?"(\w+)"', inspect.getsource(edits)))
    assert said
    assert said <= set(EDITS)
    assert all(len(code) <= 20 for code in {**EDITS, **DEMANDS})


@given(st.dates(min_value=date(2000, 1, 1)), st.integers(0, 3000))
def test_the_earliest_day_is_so_many_days_before(day, days):
    assert earliest(day.isoformat(), days) <= day.isoformat()
    assert earliest(day.isoformat(), 0) == day.isoformat()


@given(st.integers(0, 99_999_999), st.integers(1, 9))
def test_no_other_check_digit_makes_a_number_an_npi(number, shift):
    numbers = [f"1{number:08d}{digit}" for digit in range(10)]
    (valid,) = [text for text in numbers if is_npi(text)]
    assert not is_npi(valid[:-1] + str((int(valid[-1]) + shift) % 10))
