"""Rows of payments, remittances, lines and adjustments, in the order of their COPY columns.

Payments are few, and values; of the others there are millions, written as COPY's text at once. Cents become dollars
here. Amounts that the file's sums come to (remits.balance) stand beside the amounts it says.
"""

from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

import orjson

from marb.core.copy import NULL, array_text, copy_text, document_text, row_text, stands
from marb.edi.values import dollars
from marb.pipeline.jobs import ChunkJob
from remits.balance import Balance
from remits.edi835 import Adjustment, Payment, ProviderAdjustment, Remittance, RemittanceLine
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
    *("patient_control_number", "claim_status_code", "filing_indicator_code"),
    *("payer_claim_control_number", "facility_type_code", "frequency_code", "drg_code", "patient_last_name"),
    *("patient_first_name", "member_id", "crossover_payer_name", "service_from_date", "service_to_date"),
    *("received_date", "remark_codes"),
)
LINE_FIELDS = (
    *("procedure_qualifier", "procedure_code", "modifiers", "submitted_procedure_code"),
    *("revenue_code", "unit_count", "submitted_unit_count", "remark_codes"),
)
payment_fields = attrgetter(*PAYMENT_FIELDS)
DAYS = REMITTANCE_FIELDS.index("service_from_date")
remittance_texts = attrgetter(*REMITTANCE_FIELDS[:DAYS])
remittance_days = attrgetter(*REMITTANCE_FIELDS[DAYS:-1])
line_fields = attrgetter(*LINE_FIELDS)

PAYMENT_COLUMNS = ("practice_id", "file_id", "payer_id", "payee_id", *PAYMENT_FIELDS, "payment_amount", "detail")
PROVIDER_ADJUSTMENT_COLUMNS = (
    *("practice_id", "payment_id", "byte_offset", "seq", "provider_code", "fiscal_date", "reason_code"),
    *("reference_number", "amount"),
)
REMITTANCE_COLUMNS = (
    *("id", "practice_id", "file_id", "chunk_id", "payment_id", "payer_id", "rendering_provider_id"),
    *("byte_offset", "byte_end", "segment_position", "status", "finding_count", "line_count"),
    *("charge_amount", "paid_amount", "patient_responsibility_amount", "allowed_amount", "adjustment_amount"),
    *("claim_difference_amount", "line_difference_amount", *REMITTANCE_FIELDS, "parties", "detail"),
)
LINE_COLUMNS = (
    *("id", "practice_id", "remittance_id", "line_number", "byte_offset"),
    *("service_from_date", "service_to_date", "line_control_number"),
    *("charge_amount", "paid_amount", "allowed_amount", "difference_amount", *LINE_FIELDS, "detail"),
)
ADJUSTMENT_COLUMNS = (*("practice_id", "remittance_id", "line_id", "seq", "group_code", "carc", "amount", "quantity"),)
# where their documents stand among the fields
REMITTANCE_DOCUMENTS = (len(REMITTANCE_FIELDS), len(REMITTANCE_FIELDS) + 1)
LINE_DOCUMENTS = (4 + len(LINE_FIELDS),)


def payment_row(job: ChunkJob, payment: Payment, payer_id: int | None, payee_id: int | None) -> Row:
    """Make a row in the order of PAYMENT_COLUMNS. `detail` is JSON text: payments go by INSERT."""
    owners = (job.practice_id, job.file_id, payer_id, payee_id)
    amount, detail = money(payment.payment_cents or 0), orjson.dumps(payment.detail).decode()
    return (*owners, *payment_fields(payment), amount, detail)


def provider_adjustment_row(job: ChunkJob, payment_id: int, adjustment: ProviderAdjustment) -> Row:
    """Make a row in the order of PROVIDER_ADJUSTMENT_COLUMNS."""
    return (job.practice_id, payment_id, *adjustment[1:-1], money(adjustment.cents))


class Texts:
    """Rows of remittances, lines and adjustments as COPY's text, which ends with a line end.

    Lines of the same words (`alike`, remits.edi835.lexicon) have the same text but for their place, date and number.
    """

    def __init__(self, job: ChunkJob):
        self.job = job
        self.remittances: list[str] = []
        self.lines: list[str] = []
        self.adjustments: list[str] = []
        self.known: dict[int, tuple[str, list[str]]] = {}

    def add(self, numbered: Numbered, payment_id: int, payer_id: int | None, rendering_id: int | None) -> None:
        """Write one claim payment: REMITTANCE_COLUMNS, LINE_COLUMNS, ADJUSTMENT_COLUMNS, claim level first."""
        parents = f"{payment_id}\t{id_text(payer_id)}\t{id_text(rendering_id)}"
        self.remittances.append(remittance_text(self.job, numbered, parents))
        id, remittance, balance, line_ids = numbered
        owners, seq = f"{self.job.practice_id}\t{id}\t", 0
        for text in map(adjustment_text, remittance.adjustments):
            seq += 1
            self.adjustments.append(f"{owners}\\N\t{seq}\t{text}\n")
        weighed = zip(line_ids, remittance.lines, balance.line_allowed, balance.line_differences, strict=True)
        for line_id, line, allowed, difference in weighed:
            said, adjustments = self.known.get(line.alike) or self.say(line, allowed, difference)
            self.lines.append(f"{line_id}\t{owners}{place_text(line)}\t{said}\n")
            for text in adjustments:
                seq += 1
                self.adjustments.append(f"{owners}{line_id}\t{seq}\t{text}\n")

    def say(self, line: RemittanceLine, allowed: int, difference: int) -> tuple[str, list[str]]:
        """Write what a line says, and its adjustments; kept where other lines say the same."""
        amounts = (money(line.charge_cents), money(line.paid_cents), money(allowed), money(difference))
        text = row_text((*amounts, *line_fields(line), line.detail), LINE_DOCUMENTS)
        found = (text, [adjustment_text(each) for each in line.adjustments])
        if line.alike:
            self.known[line.alike] = found
        return found


def remittance_text(job: ChunkJob, numbered: Numbered, parents: str) -> str:
    id, remittance, balance, _ = numbered
    offset, position = remittance.place[:2]
    status = BALANCED if balance.is_balanced else UNBALANCED
    return (
        f"{id}\t{job.practice_id}\t{job.file_id}\t{job.chunk_id}\t{parents}\t{offset}\t{remittance.byte_end}\t{position}"
        f"\t{status}\t{remittance.finding_count}\t{len(remittance.lines)}"
        f"\t{money(remittance.charge_cents or 0)}\t{money(remittance.paid_cents)}"
        f"\t{money(remittance.patient_responsibility_cents or 0)}\t{money(balance.allowed_cents)}"
        f"\t{money(balance.adjustment_cents)}\t{money(balance.claim_difference)}"
        f"\t{money(sum(balance.line_differences))}\t{said_text(remittance)}\n"
    )


def said_text(remittance: Remittance) -> str:
    """Write a claim payment's REMITTANCE_FIELDS and documents."""
    texts, days = remittance_texts(remittance), remittance_days(remittance)
    codes, documents = remittance.remark_codes, (remittance.parties, remittance.detail)
    values = (*texts, *[day or NULL for day in days], array_text(codes), *map(document_text, documents))
    text = "\t".join(values)
    if stands(text, len(values), days.count(None)):
        return text
    return row_text((*texts, *days, codes, *documents), REMITTANCE_DOCUMENTS)


def place_text(line: RemittanceLine) -> str:
    """Write what is a line's own: its number, offset, dates and control number."""
    number = line.line_control_number
    dates = f"{line.service_from_date or NULL}\t{line.service_to_date or NULL}"
    return f"{line.number}\t{line.byte_offset}\t{dates}\t{number if number.isalnum() else copy_text(number)}"


def id_text(id: int | None) -> str:
    return NULL if id is None else str(id)


@lru_cache(maxsize=16384)
def adjustment_text(adjustment: Adjustment) -> str:
    group, carc, cents, quantity = adjustment
    return row_text((group, carc, money(cents), quantity), ())
