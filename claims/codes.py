"""Shapes of the codes on a claim: NPI, diagnoses, procedures, modifiers, places, revenue and bill types.

A shape says what can be a code, not that it is one: the lists themselves are licensed (CPT) or change each quarter.
Sources: NPI check digit, 45 CFR 162.406; ICD-10-CM and ICD-9-CM, CDC; HCPCS, revenue and frequency codes, CMS and NUBC.
"""

import re
from functools import lru_cache
from typing import Final

ICD10 = re.compile(r"[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?")
ICD9 = re.compile(r"(?:[0-9]{3}|V[0-9]{2})(?:\.?[0-9]{1,2})?|E[0-9]{3}(?:\.?[0-9])?")
ICD10_PROCEDURE = re.compile(r"[0-9A-HJ-NP-Z]{7}")
ICD9_PROCEDURE = re.compile(r"[0-9]{2}(?:\.?[0-9]{1,2})?")
# CPT (categories I to III, laboratory analyses), HCPCS level II (with CDT)
PROCEDURE = re.compile(r"[0-9]{4}[0-9FTUM]|[A-V][0-9]{4}")
MODIFIER = re.compile(r"[A-Z0-9]{2}")
REVENUE = re.compile(r"[0-9]{4}")
BILL_FACILITY = re.compile(r"[0-9]{2}")

DIAGNOSIS_SHAPE = {
    **dict.fromkeys(("ABK", "ABF", "ABJ", "APR", "ABN"), ICD10),
    **dict.fromkeys(("BK", "BF", "BJ", "PR", "BN"), ICD9),
    **dict.fromkeys(("BBR", "BBQ"), ICD10_PROCEDURE),
    **dict.fromkeys(("BR", "BQ"), ICD9_PROCEDURE),
}
PLACES: Final = frozenset(
    f"{place:02d}"
    for place in (*range(1, 28), *range(31, 35), 41, 42, *range(49, 59), 60, 61, 62, 65, 66, 71, 72, 81, 99)
)
# CLM05-3: a professional or dental claim is new (1), a replacement (7) or a void (8); type-of-bill codes by NUBC
FREQUENCIES: Final = {
    "P": frozenset("178"),
    "D": frozenset("178"),
    "I": frozenset("0123456789ABCDEFGHIJKMNOPQXYZ"),
}
REPLACES: Final = frozenset("78")


@lru_cache(maxsize=65536)
def is_npi(text: str) -> bool:
    """Say whether ten ASCII digits begin with 1 or 2 and bear the right check digit (Luhn over 80840 and the NPI)."""
    if len(text) != 10 or not text.isascii() or not text.isdigit() or text[0] not in "12":
        return False
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in text[8::-2])
    return (24 + doubled + sum(int(digit) for digit in text[9::-2])) % 10 == 0


@lru_cache(maxsize=65536)
def is_diagnosis(qualifier: str, code: str) -> bool:
    """Say whether a code of HI has the shape that its qualifier (C022-1) asks for; others are not judged."""
    shape = DIAGNOSIS_SHAPE.get(qualifier)
    return shape is None or shape.fullmatch(code) is not None


@lru_cache(maxsize=65536)
def is_procedure(qualifier: str, code: str) -> bool:
    """Say whether a code of C003 is shaped as CPT or HCPCS (HC) or CDT (AD); other qualifiers are not judged."""
    if qualifier == "AD":
        return code[:1] == "D" and PROCEDURE.fullmatch(code) is not None
    return qualifier != "HC" or PROCEDURE.fullmatch(code) is not None
