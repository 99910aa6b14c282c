"""The app's tables: claims with their lines, and the fee schedules and contracts that price them."""

from claims.models.answer import Answer, AnswerLevel, AnswerVerdict, ClaimAnswer
from claims.models.claim import Claim, ClaimStatus, ClaimType, ServiceLine
from claims.models.fees import (
    Contract,
    ContractFee,
    Fee,
    FeeCap,
    FeeModifier,
    FeeSchedule,
    FeeVersion,
    Locality,
    LocalityZip,
)

__all__ = [
    "Answer",
    "AnswerLevel",
    "AnswerVerdict",
    "Claim",
    "ClaimAnswer",
    "ClaimStatus",
    "ClaimType",
    "Contract",
    "ContractFee",
    "Fee",
    "FeeCap",
    "FeeModifier",
    "FeeSchedule",
    "FeeVersion",
    "Locality",
    "LocalityZip",
    "ServiceLine",
]
