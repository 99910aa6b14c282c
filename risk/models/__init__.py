"""Rows of risk: rules, models and scores of claims, adjudicated lines, and denial patterns of payers."""

from risk.models.adjudication import AdjudicatedLine, Submission
from risk.models.model import Decision, ModelState, ModelStep, RiskDecision, RiskModel, RiskModelChange
from risk.models.pattern import DenialPattern
from risk.models.rule import RiskRule, RuleSet
from risk.models.score import RiskLevel, RiskScore

__all__ = [
    "AdjudicatedLine",
    "Decision",
    "DenialPattern",
    "ModelState",
    "ModelStep",
    "RiskDecision",
    "RiskLevel",
    "RiskModel",
    "RiskModelChange",
    "RiskRule",
    "RiskScore",
    "RuleSet",
    "Submission",
]
