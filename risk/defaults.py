"""The rules that ship: those of every practice that has none of its own. Points of payer, coding, documentation are
those of the first mARB; the rest is common billing knowledge, and every one may be edited or switched off. Pure.
"""

from typing import Any

from risk.batch import NO_LIMIT
from risk.rules import Rule

Condition = dict[str, Any]


def fact(name: str, op: str, value: Any) -> Condition:
    return {"fact": name, "op": op, "value": value}


def yes(name: str) -> Condition:
    return fact(name, "eq", True)


def no(name: str) -> Condition:
    return fact(name, "eq", False)


def both(*parts: Condition) -> Condition:
    return {"all": list(parts)}


def either(*parts: Condition) -> Condition:
    return {"any": list(parts)}


def days_left(first: int, last: int) -> Condition:
    return both(fact("filing_days_left", "ge", first), fact("filing_days_left", "le", last))


FOLLOWS = fact("frequency_code", "in", ["7", "8"])
INSTITUTIONAL = fact("claim_type", "eq", "I")
LATER_PAYER = fact("payer_sequence_code", "in", ["S", "T", "A", "B", "C", "D", "E", "F", "G", "H"])

PAYER = (
    Rule("payer-missing", "payer", no("has_payer"), 30, "The claim names no payer.", "Name the payer (2010BB)."),
    Rule(
        "payer-unknown",
        "payer",
        both(yes("has_payer"), fact("payer_type", "eq", "other"), fact("filing_indicator_code", "in", ["", "ZZ"])),
        20,
        "Neither the payer's record nor the claim says what kind of payer it is.",
        "Set the payer's type, and send the filing indicator (SBR09).",
    ),
    Rule(
        "payer-frequency",
        "payer",
        no("is_frequency_allowed"),
        25,
        "The payer does not take this claim frequency.",
        "Send the claim with a frequency that the payer takes (CLM05-3), or by another way.",
    ),
    Rule(
        "payer-facility",
        "payer",
        yes("is_facility_restricted"),
        30,
        "The payer restricts this place of service.",
        "Check the place of service, and the payer's conditions for it.",
    ),
)
CODING = (
    Rule(
        "coding-no-diagnosis",
        "coding",
        fact("diagnosis_count", "eq", 0),
        50,
        "The claim has no diagnosis.",
        "Add the diagnoses that support the services.",
        is_critical=True,
    ),
    Rule(
        "coding-no-principal",
        "coding",
        no("has_principal"),
        40,
        "The claim has no principal diagnosis.",
        "Name the principal diagnosis first (HI, ABK).",
    ),
    Rule(
        "coding-many-diagnoses",
        "coding",
        fact("diagnosis_count", "gt", 12),
        20,
        "The claim has more than 12 diagnoses.",
        "Keep the diagnoses that the lines point to, or split the claim.",
    ),
    Rule(
        "coding-no-procedure",
        "coding",
        fact("unnamed_line_count", "gt", 0),
        15,
        "A service line has neither procedure nor revenue code.",
        "Code the service of every line.",
        per="unnamed_line_count",
    ),
)
DOCUMENTATION = (
    Rule(
        "documentation-incomplete",
        "documentation",
        yes("is_incomplete"),
        30,
        "The claim's edits found faults that payers reject.",
        "Mend the claim's findings before it is sent.",
    ),
    Rule(
        "documentation-findings",
        "documentation",
        fact("finding_count", "gt", 5),
        25,
        "The claim has more than five findings.",
        "Go through the claim's findings.",
    ),
    Rule(
        "documentation-no-attending",
        "documentation",
        both(INSTITUTIONAL, no("has_attending")),
        20,
        "The claim of an institution names no attending provider.",
        "Name the attending provider with the NPI (NM1*71).",
    ),
    Rule(
        "documentation-no-date",
        "documentation",
        no("has_service_date"),
        15,
        "The claim says no day of service.",
        "Add the days of service (DTP*472 or 434).",
    ),
    Rule(
        "documentation-no-assignment",
        "documentation",
        no("has_assignment"),
        10,
        "The claim does not say whether assignment is accepted.",
        "Fill the assignment code (CLM07).",
    ),
    Rule(
        "documentation-no-member-id",
        "documentation",
        no("has_member_id"),
        30,
        "The subscriber has no member id.",
        "Check eligibility, and add the member id (NM109 of the subscriber).",
    ),
)
TIMELINESS = (
    Rule(
        "timeliness-passed",
        "timeliness",
        fact("filing_days_left", "lt", 0),
        100,
        "The payer's time for filing has passed.",
        "Send proof of timely filing or the reason for the delay (CLM20), or write the claim off.",
        is_critical=True,
    ),
    Rule(
        "timeliness-week",
        "timeliness",
        days_left(0, 7),
        60,
        "A week or less is left of the payer's time for filing.",
        "Send the claim today.",
    ),
    Rule(
        "timeliness-month",
        "timeliness",
        days_left(8, 30),
        25,
        "A month or less is left of the payer's time for filing.",
        "Send the claim before others.",
    ),
    Rule(
        "timeliness-slow",
        "timeliness",
        both(fact("days_to_submission", "gt", 60), fact("filing_days_left", "eq", NO_LIMIT)),
        20,
        "More than 60 days lie between service and claim, and nobody has said the payer's limit.",
        "Find the payer's time for filing, and set it on the payer's page.",
    ),
)
DUPLICATE = (
    Rule(
        "duplicate-same",
        "duplicate",
        yes("is_duplicate"),
        80,
        "An earlier claim has the same patient, day, services and charge (CARC 18).",
        "Ask for the earlier claim's status; to correct it, send frequency 7 with the payer's number.",
    ),
    Rule(
        "duplicate-no-number",
        "duplicate",
        both(FOLLOWS, no("has_payer_number")),
        70,
        "A replacement or void does not say the payer's number of the claim that it follows.",
        "Add the payer's claim control number (REF*F8) from the remittance.",
        is_critical=True,
    ),
)
AUTHORIZATION = (
    Rule(
        "authorization-inpatient",
        "authorization",
        both(
            no("has_authorization"),
            either(
                both(INSTITUTIONAL, fact("place_of_service_code", "in", ["11", "12"])),
                both(fact("claim_type", "eq", "P"), fact("place_of_service_code", "in", ["21", "51", "61"])),
            ),
        ),
        35,
        "Inpatient services have no prior authorization.",
        "Get the authorization number, and send it (REF*G1).",
    ),
    Rule(
        "authorization-imaging",
        "authorization",
        both(
            no("has_authorization"),
            fact("payer_type", "ne", "medicare"),
            either(*(fact("line_procedure", "starts", code) for code in ("7055", "7215", "7214", "7372", "7418"))),
        ),
        30,
        "Advanced imaging, for which most payers want an authorization, has none.",
        "Ask the payer whether the study needs an authorization; send its number (REF*G1).",
    ),
    Rule(
        "authorization-hmo",
        "authorization",
        both(
            fact("filing_indicator_code", "in", ["HM", "16"]),
            yes("has_rendering"),
            no("has_referral"),
            no("has_authorization"),
        ),
        10,
        "An HMO's claim has neither referral nor authorization.",
        "Check whether the plan wants a referral; send its number (REF*9F).",
    ),
)
COORDINATION = (
    Rule(
        "coordination-no-payment",
        "coordination",
        both(LATER_PAYER, no("has_prior_payment")),
        60,
        "A claim to a later payer does not say what the earlier one paid (CARC 22).",
        "Add the earlier payer's payment and adjustments (2320, 2430) from its remittance.",
    ),
    Rule(
        "coordination-medicare",
        "coordination",
        both(fact("payer_sequence_code", "eq", "P"), yes("has_prior_payment")),
        25,
        "A claim to the first payer already shows another payer's payment.",
        "Check who pays first, and the order of the payers (SBR01).",
    ),
)
DEFAULTS: tuple[Rule, ...] = (
    *(*PAYER, *CODING, *DOCUMENTATION, *TIMELINESS),
    *(*DUPLICATE, *AUTHORIZATION, *COORDINATION),
)
