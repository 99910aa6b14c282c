"""Conditions of rules: a small declarative language over the facts of a Batch, checked in words, read vectorised.

A condition is {"fact": name, "op": one of OPERATORS, "value": value}, or {"all": [...]}, {"any": [...]},
{"not": condition}, or {"line": condition}: one line of the claim meets it as a whole. A fact of a line that stands
outside of "line" means any line. Pure; nothing of a condition is ever executed.
"""

from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any, NamedTuple

import numpy as np

from risk.batch import LINE_COLUMNS, NO_AMOUNT, Batch, Column, any_line

Condition = Mapping[str, Any]
MOST_DEPTH, MOST_PARTS, MOST_VALUES = 8, 100, 5_000
NUMBER, YES, TEXT = "number", "yes or no", "text"


class BadCondition(ValueError):
    """A condition that means nothing; `sentence` says why, to the person who wrote it."""

    def __init__(self, sentence: str):
        super().__init__(sentence)
        self.sentence = sentence


class Context(NamedTuple):
    """A batch, and by the ids of its payers what their `rules` say."""

    batch: Batch
    payer_rules: Mapping[int, Mapping[str, Any]]


class Fact(NamedTuple):
    """A fact that a rule may ask for: its kind, what it means, and its column."""

    kind: str
    words: str
    read: Callable[[Context], Column]


def column(name: str, kind: str, words: str) -> tuple[str, Fact]:
    return name, Fact(kind, words, lambda context: getattr(context.batch, name))


def computed(name: str, kind: str, words: str, read: Callable[[Context], Column]) -> tuple[str, Fact]:
    return name, Fact(kind, words, read)


def dollars_of(cents: Column) -> Column:
    return np.where(cents == NO_AMOUNT, np.nan, cents / 100)


def ratio(context: Context) -> Column:
    """Divide charge by expected amount; NaN, which no comparison meets, where there is none."""
    expected = context.batch.expected_cents
    return np.divide(context.batch.charge_cents, expected, out=np.full(len(expected), np.nan), where=expected > 0)


def listed(context: Context, key: str, values: Column, default: bool) -> Column:
    """Say of each claim whether its payer's list `key` holds the value; `default` where the payer has no such list."""
    found = np.full(len(context.batch), default)
    for payer_id, rules in context.payer_rules.items():
        entries = rules.get(key) if isinstance(rules, Mapping) else None
        if isinstance(entries, list) and entries:
            own = context.batch.payer_id == payer_id
            found[own] = np.isin(values[own], np.array([str(entry) for entry in entries]))
    return found


def is_frequency_allowed(context: Context) -> Column:
    return listed(context, "allowed_frequency_types", context.batch.frequency_code, True)


def is_facility_restricted(context: Context) -> Column:
    return listed(context, "restricted_facility_types", context.batch.place_of_service_code, False)


FACTS: dict[str, Fact] = dict(
    (
        computed("has_payer", YES, "the claim names a payer", lambda context: context.batch.payer_id > 0),
        column("payer_code", TEXT, "the payer's code"),
        column("payer_type", TEXT, "medicare, medicaid, commercial or other"),
        computed("is_frequency_allowed", YES, "the payer takes CLM05-3", is_frequency_allowed),
        computed("is_facility_restricted", YES, "the payer restricts the place of service", is_facility_restricted),
        column("claim_type", TEXT, "P, I or D"),
        column("filing_indicator_code", TEXT, "SBR09"),
        column("frequency_code", TEXT, "CLM05-3"),
        column("place_of_service_code", TEXT, "CLM05-1"),
        column("payer_sequence_code", TEXT, "SBR01: P, S or T"),
        column("principal", TEXT, "the principal diagnosis code, without a dot"),
        computed("charge_amount", NUMBER, "CLM02, dollars", lambda context: context.batch.charge_cents / 100),
        computed(
            "expected_amount",
            NUMBER,
            "what should be allowed, dollars",
            lambda context: dollars_of(context.batch.expected_cents),
        ),
        computed("charge_ratio", NUMBER, "charge divided by expected amount", ratio),
        column("line_count", NUMBER, "service lines"),
        column("diagnosis_count", NUMBER, "diagnosis codes"),
        column("finding_count", NUMBER, "findings of reading and editing the claim"),
        column("modifier_count", NUMBER, "modifiers on all lines"),
        column("unit_total", NUMBER, "units of all lines"),
        column("unnamed_line_count", NUMBER, "lines with neither procedure nor revenue code"),
        column("has_authorization", YES, "REF*G1 is there"),
        column("has_referral", YES, "REF*9F is there"),
        column("has_rendering", YES, "a rendering provider is named"),
        column("has_attending", YES, "an attending provider is named"),
        column("has_principal", YES, "there is a principal diagnosis"),
        column("has_assignment", YES, "CLM07 is there"),
        column("has_member_id", YES, "the subscriber's member id is there"),
        column("has_payer_number", YES, "REF*F8 is there"),
        column("is_self", YES, "the patient is the subscriber"),
        column("is_incomplete", YES, "the claim's edits found what costs it its cleanness"),
        column("is_duplicate", YES, "an earlier claim says the same"),
        column("has_prior_payment", YES, "another payer's payment stands on the claim"),
        column("other_payer_count", NUMBER, "other payers (2320)"),
        column("is_new_patient", YES, "the patient has no earlier claim"),
        computed(
            "has_service_date", YES, "a day of service is said", lambda context: context.batch.service_from_date >= 0
        ),
        column("days_to_submission", NUMBER, "days from the last day of service to the claim's own date"),
        column("filing_days_left", NUMBER, "days left to the payer's limit; 9999 where it has none"),
        column("weekday", NUMBER, "of the first day of service, 0 is Monday"),
        column("month", NUMBER, "of the first day of service"),
        column("line_procedure", TEXT, "a line's procedure code"),
        column("line_modifiers", TEXT, "a line's modifiers, joined by a comma"),
        computed(
            "line_charge_amount",
            NUMBER,
            "a line's charge, dollars",
            lambda context: context.batch.line_charge_cents / 100,
        ),
        column("line_units", NUMBER, "a line's units"),
        column("line_diagnosis", TEXT, "the first diagnosis that a line points to"),
        column("line_place", TEXT, "a line's place of service"),
    )
)
LINE_FACTS = frozenset((*LINE_COLUMNS, "line_charge_amount"))


def contains(values: Column, part: str) -> Column:
    return np.char.find(values, part) >= 0


def starts(values: Column, beginning: str) -> Column:
    return np.char.startswith(values, beginning)


def isin(values: Column, chosen: list[Any]) -> Column:
    return np.isin(values, np.array(chosen))


Compare = Callable[[Column, Any], Column]
OPERATORS: dict[str, Compare] = {
    "eq": eq,
    "ne": ne,
    "lt": lt,
    "le": le,
    "gt": gt,
    "ge": ge,
    "in": isin,
    "not_in": lambda values, chosen: ~isin(values, chosen),
    "contains": contains,
    "not_contains": lambda values, part: ~contains(values, part),
    "starts": starts,
}
OPERATORS_OF = {
    NUMBER: ("eq", "ne", "lt", "le", "gt", "ge", "in", "not_in"),
    YES: ("eq", "ne"),
    TEXT: ("eq", "ne", "in", "not_in", "contains", "not_contains", "starts"),
}
LISTS = ("in", "not_in")


def check_condition(condition: Any, depth: int = 0, in_line: bool = False) -> None:
    """Raise BadCondition, in a sentence, where a condition cannot be read."""
    if not isinstance(condition, Mapping) or not condition:
        raise BadCondition('A condition is an object such as {"fact": "has_payer", "op": "eq", "value": false}.')
    if depth > MOST_DEPTH:
        raise BadCondition(f"A condition is at most {MOST_DEPTH} levels deep.")
    joined = [key for key in ("all", "any", "not", "line") if key in condition]
    if not joined:
        check_comparison(condition)
        return
    if len(condition) != 1:
        raise BadCondition(f'"{joined[0]}" stands alone in its object; {sorted(map(str, condition))} are there.')
    check_joined(joined[0], condition[joined[0]], depth, in_line)


def check_joined(word: str, parts: Any, depth: int, in_line: bool) -> None:
    if word in ("not", "line"):
        if word == "line" and in_line:
            raise BadCondition('"line" does not stand inside another "line".')
        check_condition(parts, depth + 1, in_line or word == "line")
        return
    if not isinstance(parts, list) or not 0 < len(parts) <= MOST_PARTS:
        raise BadCondition(f'"{word}" is a list of 1 to {MOST_PARTS} conditions.')
    for part in parts:
        check_condition(part, depth + 1, in_line)


def check_comparison(condition: Condition) -> None:
    extra = sorted(set(map(str, condition)) - {"fact", "op", "value"})
    if extra or not {"fact", "op", "value"} <= set(condition):
        raise BadCondition(f'A comparison has "fact", "op" and "value", and nothing else; {extra or "one is missing"}.')
    fact = FACTS.get(condition["fact"]) if isinstance(condition["fact"], str) else None
    if fact is None:
        raise BadCondition(f"There is no fact {str(condition['fact'])[:60]!r}. There are: {', '.join(FACTS)}.")
    allowed = OPERATORS_OF[fact.kind]
    if condition["op"] not in allowed:
        raise BadCondition(f"{condition['fact']} ({fact.kind}) is compared by {', '.join(allowed)}.")
    check_value(str(condition["fact"]), fact.kind, condition["op"] in LISTS, condition["value"])


def check_value(name: str, kind: str, is_list: bool, value: Any) -> None:
    values = value if is_list else [value]
    if not isinstance(values, list) or not 0 < len(values) <= MOST_VALUES:
        raise BadCondition(f"The value for {name} is a list of 1 to {MOST_VALUES} values.")
    for each in values:
        if not is_of_kind(kind, each):
            raise BadCondition(f"The value for {name} is {KIND_WORDS[kind]}; {str(each)[:60]!r} is not.")


KIND_WORDS = {NUMBER: "a number", YES: "true or false", TEXT: "a text"}


def is_of_kind(kind: str, value: Any) -> bool:
    if kind == NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
    return isinstance(value, bool) if kind == YES else isinstance(value, str) and len(value) <= 200


def meets(context: Context, condition: Condition) -> Column:
    """Say of each claim whether it meets a checked condition: bools, one a claim."""
    if "line" in condition:
        return any_line(context.batch, meets_line(context, condition["line"]))
    if "fact" in condition:
        found = compare(context, condition)
        return any_line(context.batch, found) if condition["fact"] in LINE_FACTS else found
    return join(condition, lambda part: meets(context, part))


def meets_line(context: Context, condition: Condition) -> Column:
    """Say of each line whether it, with its claim, meets a condition."""
    if "fact" in condition:
        found = compare(context, condition)
        return found if condition["fact"] in LINE_FACTS else found[context.batch.line_claim]
    return join(condition, lambda part: meets_line(context, part))


def join(condition: Condition, read: Callable[[Condition], Column]) -> Column:
    if "not" in condition:
        return ~read(condition["not"])
    word = "all" if "all" in condition else "any"
    parts = [read(part) for part in condition[word]]
    return np.logical_and.reduce(parts) if word == "all" else np.logical_or.reduce(parts)


def compare(context: Context, condition: Condition) -> Column:
    values = FACTS[condition["fact"]].read(context)
    return OPERATORS[condition["op"]](values, condition["value"])
