"""What a practice's scores stand on: its rules, payers' own rules, weights, model and patterns; read once a run."""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

from marb.parties.models import Payer
from risk.batch import Batch, Column
from risk.match import Met, match_patterns
from risk.patterns import read_patterns
from risk.patternwords import recommend
from risk.ruleset import Rules, read_rules
from risk.weights import get_weights

UNAVAILABLE = "unavailable"


class Basis(NamedTuple):
    """All that turns facts into a score but the facts. `match` weighs a batch against the practice's patterns."""

    practice_id: int
    rules: Rules
    payer_rules: Mapping[int, Mapping[str, Any]]
    weights: Mapping[str, float]
    # risk.model's Model, or None
    model: Any
    match: Callable[[Batch], list["Match"]]

    @property
    def model_version(self) -> str:
        return UNAVAILABLE if self.model is None else str(self.model.version)[:40]


class Match(NamedTuple):
    """A denial pattern that claims meet: their places in the batch, its score 0 to 100, and its words."""

    code: str
    places: Column
    score: float
    message: str
    recommendation: str


def read_basis(practice_id: int) -> Basis:
    """Read what a practice's scores stand on; a few short queries."""
    payer_rules = dict(Payer.objects.filter(practice_id=practice_id).exclude(rules={}).values_list("id", "rules"))
    model = find_model(practice_id)
    return Basis(practice_id, read_rules(practice_id), payer_rules, get_weights(), model, find_match(practice_id))


def find_model(practice_id: int) -> Any:
    """Get the practice's model in use; None where there is none."""
    active = getattr(import_module("risk.model"), "active", None) if find_spec("risk.model") else None
    return active(practice_id) if active is not None else None


def find_match(practice_id: int) -> Callable[[Batch], list[Match]]:
    """Hold batches against the practice's patterns as they are now."""
    patterns = read_patterns(practice_id)
    return lambda batch: [tell_match(met) for met in match_patterns(patterns, batch)]


def tell_match(met: Met) -> Match:
    """Say a pattern that claims meet in words and as a score: the least rate of denials that is beyond doubt."""
    pattern = met.pattern
    message = f"{pattern.description}: {pattern.rate:.0%} of such lines are denied, {pattern.base_rate:.0%} of others"
    return Match(f"pattern-{pattern.id}", met.places, pattern.score, message, recommend(pattern.kind))
