"""Rows of risk: rules and scores of claims, what payers decided, and the patterns of their denials."""

from risk.models.adjudication import AdjudicatedLine
from risk.models.pattern import DenialPattern, DuePayer, PatternChange, PatternKind, PatternSearch, PatternStatus
from risk.models.rule import RiskRule, RuleSet
from risk.models.score import RiskLevel, RiskScore

__all__ = [
    "AdjudicatedLine",
    "DenialPattern",
    "DuePayer",
    "PatternChange",
    "PatternKind",
    "PatternSearch",
    "PatternStatus",
    "RiskLevel",
    "RiskRule",
    "RiskScore",
    "RuleSet",
]
