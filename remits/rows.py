"""Rows of payments, remittances, lines and adjustments: values in the order of their COPY columns.

Cents become dollars here. Amounts that the file's sums come to (remits.balance) stand beside the
amounts it says.
"""

from collections.abc import Iterator
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import orjson

from marb.edi.values import dollars
from marb.pipeline.jobs import ChunkJob
from remits.balance import Balance
from remits.edi835 import Adjustment, Payment, ProviderAdjustment, Remittance
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


# fields of the parsed values that are columns of the same name
PAYMENT_FIELDS = (
    *("byte_offset", "set_control", "guide", "payer_name", "payee_name", "payee_npi", "handling_code"),
    *("credit_debit_code", "method_code", "payment_date", "trace_number", "originator_code", "production_date"),
)
REMITTANCE_FIELDS = (
    *("byte_end", "finding_count", "patient_control_number", "claim_status_code", "filing_indicator_code"),
    *("payer_claim_control_number", "facility_type_code", "frequency_code", "drg_code", "patient_last_name"),
    *("patient_first_name", "member_id", "crossover_payer_name", "service_from_date", "service_to_date"),
    *("received_date", "remark_codes"),
)
LINE_FIELDS = (
    *("byte_offset", "procedure_qualifier", "procedure_code", "modifiers", "submitted_procedure_code"),
    *("revenue_code", "unit_count", "submitted_unit_count", "service_from_date", "service_to_date"),
    *("line_control_number", "remark_codes"),
)
payment_fields = attrgetter(*PAYMENT_FIELDS)
remittance_fields = attrgetter(*REMITTANCE_FIELDS)
line_fields = attrgetter(*LINE_FIELDS)

PAYMENT_COLUMNS = ("practice_id", "file_id", "payer_id", "payee_id", *PAYMENT_FIELDS, "payment_amount", "detail")
PROVIDER_ADJUSTMENT_COLUMNS = (
    *("practice_id", "payment_id", "byte_offset", "seq", "provider_code", "fiscal_date", "reason_code"),
    *("reference_number", "amount"),
)
REMITTANCE_COLUMNS = (
    *("id", "practice_id", "file_id", "chunk_id", "payment_id", "payer_id", "rendering_provider_id"),
    *("byte_offset", "segment_position", "status", *REMITTANCE_FIELDS, "line_count"),
    *("charge_amount", "paid_amount", "patient_responsibility_amount", "allowed_amount", "adjustment_amount"),
    *("claim_difference_amount", "line_difference_amount", "parties", "detail"),
)
LINE_COLUMNS = (
    *("id", "practice_id", "remittance_id", "line_number", *LINE_FIELDS),
    *("charge_amount", "paid_amount", "allowed_amount", "difference_amount", "detail"),
)
ADJUSTMENT_COLUMNS = (*("practice_id", "remittance_id", "line_id", "seq", "group_code", "carc", "amount", "quantity"),)


def payment_row(job: ChunkJob, payment: Payment, payer_id: int | None, payee_id: int | None) -> Row:
    """Make a row in the order of PAYMENT_COLUMNS. `detail` is JSON text: payments go by INSERT."""
    owners = (job.practice_id, job.file_id, payer_id, payee_id)
    amount, detail = money(payment.payment_cents or 0), orjson.dumps(payment.detail).decode()
    return (*owners, *payment_fields(payment), amount, detail)


def provider_adjustment_row(job: ChunkJob, payment_id: int, adjustment: ProviderAdjustment) -> Row:
    """Make a row in the order of PROVIDER_ADJUSTMENT_COLUMNS."""
    return (job.practice_id, payment_id, *adjustment[1:-1], money(adjustment.cents))


def remittance_row(
    job: ChunkJob, numbered: Numbered, payment_id: int, payer_id: int | None, rendering_id: int | None
) -> Row:
    """Make a row in the order of REMITTANCE_COLUMNS."""
    id, remittance, balance, _ = numbered
    place = remittance.place
    return (
        *(id, job.practice_id, job.file_id, job.chunk_id, payment_id, payer_id, rendering_id),
        *(place.byte_offset, place.segment_position, BALANCED if balance.is_balanced else UNBALANCED),
        *remittance_fields(remittance),
        len(remittance.lines),
        money(remittance.charge_cents or 0),
        money(remittance.paid_cents),
        money(remittance.patient_responsibility_cents or 0),
        money(balance.allowed_cents),
        money(balance.adjustment_cents),
        money(balance.claim_difference),
        money(sum(balance.line_differences)),
        remittance.parties,
        remittance.detail,
    )


def line_rows(job: ChunkJob, numbered: Numbered) -> Iterator[Row]:
    """Make the rows of one claim payment's lines in the order of LINE_COLUMNS."""
    id, remittance, balance, line_ids = numbered
    weighed = zip(line_ids, remittance.lines, balance.line_allowed, balance.line_differences, strict=True)
    for line_id, line, allowed, difference in weighed:
        amounts = (money(line.charge_cents), money(line.paid_cents), money(allowed), money(difference))
        yield (line_id, job.practice_id, id, line.number, *line_fields(line), *amounts, line.detail)


def adjustment_rows(job: ChunkJob, numbered: Numbered) -> Iterator[Row]:
    """Make the rows of one claim payment's adjustments in the order of ADJUSTMENT_COLUMNS, claim level first."""
    id, remittance, _, line_ids = numbered
    practice_id, seq = job.practice_id, 0
    levels: list[tuple[int | None, list[Adjustment]]] = [(None, remittance.adjustments)]
    levels += [(line_id, line.adjustments) for line_id, line in zip(line_ids, remittance.lines, strict=True)]
    for line_id, adjustments in levels:
        for group, carc, cents, quantity in adjustments:
            seq += 1
            yield (practice_id, id, line_id, seq, group, carc, money(cents), quantity)
