"""Rows that are saved or deleted one by one: their models say what they are cached as, and no writer can forget it.

A model's `cached_as` names the kinds that show its rows. The mark is set before the statement and settled after the
commit. Bulk statements send no signals: a QuerySet's own are met in marb.access.models, SQL and COPY say so themselves
(marb.core.cache.stamps.touch).
"""

from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save

from marb.core.cache.stamps import Settlement, mark, pending_keys, stamp_keys

HELD = "_cache_settlement"


def connect() -> None:
    """Listen to the models that are cached. Others keep Django's fast deletes."""
    for model in apps.get_models():
        if getattr(model, "cached_as", ()):
            for before, after in ((pre_save, post_save), (pre_delete, post_delete)):
                before.connect(hold, model, dispatch_uid="cache")
                after.connect(release, model, dispatch_uid="cache")


def hold(sender: type[Any], instance: Any, **kwargs: Any) -> None:
    keys = [key for key in stamp_keys([instance.practice_id], sender.cached_as) if key not in pending_keys()]
    if keys:
        instance.__dict__[HELD] = Settlement(keys, mark(keys))


def release(sender: type[Any], instance: Any, **kwargs: Any) -> None:
    settlement = instance.__dict__.pop(HELD, None)
    if settlement is not None:
        transaction.on_commit(settlement)
