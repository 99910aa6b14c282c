"""Forwarded balances: what a payer carries from one payment to the next (PLB FB), matched, and what is still open.

A negative FB moves a balance on to a later payment, a positive one takes it in (DOMAIN 2.5). Payers give the two
different references, so they are matched within payer and payee by amount, the first carried with the first taken of
its size. What is carried and not taken yet is open; what is taken without having been carried here came from before.
Read from the rows whenever asked, so the order of arrival is nothing to it.
"""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from remits.models import Payment

MATCHED = """
WITH forwarded AS (
    SELECT a.id, a.payment_id, a.amount, a.reference_number, p.payment_date, p.trace_number, row_number() OVER (
            PARTITION BY a.amount ORDER BY p.payment_date NULLS FIRST, f.sha256, a.byte_offset, a.seq) AS nth
    FROM remits_payment p JOIN remits_provideradjustment a ON a.payment_id = p.id AND a.reason_code = 'FB'
    JOIN pipeline_edifile f ON f.id = p.file_id
    WHERE p.practice_id = %(practice)s AND p.payer_id IS NOT DISTINCT FROM %(payer)s
        AND p.payee_npi = %(payee)s AND a.amount <> 0
)
SELECT mine.payment_id, mine.amount, mine.reference_number, mine.payment_date, other.payment_id, other.trace_number
FROM forwarded mine LEFT JOIN forwarded other ON other.amount = -mine.amount AND other.nth = mine.nth
ORDER BY mine.payment_date NULLS FIRST, mine.id
"""


class Forwarded(NamedTuple):
    """One FB of a payment, and the payment that its other half stands in, None where there is none yet."""

    payment_id: int
    amount: Decimal
    reference_number: str
    payment_date: date | None
    other_id: int | None
    other_trace: str | None


class Forwarding(NamedTuple):
    """What a payment carried and took, and what of its payer and payee is carried and not taken yet, in all."""

    rows: list[Forwarded]
    open_amount: Decimal


def get_forwarding(payment: Payment) -> Forwarding:
    """Match the forwarded balances of a payment's payer and payee; `rows` are the payment's own. One query."""
    values = {"practice": payment.practice_id, "payer": payment.payer_id, "payee": payment.payee_npi}
    with connection.cursor() as cursor:
        cursor.execute(MATCHED, values)
        found = [Forwarded(*row) for row in cursor.fetchall()]
    carried = [row for row in found if row.amount < 0 and row.other_id is None]
    own = [row for row in found if row.payment_id == payment.pk]
    return Forwarding(own, -sum((row.amount for row in carried), Decimal(0)))
