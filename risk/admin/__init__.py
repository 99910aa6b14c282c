"""Pages of risk: rules, models and scores of claims, what people decided, and denial patterns of payers."""

from risk.admin.model import RiskDecisionAdmin, RiskModelAdmin
from risk.admin.pattern import DenialPatternAdmin
from risk.admin.rule import RiskRuleAdmin, RuleSetAdmin
from risk.admin.score import RiskScoreAdmin

__all__ = [
    "DenialPatternAdmin",
    "RiskDecisionAdmin",
    "RiskModelAdmin",
    "RiskRuleAdmin",
    "RiskScoreAdmin",
    "RuleSetAdmin",
]
