"""The app's pages in the admin: episodes, the queue of remittances to link, and what people changed."""

from episodes.admin.episode import EpisodeAdmin
from episodes.admin.kpi import MonthSumAdmin
from episodes.admin.queue import LinkChangeAdmin, QueuedRemittanceAdmin
from episodes.admin.underpaid import ToleranceAdmin, UnderpaidLineAdmin

__all__ = [
    "EpisodeAdmin",
    "LinkChangeAdmin",
    "MonthSumAdmin",
    "QueuedRemittanceAdmin",
    "ToleranceAdmin",
    "UnderpaidLineAdmin",
]
