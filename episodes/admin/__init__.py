"""The app's pages in the admin: episodes, the queue of remittances to link, denials, and the tables behind them."""

from episodes.admin.denial import DenialItemAdmin
from episodes.admin.episode import EpisodeAdmin
from episodes.admin.kpi import MonthSumAdmin
from episodes.admin.queue import LinkChangeAdmin, QueuedRemittanceAdmin
from episodes.admin.reason import CodeListAdmin, DenialReasonAdmin
from episodes.admin.underpaid import ToleranceAdmin, UnderpaidLineAdmin

__all__ = [
    "CodeListAdmin",
    "DenialItemAdmin",
    "DenialReasonAdmin",
    "EpisodeAdmin",
    "LinkChangeAdmin",
    "MonthSumAdmin",
    "QueuedRemittanceAdmin",
    "ToleranceAdmin",
    "UnderpaidLineAdmin",
]
