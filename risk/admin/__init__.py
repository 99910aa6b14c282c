"""Pages of risk: scores of claims, rules, and denial patterns of payers."""

from risk.admin.pattern import DenialPatternAdmin
from risk.admin.rule import RiskRuleAdmin, RuleSetAdmin
from risk.admin.score import RiskScoreAdmin

__all__ = ["DenialPatternAdmin", "RiskRuleAdmin", "RiskScoreAdmin", "RuleSetAdmin"]
