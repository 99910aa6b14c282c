"""The app's tables: claims with their lines, what prices them, and what payers make of their edits."""

from claims.models.answer import Answer, AnswerLevel, AnswerVerdict, ClaimAnswer
from claims.models.claim import Claim, ClaimStatus, ClaimType, ServiceLine
from claims.models.edit import EditLevel, EditRule, NcciPair, NcciTable, UnitLimit
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
    "EditLevel",
    "EditRule",
    "Fee",
    "FeeCap",
    "FeeModifier",
    "FeeSchedule",
    "FeeVersion",
    "Locality",
    "LocalityZip",
    "NcciPair",
    "NcciTable",
    "ServiceLine",
    "UnitLimit",
]
