"""Invented people: patients by number, and the practice's providers. The same number is the same patient always."""

from typing import NamedTuple

from episodes.sample.payers import PAYERS, Payer, payer_of
from episodes.sample.values import npi

LAST_NAMES = (
    *("ABBOTT", "ALVAREZ", "BAILEY", "BARNES", "BECKER", "BISHOP", "BRANDT", "CALDWELL", "CARVER", "CHEN", "COLLINS"),
    *("CONNOR", "CRUZ", "DALTON", "DAWSON", "DELGADO", "DUNN", "ELLIS", "ESPINOZA", "FARRELL", "FISCHER", "FLORES"),
    *("GARNER", "GIBBONS", "GREENE", "GUPTA", "HALE", "HARMON", "HOLLIS", "HUANG", "IBARRA", "INGRAM", "JENSEN"),
    *("KAPLAN", "KEANE", "KIM", "LANG", "LOWERY", "MARSH", "MCBRIDE", "MENDOZA", "NGUYEN", "NOLAN", "O'DELL", "OKAFOR"),
    *("ORTEGA", "PARK", "PATEL", "PRICE", "QUINN", "RAMSEY", "REYES", "ROWE", "SANTOS", "SHAH", "STONE", "TATE"),
    *("THORPE", "VAUGHN", "VEGA", "WALSH", "WEBER", "WHITLOCK", "YATES", "ZIMMER"),
)
WOMEN = (
    "ADA",
    "BEATRIZ",
    "CLAIRE",
    "DIANA",
    "ELENA",
    "FAITH",
    "GRACE",
    "HELEN",
    "IRIS",
    "JUNE",
    "LENA",
    "MAYA",
    "NORA",
)
MEN = (
    "AARON",
    "BRUNO",
    "CALEB",
    "DAVID",
    "EMIL",
    "FELIX",
    "GEORGE",
    "HUGO",
    "IVAN",
    "JONAS",
    "LEON",
    "MARTIN",
    "OSCAR",
)
STREETS = ("ASH ST", "BIRCH LN", "CEDAR AVE", "DOGWOOD DR", "ELM ST", "FIR CT", "HICKORY RD", "LAUREL WAY", "OAK BLVD")
TOWNS = (
    *(("SPRINGDALE", "OH", "452460001"), ("FAIRHAVEN", "OH", "453400002"), ("MILLBROOK", "KY", "410150003")),
    *(("CEDAR FALLS", "OH", "432150004"), ("RIVERTON", "IN", "470250005"), ("LAKEWOOD", "OH", "441070006")),
)
SPREAD = 2_654_435_761


class Person(NamedTuple):
    last_name: str
    first_name: str
    birth: str
    gender: str


class Patient(NamedTuple):
    """A patient with insurance. `relationship` is SBR02 or PAT01: 18 self, 01 spouse, 19 child."""

    person: Person
    subscriber: Person
    relationship: str
    street: str
    town: str
    payer: Payer
    member_id: str
    group_number: str
    secondary: Payer | None
    secondary_member_id: str


class Provider(NamedTuple):
    npi: str
    taxonomy_code: str
    last_name: str
    first_name: str


class Organization(NamedTuple):
    """A billing provider (2010AA) and payee (1000B)."""

    npi: str
    tax_number: str
    name: str
    street: str
    town: str
    taxonomy_code: str


CLINIC = Organization(
    npi(20_100_001), "990000101", "MILLBROOK FAMILY CLINIC", "100 CEDAR AVE", "SPRINGDALE*OH*452460001", "207Q00000X"
)
EQUIPMENT = Organization(
    npi(20_100_002), "990000102", "MILLBROOK MEDICAL SUPPLY", "104 CEDAR AVE", "SPRINGDALE*OH*452460001", "332B00000X"
)
HOSPITAL = Organization(
    npi(20_100_003), "990000103", "MILLBROOK COMMUNITY HOSPITAL", "1 LAUREL WAY", "SPRINGDALE*OH*452460001",
    "282N00000X",
)  # fmt: skip
DOCTORS = tuple(
    Provider(npi(30_200_000 + n * 37), taxonomy, last, first)
    for n, (taxonomy, last, first) in enumerate(
        (
            *(("207Q00000X", "HARTLEY", "JUNE"), ("207Q00000X", "OSEI", "MARTIN"), ("207R00000X", "LINDQVIST", "NORA")),
            *(("207R00000X", "BANERJEE", "ELENA"), ("363LF0000X", "CASTILLO", "GRACE"), ("2085R0202X", "ROTH", "EMIL")),
            *(("207X00000X", "DRUMMOND", "CALEB"), ("208000000X", "SATO", "IRIS"), ("225100000X", "VANCE", "OSCAR")),
        )
    )
)


def person(mixed: int, last_name: str, years: int) -> Person:
    gender, names = ("F", WOMEN) if mixed & 1 else ("M", MEN)
    birth = f"{2026 - years}{1 + mixed // 3 % 12:02d}{1 + mixed // 5 % 28:02d}"
    return Person(last_name, names[mixed // 7 % len(names)], birth, gender)


def patient(number: int, seed: int) -> Patient:
    """Make patient `number`: payer and age follow from it, so that the same patient comes back with later claims."""
    mixed = ((number + 1) * SPREAD ^ seed * 40_503) & 0xFFFFFFFF
    mixed ^= mixed >> 15
    payer = payer_of(mixed)
    years = 66 + mixed // 11 % 25 if payer.is_senior else 2 + mixed // 11 % 62
    last_name = LAST_NAMES[mixed // 13 % len(LAST_NAMES)]
    own = person(mixed // 17, last_name, years)
    relationship, subscriber = "18", own
    if payer.has_dependents and (years < 19 or mixed // 19 % 4 == 0):
        relationship = "19" if years < 19 else "01"
        subscriber = person(mixed // 23 + 1, last_name, 30 + mixed // 29 % 20 if years < 19 else years)
    town = TOWNS[mixed // 31 % len(TOWNS)]
    second = payer.secondary if relationship == "18" and mixed // 37 % 100 < payer.secondary_percent else -1
    return Patient(
        own,
        subscriber,
        relationship,
        f"{10 + mixed // 41 % 980} {STREETS[mixed // 43 % len(STREETS)]}",
        "*".join(town),
        payer,
        f"{payer.member_prefix}{number % 10**7:07d}{mixed % 97:02d}",
        f"{payer.member_prefix}{mixed // 47 % 40:04d}" if payer.has_dependents else "",
        PAYERS[second] if second >= 0 else None,
        f"S{number % 10**8:08d}{mixed % 89:02d}",
    )
