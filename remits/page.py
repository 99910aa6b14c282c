"""What the pages of a remittance and of a payment show: amounts, reasons in words, and differences said plainly.

Nothing is mended here: a remittance that does not balance shows by how much and where. Who may not see identifiers
gets them masked, and no raw segments. All adjustments of a page come in one query.
"""

from collections import defaultdict
from decimal import Decimal
from typing import Any, NamedTuple

from django.core.paginator import Page
from django.http import HttpRequest

from marb.access.masking import mask_member_id
from marb.access.roles import Action, may
from marb.core.estimate import EstimatedPaginator
from marb.core.pages import draw_sections
from marb.core.templatetags.marb import money
from marb.pipeline.pages import FindingRow, Raw, find_findings, read_raw
from remits import words
from remits.models import Adjustment, Payment, ProviderAdjustment, Remittance, RemittanceLine
from remits.words import word

MOST_LINES = 1_000
REMITTANCES_A_PAGE = 50
Fact = tuple[str, Any]


class AdjustmentRow(NamedTuple):
    """One reason of a CAS in words."""

    group_code: str
    group_words: str
    carc: str
    reason_words: str
    amount: Decimal
    quantity: Decimal | None


class LineRow(NamedTuple):
    line: RemittanceLine
    adjustments: list[AdjustmentRow]


def remittance_page(request: HttpRequest, remittance: Remittance) -> dict[str, Any]:
    """Get the context of remits/remittance.html for one remittance."""
    is_full = may(request.user, remittance.practice_id, Action.SEE_IDENTIFIERS)
    findings = find_findings(remittance.file_id, remittance.byte_offset)
    by_line = adjustments_by_line(remittance)
    return {
        "title": f"Remittance {remittance.pk}",
        "remittance": remittance,
        "payment": remittance.payment,
        "status_words": word(words.CLAIM_STATUS, remittance.claim_status_code),
        "cards": [
            ("Claim", claim_facts(remittance, is_full)),
            ("Payment", payment_facts(remittance.payment)),
            ("Sums", sum_facts(remittance)),
        ],
        "differences": differences_of(remittance),
        "claim_adjustments": by_line[None],
        "lines": [LineRow(line, by_line[line.pk]) for line in remittance.lines.all()[:MOST_LINES]],
        "findings": findings,
        "raw": raw_of(remittance, findings) if is_full else None,
        "sections": draw_sections("remittance", remittance, request),
    }


def adjustments_by_line(remittance: Remittance) -> dict[int | None, list[AdjustmentRow]]:
    rows: dict[int | None, list[AdjustmentRow]] = defaultdict(list)
    for adjustment in remittance.adjustments.all():
        rows[adjustment.line_id].append(adjustment_row(adjustment))
    return rows


def adjustment_row(adjustment: Adjustment) -> AdjustmentRow:
    group, carc = adjustment.group_code, adjustment.carc
    in_words = words.GROUP.get(group, "Unknown group"), words.REASON.get(carc, "")
    return AdjustmentRow(group, in_words[0], carc, in_words[1], adjustment.amount, adjustment.quantity)


def claim_facts(remittance: Remittance, is_full: bool) -> list[Fact]:
    name = ", ".join(part for part in (remittance.patient_last_name, remittance.patient_first_name) if part)
    return [
        ("Patient", name),
        ("Member id", remittance.member_id if is_full else mask_member_id(remittance.member_id)),
        ("Status", word(words.CLAIM_STATUS, remittance.claim_status_code)),
        ("Payer's number", remittance.payer_claim_control_number),
        ("Service", days(remittance.service_from_date, remittance.service_to_date)),
        ("Received by payer", days(remittance.received_date, None)),
        ("Forwarded to", remittance.crossover_payer_name),
        ("DRG", remittance.drg_code),
        ("Rendering provider", remittance.rendering_provider and remittance.rendering_provider.name),
        ("Remarks", " ".join(remittance.remark_codes)),
    ]


def payment_facts(payment: Payment) -> list[Fact]:
    return [
        ("Payer", payment.payer_name or (payment.payer and payment.payer.name)),
        ("Payee", payment.payee_name),
        ("Payee NPI", payment.payee_npi),
        ("Method", word(words.METHOD, payment.method_code)),
        ("Trace number", payment.trace_number),
        ("Date", days(payment.payment_date, None)),
        ("Amount", money(payment.payment_amount)),
        ("Guide", payment.guide),
    ]


def sum_facts(remittance: Remittance) -> list[Fact]:
    return [
        ("Charge", money(remittance.charge_amount)),
        ("Adjusted", money(remittance.adjustment_amount)),
        ("Paid", money(remittance.paid_amount)),
        ("Allowed", money(remittance.allowed_amount)),
        ("Patient owes", money(remittance.patient_responsibility_amount)),
    ]


def differences_of(remittance: Remittance) -> list[str]:
    """Say by how much a remittance does not balance, nothing where it does."""
    sentences = []
    if remittance.claim_difference_amount:
        asked = money(remittance.charge_amount - remittance.adjustment_amount)
        sentences.append(
            f"The charge less all adjustments is {asked}, but {money(remittance.paid_amount)} was paid: "
            f"a difference of {money(remittance.claim_difference_amount)}."
        )
    if remittance.line_difference_amount:
        sentences.append(
            f"The service lines do not add up: a difference of {money(remittance.line_difference_amount)}."
        )
    return sentences


def days(first: Any, last: Any) -> str:
    if not first:
        return ""
    return f"{first:%m/%d/%Y} to {last:%m/%d/%Y}" if last and last != first else f"{first:%m/%d/%Y}"


def raw_of(remittance: Remittance, findings: list[FindingRow]) -> Raw:
    terminator = remittance.chunk.separators[-1:]
    file, start, end = remittance.file, remittance.byte_offset, remittance.byte_end
    return read_raw(file, start, end, terminator, position=remittance.segment_position, found=findings)


def payment_page(request: HttpRequest, payment: Payment) -> dict[str, Any]:
    """Get the context of remits/payment.html; `?page=` turns through its remittances, 50 at a time."""
    remittances = payment.remittances.order_by("byte_offset")
    return {
        "title": f"Payment {payment.pk}",
        "payment": payment,
        "method": word(words.METHOD, payment.method_code),
        "cards": [("Payer and payee", payment_facts(payment)), ("Balance", balance_facts(payment))],
        "provider_adjustments": [plb_row(row) for row in payment.provider_adjustments.all()[:MOST_LINES]],
        "remittances": page_of(request, remittances),
        "sections": draw_sections("payment", payment, request),
    }


def page_of(request: HttpRequest, remittances: Any) -> Page[Any]:
    page = EstimatedPaginator(remittances, REMITTANCES_A_PAGE).get_page(request.GET.get("page"))
    for remittance in page.object_list:
        remittance.status_words = words.CLAIM_STATUS.get(remittance.claim_status_code, remittance.claim_status_code)
    return page


def balance_facts(payment: Payment) -> list[Fact]:
    """Get the sum that must hold: claims paid less provider adjustments is the payment."""
    if payment.difference_amount is None:
        return [("Payment", money(payment.payment_amount)), ("Balance", "Known when the whole file is in")]
    return [
        ("Claims paid", money(payment.claim_paid_amount)),
        ("Provider adjustments", money(payment.provider_adjustment_amount)),
        ("Payment", money(payment.payment_amount)),
        ("Difference", money(payment.difference_amount)),
    ]


def plb_row(row: ProviderAdjustment) -> tuple[ProviderAdjustment, str]:
    return row, words.PROVIDER_ADJUSTMENT.get(row.reason_code, "Unknown reason")
