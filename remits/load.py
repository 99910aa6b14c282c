"""Load a chunk of an 835: its payments first, then in the chunk's one transaction all that stands under them.

A payment may run over many chunks, which are loaded in any order and at the same time: each inserts it where it is not
yet (a payment is its file and the offset of its ST) in a statement of its own, and reads back its id. What it comes to
is said when all are in (remits.settle). Everything else is written by COPY, with ids reserved ahead (remits.rows).
"""

from typing import NamedTuple

from django.db import connection
from django.db.backends.utils import CursorWrapper

from marb.core.cache import touch, touching
from marb.core.copy import copy_rows, copy_texts, reserve_ids
from marb.edi.findings import Finding, Quarantined
from marb.edi.x12 import Excerpt
from marb.parties.resolve import ProviderName, payer_code, provider_code, resolve_payers, resolve_providers
from marb.pipeline.jobs import ChunkJob, Outcome
from remits import models
from remits.balance import Balance, balance_findings, balance_remittance
from remits.edi835 import Payment, ProviderAdjustment, Remittance, parse_payments
from remits.rows import (
    ADJUSTMENT_COLUMNS,
    LINE_COLUMNS,
    PAYMENT_COLUMNS,
    PROVIDER_ADJUSTMENT_COLUMNS,
    REMITTANCE_COLUMNS,
    Numbered,
    Row,
    Texts,
    payment_row,
    provider_adjustment_row,
)


class Reading(NamedTuple):
    """What one chunk says, sorted by kind."""

    payments: list[Payment]
    provider_adjustments: list[ProviderAdjustment]
    remittances: list[tuple[Remittance, Balance]]
    quarantined: list[Quarantined]
    findings: list[Finding]


def load_chunk(job: ChunkJob) -> None:
    """Read the chunk's excerpt and write its payments, remittances, lines and adjustments. Raises LeaseLost."""
    reading = read_chunk(job.excerpt)
    payers = resolve_payers(job.practice_id, payer_names(reading.payments))
    providers = resolve_providers(job.practice_id, provider_names(reading))
    payments = resolve_payments(job, reading.payments, payers, providers)
    with job.commit(outcome(reading)) as cursor:
        write_rows(cursor, job, reading, payments=payments, payers=payers, providers=providers)
        touch(job.practice_id, "remittance+", *(["payment"] if reading.provider_adjustments else []))


def read_chunk(excerpt: Excerpt) -> Reading:
    """Parse an excerpt and weigh its claim payments; those that do not balance get their findings here."""
    reading = Reading([], [], [], [], [])
    for result in parse_payments(excerpt):
        if isinstance(result, Remittance):
            balance = balance_remittance(result)
            found = balance_findings(result, balance)
            result.finding_count += len(found)
            reading.findings.extend(found)
            reading.remittances.append((result, balance))
        elif isinstance(result, Finding):
            reading.findings.append(result)
        elif isinstance(result, Payment):
            reading.payments.append(result)
        elif isinstance(result, Quarantined):
            reading.quarantined.append(result)
        else:
            reading.provider_adjustments.append(result)
    return reading


def outcome(reading: Reading) -> Outcome:
    paid = sum(remittance.paid_cents for remittance, _ in reading.remittances)
    return Outcome(0, len(reading.remittances), 0, paid, reading.findings, reading.quarantined)


# --- parties ----------------------------------------------------------------------------------------------------------


def payer_names(payments: list[Payment]) -> dict[str, str]:
    names = {code_of_payer(payment): payment.payer_name or payment.payer_code for payment in payments}
    names.pop("", None)
    return names


def code_of_payer(payment: Payment) -> str:
    return payer_code(payment.payer_code, payment.payer_name)


def code_of_payee(payment: Payment) -> str:
    """Make the payee's code as its claims make the billing provider's: the NPI, else the name."""
    return provider_code(payment.payee_npi, payment.payee_name)


def code_of_rendering(remittance: Remittance) -> str:
    party = remittance.rendering
    if not party:
        return ""
    # few come without an NPI, and only of those the name is asked for
    return provider_code(party.get("npi", ""), "") or provider_code("", full_name(party))


def full_name(party: dict[str, str]) -> str:
    return ", ".join(part for part in (party.get("last_name"), party.get("first_name")) if part)


def provider_names(reading: Reading) -> dict[str, ProviderName]:
    """Name every payee and rendering provider of a chunk by its code."""
    names: dict[str, ProviderName] = {}
    # of two that have one code the later is named
    for remittance, _ in reversed(reading.remittances):
        code, party = code_of_rendering(remittance), remittance.rendering
        if party and code not in names:
            names[code] = ProviderName(party.get("npi", ""), full_name(party), "", "")
    for payment in reading.payments:
        payee = ProviderName(payment.payee_npi, payment.payee_name, "", payment.payee_tax_number)
        names[code_of_payee(payment)] = payee
    names.pop("", None)
    return names


# --- payments ---------------------------------------------------------------------------------------------------------

SELECT_PAYMENTS = "SELECT byte_offset, id FROM remits_payment WHERE file_id = %s AND byte_offset = ANY(%s)"
INSERT_PAYMENT = f"""
INSERT INTO remits_payment ({", ".join(PAYMENT_COLUMNS)}) VALUES ({", ".join(["%s"] * len(PAYMENT_COLUMNS))})
ON CONFLICT (file_id, byte_offset) DO NOTHING
"""


def resolve_payments(
    job: ChunkJob, payments: list[Payment], payers: dict[str, int], providers: dict[str, int]
) -> dict[int, int]:
    """Find or make the payments of a chunk: {byte offset of the ST: id}. Safe to run twice and at the same time."""
    known = find_payments(job, payments)
    missing = [payment for payment in payments if payment.byte_offset not in known]
    if missing:
        with touching(job.practice_id, "payment+"), connection.cursor() as cursor:
            cursor.executemany(INSERT_PAYMENT, [payment_values(job, each, payers, providers) for each in missing])
        known |= find_payments(job, missing)
    return known


def find_payments(job: ChunkJob, payments: list[Payment]) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(SELECT_PAYMENTS, [job.file_id, [payment.byte_offset for payment in payments]])
        return dict(cursor.fetchall())


def payment_values(job: ChunkJob, payment: Payment, payers: dict[str, int], providers: dict[str, int]) -> Row:
    payer, payee = payers.get(code_of_payer(payment)), providers.get(code_of_payee(payment))
    return payment_row(job, payment, payer, payee)


def write_rows(
    cursor: CursorWrapper,
    job: ChunkJob,
    reading: Reading,
    *,
    payments: dict[int, int],
    payers: dict[str, int],
    providers: dict[str, int],
) -> None:
    """COPY a chunk's rows, parents first."""
    numbered = number(cursor, reading.remittances)
    plbs = (provider_adjustment_row(job, payments[each.payment_offset], each) for each in reading.provider_adjustments)
    copy_rows(cursor, models.ProviderAdjustment, PROVIDER_ADJUSTMENT_COLUMNS, plbs)
    texts = Texts(job)
    for each in numbered:
        texts.add(each, *parents_of(each.remittance, payments, payers, providers))
    copy_texts(cursor, models.Remittance, REMITTANCE_COLUMNS, texts.remittances)
    copy_texts(cursor, models.RemittanceLine, LINE_COLUMNS, texts.lines)
    copy_texts(cursor, models.Adjustment, ADJUSTMENT_COLUMNS, texts.adjustments)


def number(cursor: CursorWrapper, remittances: list[tuple[Remittance, Balance]]) -> list[Numbered]:
    """Give claim payments and their lines their ids, in the order of the file."""
    ids = reserve_ids(cursor, models.Remittance, len(remittances))
    line_ids = iter(reserve_ids(cursor, models.RemittanceLine, sum(len(each.lines) for each, _ in remittances)))
    return [
        Numbered(id, remittance, balance, [next(line_ids) for _ in remittance.lines])
        for id, (remittance, balance) in zip(ids, remittances, strict=True)
    ]


def parents_of(
    remittance: Remittance, payments: dict[int, int], payers: dict[str, int], providers: dict[str, int]
) -> tuple[int, int | None, int | None]:
    """Get the ids of a claim payment's payment, payer and rendering provider."""
    payment = remittance.payment
    if payment is None:
        raise LookupError("a readable claim payment stands under a payment")
    payer, rendering = payers.get(code_of_payer(payment)), providers.get(code_of_rendering(remittance))
    return payments[payment.byte_offset], payer, rendering
