"""What a payer makes of a claim, in cents: allowed, withheld, denied, the patient's share, the next payer's part.

Every answer balances by construction: a line's charge less its adjustments is what is paid, and a claim's sums are
its lines' sums (or, for an inpatient stay, stand at the claim).
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from episodes.sample.claims import Claim, Line, Prior
from episodes.sample.payers import Payer
from episodes.sample.values import money

Adjustments = list[tuple[str, str, int]]
# of a control number: the payer's field is too short, its system has no small letters' difference, pads, or lost it
CUT_LENGTH = 17
DAMAGES: dict[str, Callable[[str], str]] = {
    "cut": lambda number: number[:CUT_LENGTH],
    "small": str.lower,
    "padded": lambda number: number.zfill(20),
    "lost": lambda number: "0",
}


class LineAnswer(NamedTuple):
    line: Line
    paid: int
    allowed: int
    adjustments: Adjustments
    remark: str


class Remittance(NamedTuple):
    """One CLP in the making. `status` is CLP02; amounts are cents; `lines` is empty for an inpatient stay.

    `damage` says what the payer did to the claim's control number: "", or a kind of DAMAGES; it then returns no line
    numbers either.
    """

    claim: Claim
    payer: Payer
    status: str
    payer_number: str
    charge: int
    paid: int
    patient: int
    adjustments: Adjustments
    lines: list[LineAnswer]
    remark: str
    crossover: Payer | None
    damage: str = ""

    @property
    def said_number(self) -> str:
        """Get CLP01: the claim's number as this payer writes it."""
        return DAMAGES[self.damage](self.claim.number) if self.damage else self.claim.number

    def reversed(self) -> "Remittance":
        """Take this answer back: every amount negated under its own reason."""
        return self._replace(
            status="22", charge=-self.charge, paid=-self.paid, patient=-self.patient, crossover=None,
            adjustments=[(group, carc, -amount) for group, carc, amount in self.adjustments],
            lines=[
                each._replace(
                    paid=-each.paid, allowed=-each.allowed,
                    adjustments=[(group, carc, -amount) for group, carc, amount in each.adjustments],
                )
                for each in self.lines
            ],
        )  # fmt: skip

    def renumbered(self, payer_number: str) -> "Remittance":
        return self._replace(payer_number=payer_number)

    def as_prior(self, paid_day: int) -> Prior:
        """Say this answer the way the next payer's 837 does (2320, 2430)."""
        lines = [(each.paid, cas(each.adjustments)) for each in self.lines]
        return Prior(self.payer, self.claim.member_id, self.paid, paid_day, lines)


def cas(adjustments: Adjustments) -> str:
    """Write CAS segments, one per group, up to six reasons in each; a quantity is never given."""
    text = ""
    for group in dict.fromkeys(group for group, _, _ in adjustments):
        reasons = [f"{carc}*{money(amount)}" for of, carc, amount in adjustments if of == group]
        text += f"CAS*{group}*{'**'.join(reasons[:6])}~\n"
    return text


def pay(rng: Random, claim: Claim, payer_number: str, lines: list[Line] | None = None) -> Remittance:
    """Allow and pay a claim (or some of its lines) by the payer's habits; one line may still be bundled."""
    payer, chance = claim.payer, rng.random
    if claim.encounter.drg_code:
        return pay_stay(rng, claim, payer_number)
    bundled = chance() < 0.05
    deductible = chance() * 100 < payer.deductible_percent
    capitated = payer.filing_code == "HM" and chance() < 0.2
    answers = []
    for place, line in enumerate(claim.lines if lines is None else lines):
        if bundled and place == 1:
            answers.append(LineAnswer(line, 0, 0, [("CO", "97", line.charge)], "M15"))
        elif capitated:
            answers.append(LineAnswer(line, 0, 0, [("CO", "24", line.charge)], ""))
        else:
            answers.append(pay_line(payer, line, deductible, payer.copay_cents if place == 0 else 0))
    return summed(claim, payer_number, answers)


def pay_line(payer: Payer, line: Line, deductible: bool, copay: int) -> LineAnswer:
    allowed = line.charge * payer.allowed_percent // 100
    adjustments = [("CO", "45", line.charge - allowed)] if allowed < line.charge else []
    share, carc = allowed * payer.coinsurance_percent // 100, "2"
    if deductible:
        share, carc = allowed, "1"
    elif copay:
        share, carc = min(copay, allowed), "3"
    paid = allowed - share
    withheld = paid * 2 // 100 if payer.sequesters else 0
    if withheld:
        adjustments.append(("CO", "253", withheld))
    if share:
        adjustments.append(("PR", carc, share))
    return LineAnswer(line, paid - withheld, allowed, adjustments, "")


def pay_stay(rng: Random, claim: Claim, payer_number: str) -> Remittance:
    """Pay an inpatient stay at the claim: one contractual reduction, a deductible, no lines."""
    payer = claim.payer
    allowed = claim.charge * payer.allowed_percent // 100
    share = min(allowed, 167_600) if payer.is_senior else allowed * payer.coinsurance_percent // 100
    adjustments = [("CO", "45", claim.charge - allowed)] if allowed < claim.charge else []
    if share:
        adjustments.append(("PR", "1" if payer.is_senior else "2", share))
    remark = "MA01" if payer.sequesters else ""
    return Remittance(
        claim, payer, "1", payer_number, claim.charge, allowed - share, share, adjustments, [], remark, None
    )


def deny(rng: Random, claim: Claim, payer_number: str) -> Remittance:
    """Deny every line for one of the payer's favourite reasons; the first of them half of the time."""
    payer, chance = claim.payer, rng.random
    chosen = 0 if chance() < 0.5 else int(chance() * len(payer.denials))
    group, carc, remark = payer.denials[chosen]
    if claim.encounter.drg_code:
        adjustments = [(group, carc, claim.charge)]
        patient = claim.charge if group == "PR" else 0
        return Remittance(claim, payer, "1", payer_number, claim.charge, 0, patient, adjustments, [], remark, None)
    answers = [LineAnswer(line, 0, 0, [(group, carc, line.charge)], remark) for line in claim.lines]
    return summed(claim, payer_number, answers)


def pay_second(
    claim: Claim, prior: Remittance, payer_number: str, *, denied: bool, reason: tuple[str, str, str] | None = None
) -> Remittance:
    """Answer as the second payer: what the first one paid and took off is OA-23, what it left is paid or denied.

    A denial is for the payer's first reason where no other is given.
    """
    reason = reason or claim.payer.denials[0]
    answers = []
    for each in prior.lines:
        left = sum(amount for group, _, amount in each.adjustments if group == "PR")
        adjustments = [("OA", "23", each.line.charge - left)] if each.line.charge > left else []
        if denied and left:
            adjustments.append((reason[0], reason[1], left))
        answers.append(LineAnswer(each.line, 0 if denied else left, left, adjustments, reason[2] if denied else ""))
    return summed(claim, payer_number, answers)._replace(status="2")


def summed(claim: Claim, payer_number: str, answers: list[LineAnswer]) -> Remittance:
    patient = sum(amount for each in answers for group, _, amount in each.adjustments if group == "PR")
    return Remittance(
        claim,
        claim.payer,
        "1",
        payer_number,
        sum(each.line.charge for each in answers),
        sum(each.paid for each in answers),
        patient,
        [],
        answers,
        "MA01" if claim.payer.sequesters else "",
        None,
    )
