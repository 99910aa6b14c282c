"""Rows of risk: scores of claims, what payers decided, and the patterns of their denials."""

from risk.models.adjudication import AdjudicatedLine, Submission
from risk.models.pattern import DenialPattern, DuePayer, PatternChange, PatternKind, PatternSearch, PatternStatus
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
    "RiskScore",
    "Submission",
]
