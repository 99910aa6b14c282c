"""Rows of risk: rules, models and scores of claims, what payers decided, and the patterns of their denials."""

from risk.models.adjudication import AdjudicatedLine
from risk.models.model import Decision, ModelState, ModelStep, RiskDecision, RiskModel, RiskModelChange
from risk.models.pattern import DenialPattern, DuePayer, PatternChange, PatternKind, PatternSearch, PatternStatus
from risk.models.rule import RiskRule, RuleSet
from risk.models.score import RiskLevel, RiskScore

__all__ = [
    "AdjudicatedLine",
    "Decision",
    "DenialPattern",
    "DuePayer",
    "ModelState",
    "ModelStep",
    "PatternChange",
    "PatternKind",
    "PatternSearch",
    "PatternStatus",
    "RiskDecision",
    "RiskLevel",
    "RiskModel",
    "RiskModelChange",
    "RiskRule",
    "RiskScore",
    "RuleSet",
]
