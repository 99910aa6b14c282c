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
    """A kind of visit: `first` is always billed, `more` by chance, up to `most` of them."""

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
    Encounter("11", 20, VISITS, (Service("87880", 3_925, ":QW"), Service("94010", 8_800), *BLOOD[:3]), 2, ACUTE),
    Encounter("11", 12, VISITS_25, SHOTS, 3, (*ACUTE, *JOINTS)),
    Encounter(
        *("11", 8, VISITS_25, (Service("20610", 21_350, ":RT"), SHOTS[3], Service("73030", 9_900, ":RT")), 3, JOINTS),
        doctors=(6, 1),
    ),
    Encounter(
        *("22", 8, (Service("71046", 7_900, ":26"), Service("70450", 21_800, ":26"), Service("76700", 15_600, ":26"))),
        *((Service("73502", 6_200, ":26"),), 1, (*ACUTE, "R079", "R1031"), (5,)),
    ),
    Encounter(
        *(
            "11",
            6,
            (Service("97110", 7_600, ":GP", 2),),
            (Service("97140", 6_900, ":GP"), Service("97035", 3_450, ":GP")),
        ),
        *(2, JOINTS, (8,), True),
    ),
    Encounter(
        *("11", 6, (Service("99392", 21_000, ":25"), Service("99393", 20_400, ":25"))),
        *((Service("90471", 4_850), Service("90686", 3_975), Service("90715", 6_815)), 3, ("Z00129", "Z23"), (7,)),
    ),
    Encounter(
        *(
            "23",
            4,
            (Service("99284", 61_200), Service("99283", 39_800)),
            (Service("93010", 6_100), Service("12001", 33_000)),
        ),
        *(2, ("R0789", "S93401A", "R1031", "S610XXA")),
    ),
    Encounter("10", 4, (Service("99213", 18_500, ":95"),), (), 0, CHRONIC),
    Encounter(
        *("22", 3, (Service("45378", 142_500), Service("45385", 189_900), Service("43239", 151_200))),
        *((Service("88305", 21_700, ":26"),), 2, ("Z1211", "K635", "K219"), (2, 3), True),
    ),
)
EQUIPPED = (
    Encounter(
        *(
            "12",
            3,
            (Service("E0601", 24_600, ":RR:KX"),),
            (Service("A7030", 23_100, ":NU"), Service("A7037", 4_500, ":NU")),
        ),
        *(2, ("G4733",), (0, 2), True),
    ),
    Encounter(
        "12", 2, (Service("E0110", 9_700, ":NU"), Service("K0001", 13_400, ":RR:KH")), (), 0, ("S93401A", "M1711")
    ),
)
INSTITUTIONAL = (
    Encounter(
        *("13", 6, (Service("99283", 98_000, revenue_code="0450"), Service("99284", 156_500, revenue_code="0450"))),
        *(
            (
                Service("80053", 14_300, revenue_code="0300"),
                Service("71046", 31_700, revenue_code="0320"),
                Service("J1885", 2_400, units=2, revenue_code="0636"),
                Service("", 8_640, revenue_code="0250"),
                Service("93005", 22_100, revenue_code="0730"),
            ),
            *(4, ("R0789", "R1031", "S93401A", "J209")),
        ),
        bill_type="13",
    ),
    Encounter(
        *("13", 5, (Service("36415", 4_100, revenue_code="0300"),)),
        *(
            tuple(
                service._replace(revenue_code="0301", modifiers="", price_cents=service.price_cents * 2)
                for service in BLOOD[1:6]
            ),
            *(4, CHRONIC),
        ),
        bill_type="13",
    ),
    Encounter(
        *("11", 3, (Service("", 185_000, units=3, revenue_code="0120", unit_code="DA"),)),
        *(
            (
                Service("", 64_215, units=1, revenue_code="0250"),
                Service("", 41_380, revenue_code="0270"),
                Service("", 96_725, revenue_code="0300"),
                Service("", 77_050, revenue_code="0320"),
            ),
            *(4, ("J189", "I509", "N179", "A419"), (2, 3), True),
        ),
        bill_type="11",
        drg_code="193",
    ),
)


def lot(encounters: tuple[Encounter, ...]) -> tuple[Encounter, ...]:
    """Repeat encounters by weight, so that one draw picks in proportion."""
    return tuple(encounter for encounter in encounters for _ in range(encounter.weight))


PROFESSIONAL_LOT = lot((*PROFESSIONAL, *EQUIPPED))
INSTITUTIONAL_LOT = lot(INSTITUTIONAL)
