"""Rules: what a person knows of payers and claims, applied to a Batch. Pure and vectorised.

A rule belongs to a component, gives points where its condition is met, and says why and what to do. A component is the
sum of its rules' points, 0 to 100. A payer's rule stands in place of the general one of the same code. A rule is in
force for claims whose own date lies within its days. A rule that cannot be read gives no points and is named in
`problems`; the others go on.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import orjson

from risk.batch import Batch, Column
from risk.conditions import FACTS, LINE_FACTS, NUMBER, BadCondition, Condition, Context, check_condition, meets

COMPONENTS = ("payer", "coding", "documentation", "timeliness", "duplicate", "authorization", "coordination")
MOST_POINTS = 100
ALWAYS = (-10_000_000, 10_000_000)


class Rule(NamedTuple):
    """One rule. `per` names a count that multiplies the points; dates are days since 1970-01-01, None open."""

    code: str
    component: str
    condition: Condition
    points: float
    message: str
    recommendation: str
    # lifts the score to critical by itself
    is_critical: bool = False
    # None: of all payers
    payer_id: int | None = None
    per: str = ""
    first_day: int | None = None
    last_day: int | None = None


class Hit(NamedTuple):
    """A rule that claims met: their places in the batch, and the points that each got."""

    rule: Rule
    places: Column
    points: Column


class Verdict(NamedTuple):
    """What rules say of a batch: 0 to 100 by component, the hits, who met a critical rule, rules that were left out."""

    components: dict[str, Column]
    hits: list[Hit]
    is_critical: Column
    problems: list[str]


def check_rule(rule: Rule) -> None:
    """Raise BadCondition, in a sentence, where a rule cannot be applied."""
    if rule.component not in COMPONENTS:
        raise BadCondition(f"There is no component {rule.component!r}. There are: {', '.join(COMPONENTS)}.")
    if not 0 <= rule.points <= MOST_POINTS:
        raise BadCondition(f"A rule gives 0 to {MOST_POINTS} points.")
    if rule.per and (rule.per not in FACTS or FACTS[rule.per].kind != NUMBER or rule.per in LINE_FACTS):
        raise BadCondition(f"Points are given per a number of the claim; {rule.per!r} is none.")
    check_condition(rule.condition)


def apply_rules(
    batch: Batch, rules: Iterable[Rule], payer_rules: Mapping[int, Mapping[str, Any]] | None = None
) -> Verdict:
    """Apply rules to a batch. `payer_rules` are the JSON of the payers' own rules, by payer id."""
    context = Context(batch, payer_rules or {})
    verdict = Verdict({}, [], np.zeros(len(batch), dtype=bool), [])
    known = list(rules)
    for rule in known:
        try:
            check_rule(rule)
        except BadCondition as bad:
            verdict.problems.append(f"Rule {rule.code} was left out: {bad.sentence}")
            continue
        apply_rule(context, rule, replaced_by(rule, known), verdict)
    sums = {name: np.zeros(len(batch)) for name in COMPONENTS}
    for hit in verdict.hits:
        sums[hit.rule.component][hit.places] += hit.points
    verdict.components.update({name: np.minimum(points, MOST_POINTS) for name, points in sums.items()})
    return verdict


def replaced_by(rule: Rule, rules: Sequence[Rule]) -> list[int]:
    """List the payers that have a rule of their own in place of a general one."""
    if rule.payer_id is not None:
        return []
    return [other.payer_id for other in rules if other.code == rule.code and other.payer_id is not None]


def apply_rule(context: Context, rule: Rule, others: list[int], verdict: Verdict) -> None:
    batch = context.batch
    met = meets(context, rule.condition) & is_in_force(batch, rule)
    if rule.payer_id is not None:
        met &= batch.payer_id == rule.payer_id
    elif others:
        met &= ~np.isin(batch.payer_id, others)
    places = np.flatnonzero(met)
    if not len(places):
        return
    if rule.is_critical:
        verdict.is_critical[places] = True
    verdict.hits.append(Hit(rule, places, points_of(context, rule, places)))


def is_in_force(batch: Batch, rule: Rule) -> Column:
    first = ALWAYS[0] if rule.first_day is None else rule.first_day
    last = ALWAYS[1] if rule.last_day is None else rule.last_day
    return (batch.submitted_date >= first) & (batch.submitted_date <= last)


def points_of(context: Context, rule: Rule, places: Column) -> Column:
    if not rule.per:
        return np.full(len(places), float(rule.points))
    counts = np.nan_to_num(FACTS[rule.per].read(context)[places].astype(np.float64))
    return np.clip(counts * rule.points, 0, MOST_POINTS)


def document_of(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    """Write rules as JSON, in the order of their codes: what a rules version keeps."""
    return [dict(rule._asdict()) for rule in sorted(rules, key=lambda rule: (rule.code, rule.payer_id or 0))]


def rules_of(document: Iterable[Mapping[str, Any]]) -> list[Rule]:
    """Read rules from the JSON of a rules version; what a later version of the product adds is left out."""
    return [Rule(**{name: row[name] for name in Rule._fields if name in row}) for row in document]


def digest_of(rules: Iterable[Rule]) -> str:
    """Make the digest of a set of rules: the same rules have the same one."""
    return sha256(orjson.dumps(document_of(rules), option=orjson.OPT_SORT_KEYS)).hexdigest()
