"""The 837 implementation guides as tables: which claim type a guide is for, which loop a role opens, what is known.

005010 X222, X223, X224 (claims), X291 to X293 (predetermination), X298 to X300 (post-adjudicated data) and the 004010
forebears X098, X096, X097. Loops are named as in 005010. What an element may contain is for claims.edits.
"""

from typing import Final

PROFESSIONAL: Final = "P"
INSTITUTIONAL: Final = "I"
DENTAL: Final = "D"

TYPE_OF_GUIDE = {
    **dict.fromkeys(("X222", "X098", "X291", "X298"), PROFESSIONAL),
    **dict.fromkeys(("X223", "X096", "X292", "X299"), INSTITUTIONAL),
    **dict.fromkeys(("X224", "X097", "X293", "X300"), DENTAL),
}
PREDETERMINATION = ("X291", "X292", "X293")
TYPE_OF_SERVICE = {"SV1": PROFESSIONAL, "SV2": INSTITUTIONAL, "SV3": DENTAL}

# Loop -> the roles (NM101) that open it; roles of 004010 share the loop that 005010 gave their successor
ROLES = {
    ("2310", PROFESSIONAL): "A: DN P3, B: 82, C: 77 FA LI TL QB, D: DQ, E: PW, F: 45",
    ("2310", INSTITUTIONAL): "A: 71, B: 72, C: ZZ 73, D: 82, E: 77 FA, F: DN",
    ("2310", DENTAL): "A: DN P3, B: 82, C: 77 FA, D: DD, E: DQ",
    ("2330", PROFESSIONAL): "A: IL, B: PR, C: DN P3 QC, D: 82 QB, E: 77, F: DQ, G: 85",
    ("2330", INSTITUTIONAL): "A: IL, B: PR, C: 71 QC, D: 72, E: ZZ 73, F: 77 FA, G: 82, H: DN, I: 85",
    ("2330", DENTAL): "A: IL, B: PR, C: DN P3 QC, D: 82, E: DQ, F: 85, G: 77, H: DD",
    ("2420", PROFESSIONAL): "A: 82, B: QB, C: 77 FA LI TL, D: DQ, E: DK, F: DN P3, G: PW PR, H: 45",
    ("2420", INSTITUTIONAL): "A: 71 72, B: ZZ 73, C: 82, D: DN",
    ("2420", DENTAL): "A: 82, B: DD PR, C: DQ, D: 77",
}
LOOP_OF_ROLE = {
    (family, claim_type): {
        role: family + part.split(": ")[0] for part in parts.split(", ") for role in part.split(": ")[1].split()
    }
    for (family, claim_type), parts in ROLES.items()
}
LOOP_OF_LEVEL_ROLE = {
    "85": "2010AA",
    "87": "2010AB",
    "PE": "2010AC",
    "IL": "2010BA",
    "PR": "2010BB",
    "QC": "2010CA",
    "QD": "2010BC",
    "AO": "2010BD",
}

# Segments of loops 2300 to 2440 that are kept as they are: known, with nothing in them that a column asks for
KEPT_SEGMENTS = (
    *("CN1", "CR1", "CR2", "CR3", "CR4", "CR5", "CR6", "CR7", "CR8", "CRC", "CUR", "DN1", "DN2", "DSB", "FRM"),
    *("HCP", "HSD", "IMM", "K3", "MEA", "MIA", "MOA", "OI", "PS1", "PWK", "SV4", "SV5", "SV6", "SV7", "TOO", "UR"),
)


def claim_type_of(guide: str) -> str:
    """Say which claim type a guide (GS08, ST03) is for: P, I, D, or empty for a guide that does not say."""
    return TYPE_OF_GUIDE.get(guide[6:10], "")


def loop_of(section: str, claim_type: str, role: str) -> str:
    """Name the loop that an NM1 of this role opens below 2300, 2320 or 2400; the family's name if it is not known."""
    family = FAMILIES[section]
    return LOOP_OF_ROLE[family, claim_type or PROFESSIONAL].get(role, family)


FAMILIES = {"2300": "2310", "2310": "2310", "2320": "2330", "2400": "2420", "2410": "2420", "2430": "2420"}
