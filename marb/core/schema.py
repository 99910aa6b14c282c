"""What a read-only list adds to its description: `fields=` and `expand=`, which no filter or page knows of."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

FIELDS = OpenApiParameter("fields", str, description="Only these columns, with commas between.")
EXPAND = OpenApiParameter("expand", str, description="Parts to add, with commas between, such as `episode`.")


class RowSchema(AutoSchema):
    def get_override_parameters(self) -> list[Any]:
        if self.method != "GET":
            return []
        return [FIELDS, EXPAND] if getattr(self.view, "action", "") == "list" else [EXPAND]
