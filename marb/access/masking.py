"""Identifiers as they are shown: an SSN and a member id by their last four, a date of birth by its year.

Lists show masked values to everybody; details show them in full to roles that may see identifiers.
"""

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from rest_framework import serializers

from marb.access.roles import Action, may

HIDDEN = "***"


def mask_ssn(text: str | None) -> str:
    """Show an SSN's last four digits: ***-**-6789."""
    digits = "".join(filter(str.isdigit, text or ""))
    return f"***-**-{digits[-4:]}" if len(digits) == 9 else HIDDEN if text else ""


def mask_member_id(text: str | None) -> str:
    """Show the last four characters, and never more than half of a short number."""
    return f"{HIDDEN}{text[-min(4, len(text) // 2) :]}" if text and len(text) > 1 else HIDDEN if text else ""


def mask_birth_date(day: datetime.date | str | None) -> str | None:
    """Show the year: a date, ISO text and CCYYMMDD all begin with it."""
    return None if day is None else str(day)[:4]


class MaskedField(serializers.CharField):
    """A column that lists show masked, and details in full to those who may see it."""

    def __init__(self, mask: Callable[[Any], str | None] = mask_member_id, **options: Any):
        self.mask = mask
        super().__init__(**options)

    def show(self, value: Any, row: Mapping[str, Any], view: Any) -> Any:
        if view.is_detail and may(view.request.user, row["practice_id"], Action.SEE_IDENTIFIERS):
            return value
        return self.mask(value)
