"""Patterns in words: what a payer denies, and what to do about it. Pure."""

from collections.abc import Mapping
from typing import Any, Final

DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_CODES = 6
RECOMMENDATIONS: Final = {
    "carc": "Look at what these denials have in common, and ask the payer.",
    "procedure": "Check the payer's policy for this procedure before it is sent.",
    "modifier": "Check whether the modifier is supported by the record and taken by this payer.",
    "diagnosis_procedure": "Check that the diagnosis supports the procedure by the payer's policy.",
    "provider": "Check the provider's enrolment and credentials with this payer.",
    "place": "Check whether the payer covers the service at this place.",
    "authorization": "Get the authorization, and put its number on the claim (REF G1), before it is sent.",
    "timely_filing": "Send claims of this payer sooner; keep the proof of earlier submissions.",
    "duplicate": "Do not send the service again: follow up on the first claim, or send a replacement (frequency 7).",
    "bundling": "Check the bundling edits: leave one procedure out, or send the modifier that sets them apart.",
    "charge_band": "Have the documents at hand that the payer asks for with high charges.",
    "weekday": "Compare what is sent on this day with what is sent on others.",
    "drift": "Ask the payer what changed at that time.",
    "new_code": "Check coverage and the payer's rules for the new procedure.",
}
CHARACTERS: Final[dict[str, str]] = {
    "modifier": "modifier {}", "diagnosis": "diagnosis {}", "rendering_provider": "rendering provider {}",
    "billing_provider": "billing provider {}", "place_of_service_code": "place of service {}",
    "with_procedure_code": "beside {} on the same day", "charge_amount_from": "charge of ${} or more",
    "days_to_submission_from": "sent {} days after the service or later", "submitted_from": "sent since {}",
    "carc": "denied for reason {}",
}  # fmt: skip


def describe(conditions: Mapping[str, Any], names: Mapping[int, str]) -> str:
    """Say a pattern's conditions; `names` are providers' by id."""
    parts = [say(name, value, names) for name, value in conditions.items()]
    text = ", ".join(parts)
    return text[:1].upper() + text[1:]


def say(name: str, value: Any, names: Mapping[int, str]) -> str:
    if name == "procedure_code":
        codes = value if isinstance(value, list) else [value]
        more = f" and {len(codes) - MOST_CODES} more" if len(codes) > MOST_CODES else ""
        return f"procedure{'s' if len(codes) > 1 else ''} {', '.join(codes[:MOST_CODES])}{more}"
    if name == "weekday":
        return f"sent on a {DAYS[value]}"
    if name == "has_authorization":
        return "with an authorization" if value else "without an authorization"
    if name == "is_duplicate":
        return "service sent before"
    shown = names.get(value, value) if name.endswith("_provider") else value
    return CHARACTERS[name].format(shown)


def recommend(kind: str) -> str:
    return RECOMMENDATIONS.get(kind, RECOMMENDATIONS["carc"])
