"""What payers make of claim edits: each edit's weight, its limits, and what they demand beside. Pure.

`claims.edits` says what is wrong with a claim by itself; a Policy says what that costs at the claim's payer, and finds
what only some payers ask for. The catalogue of all edits, those of `claims.history` too, with their default levels
stands here: what an administrator chooses from.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from claims.edi837.guides import PROFESSIONAL
from claims.edi837.records import ParsedClaim
from claims.edits import on_claim
from marb.edi.findings import CLAIM, EDIT, WARNING, Finding

OFF: Final = "off"
MEDICARE_FILING: Final = ("MA", "MB")
# 42 CFR 424.44: one calendar year from the day of service
MEDICARE_DAYS: Final = 365
ORIGINAL: Final = "1"


class Edit(NamedTuple):
    """An edit as an administrator reads it, and what it costs where no rule says otherwise."""

    sentence: str
    level: str


EDITS: Final[dict[str, Edit]] = {
    code: Edit(sentence, level)
    for level, code, sentence in (
        (CLAIM, "charge_sum", "The claim's charge is not the sum of its lines"),
        (CLAIM, "charge_negative", "A charge is negative"),
        (CLAIM, "charge_not_positive", "The charge is zero"),
        (CLAIM, "line_missing", "No service line"),
        (CLAIM, "line_count", "Too many service lines"),
        (CLAIM, "control_number_long", "Control number beyond 38 characters"),
        (WARNING, "control_number_cut", "Control number beyond 20 characters"),
        (WARNING, "control_number_twice", "Control number twice in a transaction set"),
        (CLAIM, "frequency_code", "Frequency code missing or unknown"),
        (CLAIM, "payer_number_missing", "Replacement or void without the payer's number"),
        (CLAIM, "provider_missing", "No billing provider"),
        (CLAIM, "payer_missing", "No payer"),
        (CLAIM, "subscriber_missing", "No subscriber"),
        (CLAIM, "npi", "NPI with a wrong check digit"),
        (CLAIM, "diagnosis_code", "Shape of a diagnosis code"),
        (CLAIM, "diagnosis_count", "More than twelve diagnoses"),
        (CLAIM, "pointer_unknown", "Pointer to a diagnosis that is not there"),
        (CLAIM, "pointer_missing", "No pointer to a diagnosis"),
        (CLAIM, "procedure_code", "Shape of a procedure code"),
        (CLAIM, "procedure_missing", "No procedure code"),
        (CLAIM, "modifier", "Shape of a modifier"),
        (CLAIM, "revenue_code", "Shape of a revenue code"),
        (CLAIM, "place_of_service", "Place of service unknown"),
        (CLAIM, "units_missing", "No units"),
        (CLAIM, "units_not_positive", "Units not above zero"),
        (CLAIM, "service_date_missing", "No date of service"),
        (CLAIM, "service_date_future", "Date of service in the future"),
        (CLAIM, "service_before_birth", "Service before birth"),
        (CLAIM, "discharge_order", "Discharge before admission"),
        (CLAIM, "coordination_sum", "A prior payer's figures do not come to the charge"),
        (CLAIM, "timely_filing", "Sent after the payer's filing limit"),
        (CLAIM, "claim_duplicate", "The same services were sent before"),
        (CLAIM, "ncci_pair", "NCCI: a procedure is part of another"),
        (CLAIM, "ncci_units", "NCCI: more units than are likely"),
    )
}
# what some payers ask for; off until a rule says who
DEMANDS: Final[dict[str, Edit]] = {
    "auth_number_missing": Edit("No prior authorization number", OFF),
    "referral_missing": Edit("No referral number", OFF),
    "rendering_missing": Edit("No rendering provider", OFF),
    "taxonomy_missing": Edit("No taxonomy code of the billing provider", OFF),
    "control_number_limit": Edit("Control number longer than the payer keeps", OFF),
}
LIMITED: Final = ("control_number_limit", "timely_filing")
KEPT_BY_DEFAULT: Final = 17


class Policy(NamedTuple):
    """What one payer makes of the edits: levels that differ from the catalogue's, limits, and the days to file."""

    levels: Mapping[str, str]
    limits: Mapping[str, int]
    filing_days: int | None

    def level(self, code: str) -> str:
        known = EDITS.get(code) or DEMANDS.get(code)
        return self.levels.get(code) or (known.level if known else CLAIM)


def judge(policy: Policy, claim: ParsedClaim, found: list[Finding]) -> list[Finding]:
    """Weigh a claim's findings as its payer does, and add what only this payer asks for."""
    if policy.levels and found:
        found = [kept for finding in found if (kept := weigh(policy, finding)) is not None]
    late = check_filing(policy, claim)
    demanded = [each for code in policy.levels if code in DEMANDED for each in demand(policy, claim, code)]
    return [*found, *late, *demanded] if late or demanded else found


def weigh(policy: Policy, finding: Finding) -> Finding | None:
    """Give a finding of an edit the payer's level; None where the edit is off."""
    level = policy.levels.get(finding.code) if finding.code_set == EDIT else None
    if level is None or level == finding.level:
        return finding
    return None if level == OFF else finding._replace(level=level)


def check_filing(policy: Policy, claim: ParsedClaim) -> tuple[Finding, ...]:
    """Timely filing: an original claim is sent within so many days of its last day of service (DOMAIN 2.2)."""
    days = policy.limits.get("timely_filing") or policy.filing_days
    if days is None and claim.filing_indicator_code in MEDICARE_FILING:
        days = MEDICARE_DAYS
    sent, served = claim.submitted_date, claim.service_to_date
    if days is None or sent is None or served is None or claim.frequency_code != ORIGINAL:
        return ()
    level = policy.level("timely_filing")
    if level == OFF or served >= earliest(sent, days):
        return ()
    message = f"The claim was sent after the filing limit of this payer, {days} days from the last day of service."
    return on_claim(claim, "timely_filing", message, level=level, segment_id="DTP")


@lru_cache(maxsize=4096)
def earliest(sent: str, days: int) -> str:
    """Get the first day of service that may still be sent on a day; ISO text in and out."""
    return (date.fromisoformat(sent) - timedelta(days)).isoformat()


def demand(policy: Policy, claim: ParsedClaim, code: str) -> tuple[Finding, ...]:
    level = policy.level(code)
    if level == OFF or DEMANDED[code](policy, claim):
        return ()
    message = f"This payer asks for it: {DEMANDS[code].sentence[0].lower()}{DEMANDS[code].sentence[1:]}."
    return on_claim(claim, code, message, level=level)


def keeps_number(policy: Policy, claim: ParsedClaim) -> bool:
    most = policy.limits.get("control_number_limit", KEPT_BY_DEFAULT)
    return len(claim.patient_control_number) <= most


# whether a claim has what is demanded
DEMANDED: Final[dict[str, Callable[[Policy, ParsedClaim], bool]]] = {
    "auth_number_missing": lambda policy, claim: bool(claim.prior_authorization_number),
    "referral_missing": lambda policy, claim: bool(claim.referral_number),
    "rendering_missing": lambda policy, claim: (
        claim.claim_type != PROFESSIONAL or bool(claim.rendering_provider.code or claim.rendering_provider.name)
    ),
    "taxonomy_missing": lambda policy, claim: bool(claim.billing_provider.taxonomy_code),
    "control_number_limit": keeps_number,
}
