"""Rows of risk: scores of claims, and denial patterns of payers."""

from risk.models.pattern import DenialPattern
from risk.models.score import RiskLevel, RiskScore

__all__ = ["DenialPattern", "RiskLevel", "RiskScore"]
