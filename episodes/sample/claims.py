"""Claims: drawn from encounters, and written as loops 2000B to 2430 of 005010X222A1 and 005010X223A2."""

from random import Random
from typing import NamedTuple

from episodes.sample.encounters import INSTITUTIONAL_LOT, PROFESSIONAL_LOT, Encounter, Service
from episodes.sample.payers import Payer
from episodes.sample.people import CLINIC, DOCTORS, EQUIPMENT, HOSPITAL, Organization, Patient, Provider
from episodes.sample.values import day, money

INSTITUTIONAL_SHARE = 0.15


class Line(NamedTuple):
    """A service line: `charge` in cents, `procedure` ready for SV101 (`HC:99213:25`, or empty)."""

    number: int
    procedure: str
    revenue_code: str
    charge: int
    unit_code: str
    units: int
    pointers: str
    service_day: int
    drug: tuple[str, str, str] | None


class Prior(NamedTuple):
    """What an earlier payer answered, for 2320 and 2430: per line paid cents and ready CAS segments."""

    payer: Payer
    member_id: str
    paid: int
    paid_day: int
    lines: list[tuple[int, str]]


class Claim:
    """One CLM. Follow-ups are copies with another frequency, payer or lines."""

    __slots__ = (
        *("number", "patient", "payer", "sequence", "member_id", "frequency", "payer_number", "encounter", "doctor"),
        *("diagnoses", "lines", "charge", "from_day", "to_day", "authorization", "prior", "over_list"),
    )

    def __init__(self, number: str, patient: Patient, encounter: Encounter, doctor: Provider):
        self.number = number
        self.patient = patient
        self.payer = patient.payer
        self.sequence = "P"
        self.member_id = patient.member_id
        self.frequency = "1"
        self.payer_number = ""
        self.encounter = encounter
        self.doctor = doctor
        self.diagnoses: list[str] = []
        self.lines: list[Line] = []
        self.charge = 0
        self.from_day = self.to_day = 0
        self.authorization = ""
        self.prior: Prior | None = None
        # the charge over the list price
        self.over_list = 1.0

    @property
    def is_institutional(self) -> bool:
        return self.encounter.bill_type != ""

    @property
    def biller(self) -> Organization:
        if self.encounter.bill_type:
            return HOSPITAL
        return EQUIPMENT if self.encounter.place == "12" else CLINIC

    def again(self, frequency: str, payer_number: str) -> "Claim":
        """Make the replacement (7) or void (8) of this claim."""
        copy = Claim(self.number, self.patient, self.encounter, self.doctor)
        for name in ("diagnoses", "lines", "charge", "from_day", "to_day", "authorization", "over_list"):
            setattr(copy, name, getattr(self, name))
        copy.frequency, copy.payer_number = frequency, payer_number
        return copy

    def to_second(self, payer: Payer, prior: Prior) -> "Claim":
        """Make the claim to the second payer, with what the first one answered."""
        copy = self.again("1", "")
        copy.payer, copy.sequence, copy.member_id, copy.prior = payer, "S", self.patient.secondary_member_id, prior
        return copy

    def charged(self, lines: list[Line]) -> "Claim":
        """Set the lines, and the charge that is their sum."""
        self.lines = lines
        self.charge = sum(line.charge for line in lines)
        return self


def draw_claim(rng: Random, number: str, patient: Patient, sent: int) -> Claim:
    """Draw an original claim sent on day `sent` for services of the days before."""
    chance = rng.random
    lot = INSTITUTIONAL_LOT if chance() < INSTITUTIONAL_SHARE else PROFESSIONAL_LOT
    encounter = lot[int(chance() * len(lot))]
    doctor = DOCTORS[encounter.doctors[int(chance() * len(encounter.doctors))]]
    claim = Claim(number, patient, encounter, doctor)
    claim.from_day = claim.to_day = sent - 2 - int(chance() * 9)
    if encounter.drg_code:
        claim.from_day -= 3
    start, count = int(chance() * len(encounter.diagnoses)), 1 + int(chance() * min(3, len(encounter.diagnoses)))
    claim.diagnoses = [*encounter.diagnoses[start : start + count]]
    if encounter.authorized and chance() < 0.9:
        claim.authorization = f"A{int(chance() * 10**9):09d}"
    return claim.charged(draw_lines(rng, claim))


def draw_lines(rng: Random, claim: Claim) -> list[Line]:
    encounter, chance = claim.encounter, rng.random
    services = [encounter.first[int(chance() * len(encounter.first))]]
    if encounter.most:
        start, few = int(chance() * len(encounter.more)), chance()
        count = encounter.most - int(few * few * (encounter.most + 1))
        services += (encounter.more + encounter.more)[start : start + count]
    pointers = (":".join("1234"[: len(claim.diagnoses)]), "1", "2" if len(claim.diagnoses) > 1 else "1")
    return [line(n, service, claim, pointers[n % 3 if n < 3 else 1]) for n, service in enumerate(services)]


def line(place: int, service: Service, claim: Claim, pointers: str) -> Line:
    procedure = f"HC:{service.code}{service.modifiers}" if service.code else ""
    charge = service.price_cents * service.units
    units, last = service.units, claim.to_day
    return Line(
        place + 1, procedure, service.revenue_code, charge, service.unit_code, units, pointers, last, service.drug
    )


def write_claim(claim: Claim, parent: int, level: int) -> tuple[str, int]:
    """Write loops 2000B (2000C) to 2400 of a claim below billing provider HL `parent`; answers text and next HL."""
    out: list[str] = []
    level = write_people(out, claim, parent, level)
    if claim.is_institutional:
        write_institutional(out, claim)
    else:
        write_professional(out, claim)
    if claim.prior is not None:
        write_prior(out, claim, claim.prior)
    for place, each in enumerate(claim.lines):
        write_line(out, claim, each)
        if claim.prior is not None:
            paid, adjustments = claim.prior.lines[place]
            out.append(
                f"SVD*{claim.prior.payer.code}*{money(paid)}*{each.procedure}*{each.revenue_code}*{each.units}~\n"
                f"{adjustments}DTP*573*D8*{day(claim.prior.paid_day)}~\n"
            )
    return "".join(out), level


def write_people(out: list[str], claim: Claim, parent: int, level: int) -> int:
    """Write 2000B and, for a patient who is not the subscriber, 2000C."""
    who, payer = claim.patient, claim.payer
    last, first, birth, gender = who.subscriber
    address = f"N3*{who.street}~\nN4*{who.town}~\n"
    alone = who.relationship == "18"
    own = f"{address}DMG*D8*{birth}*{gender}~\n" if alone else ""
    out.append(
        f"HL*{level}*{parent}*22*{0 if alone else 1}~\n"
        f"SBR*{claim.sequence}*{'18' if alone else ''}*{who.group_number if claim.sequence == 'P' else ''}"
        f"******{payer.filing_code}~\nNM1*IL*1*{last}*{first}****MI*{claim.member_id}~\n{own}"
        f"NM1*PR*2*{payer.name}*****PI*{payer.code}~\n"
    )
    if not alone:
        last, first, birth, gender = who.person
        level += 1
        out.append(
            f"HL*{level}*{level - 1}*23*0~\nPAT*{who.relationship}~\nNM1*QC*1*{last}*{first}~\n"
            f"{address}DMG*D8*{birth}*{gender}~\n"
        )
    return level + 1


def references(claim: Claim) -> str:
    text = f"REF*G1*{claim.authorization}~\n" if claim.authorization else ""
    return f"{text}REF*F8*{claim.payer_number}~\n" if claim.payer_number else text


def write_professional(out: list[str], claim: Claim) -> None:
    place = claim.encounter.place
    rest = "*ABF:".join(claim.diagnoses)
    out.append(
        f"CLM*{claim.number}*{money(claim.charge)}***{place}:B:{claim.frequency}*Y*A*Y*Y~\n{references(claim)}"
        f"HI*ABK:{rest}~\n"
    )
    if place == "12":
        doctor = claim.doctor
        out.append(f"NM1*DN*1*{doctor.last_name}*{doctor.first_name}****XX*{doctor.npi}~\n")
        return
    doctor = claim.doctor
    out.append(
        f"NM1*82*1*{doctor.last_name}*{doctor.first_name}****XX*{doctor.npi}~\nPRV*PE*PXC*{doctor.taxonomy_code}~\n"
    )
    if place in ("22", "23"):
        out.append(f"NM1*77*2*{HOSPITAL.name}*****XX*{HOSPITAL.npi}~\nN3*{HOSPITAL.street}~\nN4*{HOSPITAL.town}~\n")


def write_institutional(out: list[str], claim: Claim) -> None:
    encounter, doctor, first = claim.encounter, claim.doctor, claim.diagnoses[0]
    inpatient = encounter.drg_code != ""
    admitted = f"DTP*435*DT*{day(claim.from_day)}0915~\n" if inpatient else ""
    out.append(
        f"CLM*{claim.number}*{money(claim.charge)}***{encounter.bill_type}:A:{claim.frequency}**A*Y*Y~\n"
        f"{'DTP*096*TM*1130~' + chr(10) if inpatient else ''}"
        f"DTP*434*RD8*{day(claim.from_day)}-{day(claim.to_day)}~\n{admitted}"
        f"CL1*{'3' if inpatient else '1'}*1*01~\n{references(claim)}HI*ABK:{first}~\n"
    )
    out.append(f"HI*ABJ:{first}~\n" if inpatient else f"HI*APR:{first}~\n")
    if inpatient:
        out.append(f"HI*DR:{encounter.drg_code}~\n")
    if len(claim.diagnoses) > 1:
        out.append(f"HI*ABF:{'*ABF:'.join(claim.diagnoses[1:])}~\n")
    out.append(f"NM1*71*1*{doctor.last_name}*{doctor.first_name}****XX*{doctor.npi}~\n")


def write_prior(out: list[str], claim: Claim, prior: Prior) -> None:
    """Write loops 2320, 2330A and 2330B for the payer that answered first."""
    who, payer = claim.patient, prior.payer
    out.append(
        f"SBR*P*18*{who.group_number}******{payer.filing_code}~\nAMT*D*{money(prior.paid)}~\nOI***Y***Y~\n"
        f"NM1*IL*1*{who.subscriber.last_name}*{who.subscriber.first_name}****MI*{prior.member_id}~\n"
        f"N3*{who.street}~\nN4*{who.town}~\nNM1*PR*2*{payer.name}*****PI*{payer.code}~\n"
    )


def write_line(out: list[str], claim: Claim, each: Line) -> None:
    service = day(each.service_day)
    if claim.is_institutional:
        out.append(
            f"LX*{each.number}~\nSV2*{each.revenue_code}*{each.procedure}*{money(each.charge)}*{each.unit_code}"
            f"*{each.units}~\nDTP*472*D8*{service}~\nREF*6R*{claim.number}L{each.number}~\n"
        )
    else:
        out.append(
            f"LX*{each.number}~\nSV1*{each.procedure}*{money(each.charge)}*{each.unit_code}*{each.units}***"
            f"{each.pointers}~\nDTP*472*D8*{service}~\nREF*6R*{claim.number}L{each.number}~\n"
        )
    if each.drug is not None:
        code, unit, units = each.drug
        out.append(f"LIN**N4*{code}~\nCTP****{units}*{unit}~\n")
