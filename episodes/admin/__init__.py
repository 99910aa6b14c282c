"""The app's pages in the admin: episodes, what is held, the links to make, denials, figures and the tables behind."""

from episodes.admin.denial import DenialItemAdmin
from episodes.admin.episode import EpisodeAdmin
from episodes.admin.hold import HoldAdmin
from episodes.admin.kpi import MonthSumAdmin
from episodes.admin.queue import LinkChangeAdmin, QueuedRemittanceAdmin
from episodes.admin.reason import CodeListAdmin, DenialReasonAdmin
from episodes.admin.underpaid import ToleranceAdmin, UnderpaidLineAdmin

__all__ = [
    "CodeListAdmin",
    "DenialItemAdmin",
    "DenialReasonAdmin",
    "EpisodeAdmin",
    "HoldAdmin",
    "LinkChangeAdmin",
    "MonthSumAdmin",
    "QueuedRemittanceAdmin",
    "ToleranceAdmin",
    "UnderpaidLineAdmin",
]
