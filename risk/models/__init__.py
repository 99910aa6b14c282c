"""Rows of risk: rules and scores of claims, and denial patterns of payers."""

from risk.models.pattern import DenialPattern
from risk.models.rule import RiskRule, RuleSet
from risk.models.score import RiskLevel, RiskScore

__all__ = ["DenialPattern", "RiskLevel", "RiskRule", "RiskScore", "RuleSet"]
