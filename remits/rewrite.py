"""From a payment's rows back to the values that the reader made of them, for remits.write835.

Rows hold what the reader read but for what the payer's and payee's own rows hold: the payer's code, which is the name
in capitals where the file gave none, and the payee's tax number, which is of whoever named it last.
"""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from marb.edi.findings import Place
from marb.edi.values import parse_cents, parse_quantity
from marb.parties.resolve import payer_code
from remits import edi835, models
from remits.rows import LINE_FIELDS, PAYMENT_FIELDS, REMITTANCE_FIELDS
from remits.write835 import Segment, write_payment

IS_4010 = "004010"
LINE_PLACE = ("service_from_date", "service_to_date", "line_control_number")


def write_rows(payment: models.Payment, component: str = ":") -> list[Segment]:
    """Write a payment's 835 set from its rows, as segments."""
    said = read_payment(payment)
    rows = payment.remittances.order_by("byte_offset").prefetch_related("lines", "adjustments")
    remittances = [read_remittance(row, said, component) for row in rows]
    adjustments = payment.provider_adjustments.order_by("byte_offset", "seq")
    return write_payment(said, remittances, list(map(read_provider_adjustment, adjustments)), component)


def read_payment(row: models.Payment) -> edi835.Payment:
    payment = edi835.Payment(row.byte_offset, row.set_control, row.guide, row.guide.startswith(IS_4010))
    fill(payment, row, PAYMENT_FIELDS)
    payment.payment_cents, payment.detail = cents(row.payment_amount), row.detail
    code = row.payer.payer_code if row.payer else ""
    payment.payer_code = "" if code == payer_code("", row.payer_name) else code
    payment.payee_tax_number = row.payee.tax_number if row.payee else ""
    return payment


def read_remittance(row: models.Remittance, payment: edi835.Payment, component: str) -> edi835.Remittance:
    remittance = edi835.Remittance(payment, Place(row.byte_offset, row.segment_position, "CLP"))
    fill(remittance, row, REMITTANCE_FIELDS)
    remittance.charge_cents, remittance.paid_cents = cents(row.charge_amount), cents(row.paid_amount)
    remittance.patient_responsibility_cents = cents(row.patient_responsibility_amount)
    remittance.parties, remittance.detail = row.parties, row.detail
    shared: dict[int | None, list[edi835.Adjustment]] = defaultdict(list)
    for each in sorted(row.adjustments.all(), key=lambda each: each.seq):
        shared[each.line_id].append(read_adjustment(each))
    remittance.adjustments = shared[None]
    lines = sorted(row.lines.all(), key=lambda each: each.line_number)
    remittance.lines = [read_line(line, shared[line.pk], payment, component) for line in lines]
    return remittance


def read_line(
    row: models.RemittanceLine, adjustments: list[edi835.Adjustment], payment: edi835.Payment, component: str
) -> edi835.RemittanceLine:
    line = edi835.RemittanceLine(row.line_number, row.byte_offset, 0, is_4010=payment.is_4010, component=component)
    fill(line, row, (*LINE_FIELDS, *LINE_PLACE))
    line.charge_cents, line.paid_cents = cents(row.charge_amount), cents(row.paid_amount)
    line.adjustments, line.detail = adjustments, row.detail
    return line


def read_adjustment(row: models.Adjustment) -> edi835.Adjustment:
    return edi835.Adjustment(row.group_code, row.carc, cents(row.amount), value_of(row.quantity))


def read_provider_adjustment(row: models.ProviderAdjustment) -> edi835.ProviderAdjustment:
    said = (row.provider_code, value_of(row.fiscal_date), row.reason_code, row.reference_number, cents(row.amount))
    return edi835.ProviderAdjustment(0, row.byte_offset, row.seq, *said)


def fill(value: Any, row: Any, names: tuple[str, ...]) -> None:
    for name in names:
        setattr(value, name, value_of(getattr(row, name)))


def cents(amount: Decimal) -> int:
    return parse_cents(str(amount))


def value_of(value: Any) -> Any:
    """Make the reader's value of a column's: ISO text of a date, decimal text of a quantity."""
    if isinstance(value, date):
        return value.isoformat()
    return parse_quantity(f"{value:f}") if isinstance(value, Decimal) else value
