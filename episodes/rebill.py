"""The next claim of an episode: corrected (frequency 7), void (8), or the one for the payer after the first.

Built from the rows of the chain's last claim to its first payer and from what that payer last said, and written by
claims.write837. Nothing is guessed: where the rows do not say what the claim must hold, Unwritable says so. What is
written is a file to be looked at and sent; no row changes.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from claims.edi837 import ParsedClaim, ParsedLine
from claims.edi837.records import Document
from claims.models import Claim
from claims.rewrite import read_rows, read_trading, value_of
from claims.write837 import Adjudication, LineAdjudication, Unwritable, bill_next, write_claims
from episodes.models import Episode
from marb.edi.values import parse_cents
from remits.models import Adjustment, Remittance, RemittanceLine, RemittanceStatus

REPLACEMENT, VOID = "7", "8"
REVERSAL, FORWARDED = "22", "19"
FIRST_PAYER = ("P", "U", "")
# CLP02 of the first payer's adjudications; those of later payers and of predeterminations are not its word
FIRST_PAYER_CODES = ("1", "4", "19", "22", "23")
REVENUE = "NU"


def write_next(episode: Episode, kind: str, now: datetime) -> bytes:
    """Write the claim of this kind (KINDS) as an interchange. Raises Unwritable, with the reason."""
    claim = last_claim(episode)
    trading, separators = read_trading(claim)
    made = KINDS[kind](episode, claim)
    return write_claims([made], trading, separators, episode.pk, now).encode()


def last_claim(episode: Episode) -> Claim:
    """Get the chain's last claim to its first payer that is no void."""
    chain = Claim.objects.filter(pk__in=episode.claim_links.values("claim_id")).exclude(frequency_code=VOID)
    found = chain.filter(payer_sequence_code__in=FIRST_PAYER).order_by("-created_at", "-id").first()
    if found is None:
        raise Unwritable("The episode has no claim to a first payer that could be sent again.")
    return found


def corrected(episode: Episode, claim: Claim) -> ParsedClaim:
    return read_rows(claim)._replace(
        frequency_code=REPLACEMENT, payer_claim_control_number=payer_number(episode, claim)
    )


def void(episode: Episode, claim: Claim) -> ParsedClaim:
    return read_rows(claim)._replace(frequency_code=VOID, payer_claim_control_number=payer_number(episode, claim))


def secondary(episode: Episode, claim: Claim) -> ParsedClaim:
    rows = read_rows(claim)
    return bill_next(rows, adjudication_of(standing(episode), rows.lines))


KINDS: Final[dict[str, Callable[[Episode, Claim], ParsedClaim]]] = {
    "corrected": corrected,
    "void": void,
    "secondary": secondary,
}


def first_payers_remittances(episode: Episode) -> list[Remittance]:
    """List what the first payer said, in the order in which it said it."""
    found = Remittance.objects.filter(
        pk__in=episode.remittance_links.values("remittance_id"), claim_status_code__in=FIRST_PAYER_CODES
    ).select_related("payment")
    return sorted(found, key=lambda each: (str(each.payment.payment_date or ""), each.file_id, each.byte_offset))


def payer_number(episode: Episode, claim: Claim) -> str:
    """Get the payer's number of the claim that is to be replaced: its last CLP07, else the REF F8 sent before."""
    numbers = [each.payer_claim_control_number for each in first_payers_remittances(episode)]
    found = next((number for number in reversed(numbers) if number), claim.payer_claim_control_number)
    if not found:
        raise Unwritable("No remittance has told the payer's number of this claim (CLP07), which REF F8 must carry.")
    return found


def standing(episode: Episode) -> Remittance:
    """Get the first payer's adjudication that stands: the last that was not reversed."""
    found: Remittance | None = None
    for each in first_payers_remittances(episode):
        found = None if each.claim_status_code == REVERSAL else each
    if found is None:
        raise Unwritable("No adjudication of the first payer stands: there is none, or it was reversed.")
    if found.claim_status_code == FORWARDED or found.crossover_payer_name:
        raise Unwritable("The payer has forwarded the claim to the next payer itself; it is not to be sent again.")
    if found.status == RemittanceStatus.ERROR:
        raise Unwritable("The first payer's remittance does not balance; the next payer would refuse its figures.")
    return found


def adjudication_of(remittance: Remittance, lines: list[ParsedLine]) -> Adjudication:
    """Read a remittance as what the next payer is told of it."""
    adjustments = list(remittance.adjustments.order_by("seq"))
    day = remittance.payment.payment_date
    if day is None:
        raise Unwritable("The payment has no date, which the next payer must be told.")
    return Adjudication(
        remittance.payer_claim_control_number,
        parse_cents(str(remittance.paid_amount)),
        parse_cents(str(remittance.patient_responsibility_amount)),
        day.isoformat(),
        documents(each for each in adjustments if each.line_id is None),
        adjudicated_lines(remittance, adjustments, lines),
    )


def adjudicated_lines(
    remittance: Remittance, adjustments: list[Adjustment], lines: list[ParsedLine]
) -> dict[int, LineAdjudication]:
    """Give each line of a remittance to the claim's line of the same number, else of the same service."""
    found: dict[int, LineAdjudication] = {}
    for paid in remittance.lines.order_by("line_number"):
        number = line_of(paid, lines)
        if number in found:
            raise Unwritable(f"The payer answered line {number} in several parts, which cannot be told as one.")
        own = documents(each for each in adjustments if each.line_id == paid.pk)
        found[number] = line_adjudication(paid, own)
    return found


def line_of(paid: RemittanceLine, lines: list[ParsedLine]) -> int:
    """Get the number of the claim's line that a remittance's line answers. Raises Unwritable where it is in doubt."""
    if number := paid.line_control_number:
        named = [line for line in lines if line.line_control_number == number]
        if len(named) == 1:
            return named[0].line_number
    alike = [line for line in lines if is_same_service(paid, line)]
    dated = [line for line in alike if line.service_from_date == value_of(paid.service_from_date)]
    for found in (alike, dated):
        if len(found) == 1:
            return found[0].line_number
    raise Unwritable(f"Which line of the claim line {paid.line_number} of the remittance answers is not certain.")


def is_same_service(paid: RemittanceLine, line: ParsedLine) -> bool:
    if parse_cents(str(paid.charge_amount)) != line.charge_cents:
        return False
    if paid.procedure_qualifier == REVENUE:
        return paid.revenue_code == line.revenue_code and not line.procedure_code
    return line.procedure_code in (paid.procedure_code, paid.submitted_procedure_code)


def line_adjudication(paid: RemittanceLine, adjustments: list[Document]) -> LineAdjudication:
    is_revenue = paid.procedure_qualifier == REVENUE
    procedure = [] if is_revenue else [paid.procedure_qualifier, paid.procedure_code, *paid.modifiers]
    cents, count = parse_cents(str(paid.paid_amount)), value_of(paid.unit_count) or ""
    return LineAdjudication(procedure, paid.revenue_code, cents, count, adjustments)


def documents(adjustments: Iterable[Adjustment]) -> list[Document]:
    """Write adjustments as the documents of a claim's CAS."""
    found = []
    for each in adjustments:
        said = {"group_code": each.group_code, "carc": each.carc, "amount": str(each.amount)}
        found.append(said if each.quantity is None else {**said, "quantity": value_of(each.quantity)})
    return found
