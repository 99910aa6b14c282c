"""Pages of risk: scores of claims, and denial patterns of payers."""

from risk.admin.pattern import DenialPatternAdmin
from risk.admin.score import RiskScoreAdmin

__all__ = ["DenialPatternAdmin", "RiskScoreAdmin"]
