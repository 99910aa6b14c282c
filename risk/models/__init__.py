"""Rows of risk: scores of claims, denial patterns of payers, adjudicated lines, and the models of denial."""

from risk.models.adjudication import AdjudicatedLine
from risk.models.model import Decision, ModelState, ModelStep, RiskDecision, RiskModel, RiskModelChange
from risk.models.pattern import DenialPattern
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
    "RiskScore",
]
