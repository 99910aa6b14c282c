"""Rows of episodes: chains and links (episode), what a denial is and what is done about one (denial), code lists."""

from episodes.models.codelist import CodeKind, CodeList
from episodes.models.denial import (
    ClosedBy,
    DenialCategory,
    DenialItem,
    DenialNote,
    DenialReason,
    DenialRecheck,
    DenialState,
    NoteKind,
    Resolution,
    Strategy,
)
from episodes.models.episode import *  # noqa: F403  (every noun of chains and links)

__all__ = [
    "ClosedBy",
    "CodeKind",
    "CodeList",
    "DenialCategory",
    "DenialItem",
    "DenialNote",
    "DenialReason",
    "DenialRecheck",
    "DenialState",
    "NoteKind",
    "Resolution",
    "Strategy",
]
