"""What the API's description adds to what spectacular reads off the views: `fields=`, `expand=`, exports and bulk
reads with their parameters, and the one body of every error.
"""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_array_type, is_serializer
from drf_spectacular.utils import OpenApiParameter
from rest_framework.serializers import ListSerializer

from marb.core.sections import sections

MOST_ROWS = 10_000_000
EXPORTS = ("export_csv", "export_ndjson")
ERRORS = {
    "400": "The request is not valid; `details` says what is wrong with which field.",
    "401": "No token, or one that is not valid.",
    "403": "The person may not do this.",
    "404": "There is no such object, or it is not in a practice of the person's.",
    "406": "None of the media types of Accept can be answered.",
    "429": "Too many requests; Retry-After says when to come again.",
}
BODY_ERRORS = {
    "411": "Content-Length is missing.",
    "413": "The body is too large.",
    "415": "The body's media type, or what it holds, is not taken.",
}
ERROR = {
    "type": "object",
    "description": "What every error answers.",
    "required": ["message", "code", "status_code", "details"],
    "additionalProperties": False,
    "properties": {
        "message": {"type": "string"},
        "code": {"type": "string"},
        "status_code": {"type": "integer", "minimum": 400, "maximum": 599},
        "details": {"type": "object", "additionalProperties": True},
    },
}


class RowSchema(AutoSchema):
    """Reads the parameters of a list or detail off its view."""

    view: Any

    @property
    def action(self) -> str:
        return getattr(self.view, "action", "")

    @property
    def is_rows(self) -> bool:
        """Whether the operation answers rows of the list's or the detail's own shape."""
        return self.action in (*self.view.list_actions, "retrieve") and "fields" in self.view.parameters

    def get_override_parameters(self) -> list[Any]:
        return [*self.row_parameters(), *self.export_parameters()]

    def row_parameters(self) -> list[Any]:
        """Describe `fields=` and `expand=` with the names that they take."""
        if not self.is_rows:
            return []
        detail = self.action == "retrieve"
        shape = (self.view.detail_class if detail else self.view.serializer_class)().fields
        names = [name for name, field in shape.items() if detail or not isinstance(field, ListSerializer)]
        parts = [section.name for section in sections(self.view.kind) if section.expand]
        found = [names_parameter("fields", names, "Only these, with commas between.")]
        return [*found, *([names_parameter("expand", parts, "Parts to add, with commas between.")] if parts else [])]

    def export_parameters(self) -> list[Any]:
        if self.action not in EXPORTS:
            return []
        orderings = list(self.view.orderings)
        order = {"type": "string", "enum": orderings, "default": orderings[0]}
        most = {"type": "integer", "minimum": 1, "maximum": MOST_ROWS}
        return [OpenApiParameter("ordering", order), OpenApiParameter("limit", most, description="The most rows.")]

    def get_filter_backends(self) -> list[Any]:
        return list(self.view.filter_backends) if self.action in EXPORTS else super().get_filter_backends()

    def _get_response_for_code(
        self, serializer: Any, status_code: Any, media_types: Any = None, direction: Any = "response"
    ) -> Any:
        answer = super()._get_response_for_code(serializer, status_code, media_types, direction)
        if self.action != "bulk" or not is_serializer(serializer):
            return answer
        rows: Any = self.resolve_serializer(self.view.serializer_class, "response").ref
        ids = build_array_type({"type": "integer"})
        body = {"type": "object", "required": ["results", "missing"]}
        body["properties"] = {"results": build_array_type(rows), "missing": ids}  # type: ignore[assignment]
        return {**answer, "content": {"application/json": {"schema": body}}}


def names_parameter(name: str, names: Sequence[str], description: str) -> OpenApiParameter:
    schema = {"type": "array", "items": {"type": "string", "enum": list(names)}, "minItems": 1}
    return OpenApiParameter(name, schema, style="form", explode=False, description=description)


def describe_errors(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add to every operation the errors that it may answer (SPECTACULAR_SETTINGS: a post-processing hook)."""
    result["components"].setdefault("schemas", {})["Error"] = ERROR
    for path, operations in result["paths"].items():
        for operation in operations.values():
            loosen(operation, result["components"]["schemas"])
            add_errors(operation, is_open=path.endswith("/health/"))
    return result


def loosen(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Require nothing of a row that `fields=` can narrow."""
    if any(parameter["name"] == "fields" for parameter in operation.get("parameters", [])):
        for name in refs_of(operation["responses"]["200"]):
            page = schemas[name].get("properties", {}).get("results", {})
            for row in refs_of(page) or {name}:
                schemas[row].pop("required", None)


def refs_of(node: Any) -> set[str]:
    """Find the names of the components that a part of the description points to."""
    if isinstance(node, list):
        return set().union(*map(refs_of, node))
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"].rpartition("/")[2]} if "$ref" in node else set()
    return own.union(*map(refs_of, node.values()))


def add_errors(operation: dict[str, Any], *, is_open: bool) -> None:
    known = ERRORS | (BODY_ERRORS if "requestBody" in operation else {})
    if is_open:
        known = {"406": ERRORS["406"]}
    for status_code, description in known.items():
        operation["responses"].setdefault(status_code, error_response(description))
    operation["responses"].setdefault("default", error_response("What the server could not do."))


def error_response(description: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": description, "content": content}
