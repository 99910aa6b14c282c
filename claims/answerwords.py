"""What a received acknowledgement says, in words of our own; a code that is not known here is shown as it is.

Of the claim status categories (STC01-1) all that a 277CA may use are named; its status codes, some eight hundred, are
shown by number. Nothing here holds a value of a claim.
"""

from typing import Any

CATEGORIES = {
    "A0": "forwarded to another receiver",
    "A1": "received, not yet accepted",
    "A2": "accepted for adjudication",
    "A3": "returned, not taken into adjudication",
    "A4": "not found by the receiver",
    "A5": "split into several claims",
    "A6": "rejected: information is missing",
    "A7": "rejected: information is not valid",
    "A8": "rejected: information does not fit together",
}
ENTITIES = {
    "1P": "provider",
    "40": "receiver",
    "41": "submitter",
    "82": "rendering provider",
    "85": "billing provider",
    "IL": "subscriber",
    "PR": "payer",
    "QC": "patient",
}
SEGMENT_FAULTS = {
    "1": "is not known here",
    "2": "was not expected",
    "3": "is missing",
    "4": "stands too often in its loop",
    "5": "stands too often",
    "6": "is not in the order of the guide",
    "7": "is not in its place",
    "8": "has elements in error",
    "I4": "is not used by the guide",
    "I6": "is missing here, as the guide has it",
    "I8": "stands less often than the guide asks",
    "I9": "is missing, though another element asks for it",
}
ELEMENT_FAULTS = {
    "1": "is missing",
    "2": "is missing, though another element asks for it",
    "3": "is one too many",
    "4": "is too short",
    "5": "is too long",
    "6": "has a character that is not allowed",
    "7": "is not a code of its list",
    "8": "is not a date",
    "9": "is not a time",
    "10": "may not stand beside another element",
    "I9": "is missing here, as the guide has it",
    "I10": "is not used by the guide",
    "I12": "is not as the guide writes it",
}


def say(level: str, code: dict[str, Any]) -> str:
    """Say one entry of Answer.codes as a sentence without its point."""
    if level == "claim":
        return say_status(code)
    if not code.get("segment"):
        return f"Code {code.get('code', '')}"
    place = f"{code['segment']}{f' in loop {loop}' if (loop := code.get('loop')) else ''}, segment {code['position']}"
    if element := code.get("element"):
        return f"{place}: element {element} {ELEMENT_FAULTS.get(code['code'], '')} (code {code['code']})"
    return f"{place} {SEGMENT_FAULTS.get(code['code'], '')} (code {code['code']})"


def say_status(code: dict[str, Any]) -> str:
    category, status, entity = (code.get(name, "") for name in ("category", "status", "entity"))
    words = CATEGORIES.get(category, "")
    said = f"{words.capitalize()} ({category}" if words else f"Category {category} ("
    about = f", about the {ENTITIES.get(entity, f'entity {entity}')}" if entity else ""
    return f"{said}{', ' if words else ''}status {status}{about})"
