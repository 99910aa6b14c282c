from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marb.pipeline.jobs import FileJob
from marb.pipeline.models import EdiFile, Finding
from remits.balance import payment_difference
from remits.load import load_chunk
from remits.models import Payment, Remittance
from remits.settle import settle_file
from remits.tests.conftest import lease
from remits.tests.x12 import CLAIM, HEADING, whole, wrap

Load = Callable[..., EdiFile]


def settle(file: EdiFile) -> dict[str, int]:
    return settle_file(FileJob(file.practice_id, file.pk, timezone.now().date()))


def findings(file: EdiFile) -> list[tuple[str, str, str]]:
    found = Finding.objects.filter(file=file).order_by("byte_offset", "code")
    return [(finding.level, finding.code_set, finding.code) for finding in found]


def paying(amount: str) -> str:
    return HEADING.replace("BPR*I*80", f"BPR*I*{amount}")


def test_a_payment_that_balances_has_a_zero_difference_and_no_finding(load: Load):
    file = load(wrap(HEADING + CLAIM))
    payment = Payment.objects.get()
    assert (payment.claim_paid_amount, payment.provider_adjustment_amount, payment.difference_amount) == (80, 0, 0)
    assert payment.is_balanced
    assert findings(file) == []


def test_until_it_is_settled_a_payment_has_no_difference(load: Load):
    load(wrap(HEADING + CLAIM), settle=False)
    assert Payment.objects.get().difference_amount is None


@pytest.mark.parametrize(("amount", "plb"), [("67.50", "12.5"), ("92.50", "-12.5"), ("80", "0")])
def test_a_positive_plb_lowers_the_payment_and_a_negative_one_raises_it(load: Load, amount: str, plb: str):
    load(wrap(f"{paying(amount)}{CLAIM}PLB*1*20251231*WO:A*{plb}~"))
    payment = Payment.objects.get()
    assert (payment.provider_adjustment_amount, payment.difference_amount) == (Decimal(plb), 0)


def test_several_plb_segments_of_a_payment_add_up(load: Load):
    load(wrap(f"{paying('70')}{CLAIM}PLB*1*20251231*WO:A*4*L6*-1~PLB*1*20251231*FB*7~"))
    assert Payment.objects.get().difference_amount == 0


def test_a_payment_that_does_not_balance_says_both_sums(load: Load):
    file = load(wrap(f"{paying('100.10')}{CLAIM}PLB*1*20251231*WO:A*5~"))
    payment, finding = Payment.objects.get(), Finding.objects.get(file=file)
    assert payment.difference_amount == Decimal("25.10")
    assert (finding.level, finding.code_set, finding.code) == ("T", "EDIT", "payment_balance")
    assert all(amount in finding.message for amount in ("80.00", "5.00", "75.00", "100.10"))
    assert (finding.byte_offset, finding.segment_id, finding.element) == (payment.byte_offset, "BPR", 2)
    assert (finding.interchange_control, finding.group_control, finding.set_control) == ("000000001", "1", "0001")


def test_the_difference_is_that_of_the_balance(load: Load):
    load(wrap(f"{paying('33.33')}{CLAIM}PLB*1*20251231*WO:A*4.44~"))
    assert Payment.objects.get().difference_amount == Decimal(payment_difference(3333, 8000, 444)) / 100


def test_a_quarantined_claim_payment_is_named_where_the_payment_does_not_balance(load: Load):
    file = load(wrap(f"{paying('160')}{CLAIM}CLP*P9*1*100*80~CAS*CO*45*X~"))
    assert (
        "could not be read, and are not counted: 1." in Finding.objects.get(file=file, code="payment_balance").message
    )


def test_every_set_of_a_file_is_settled_by_itself(load: Load):
    load(wrap(HEADING + CLAIM, paying("50") + CLAIM))
    assert list(Payment.objects.order_by("byte_offset").values_list("difference_amount", flat=True)) == [0, -30]


def test_a_payment_without_claim_payments_is_settled(load: Load):
    load(wrap(HEADING))
    assert Payment.objects.get().difference_amount == 80


def test_a_reversal_and_its_correction_balance_by_their_signs(load: Load):
    reversal = "CLP*PCN1*22*-100*-80**12*ICN1~CAS*CO*45*-15~CAS*PR*1*-5~"
    correction = "CLP*PCN1*1*100*60*25*12*ICN1~CAS*CO*45*15~CAS*PR*1*25~"
    load(wrap(f"{paying('-20')}{reversal}{correction}"))
    assert Payment.objects.get().difference_amount == 0
    assert set(Remittance.objects.values_list("status", flat=True)) == {"processed"}
    assert [each.is_reversal for each in Remittance.objects.order_by("byte_offset")] == [True, False]


def test_settling_twice_changes_nothing(load: Load):
    file = load(wrap(paying("100") + CLAIM, HEADING + CLAIM, HEADING + CLAIM))
    before = findings(file), list(Payment.objects.order_by("pk").values())
    assert settle(file) == {"payments": 3, "payments_unbalanced": 1, "payments_repeated": 0}
    assert (findings(file), list(Payment.objects.order_by("pk").values())) == before


def test_the_finding_goes_when_the_rest_of_the_payment_comes(load: Load):
    data = wrap(paying("160") + CLAIM * 2)
    file = load(wrap(paying("160") + CLAIM))
    assert findings(file) == [("T", "EDIT", "payment_balance")]
    late = data.replace(CLAIM.encode(), b"", 1)
    Remittance.objects.update(byte_offset=1, byte_end=2)
    load_chunk(lease(file, whole(late)))
    settle(file)
    assert findings(file) == []


def test_the_same_payment_in_a_second_file_is_noted_there(load: Load):
    first, second = load(wrap(HEADING + CLAIM)), load(wrap(HEADING + CLAIM))
    assert findings(first) == []
    assert findings(second) == [("W", "EDIT", "payment_duplicate")]


def test_whichever_file_is_settled_first_the_later_one_is_noted(load: Load):
    first, second = load(wrap(HEADING + CLAIM), settle=False), load(wrap(HEADING + CLAIM), settle=False)
    settle(second)
    settle(first)
    settle(second)
    assert findings(first) == []
    assert findings(second) == [("W", "EDIT", "payment_duplicate")]


def test_a_file_loaded_after_its_repetition_was_settled_is_still_the_earlier_one(load: Load, received):
    first = received(b"")
    second = load(wrap(HEADING + CLAIM))
    assert findings(second) == []
    load_chunk(lease(first, whole(wrap(HEADING + CLAIM))))
    settle(first)
    assert findings(second) == [("W", "EDIT", "payment_duplicate")]


@pytest.mark.parametrize(
    ("old", "new"), [("TRACE1", "TRACE2"), ("BPR*I*80", "BPR*I*81"), ("H0001", "H0002"), ("TRN*1*TRACE1", "TRN*1*")]
)
def test_another_trace_number_amount_or_payer_is_another_payment(load: Load, old: str, new: str):
    load(wrap(HEADING.replace(old, new) + CLAIM))
    second = load(wrap((HEADING.replace(old, new) if new == "TRN*1*" else HEADING) + CLAIM))
    assert "payment_duplicate" not in [code for _, _, code in findings(second)]


def test_settling_costs_the_same_statements_however_many_payments(load: Load):
    def statements(count: int) -> int:
        file = load(wrap(*[HEADING + CLAIM] * count))
        with CaptureQueriesContext(connection) as queries:
            settle(file)
        return len(queries)

    # savepoint, lock, settle, forget, note the unbalanced, note the repeated, release
    assert statements(1) == statements(20) == 7
