"""A practice's rules as scoring takes them: its own rows, or those that ship; and the versions that are kept of them.

A version is found by the digest of its rules: whatever changed the rows, the next one who scores or edits keeps it.
"""

from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Max

from risk.defaults import DEFAULTS
from risk.models import RiskRule, RuleSet
from risk.rules import Rule, digest_of, document_of

VERSION_LENGTH = 12
MOST_ATTEMPTS = 5
# what a rule and its row call the same
COPIED = ("code", "component", "condition", "points", "per", "is_critical", "message", "recommendation")


class Rules(NamedTuple):
    """Rules in force, and the text by which a score names them."""

    rules: list[Rule]
    version: str
    digest: str
    is_shipped: bool


def read_rules(practice_id: int) -> Rules:
    """Read a practice's active rules, the shipped ones where it has no row at all; one query."""
    rows = list(RiskRule.objects.filter(practice_id=practice_id))
    rules = [row.as_rule() for row in rows if row.is_active] if rows else list(DEFAULTS)
    digest = digest_of(rules)
    return Rules(rules, digest[:VERSION_LENGTH], digest, not rows)


def keep_version(practice_id: int, rules: Rules, user: Any = None) -> RuleSet:
    """Keep the rules as the practice's newest version, unless that already says the same."""
    for _ in range(MOST_ATTEMPTS):
        newest = RuleSet.objects.filter(practice_id=practice_id).order_by("-version").first()
        if newest is not None and newest.digest == rules.digest:
            return newest
        try:
            with transaction.atomic():
                return create_version(practice_id, rules, user)
        except IntegrityError:
            # somebody else's version came between: look again
            continue
    raise RuntimeError("The rules change faster than their versions can be kept.")


def create_version(practice_id: int, rules: Rules, user: Any) -> RuleSet:
    last = RuleSet.objects.filter(practice_id=practice_id).aggregate(last=Max("version"))["last"] or 0
    return RuleSet.objects.create(
        practice_id=practice_id,
        version=last + 1,
        rules=document_of(rules.rules),
        digest=rules.digest,
        is_shipped=rules.is_shipped,
        made_by=user if user is not None and user.is_authenticated else None,
    )


def copy_defaults(practice_id: int) -> int:
    """Give a practice the shipped rules as rows of its own, to be edited; none where it has some. Answers how many."""
    with transaction.atomic():
        if RiskRule.objects.filter(practice_id=practice_id).exists():
            return 0
        rows = [row_of(practice_id, rule) for rule in DEFAULTS]
        RiskRule.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def row_of(practice_id: int, rule: Rule) -> RiskRule:
    columns = {name: getattr(rule, name) for name in COPIED}
    return RiskRule(practice_id=practice_id, **columns)
