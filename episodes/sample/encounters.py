"""What the practice does and asks for it: encounters with services, places, diagnoses. Codes only, no descriptors."""

from typing import NamedTuple


class Service(NamedTuple):
    """One possible service line. `modifiers` is ready for SV101 (`:25`); `drug` is (NDC, unit code, units)."""

    code: str
    price_cents: int
    modifiers: str = ""
    units: int = 1
    revenue_code: str = ""
    unit_code: str = "UN"
    drug: tuple[str, str, str] | None = None


class Encounter(NamedTuple):
    """A kind of visit: one of `first` is always billed, of `more` by chance up to `most`, rather many than few.

    `doctors` are places in people.DOCTORS. With a `bill_type` it is institutional, with a `drg_code` inpatient.
    """

    place: str
    weight: int
    first: tuple[Service, ...]
    more: tuple[Service, ...]
    most: int
    diagnoses: tuple[str, ...]
    doctors: tuple[int, ...] = (0, 1, 2, 3, 4)
    authorized: bool = False
    bill_type: str = ""
    drg_code: str = ""


VISITS = (Service("99213", 18_500), Service("99214", 26_400), Service("99203", 24_150), Service("99204", 36_200))
VISITS_25 = tuple(visit._replace(modifiers=":25") for visit in VISITS[:2])
BLOOD = (
    Service("36415", 2_200),
    Service("80053", 5_850),
    Service("85025", 4_375),
    Service("83036", 5_200),
    Service("84443", 7_150),
    Service("80061", 6_925),
    Service("81003", 1_890, ":QW"),
)
SHOTS = (
    Service("96372", 6_450),
    Service("J1100", 410, units=4, drug=("00641014525", "ML", "1")),
    Service("J0696", 1_275, units=2, drug=("00409733201", "UN", "1")),
    Service("J3301", 995, units=4, drug=("00003029305", "ML", "1")),
    Service("J1885", 640, units=2, drug=("00409379501", "ML", "2")),
)
CHRONIC = ("I10", "E119", "E785", "E1165", "I2510", "N183", "E039", "K219", "Z794", "J449")
ACUTE = ("J069", "J0190", "J209", "N390", "R0789", "R509", "H6691", "L309", "A084", "R197")
JOINTS = ("M25561", "M25511", "M1711", "M5450", "S93401A", "M7541")

PROFESSIONAL = (
    Encounter("11", 34, VISITS, BLOOD, 3, CHRONIC),
    Encounter("11", 20, VISITS, (Service("87880", 3_925, ":QW"), Service("94010", 8_800), *BLOOD[:3]), 3, ACUTE),
    Encounter("11", 12, VISITS_25, SHOTS, 3, (*ACUTE, *JOINTS)),
    Encounter(
        place="11", weight=8, first=VISITS_25,
        more=(Service("20610", 21_350, ":RT"), SHOTS[3], Service("73030", 9_900, ":RT")), most=3,
        diagnoses=JOINTS, doctors=(6, 1),
    ),
    Encounter(
        place="22", weight=8,
        first=(Service("71046", 7_900, ":26"), Service("70450", 21_800, ":26"), Service("76700", 15_600, ":26")),
        more=(Service("73502", 6_200, ":26"),), most=1, diagnoses=(*ACUTE, "R079", "R1031"), doctors=(5,),
    ),
    Encounter(
        place="11", weight=6, first=(Service("97110", 7_600, ":GP", 2),),
        more=(Service("97140", 6_900, ":GP"), Service("97035", 3_450, ":GP"), Service("97112", 8_150, ":GP")), most=3,
        diagnoses=JOINTS, doctors=(8,), authorized=True,
    ),
    Encounter(
        place="11", weight=6, first=(Service("99392", 21_000, ":25"), Service("99393", 20_400, ":25")),
        more=(Service("90471", 4_850), Service("90686", 3_975), Service("90715", 6_815)), most=3,
        diagnoses=("Z00129", "Z23"), doctors=(7,),
    ),
    Encounter(
        place="23", weight=4, first=(Service("99284", 61_200), Service("99283", 39_800)),
        more=(Service("93010", 6_100), Service("12001", 33_000)), most=2,
        diagnoses=("R0789", "S93401A", "R1031", "S610XXA"),
    ),
    Encounter("10", 4, (Service("99213", 18_500, ":95"),), (), 0, CHRONIC),
    Encounter(
        place="22", weight=3,
        first=(Service("45378", 142_500), Service("45385", 189_900), Service("43239", 151_200)),
        more=(Service("88305", 21_700, ":26"),), most=1,
        diagnoses=("Z1211", "K635", "K219"), doctors=(2, 3), authorized=True,
    ),
)  # fmt: skip
EQUIPPED = (
    Encounter(
        place="12", weight=3, first=(Service("E0601", 24_600, ":RR:KX"),),
        more=(Service("A7030", 23_100, ":NU"), Service("A7037", 4_500, ":NU")), most=2,
        diagnoses=("G4733",), doctors=(0, 2), authorized=True,
    ),
    Encounter(
        place="12", weight=2, first=(Service("E0110", 9_700, ":NU"), Service("K0001", 13_400, ":RR:KH")),
        more=(), most=0, diagnoses=("S93401A", "M1711"),
    ),
)  # fmt: skip
BLOOD_BY_HOSPITAL = tuple(
    service._replace(revenue_code="0301", modifiers="", price_cents=service.price_cents * 2) for service in BLOOD[1:6]
)
INSTITUTIONAL = (
    Encounter(
        place="13", weight=6, bill_type="13",
        first=(Service("99283", 98_000, revenue_code="0450"), Service("99284", 156_500, revenue_code="0450")),
        more=(
            Service("80053", 14_300, revenue_code="0300"),
            Service("71046", 31_700, revenue_code="0320"),
            Service("J1885", 2_400, units=2, revenue_code="0636"),
            Service("", 8_640, revenue_code="0250"),
            Service("93005", 22_100, revenue_code="0730"),
        ),
        most=4, diagnoses=("R0789", "R1031", "S93401A", "J209"),
    ),
    Encounter(
        place="13", weight=5, bill_type="13", first=(Service("36415", 4_100, revenue_code="0300"),),
        more=BLOOD_BY_HOSPITAL, most=4, diagnoses=CHRONIC,
    ),
    Encounter(
        place="11", weight=3, bill_type="11", drg_code="193",
        first=(Service("", 185_000, units=3, revenue_code="0120", unit_code="DA"),),
        more=(
            Service("", 64_215, revenue_code="0250"),
            Service("", 41_380, revenue_code="0270"),
            Service("", 96_725, revenue_code="0300"),
            Service("", 77_050, revenue_code="0320"),
        ),
        most=4, diagnoses=("J189", "I509", "N179", "A419"), doctors=(2, 3), authorized=True,
    ),
)  # fmt: skip


def lot(encounters: tuple[Encounter, ...]) -> tuple[Encounter, ...]:
    """Repeat encounters by weight, so that one draw picks in proportion."""
    return tuple(encounter for encounter in encounters for _ in range(encounter.weight))


PROFESSIONAL_LOT = lot((*PROFESSIONAL, *EQUIPPED))
INSTITUTIONAL_LOT = lot(INSTITUTIONAL)
