"""The rows of a fee schedule: RVUs with their indicators, a locality's indices, caps; values as CMS's files say."""

from decimal import Decimal
from typing import NamedTuple


class Rvu(NamedTuple):
    """One row of PPRRVU: RVUs and indicators of a code, or of a code with 26, TC or 53."""

    work: Decimal
    nonfacility_pe: Decimal
    facility_pe: Decimal
    malpractice: Decimal
    conversion_factor: Decimal
    status_code: str
    multiple_procedure: str
    bilateral: str
    assistant: str
    cosurgeon: str
    team: str
    endoscopy_base: str
    preoperative: Decimal
    intraoperative: Decimal
    postoperative: Decimal


class Gpci(NamedTuple):
    """A locality's geographic indices for work, practice expense and malpractice."""

    work: Decimal
    practice_expense: Decimal
    malpractice: Decimal


class Cap(NamedTuple):
    """OPPSCAP: the most that the technical part may cost at a locality, per facility and non-facility."""

    facility_amount: Decimal
    nonfacility_amount: Decimal
