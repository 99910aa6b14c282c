"""The app's pages in the admin: claims, what prices them, and the rules of their edits."""

from claims.admin.claim import ClaimAdmin, patient_of
from claims.admin.edits import EditRuleAdmin, NcciPairAdmin, UnitLimitAdmin
from claims.admin.fees import (
    ContractAdmin,
    ContractFeeAdmin,
    FeeAdmin,
    FeeModifierAdmin,
    FeeScheduleAdmin,
    LocalityAdmin,
)

__all__ = [
    "ClaimAdmin",
    "ContractAdmin",
    "ContractFeeAdmin",
    "EditRuleAdmin",
    "FeeAdmin",
    "FeeModifierAdmin",
    "FeeScheduleAdmin",
    "LocalityAdmin",
    "NcciPairAdmin",
    "UnitLimitAdmin",
    "patient_of",
]
