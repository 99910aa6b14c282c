"""Forwarded balances from one payment to the next, on loaded 835s."""

from collections.abc import Callable
from decimal import Decimal

from marb.pipeline.models import EdiFile
from remits.forwarding import get_forwarding
from remits.models import Payment
from remits.tests.x12 import HEADING, wrap

Load = Callable[..., EdiFile]


def carrying(trace: str, day: str, amount: str) -> str:
    heading = HEADING.replace("TRACE1", trace).replace("20250110", day).replace("BPR*I*80", f"BPR*I*{-Decimal(amount)}")
    return f"{heading}PLB*1234567893*20251231*FB:{trace}*{amount}~"


def test_a_balance_carried_forward_is_open_until_a_later_payment_takes_it_in(load: Load):
    load(wrap(carrying("FIRST", "20250110", "-30")))
    first = Payment.objects.get()
    found = get_forwarding(first)
    assert ([row.other_id for row in found.rows], found.open_amount) == ([None], 30)
    load(wrap(carrying("SECOND", "20250120", "30")))
    second = Payment.objects.get(trace_number="SECOND")
    assert [row.other_id for row in get_forwarding(first).rows] == [second.pk]
    assert [row.other_trace for row in get_forwarding(second).rows] == ["FIRST"]
    assert get_forwarding(first).open_amount == 0


def test_equal_amounts_are_matched_in_the_order_of_their_days_whichever_came_first(load: Load):
    for trace, day, amount in (("C", "20250130", "-30"), ("B", "20250120", "30"), ("A", "20250110", "-30")):
        load(wrap(carrying(trace, day, amount)))
    (taken,) = get_forwarding(Payment.objects.get(trace_number="B")).rows
    assert taken.other_trace == "A"
    assert get_forwarding(Payment.objects.get(trace_number="C")).open_amount == 30
