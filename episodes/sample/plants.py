"""Causes of denial that are planted in a sample, each with its condition, its strength and the reason it gives.

A plant says: lines of this payer that meet the condition are denied about `strength` times as often as by its base
rate. Against the payer's other lines, some of which meet other plants, that is less: the truth says the lift.
Conditions are named as the rows of adjudicated lines name them, so that what is found can be compared with what was
planted. A whole-claim plant denies every line at one stroke. Pure; what it leaves out is the payers' base habits
(habits.py), which no plant explains.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from episodes.sample.claims import Claim
from episodes.sample.encounters import EQUIPPED, PROFESSIONAL
from episodes.sample.payers import (
    BUNDLED,
    DIAGNOSIS,
    DUPLICATE,
    ENDED,
    LACKS,
    LATE,
    MAXIMUM,
    MODIFIER,
    NO_AUTHORIZATION,
    NOT_COVERED,
    NOT_NECESSARY,
    OTHER_PAYER,
)
from episodes.sample.people import DOCTORS

Reason = tuple[str, str, str]
NOT_ELIGIBLE_PROVIDER: Reason = ("CO", "B7", "N570")
NEW_PROCEDURE, NEW_HARMLESS = "G2211", "99417"
# what needs an authorization: every procedure of the encounters that ask for one
AUTHORIZED = tuple(
    dict.fromkeys(
        service.code for each in (*PROFESSIONAL, *EQUIPPED) if each.authorized for service in (*each.first, *each.more)
    )
)


class Unit(NamedTuple):
    """What is denied or paid as one: a service line, or an inpatient stay as a whole (no procedure).

    `charge` is cents; `diagnosis` the first that the line points to, else the principal; `days` from service to
    submission; `weekday` of the submission, Monday 0; `provider` the rendering provider's NPI.
    """

    procedure: str
    modifiers: tuple[str, ...]
    diagnosis: str
    place: str
    provider: str
    charge: int
    beside: tuple[str, ...]
    is_authorized: bool
    is_duplicate: bool
    days: int
    weekday: int


class Plant(NamedTuple):
    """A cause of denial at one payer. Empty fields are no condition; `start` is a share of the sample's time.

    `least_charge` is in cents and `least_days` from service to submission; `beside` is another procedure on the claim.
    """

    kind: str
    payer: str
    strength: float
    reason: Reason
    start: float = 0.0
    procedures: tuple[str, ...] = ()
    modifier: str = ""
    diagnosis: str = ""
    provider: str = ""
    place: str = ""
    beside: str = ""
    least_charge: int = 0
    least_days: int = 0
    weekday: int = -1
    is_unauthorized: bool = False
    is_duplicate: bool = False
    is_whole: bool = False

    def conditions(self) -> dict[str, Any]:
        """Get the conditions by the names of adjudicated lines; charges in dollars as text."""
        said: dict[str, Any] = {
            "procedure_code": self.procedures[0] if len(self.procedures) == 1 else list(self.procedures),
            "modifier": self.modifier, "diagnosis": self.diagnosis, "rendering_provider": self.provider,
            "place_of_service_code": self.place, "with_procedure_code": self.beside,
            "charge_amount_from": f"{self.least_charge / 100:.2f}" if self.least_charge else "",
            "days_to_submission_from": self.least_days or "",
            "weekday": self.weekday if self.weekday >= 0 else "",
            "has_authorization": False if self.is_unauthorized else "",
            "is_duplicate": True if self.is_duplicate else "",
            "carc": self.reason[1] if self.kind == "carc" else "",
        }  # fmt: skip
        return {name: value for name, value in said.items() if value not in ("", [])}


TESTS: dict[str, Callable[[Plant, Unit], bool]] = {
    "procedures": lambda plant, unit: unit.procedure in plant.procedures,
    "modifier": lambda plant, unit: plant.modifier in unit.modifiers,
    "diagnosis": lambda plant, unit: unit.diagnosis == plant.diagnosis,
    "provider": lambda plant, unit: unit.provider == plant.provider,
    "place": lambda plant, unit: unit.place == plant.place,
    "beside": lambda plant, unit: plant.beside in unit.beside,
    "least_charge": lambda plant, unit: unit.charge >= plant.least_charge,
    "least_days": lambda plant, unit: unit.days >= plant.least_days,
    "weekday": lambda plant, unit: unit.weekday == plant.weekday,
    "is_unauthorized": lambda plant, unit: not unit.is_authorized,
    "is_duplicate": lambda plant, unit: unit.is_duplicate,
}
DEFAULTS: dict[str, Any] = Plant._field_defaults


def tests_of(plant: Plant) -> list[Callable[[Plant, Unit], bool]]:
    """Pick the tests that a plant's conditions need."""
    return [test for name, test in TESTS.items() if getattr(plant, name) != DEFAULTS[name]]


@lru_cache(maxsize=4096)
def parts_of(procedure: str) -> tuple[str, tuple[str, ...]]:
    """Split a ready SV101 into code and modifiers: `HC:99213:25` is ("99213", ("25",))."""
    _, code, *modifiers = procedure.split(":") if procedure else ("", "")
    return code, tuple(modifiers)


def units_of(claim: Claim, sent: int, *, is_duplicate: bool) -> list[Unit]:
    """Make a claim's units in the order of its lines; one for an inpatient stay. `sent` is a proleptic ordinal."""
    encounter = claim.encounter
    place = encounter.bill_type or encounter.place
    provider = claim.doctor.npi if not encounter.bill_type and encounter.place != "12" else ""
    authorized, days, weekday = claim.authorization != "", sent - claim.to_day, (sent + 6) % 7
    if encounter.drg_code:
        return [
            Unit(
                "", (), claim.diagnoses[0], place, "", claim.charge, (), authorized, is_duplicate, days, weekday
            )
        ]  # fmt: skip
    codes = [parts_of(line.procedure) for line in claim.lines]
    beside = tuple(code for code, _ in codes)
    return [
        Unit(
            code, modifiers, pointed(claim, line.pointers), place, provider, line.charge, beside, authorized,
            is_duplicate, days, weekday,
        )
        for line, (code, modifiers) in zip(claim.lines, codes, strict=True)
    ]  # fmt: skip


def pointed(claim: Claim, pointers: str) -> str:
    """Get the first diagnosis that a line points to; institutional lines point to none and mean the principal."""
    return claim.diagnoses[0 if claim.is_institutional else int(pointers[0]) - 1]


PLANTS = (
    Plant("carc", "SEX09", 4, ENDED),
    Plant("carc", "SUN12", 8, MAXIMUM),
    Plant("carc", "SMD02", 2, OTHER_PAYER),
    Plant("procedure", "SMP01", 4, NOT_NECESSARY, procedures=("99214",)),
    Plant("procedure", "SBX03", 8, NOT_NECESSARY, procedures=("83036",)),
    Plant("procedure", "SMD02", 5, NOT_COVERED, procedures=("97110",)),
    Plant("procedure", "SCI04", 14, NOT_COVERED, procedures=("J0696",)),
    Plant("procedure", "SMA06", 2.5, NOT_NECESSARY, procedures=("80061",)),
    Plant("procedure", "SBX03", 4, LACKS, procedures=("99213",)),
    Plant("procedure", "SEX09", 2, NOT_NECESSARY, procedures=("85025",)),
    Plant("procedure", "STR07", 6, NOT_NECESSARY, start=0.3, procedures=("80053",)),
    Plant("modifier", "SBX03", 8, MODIFIER, start=0.4, modifier="25"),
    Plant("modifier", "SMD02", 3, MODIFIER, modifier="26"),
    Plant("modifier", "SHM05", 5, MODIFIER, modifier="QW"),
    Plant("diagnosis_procedure", "SMP01", 14, DIAGNOSIS, procedures=("83036",), diagnosis="I10"),
    Plant("diagnosis_procedure", "SMD02", 5, DIAGNOSIS, procedures=("87880",), diagnosis="J069"),
    Plant("diagnosis_procedure", "SMA06", 6, DIAGNOSIS, procedures=("99213",), diagnosis="I10"),
    Plant("provider", "SMP01", 3, NOT_ELIGIBLE_PROVIDER, provider=DOCTORS[4].npi),
    Plant("provider", "SHM05", 2, NOT_ELIGIBLE_PROVIDER, provider=DOCTORS[1].npi),
    Plant("provider", "SCI04", 2, NOT_ELIGIBLE_PROVIDER, provider=DOCTORS[0].npi),
    Plant("provider", "SEX09", 4, NOT_ELIGIBLE_PROVIDER, provider=DOCTORS[3].npi),
    Plant("place", "SMA06", 6, NOT_COVERED, place="23"),
    Plant("place", "SMD02", 9, NOT_COVERED, place="10"),
    Plant(
        "authorization", "SBX03", 20, NO_AUTHORIZATION, procedures=AUTHORIZED, is_unauthorized=True,
        is_whole=True,
    ),
    Plant(
        "authorization", "SMA06", 8, NO_AUTHORIZATION, procedures=AUTHORIZED, is_unauthorized=True,
        is_whole=True,
    ),
    Plant("timely_filing", "SCI04", 8, LATE, least_days=90, is_whole=True),
    Plant("timely_filing", "SMD02", 4, LATE, least_days=180, is_whole=True),
    Plant("duplicate", "SMP01", 16, DUPLICATE, is_duplicate=True, is_whole=True),
    Plant("duplicate", "SBX03", 8, DUPLICATE, is_duplicate=True, is_whole=True),
    Plant("bundling", "SMP01", 8, BUNDLED, procedures=("36415",), beside="80053"),
    Plant("bundling", "SBX03", 12, BUNDLED, procedures=("J1100",), beside="96372"),
    Plant("charge_band", "SUN12", 8, LACKS, least_charge=25_000),
    Plant("charge_band", "SCI04", 3, LACKS, least_charge=25_000),
    Plant("drift", "STR07", 4, LACKS, start=0.6),
    Plant("drift", "SWC08", 2, LACKS, start=0.5),
    Plant("weekday", "SUN12", 8, LACKS, weekday=4),
    Plant("new_code", "SMP01", 12, NOT_COVERED, procedures=(NEW_PROCEDURE,)),
    Plant("new_code", "SMA06", 6, NOT_COVERED, procedures=(NEW_PROCEDURE,)),
)  # fmt: skip
