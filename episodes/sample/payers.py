"""A dozen invented payers and their habits: what they allow, deny, withhold, and how long they take."""

from typing import NamedTuple


class Payer(NamedTuple):
    """Percentages are of claims unless said otherwise. `denials` are (group, CARC, RARC) in order of liking."""

    code: str
    name: str
    filing_code: str
    tax_number: str
    town: str
    member_prefix: str
    weight: int
    allowed_percent: int
    denial_percent: int
    denials: tuple[tuple[str, str, str], ...]
    unpaid_percent: int
    days_to_pay: int
    coinsurance_percent: int
    copay_cents: int
    deductible_percent: int
    is_senior: bool = False
    has_dependents: bool = False
    sequesters: bool = False
    pays_by_check: bool = False
    pays_interest: bool = False
    recovers_later: bool = False
    secondary: int = -1
    secondary_percent: int = 0
    crosses_over: bool = False


NO_AUTHORIZATION = ("CO", "197", "N54")
NOT_NECESSARY = ("CO", "50", "N115")
BUNDLED = ("CO", "97", "M15")
LACKS = ("CO", "16", "N382")
LATE = ("CO", "29", "N211")
DUPLICATE = ("CO", "18", "N522")
ENDED = ("PR", "27", "N30")
NOT_COVERED = ("PR", "96", "N130")
OTHER_PAYER = ("CO", "22", "N598")
MODIFIER = ("CO", "4", "N519")
MAXIMUM = ("PR", "119", "N362")
DIAGNOSIS = ("CO", "11", "N657")

PAYERS = (
    Payer(
        "SMP01", "SAMPLE MEDICARE PART B", "MB", "990100001", "COLUMBUS*OH*432150010", "1SM", 26, 42, 7,
        (NOT_NECESSARY, LACKS, DIAGNOSIS, BUNDLED), 5, 14, 20, 0, 4,
        is_senior=True, sequesters=True, secondary=9, secondary_percent=45, crosses_over=True,
    ),
    Payer(
        "SMD02", "SAMPLE STATE MEDICAID", "MC", "990100002", "COLUMBUS*OH*432150011", "2SD", 14, 33, 14,
        (ENDED, LACKS, OTHER_PAYER, NO_AUTHORIZATION), 8, 21, 0, 0, 0, pays_by_check=True,
    ),
    Payer(
        "SBX03", "BLUE SAMPLE PLAN", "BL", "990100003", "DAYTON*OH*454020012", "XSB", 18, 61, 6,
        (NO_AUTHORIZATION, BUNDLED, MODIFIER), 6, 12, 20, 2500, 9, has_dependents=True, pays_interest=True,
        secondary=10, secondary_percent=8,
    ),
    Payer(
        "SCI04", "NORTHERN COMMERCIAL SAMPLE", "CI", "990100004", "TOLEDO*OH*436040013", "NCS", 9, 66, 9,
        (LACKS, NO_AUTHORIZATION, LATE), 7, 18, 20, 3000, 12, has_dependents=True, recovers_later=True,
        secondary=10, secondary_percent=10,
    ),
    Payer(
        "SHM05", "SAMPLE VALLEY HMO", "HM", "990100005", "CINCINNATI*OH*452020014", "SVH", 7, 52, 16,
        (NO_AUTHORIZATION, NOT_COVERED, DUPLICATE), 9, 26, 0, 2000, 2, has_dependents=True,
    ),
    Payer(
        "SMA06", "SAMPLE ADVANTAGE", "16", "990100006", "CLEVELAND*OH*441140015", "SAV", 11, 44, 18,
        (NO_AUTHORIZATION, NOT_NECESSARY, LATE, DUPLICATE), 8, 24, 0, 4000, 3, is_senior=True, sequesters=True,
    ),
    Payer(
        "STR07", "SAMPLE MILITARY HEALTH", "CH", "990100007", "AKRON*OH*443080016", "SMH", 4, 46, 8,
        (OTHER_PAYER, NOT_COVERED, LACKS), 6, 20, 15, 0, 5, has_dependents=True,
    ),
    Payer(
        "SWC08", "SAMPLE COMPENSATION FUND", "WC", "990100008", "COLUMBUS*OH*432150017", "SCF", 2, 70, 21,
        (LACKS, DIAGNOSIS, NO_AUTHORIZATION), 18, 28, 0, 0, 0, pays_by_check=True, pays_interest=True,
    ),
    Payer(
        "SEX09", "SAMPLE EXCHANGE CARE", "CI", "990100009", "DAYTON*OH*454020018", "SXC", 5, 49, 22,
        (ENDED, NO_AUTHORIZATION, NOT_COVERED, MAXIMUM), 10, 23, 30, 4500, 26, has_dependents=True,
        recovers_later=True,
    ),
    Payer(
        "SMG10", "SAMPLE SUPPLEMENT LIFE", "CI", "990100010", "LIMA*OH*458010019", "SSL", 0, 100, 3,
        (LACKS, ENDED), 5, 11, 0, 0, 0,
    ),
    Payer(
        "SEC11", "SECOND SAMPLE MUTUAL", "CI", "990100011", "MARION*OH*433020020", "SSM", 0, 100, 6,
        (OTHER_PAYER, LATE), 9, 17, 0, 0, 0, pays_by_check=True,
    ),
    Payer(
        "SUN12", "SAMPLE UNION TRUST", "CI", "990100012", "TOLEDO*OH*436040021", "SUT", 4, 74, 4,
        (NOT_COVERED, LACKS), 4, 8, 10, 1500, 6, has_dependents=True, secondary=10, secondary_percent=5,
    ),
)  # fmt: skip
# CLP06 knows neither BL nor CI: such plans are said as PPO and POS
SAID_IN_835 = {"BL": "12", "CI": "13"}
LOT = tuple(payer for payer in PAYERS for _ in range(payer.weight))


def payer_of(mixed: int) -> Payer:
    """Get the payer of a patient from the patient's number, in proportion to the payers' weights."""
    return LOT[mixed // 3 % len(LOT)]
