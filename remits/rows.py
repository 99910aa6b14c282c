"""Rows of payments, remittances, lines and adjustments: values in the order of their COPY columns.

Pure but for Json. Cents become dollars here. Amounts that the file's sums come to (remits.balance) stand beside the
amounts it says.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

import orjson

from marb.core.copy import Json
from marb.edi.values import dollars
from marb.pipeline.jobs import ChunkJob
from remits.balance import Balance
from remits.edi835 import Payment, ProviderAdjustment, Remittance
from remits.models import RemittanceStatus

Row = tuple[Any, ...]
money = lru_cache(maxsize=65536)(dollars)
BALANCED, UNBALANCED = RemittanceStatus.PROCESSED.value, RemittanceStatus.ERROR.value


class Numbered(NamedTuple):
    """A weighed claim payment with its id and the ids of its lines."""

    id: int
    remittance: Remittance
    balance: Balance
    line_ids: list[int]


PAYMENT_COLUMNS = (
    *("practice_id", "file_id", "byte_offset", "set_control", "guide", "payer_id", "payee_id", "payer_name"),
    *("payee_name", "payee_npi", "handling_code", "payment_amount", "credit_debit_code", "method_code"),
    *("payment_date", "trace_number", "originator_code", "production_date", "detail"),
)
PROVIDER_ADJUSTMENT_COLUMNS = (
    *("practice_id", "payment_id", "byte_offset", "seq", "provider_code", "fiscal_date", "reason_code"),
    *("reference_number", "amount"),
)
REMITTANCE_COLUMNS = (
    *("id", "practice_id", "payment_id", "file_id", "chunk_id", "byte_offset", "byte_end", "segment_position"),
    *("status", "finding_count", "payer_id", "rendering_provider_id", "patient_control_number", "claim_status_code"),
    *("charge_amount", "paid_amount", "patient_responsibility_amount", "filing_indicator_code"),
    *("payer_claim_control_number", "facility_type_code", "frequency_code", "drg_code", "patient_last_name"),
    *("patient_first_name", "member_id", "crossover_payer_name", "service_from_date", "service_to_date"),
    *("received_date", "line_count", "remark_codes", "allowed_amount", "adjustment_amount"),
    *("claim_difference_amount", "line_difference_amount", "parties", "detail"),
)
LINE_COLUMNS = (
    *("id", "practice_id", "remittance_id", "line_number", "byte_offset", "procedure_qualifier", "procedure_code"),
    *("modifiers", "submitted_procedure_code", "revenue_code", "charge_amount", "paid_amount", "allowed_amount"),
    *("unit_count", "submitted_unit_count", "service_from_date", "service_to_date", "line_control_number"),
    *("difference_amount", "remark_codes", "detail"),
)
ADJUSTMENT_COLUMNS = (*("practice_id", "remittance_id", "line_id", "seq", "group_code", "carc", "amount", "quantity"),)


def payment_row(job: ChunkJob, payment: Payment, payer_id: int | None, payee_id: int | None) -> Row:
    """Make a row in the order of PAYMENT_COLUMNS. `detail` is JSON text: payments go by INSERT."""
    return (
        job.practice_id,
        job.file_id,
        payment.byte_offset,
        payment.set_control,
        payment.guide,
        payer_id,
        payee_id,
        payment.payer_name,
        payment.payee_name,
        payment.payee_npi,
        payment.handling_code,
        money(payment.payment_cents or 0),
        payment.credit_debit_code,
        payment.method_code,
        payment.payment_date,
        payment.trace_number,
        payment.originator_code,
        payment.production_date,
        orjson.dumps(payment.detail).decode(),
    )


def provider_adjustment_row(job: ChunkJob, payment_id: int, adjustment: ProviderAdjustment) -> Row:
    """Make a row in the order of PROVIDER_ADJUSTMENT_COLUMNS."""
    return (job.practice_id, payment_id, *adjustment[1:-1], money(adjustment.cents))


def remittance_row(
    job: ChunkJob, numbered: Numbered, payment_id: int, payer_id: int | None, rendering_id: int | None
) -> Row:
    """Make a row in the order of REMITTANCE_COLUMNS."""
    id, remittance, balance, _ = numbered
    return (
        id,
        job.practice_id,
        payment_id,
        job.file_id,
        job.chunk_id,
        remittance.place.byte_offset,
        remittance.byte_end,
        remittance.place.segment_position,
        BALANCED if balance.is_balanced else UNBALANCED,
        remittance.finding_count,
        payer_id,
        rendering_id,
        remittance.patient_control_number,
        remittance.claim_status_code,
        money(remittance.charge_cents or 0),
        money(remittance.paid_cents),
        money(remittance.patient_responsibility_cents or 0),
        remittance.filing_indicator_code,
        remittance.payer_claim_control_number,
        remittance.facility_type_code,
        remittance.frequency_code,
        remittance.drg_code,
        remittance.patient_last_name,
        remittance.patient_first_name,
        remittance.member_id,
        remittance.crossover_payer_name,
        remittance.service_from_date,
        remittance.service_to_date,
        remittance.received_date,
        len(remittance.lines),
        remittance.remark_codes,
        money(balance.allowed_cents),
        money(balance.adjustment_cents),
        money(balance.claim_difference),
        money(sum(balance.line_differences)),
        Json(remittance.parties),
        Json(remittance.detail),
    )


def line_rows(job: ChunkJob, numbered: Numbered) -> Iterator[Row]:
    """Make the rows of one claim payment's lines in the order of LINE_COLUMNS."""
    id, remittance, balance, line_ids = numbered
    weighed = zip(line_ids, remittance.lines, balance.line_allowed, balance.line_differences, strict=True)
    for line_id, line, allowed, difference in weighed:
        yield (
            line_id,
            job.practice_id,
            id,
            line.number,
            line.byte_offset,
            line.procedure_qualifier,
            line.procedure_code,
            line.modifiers,
            line.submitted_procedure_code,
            line.revenue_code,
            money(line.charge_cents),
            money(line.paid_cents),
            money(allowed),
            line.unit_count,
            line.submitted_unit_count,
            line.service_from_date,
            line.service_to_date,
            line.line_control_number,
            money(difference),
            line.remark_codes,
            Json(line.detail),
        )


def adjustment_rows(job: ChunkJob, numbered: Numbered) -> Iterator[Row]:
    """Make the rows of one claim payment's adjustments in the order of ADJUSTMENT_COLUMNS, claim level first."""
    id, remittance, _, line_ids = numbered
    lines = zip(line_ids, remittance.lines, strict=True)
    owned = chain(
        ((None, each) for each in remittance.adjustments),
        ((line_id, each) for line_id, line in lines for each in line.adjustments),
    )
    for seq, (line_id, (group, carc, cents, quantity)) in enumerate(owned, 1):
        yield (job.practice_id, id, line_id, seq, group, carc, money(cents), quantity)
