"""The app's pages in the admin: claims, and the fee schedules and contracts that price them."""

from claims.admin.claim import ClaimAdmin, patient_of
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
    "FeeAdmin",
    "FeeModifierAdmin",
    "FeeScheduleAdmin",
    "LocalityAdmin",
    "patient_of",
]
