"""Which claim adjustment reasons are denials (DOMAIN 2.4), until practices keep a table of their own.

Contractual (45, 253), patient's (1, 2, 3), prior payer's (23), capitation (24) and interest reasons are not: zero paid
is no denial. 5, 16 and their like are denials whatever the group; 24 is shown as a category, never as a denial.
"""

from typing import Final

CATEGORY_BY_CARC: Final[dict[str, str]] = {
    **dict.fromkeys(("15", "197", "198"), "authorization"),
    **dict.fromkeys(("26", "27", "31", "32"), "eligibility"),
    **dict.fromkeys(("22",), "coordination"),
    **dict.fromkeys(("29",), "timely filing"),
    **dict.fromkeys(("18",), "duplicate"),
    **dict.fromkeys(("50", "55", "56"), "medical necessity"),
    **dict.fromkeys(("97", "234", "236"), "bundling"),
    **dict.fromkeys(("4", "5", "6", "7", "8", "9", "10", "11", "146", "181", "182"), "coding"),
    **dict.fromkeys(("96", "167", "204"), "not covered"),
    **dict.fromkeys(("35", "119", "149", "151"), "benefit maximum"),
    **dict.fromkeys(("109",), "wrong payer"),
    **dict.fromkeys(("B7", "170", "185"), "provider"),
    **dict.fromkeys(("16", "226", "227", "252"), "documentation"),
}

DENIAL_CARCS: Final = sorted(CATEGORY_BY_CARC)
# what the patient owes of an allowed amount: deductible, coinsurance, copayment
COST_SHARE_CARCS: Final = ["1", "2", "3"]
# what an earlier payer did, said again by the next one
PRIOR_PAYER_CARC: Final = "23"


def denial_carcs(practice_id: int) -> list[str]:
    """Get the reasons that a practice takes for denials."""
    return DENIAL_CARCS
