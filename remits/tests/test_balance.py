import pytest
from hypothesis import given
from hypothesis import strategies as st

from marb.edi.values import dollars
from remits.balance import balance_findings, balance_remittance, payment_difference
from remits.edi835 import Remittance, parse_payments
from remits.tests.x12 import CLAIM, HEADING, whole, wrap

AMOUNTS = st.integers(-(10**7), 10**7)


def read(claim: str) -> Remittance:
    return next(each for each in parse_payments(whole(wrap(HEADING + claim))) if isinstance(each, Remittance))


def messages(claim: str) -> list[str]:
    remittance = read(claim)
    return [finding.message for finding in balance_findings(remittance, balance_remittance(remittance))]


def test_charge_less_adjustments_is_what_is_paid():
    balance = balance_remittance(read(CLAIM))
    assert balance.is_balanced
    assert (balance.adjustment_cents, balance.claim_difference, balance.line_differences) == (2000, 0, [0])


def test_claim_adjustments_count_for_the_claim_and_not_for_its_lines():
    balance = balance_remittance(read("CLP*P*1*100*70~CAS*OA*23*10~SVC*HC:99213*100*80~CAS*CO*45*20~"))
    assert (balance.is_balanced, balance.adjustment_cents) == (True, 3000)


def test_one_cent_is_a_difference():
    assert not balance_remittance(read("CLP*P*1*100*99.99~")).is_balanced


def test_lines_that_miss_by_opposite_amounts_do_not_balance():
    balance = balance_remittance(read("CLP*P*1*100*100~SVC*HC:1*50*49~SVC*HC:2*50*51~"))
    assert (balance.claim_difference, balance.line_differences) == (0, [100, -100])
    assert not balance.is_balanced


def test_a_finding_says_both_sums_and_stands_at_its_line():
    remittance = read("CLP*P*1*100*80~SVC*HC:99213*100*80~CAS*CO*45*15~")
    line, claim = balance_findings(remittance, balance_remittance(remittance))
    assert line.message.startswith(
        "Line 1 does not balance: its charge less its adjustments is 85.00, but 80.00 is paid"
    )
    assert (line.level, line.code_set, line.code) == ("C", "EDIT", "line_balance")
    assert (line.place.byte_offset, line.place.segment_id) == (remittance.lines[0].byte_offset, "SVC")
    assert (claim.code, claim.claim_offset) == ("claim_balance", remittance.place.byte_offset)
    assert line.claim_offset == claim.claim_offset


def test_a_reversal_balances_in_its_own_sign():
    assert messages("CLP*P*22*-100*-80~CAS*CO*45*-20~") == []


@pytest.mark.parametrize("amounts", ["AMT*AU*90~", "AMT*I*5~SVC*HC:1*100*100~AMT*B6*1~", "QTY*CA*4~"])
def test_amounts_and_quantities_take_no_part(amounts: str):
    assert messages(f"CLP*P*1*100*100~{amounts}") == []


def test_allowed_is_b6_else_paid_and_the_patients_share():
    balance = balance_remittance(
        read("CLP*P*1*200*110~SVC*HC:1*100*60~CAS*CO*45*30~CAS*PR*2*10~SVC*HC:2*100*50~CAS*CO*45*50~AMT*B6*75~")
    )
    assert balance.line_allowed == [7000, 7500]
    assert balance.allowed_cents == 11000 + 1000


def test_allowed_of_a_claim_is_that_of_its_lines_where_each_says_one():
    balance = balance_remittance(
        read("CLP*P*2*200*0~SVC*HC:1*100*0~CAS*OA*23*100~AMT*B6*80~SVC*HC:2*100*0~CAS*OA*23*100~AMT*B6*75~")
    )
    assert balance.allowed_cents == 15500


def test_allowed_of_a_claim_without_lines_has_its_own_patient_share():
    assert balance_remittance(read("CLP*P*1*100*60~CAS*PR*1*15~CAS*CO*45*25~")).allowed_cents == 7500


@given(charge=AMOUNTS, adjustments=st.lists(AMOUNTS, max_size=6), error=AMOUNTS)
def test_the_difference_is_exactly_what_was_put_in(charge: int, adjustments: list[int], error: int):
    paid = charge - sum(adjustments) - error
    cas = "CAS*CO" + "".join(f"*45*{dollars(cents)}*" for cents in adjustments) + "~" if adjustments else ""
    line = f"SVC*HC:99213*{dollars(charge)}*{dollars(paid)}~{cas}"
    balance = balance_remittance(read(f"CLP*P*1*{dollars(charge)}*{dollars(paid)}~{line}"))
    assert (balance.claim_difference, balance.line_differences) == (error, [error])
    assert balance.is_balanced == (error == 0)


@given(claims=AMOUNTS, plb=AMOUNTS, error=AMOUNTS)
def test_a_payment_differs_by_exactly_what_was_put_in(claims: int, plb: int, error: int):
    assert payment_difference(claims - plb + error, claims, plb) == error
