"""The meanings of adjustments that every practice begins with (DOMAIN 2.4), written by a migration.

Facts about payment, in no list's words: which reasons are denials, of what kind, and what is usually done. A practice
changes any of it by a row of its own. Reasons that nobody has mapped are left out on purpose: they surface.
"""

from typing import Any, Final

from django.db import migrations

CORRECT, APPEAL, WRITE_OFF, PATIENT = "CORRECT_AND_RESUBMIT", "APPEAL", "WRITE_OFF", "PATIENT_RESPONSIBILITY"

# category: (reasons, can be corrected, what is usually done)
DENIED: Final[tuple[tuple[str, tuple[str, ...], bool, str], ...]] = (
    ("authorization", ("15", "197", "198"), False, APPEAL),
    ("eligibility", ("26", "27"), False, PATIENT),
    ("eligibility", ("31", "32"), True, CORRECT),
    ("coordination", ("22",), True, CORRECT),
    ("timely_filing", ("29",), False, APPEAL),
    ("duplicate", ("18",), False, WRITE_OFF),
    ("medical_necessity", ("50", "55", "56"), False, APPEAL),
    ("bundling", ("97", "234", "236"), True, CORRECT),
    ("coding", ("4", "5", "6", "7", "8", "9", "10", "11", "146", "181", "182"), True, CORRECT),
    ("not_covered", ("96", "204"), False, WRITE_OFF),
    ("not_covered", ("167",), False, APPEAL),
    ("benefit_maximum", ("35", "119", "149"), False, WRITE_OFF),
    ("benefit_maximum", ("151",), False, APPEAL),
    ("wrong_payer", ("109",), True, CORRECT),
    ("provider", ("B7", "170", "185"), True, CORRECT),
    ("documentation", ("16", "226", "227", "252"), True, CORRECT),
)
# what a payer leaves to the patient is asked of the patient
PATIENTS: Final = {"not_covered": ("96", "167", "204"), "benefit_maximum": ("35", "119", "149"), "eligibility": ("31",)}
# reason 16 says nothing without its remark: what is missing or wrong
SIXTEEN: Final[dict[str, tuple[str, ...]]] = {
    "coding": ("M20", "M44", "M49", "M50", "M51", "M52", "M53", "M76", "M77", "M119", "MA63", "MA66", "N56"),
    "authorization": ("M62",),
    "coordination": ("MA04", "MA92"),
    "eligibility": ("MA27", "MA61", "N382"),
    "provider": ("MA112", "MA114", "MA120", "N257", "N265", "N286", "N290"),
    "documentation": ("M127", "N706"),
}
NO_DENIAL: Final = {
    "patient_share": ("1", "2", "3"),
    "prior_payer": ("23",),
    "capitation": ("24",),
    "contractual": ("45", "253"),
    "informational": ("94", "144", "187", "237", "246"),
}


def shipped() -> list[dict[str, Any]]:
    """List the rows, as the columns of a DenialReason without a practice."""
    rows = [
        {"carc": carc, "category": category, "is_correctable": correctable, "strategy": strategy}
        for category, carcs, correctable, strategy in DENIED
        for carc in carcs
    ]
    rows += [
        {"group_code": "PR", "carc": carc, "category": category, "strategy": PATIENT}
        for category, carcs in PATIENTS.items()
        for carc in carcs
    ]
    rows += [
        {"carc": "16", "rarc": rarc, "category": category, "is_correctable": True, "strategy": CORRECT}
        for category, rarcs in SIXTEEN.items()
        for rarc in rarcs
    ]
    rows += [
        {"carc": carc, "category": category, "is_denial": False}
        for category, carcs in NO_DENIAL.items()
        for carc in carcs
    ]
    return rows


def plant(apps: Any, editor: Any) -> None:
    """Write the rows where none is (RunPython): what was changed or deleted since stays so."""
    try:
        reason = apps.get_model("episodes", "DenialReason")
    except LookupError:
        # migrated back, or not so far yet
        return
    if not reason._base_manager.filter(practice=None).exists():
        reason._base_manager.bulk_create([reason(**row) for row in shipped()])


OPERATION: Final = migrations.RunPython(plant, migrations.RunPython.noop)
