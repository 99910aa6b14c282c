"""Whole files of a sample: interchanges of 837P, 837I and 835 by batch, and the truth about them.

A batch's claims are one 837P and one 837I, with a transaction set per billing provider and 1,000 claims; its
remittances are one 835, with a transaction set (a check) per payer and payee. Same numbers, same bytes: nothing
depends on the clock, and one batch is in memory at a time.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import NamedTuple

from episodes.sample.adjudication import Remittance
from episodes.sample.claims import Claim, write_claim
from episodes.sample.course import Course, calendar
from episodes.sample.people import CLINIC, Organization
from episodes.sample.planted import PlantedCourse, long_calendar
from episodes.sample.plants import PLANTS, Plant
from episodes.sample.remittances import Check, draw_check, write_check
from episodes.sample.truth import PlantedTruth, Truth
from episodes.sample.values import day

CLAIMS_IN_SET = 1_000
SENDER, RECEIVER, RECEIVER_NAME = "MILLBROOK", "SAMPLEHOUSE", "SAMPLE CLEARINGHOUSE"
GUIDE = {"837p": "005010X222A1", "837i": "005010X223A2", "835": "005010X221A1"}


class Text(NamedTuple):
    """One file: its name and its X12 text."""

    name: str
    text: str


class Sample:
    """Writes the files one after the other; `truth` is whole when the last has been taken."""

    def __init__(self, total: int, seed: int, until: date):
        self.dates = calendar(total, until.toordinal())
        self.truth = Truth(total, seed, until.isoformat())
        self.course = Course(self.dates, seed, self.truth)
        self.begin()

    def begin(self) -> None:
        self.control = 0
        self.carried: dict[tuple[str, str], int] = {}
        self.checks = 0

    def files(self) -> Iterator[Text]:
        """Yield every file in the order in which a practice would have sent and received it."""
        for index in range(self.dates.batches + self.dates.lag):
            claims, answers = self.course.run(index)
            for kind, some in (
                ("837p", [claim for claim in claims if not claim.is_institutional]),
                ("837i", [claim for claim in claims if claim.is_institutional]),
            ):
                if some:
                    yield self.claim_file(kind, index, some)
            if answers:
                yield self.remittance_file(index, answers)

    def claim_file(self, kind: str, index: int, claims: list[Claim]) -> Text:
        claims.sort(key=lambda claim: claim.biller.npi)
        sent = self.dates.sent(index)
        sets: list[str] = []
        for biller, group in groupby(claims, key=lambda claim: claim.biller):
            some = list(group)
            for start in range(0, len(some), CLAIMS_IN_SET):
                sets.append(claim_set(GUIDE[kind], len(sets) + 1, sent, biller, some[start : start + CLAIMS_IN_SET]))
        name = f"{index + 1:04d}-{kind}.x12"
        self.truth.files.append(
            {"name": name, "kind": kind, "claims": len(claims), "charge_cents": sum(claim.charge for claim in claims)}
        )
        return Text(name, self.interchange("HC", GUIDE[kind], sent, sets))

    def remittance_file(self, index: int, answers: list[Remittance]) -> Text:
        answers.sort(key=lambda answer: (answer.payer.code, answer.claim.biller.npi))
        checks = []
        for (_payer, _payee), some in groupby(answers, key=lambda answer: (answer.payer, answer.claim.biller)):
            checks.append(self.check(index, list(some)))
        for check in checks:
            self.truth.add_check(check)
        made = max(check.paid_day for check in checks)
        name = f"{index + 1:04d}-835.x12"
        self.truth.files.append({
            "name": name, "kind": "835", "payments": len(checks), "remittances": len(answers),
            "paid_cents": sum(answer.paid for answer in answers), "bpr_cents": sum(check.amount for check in checks),
        })  # fmt: skip
        sets = [write_check(check, f"{place + 1:04d}") for place, check in enumerate(checks)]
        return Text(name, self.interchange("HP", GUIDE["835"], made, sets))

    def check(self, index: int, answers: list[Remittance]) -> Check:
        payer, payee = answers[0].payer, answers[0].claim.biller
        self.checks += 1
        paid_day = self.dates.sent(index) + payer.days_to_pay
        carried = self.carried.get((payer.code, payee.npi), 0)
        check, short = draw_check(payer, payee, paid_day, self.checks, carried, answers)
        self.carried[payer.code, payee.npi] = short
        return check

    def interchange(self, group: str, guide: str, when: int, sets: list[str]) -> str:
        self.control += 1
        ends = (SENDER, RECEIVER) if group == "HC" else (RECEIVER, SENDER)
        made, number = day(when), f"{self.control:09d}"
        return (
            f"ISA*00*{'':10}*00*{'':10}*ZZ*{ends[0]:<15}*ZZ*{ends[1]:<15}*{made[2:]}*0600*^*00501*{number}*0*P*:~\n"
            f"GS*{group}*{ends[0]}*{ends[1]}*{made}*0600*{self.control}*X*{guide}~\n{''.join(sets)}"
            f"GE*{len(sets)}*{self.control}~\nIEA*1*{number}~\n"
        )


class PlantedSample(Sample):
    """The same with planted causes of denial, or with the payers' base rates alone where there are no plants."""

    truth: PlantedTruth

    def __init__(self, total: int, seed: int, until: date, plants: Sequence[Plant] = PLANTS):
        self.dates = long_calendar(total, until.toordinal())
        self.truth = PlantedTruth(total, seed, until.isoformat())
        self.course = PlantedCourse(self.dates, seed, self.truth, plants)
        self.begin()


def claim_set(guide: str, place: int, sent: int, biller: Organization, claims: list[Claim]) -> str:
    """Write one ST to SE of claims of one billing provider."""
    control = f"{place:04d}"
    out = [
        f"ST*837*{control}*{guide}~\nBHT*0019*00*{day(sent)}{control}*{day(sent)}*0600*CH~\n"
        f"NM1*41*2*{CLINIC.name}*****46*{SENDER}~\nPER*IC*BILLING OFFICE*TE*8005550199~\n"
        f"NM1*40*2*{RECEIVER_NAME}*****46*{RECEIVER}~\n"
        f"HL*1**20*1~\nPRV*BI*PXC*{biller.taxonomy_code}~\nNM1*85*2*{biller.name}*****XX*{biller.npi}~\n"
        f"N3*{biller.street}~\nN4*{biller.town}~\nREF*EI*{biller.tax_number}~\n"
    ]
    level = 2
    for claim in claims:
        text, level = write_claim(claim, 1, level)
        out.append(text)
    body = "".join(out)
    return f"{body}SE*{body.count('~') + 1}*{control}~\n"
