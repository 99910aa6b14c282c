"""Balancing of the 835 to the cent: line, claim and payment (005010X221 front matter 1.10.2; DOMAIN 2.3).

Line: SVC02 - adjustments of the line = SVC03. Claim: CLP03 - all adjustments, of both levels = CLP04. Payment:
sum of CLP04 - sum of PLB = BPR02. Amounts are cents in the sign of the file, so a reversal balances like any other.
Differences are stated and never mended; AMT takes no part. The paid amounts of the lines may differ from CLP04 by
adjustments of the claim level, so their sum is not compared.

Allowed: what the payer says of a line by AMT*B6, else the paid amount and the patient's share. Of a claim it is the sum
of its lines' where each says one; else CLP04 and the patient's share of both levels, since adjustments of the claim
level may lower what the lines show.
"""

from typing import NamedTuple

from marb.edi.findings import CLAIM, EDIT, Finding, Place
from marb.edi.values import dollars
from remits.edi835 import Remittance, RemittanceLine
from remits.edi835.line import patient_cents, sum_cents


class Balance(NamedTuple):
    """What a claim payment comes to. Differences are charge - adjustments - paid: zero balances.

    `line_differences` has one for each line, in order.
    """

    adjustment_cents: int
    claim_difference: int
    line_differences: list[int]
    line_allowed: list[int]
    allowed_cents: int

    @property
    def is_balanced(self) -> bool:
        return not (self.claim_difference or any(self.line_differences))


def balance_remittance(remittance: Remittance) -> Balance:
    """Weigh one readable claim payment."""
    adjustment_cents, shares = sum_cents(remittance.adjustments), patient_cents(remittance.adjustments)
    differences, line_allowed, is_said = [], [], bool(remittance.lines)
    for line in remittance.lines:
        adjusted, paid, coverage = line.adjusted_cents or 0, line.paid_cents, line.coverage_cents
        adjustment_cents += adjusted
        shares += line.patient_cents
        differences.append(line.charge_cents - adjusted - paid)
        line_allowed.append(paid + line.patient_cents if coverage is None else coverage)
        is_said = is_said and coverage is not None
    difference = (remittance.charge_cents or 0) - adjustment_cents - remittance.paid_cents
    claim_allowed = sum(line_allowed) if is_said else remittance.paid_cents + shares
    return Balance(adjustment_cents, difference, differences, line_allowed, claim_allowed)


def payment_difference(payment_cents: int, claim_cents: int, provider_adjustment_cents: int) -> int:
    """Weigh a payment: BPR02 - (sum of CLP04 - sum of PLB)."""
    return payment_cents - (claim_cents - provider_adjustment_cents)


def balance_findings(remittance: Remittance, balance: Balance) -> list[Finding]:
    """Say where a claim payment does not balance, and both sums."""
    if balance.is_balanced:
        return []
    found = [
        line_finding(remittance, line, difference)
        for line, difference in zip(remittance.lines, balance.line_differences, strict=True)
        if difference
    ]
    if balance.claim_difference:
        found.append(claim_finding(remittance, balance))
    return found


def line_finding(remittance: Remittance, line: RemittanceLine, difference: int) -> Finding:
    expected = dollars(line.paid_cents + difference)
    message = (
        f"Line {line.number} does not balance: its charge less its adjustments is {expected}, "
        f"but {dollars(line.paid_cents)} is paid (SVC03)."
    )
    owner = remittance.place
    place = Place(line.byte_offset, line.segment_position, "SVC", *owner[3:])
    return Finding(CLAIM, EDIT, "line_balance", message, place, "2110", 3, claim_offset=owner.byte_offset)


def claim_finding(remittance: Remittance, balance: Balance) -> Finding:
    expected = dollars(remittance.paid_cents + balance.claim_difference)
    message = (
        f"The claim payment does not balance: the charge less all adjustments is {expected}, "
        f"but {dollars(remittance.paid_cents)} is paid (CLP04)."
    )
    place = remittance.place
    return Finding(CLAIM, EDIT, "claim_balance", message, place, "2100", 4, claim_offset=place.byte_offset)
