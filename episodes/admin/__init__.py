"""The app's pages in the admin: episodes, what is held, the queue of remittances to link, and what people changed."""

from episodes.admin.episode import EpisodeAdmin
from episodes.admin.hold import HoldAdmin
from episodes.admin.queue import LinkChangeAdmin, QueuedRemittanceAdmin

__all__ = ["EpisodeAdmin", "HoldAdmin", "LinkChangeAdmin", "QueuedRemittanceAdmin"]
