"""Payments, remittances, lines and adjustments for tests."""

import datetime
from decimal import Decimal
from typing import Any

from marb.pipeline.models import Chunk
from remits.models import Adjustment, Payment, ProviderAdjustment, Remittance, RemittanceLine

NOTHING = Decimal("0.00")


def create_payment(chunk: Chunk, offset: int = 10, **columns: Any) -> Payment:
    values = {"set_control": "0001", "payer_name": "PAYER", "payee_name": "CLINIC", "trace_number": f"T{offset}"}
    money = {
        "payment_amount": Decimal("80.00"),
        "payment_date": datetime.date(2026, 2, 1),
        "difference_amount": NOTHING,
    }
    everything = {"byte_offset": offset, **values, **money, **columns}
    return Payment.objects.create(practice=chunk.practice, file=chunk.file, **everything)


def create_provider_adjustment(payment: Payment, seq: int = 1, **columns: Any) -> ProviderAdjustment:
    values = {"byte_offset": 900, "provider_code": "1234567893", "reason_code": "WO", "amount": Decimal("5.00")}
    return ProviderAdjustment.objects.create(practice=payment.practice, payment=payment, seq=seq, **values, **columns)


def create_remittance(payment: Payment, chunk: Chunk, offset: int = 100, **columns: Any) -> Remittance:
    place = {"byte_offset": offset, "byte_end": offset + 50, "segment_position": 20}
    values = {"status": "processed", "patient_control_number": f"A{offset}", "claim_status_code": "1", "line_count": 1}
    money = {
        "charge_amount": Decimal("120.00"),
        "paid_amount": Decimal("80.00"),
        "patient_responsibility_amount": Decimal("20.00"),
        "adjustment_amount": Decimal("40.00"),
        "claim_difference_amount": NOTHING,
        "line_difference_amount": NOTHING,
    }
    person = {"patient_last_name": "DOE", "patient_first_name": "JANE", "member_id": "W123456789"}
    everything = {**place, **values, **money, **person, **columns}
    return Remittance.objects.create(
        practice=chunk.practice, payment=payment, file=chunk.file, chunk=chunk, **everything
    )


def create_remittance_line(remittance: Remittance, number: int = 1, **columns: Any) -> RemittanceLine:
    money = {"charge_amount": Decimal("120.00"), "paid_amount": Decimal("80.00"), "difference_amount": NOTHING}
    values = {"byte_offset": remittance.byte_offset + number, "procedure_code": "99213", **money, **columns}
    return RemittanceLine.objects.create(
        practice=remittance.practice, remittance=remittance, line_number=number, **values
    )


def create_adjustment(
    remittance: Remittance, line: RemittanceLine | None = None, seq: int = 1, **columns: Any
) -> Adjustment:
    values = {"group_code": "CO", "carc": "45", "amount": Decimal("20.00"), **columns}
    return Adjustment.objects.create(practice=remittance.practice, remittance=remittance, line=line, seq=seq, **values)
