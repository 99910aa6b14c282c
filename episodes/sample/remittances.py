"""Claim payments and checks as 005010X221A1: CLP to LQ, and one ST per payer and payee with its PLB.

BPR02 is what the CLP04 come to less the PLB amounts; a check that would be negative pays nothing, and the payer
carries the rest forward (PLB FB) to its next check.
"""

from typing import NamedTuple

from episodes.sample.adjudication import LineAnswer, Remittance, cas
from episodes.sample.payers import SAID_IN_835, Payer
from episodes.sample.people import Organization
from episodes.sample.values import day, money, year_day


class Check(NamedTuple):
    """One transaction set to write. `adjustments` are (PLB03-1, PLB03-2, cents); positive lowers the payment."""

    payer: Payer
    payee: Organization
    paid_day: int
    trace_number: str
    amount: int
    remittances: list[Remittance]
    adjustments: list[tuple[str, str, int]]


def write_remittance(answer: Remittance) -> str:
    """Write loop 2100 with its 2110."""
    claim, who = answer.claim, answer.claim.patient
    filing = answer.payer.filing_code
    facility = claim.encounter.bill_type or claim.encounter.place
    out = [
        f"CLP*{answer.said_number}*{answer.status}*{money(answer.charge)}*{money(answer.paid)}*{money(answer.patient)}"
        f"*{SAID_IN_835.get(filing, filing)}*{answer.payer_number}*{facility}*{claim.frequency}"
        f"{'**' + claim.encounter.drg_code if claim.encounter.drg_code else ''}~\n{cas(answer.adjustments)}"
        f"NM1*QC*1*{who.person.last_name}*{who.person.first_name}****MI*{claim.member_id}~\n"
    ]
    if who.relationship != "18":
        out.append(f"NM1*IL*1*{who.subscriber.last_name}*{who.subscriber.first_name}****MI*{claim.member_id}~\n")
    if not claim.is_institutional and claim.encounter.place != "12":
        doctor = claim.doctor
        out.append(f"NM1*82*1*{doctor.last_name}*{doctor.first_name}****XX*{doctor.npi}~\n")
    if answer.crossover is not None:
        out.append(f"NM1*TT*2*{answer.crossover.name}*****PI*{answer.crossover.code}~\n")
    if answer.remark:
        out.append(f"MIA*0****{answer.remark}~\n" if claim.encounter.drg_code else f"MOA***{answer.remark}~\n")
    out.append(f"DTM*232*{day(claim.from_day)}~\nDTM*233*{day(claim.to_day)}~\n")
    allowed = sum(each.allowed for each in answer.lines)
    if allowed > 0:
        out.append(f"AMT*AU*{money(allowed)}~\n")
    for each in answer.lines:
        write_answer(out, "" if answer.damage else claim.number, each)
    return "".join(out)


def write_answer(out: list[str], number: str, answer: LineAnswer) -> None:
    line = answer.line
    sign = -1 if answer.paid < 0 or answer.allowed < 0 or any(amount < 0 for _, _, amount in answer.adjustments) else 1
    revenue = line.revenue_code if line.procedure else ""
    procedure = line.procedure or f"NU:{line.revenue_code}"
    out.append(
        f"SVC*{procedure}*{money(sign * line.charge)}*{money(answer.paid)}*{revenue}*{line.units}~\n"
        f"DTM*472*{day(line.service_day)}~\n{cas(answer.adjustments)}"
        f"{f'REF*6R*{number}L{line.number}~{chr(10)}' if number else ''}"
    )
    if answer.allowed > 0:
        out.append(f"AMT*B6*{money(answer.allowed)}~\n")
    if answer.remark and sign > 0:
        out.append(f"LQ*HE*{answer.remark}~\n")


def write_check(check: Check, control: str) -> str:
    """Write one ST to SE."""
    payer, payee = check.payer, check.payee
    out = [
        f"ST*835*{control}~\n{payment(check)}TRN*1*{check.trace_number}*1{payer.tax_number}~\n"
        f"DTM*405*{day(check.paid_day)}~\nN1*PR*{payer.name}*XV*{payer.code}~\nN3*1 PAYMENT PLAZA~\nN4*{payer.town}~\n"
        f"REF*2U*{payer.code}~\nPER*BL*PROVIDER SERVICES*TE*8005550100~\n"
        f"N1*PE*{payee.name}*XX*{payee.npi}~\nREF*TJ*{payee.tax_number}~\n"
    ]
    if check.remittances:
        out.append("LX*1~\n")
    out += [write_remittance(answer) for answer in check.remittances]
    if check.adjustments:
        pairs = "*".join(f"{code}:{ref}*{money(cents)}" for code, ref, cents in check.adjustments)
        out.append(f"PLB*{payee.npi}*{day(check.paid_day)[:4]}1231*{pairs}~\n")
    text = "".join(out)
    return f"{text}SE*{text.count('~') + 1}*{control}~\n"


def payment(check: Check) -> str:
    when = day(check.paid_day)
    if check.amount == 0:
        return f"BPR*H*0*C*NON************{when}~\n"
    if check.payer.pays_by_check:
        return f"BPR*I*{money(check.amount)}*C*CHK************{when}~\n"
    return (
        f"BPR*I*{money(check.amount)}*C*ACH*CCP*01*999999992*DA*100{check.payer.tax_number}*1{check.payer.tax_number}**"
        f"01*999999992*DA*200{check.payee.tax_number}*{when}~\n"
    )


def draw_check(
    payer: Payer, payee: Organization, paid_day: int, sequence: int, carried: int, answers: list[Remittance]
) -> tuple[Check, int]:
    """Make the check for some answers, with the payer's PLB habits; answers it and the cents carried forward."""
    adjustments = [("FB", f"FB{year_day(paid_day)}", carried)] if carried else []
    reference = answers[0].payer_number
    if payer.pays_interest and sequence % 3 == 0:
        adjustments.append(("L6", reference, -(125 + sequence % 7 * 40)))
    if payer.recovers_later and sequence % 4 == 1:
        adjustments.append(("WO", reference, 1_850 + sequence % 5 * 310))
    if payer.pays_by_check and sequence % 6 == 2:
        adjustments.append(("72", reference, 900))
    amount = sum(answer.paid for answer in answers) - sum(cents for _, _, cents in adjustments)
    short = -amount if amount < 0 else 0
    if short:
        adjustments.append(("FB", f"FB{year_day(paid_day)}N", -short))
    trace = f"{payer.code}{paid_day % 100_000:05d}{sequence:05d}"
    return Check(payer, payee, paid_day, trace, amount + short, answers, adjustments), short
