"""A practice's policies, payer by payer: its edit rules and its payers' filing limits, read with each chunk.

A payer's own rule comes before the practice's rule for all payers, and that before the catalogue's level.
"""

from collections.abc import Iterable
from typing import NamedTuple

from claims.models.edit import EditRule
from claims.policy import Policy
from marb.parties.models import Payer


class Rule(NamedTuple):
    payer_id: int | None
    code: str
    level: str
    limit: int | None


def read_policies(practice_id: int, payer_ids: Iterable[int]) -> dict[int | None, Policy]:
    """Get the policy of each of these payers, and under None that of a claim without payer. Two queries."""
    wanted = sorted(payer_ids)
    columns = EditRule.objects.filter(practice_id=practice_id).values_list("payer_id", "code", "level", "limit")
    rules = [Rule(*row) for row in columns]
    limits = dict(Payer.objects.filter(pk__in=wanted).values_list("pk", "timely_filing_days"))
    found: dict[int | None, Policy] = {None: policy_of(None, rules, None)}
    return found | {payer_id: policy_of(payer_id, rules, limits.get(payer_id)) for payer_id in wanted}


def policy_of(payer_id: int | None, rules: list[Rule], filing_days: int | None) -> Policy:
    general = [rule for rule in rules if rule.payer_id is None]
    own = [rule for rule in rules if payer_id is not None and rule.payer_id == payer_id]
    said = {rule.code: rule for rule in (*general, *own)}
    levels = {code: rule.level for code, rule in said.items()}
    return Policy(levels, {code: rule.limit for code, rule in said.items() if rule.limit is not None}, filing_days)
