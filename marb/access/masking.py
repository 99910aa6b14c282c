"""Identifiers as they are shown: an SSN and a member id by their last four, a date of birth by its year.

Lists show masked values to everybody; details show them in full to roles that may see identifiers. A JSON column is
masked by the keys and the X12 qualifiers that stand beside a value (REF01, NM108).
"""

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from rest_framework import serializers

from marb.access.roles import Action, may

HIDDEN = "***"
SSN_QUALIFIERS = ("SY", "34")
MEMBER_QUALIFIERS = ("MI", "II", "1W", "IG", "23", "MR", "HN", "C")


def mask_ssn(text: str | None) -> str:
    """Show an SSN's last four digits: ***-**-6789."""
    digits = "".join(filter(str.isdigit, text or ""))
    return f"***-**-{digits[-4:]}" if len(digits) == 9 else HIDDEN if text else ""


def mask_member_id(text: str | None) -> str:
    """Show the last four characters, and never more than half of a short number."""
    return f"{HIDDEN}{text[-min(4, len(text) // 2) :]}" if text and len(text) > 1 else HIDDEN if text else ""


def mask_tax_number(text: str | None) -> str:
    """Show the last four: a person's tax number is an SSN."""
    return mask_ssn(text)


def mask_birth_date(day: datetime.date | str | None) -> str | None:
    """Show the year: a date, ISO text and CCYYMMDD all begin with it."""
    return None if day is None else str(day)[:4]


def mask_document(document: Any) -> Any:
    """Mask every identifier inside a JSON document; its shape stays."""
    if isinstance(document, list):
        return [mask_document(value) for value in document]
    if not isinstance(document, dict):
        return document
    qualifier = document.get("id_qualifier") or document.get("qualifier") or ""
    return {key: mask_member(key, value, str(qualifier)) for key, value in document.items()}


def mask_member(key: str, value: Any, qualifier: str) -> Any:
    if not isinstance(value, str):
        return mask_document(value)
    if key.endswith("birth_date"):
        return mask_birth_date(value)
    if (key in ("value", "id_code") and qualifier in SSN_QUALIFIERS) or key == "ssn":
        return mask_ssn(value)
    if (key in ("value", "id_code") and qualifier in MEMBER_QUALIFIERS) or key.endswith("member_id"):
        return mask_member_id(value)
    return value


class MaskedField(serializers.CharField):
    """A column that lists show masked, and details in full to those who may see it."""

    def __init__(self, mask: Callable[[Any], str | None] = mask_member_id, **options: Any):
        self.mask = mask
        super().__init__(**options)

    def show(self, value: Any, row: Mapping[str, Any], view: Any) -> Any:
        if view.is_detail and may(view.request.user, row["practice_id"], Action.SEE_IDENTIFIERS):
            return value
        return self.mask(value)


class MaskedDocumentField(serializers.JSONField):
    """A JSON column of a detail: in full to those who may see identifiers."""

    def show(self, value: Any, row: Mapping[str, Any], view: Any) -> Any:
        return value if may(view.request.user, row["practice_id"], Action.SEE_IDENTIFIERS) else mask_document(value)
