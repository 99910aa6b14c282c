"""The short code lists of the 835 that a reader needs. Codes not listed are kept verbatim and noted, never refused."""

import re
from functools import lru_cache
from typing import Final

# CLP02. 5 is from 004010 (pended); 4 means patient not recognised, never "denied".
CLAIM_STATUSES: Final = frozenset({"1", "2", "3", "4", "5", "19", "20", "21", "22", "23", "25"})
REVERSAL: Final = "22"

# CAS01. CR (corrections and reversals) was taken out of 005010.
GROUPS: Final = frozenset({"CO", "PR", "OA", "PI"})
GROUPS_4010: Final = GROUPS | {"CR"}
PATIENT: Final = "PR"

REASON: Final = re.compile(r"[A-Z]{0,2}[0-9]{1,4}", re.ASCII)


@lru_cache(maxsize=4096)
def is_reason(code: str) -> bool:
    """Say whether a claim adjustment reason has the form of one: 45, 253, A1, B7, P12. No list is kept here."""
    return REASON.fullmatch(code) is not None
