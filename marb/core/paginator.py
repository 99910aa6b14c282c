"""Pages whose cost does not grow with the table: the API's key pagination and the admin's estimated count.

A page begins after the key of the one before: the value of the ordering column and the id, so that the order is total
and stable while rows arrive. A null sorts as PostgreSQL sorts it, above every value.
"""

import binascii
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError as FieldError
from django.db.models import Q, QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

MOST_ID = 2**63 - 1
NEWEST_FIRST = ("-id", "id")
ROWS_AT_ONCE = 2_000
CURSOR = "^[A-Za-z0-9_=-]{1,4000}$"


class Key(NamedTuple):
    """Where a page begins: after (or, going back, before) the row with this value and id."""

    back: bool
    value: Any
    id: int


class KeyPagination(BasePagination):
    """Pages by key. `limit` is a whole number from 1 to 1000 (100 without it), `ordering` one of the view's; anything
    else is a 400. A cursor leads to a page: one that was not handed out is a 404."""

    default_limit = 100
    most_limit = 1000
    key: Key | None
    parameters = ("limit", "cursor", "ordering")

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Read one page of a values() queryset that has `id` and the ordering column."""
        self.request, self.model = request, queryset.model
        self.ordering = self.get_ordering(request, getattr(view, "orderings", NEWEST_FIRST))
        self.key = self.get_key(request)
        back = self.key is not None and self.key.back
        limit = self.get_limit(request)
        rows = list(self.after_key(queryset).order_by(*self.order(back))[: limit + 1])
        self.has_more = len(rows) > limit
        self.page = rows[:limit][::-1] if back else rows[:limit]
        return self.page

    def get_limit(self, request: Request, default: int = default_limit, most: int = most_limit) -> int:
        text = request.query_params.get("limit", str(default))
        if not re.fullmatch("[0-9]{1,9}", text) or not 1 <= int(text) <= most:
            raise ValidationError({"limit": [f"A whole number from 1 to {most}."]})
        return int(text)

    def get_ordering(self, request: Request, orderings: Sequence[str]) -> str:
        ordering = request.query_params.get("ordering", orderings[0])
        if ordering not in orderings:
            raise ValidationError({"ordering": [f"One of {', '.join(orderings)}."]})
        return ordering

    @property
    def column(self) -> str:
        return self.ordering.removeprefix("-")

    def order(self, back: bool) -> list[str]:
        sign = "-" if self.ordering.startswith("-") != back else ""
        return [f"{sign}{self.column}"] if self.column == "id" else [f"{sign}{self.column}", f"{sign}id"]

    def after_key(self, queryset: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
        if self.key is None:
            return queryset
        downwards = self.ordering.startswith("-") != self.key.back
        if self.column == "id":
            return queryset.filter(Q(**{"id__lt" if downwards else "id__gt": self.key.id}))
        return queryset.filter(beyond(self.column, self.key, downwards))

    def get_key(self, request: Request) -> Key | None:
        cursor = request.query_params.get("cursor")
        if cursor is None:
            return None
        if not re.fullmatch(CURSOR, cursor):
            raise ValidationError({"cursor": ["Not a cursor."]})
        try:
            key = read_cursor(cursor)
            if self.column != "id":
                self.model._meta.get_field(self.column).to_python(key.value)
        except (ValueError, TypeError, binascii.Error, RecursionError, FieldError):
            raise NotFound("Not a cursor of this list.") from None
        return key

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.link(back=False), "previous": self.link(back=True), "results": data})

    def link(self, *, back: bool) -> str | None:
        """Name the page after or before this one; None where there is none."""
        came_back = self.key is not None and self.key.back
        there_is_one = self.has_more if back == came_back else self.key is not None
        if not self.page or not there_is_one:
            return None
        row = self.page[0] if back else self.page[-1]
        value = None if row[self.column] is None else str(row[self.column])
        cursor = write_cursor(Key(back, None if self.column == "id" else value, row["id"]))
        return replace_query_param(self.request.build_absolute_uri(), "cursor", cursor)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "nullable": True, "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        orderings = list(getattr(view, "orderings", NEWEST_FIRST))
        schemas: dict[str, dict[str, Any]] = {
            "limit": {"type": "integer", "minimum": 1, "maximum": self.most_limit, "default": self.default_limit},
            "cursor": {"type": "string", "pattern": CURSOR},
            "ordering": {"type": "string", "enum": orderings, "default": orderings[0]},
        }
        return [{"name": name, "in": "query", "required": False, "schema": schemas[name]} for name in self.parameters]


def walk(queryset: QuerySet[Any, Any], ordering: str, most: int) -> Iterator[list[Any]]:
    """Yield the rows of a values() queryset in batches, `most` in all, each batch after the key of the one before."""
    pages = KeyPagination()
    pages.ordering, pages.key = ordering, None
    while most > 0:
        rows = list(pages.after_key(queryset).order_by(*pages.order(back=False))[: min(ROWS_AT_ONCE, most)])
        if rows:
            yield rows
        most = most - len(rows) if len(rows) == ROWS_AT_ONCE else 0
        if most:
            pages.key = Key(False, rows[-1][pages.column], rows[-1]["id"])


def beyond(column: str, key: Key, downwards: bool) -> Q:
    """Say which rows follow a key: by value, then by id. The first condition is what an index can range over."""
    further = Q(**{"id__lt" if downwards else "id__gt": key.id})
    if key.value is None:
        same = Q(**{f"{column}__isnull": True}) & further
        return same | Q(**{f"{column}__isnull": False}) if downwards else same
    past = Q(**{f"{column}__lt" if downwards else f"{column}__gt": key.value})
    within = Q(**{f"{column}__lte" if downwards else f"{column}__gte": key.value})
    ranged = within & (past | further)
    return ranged if downwards else ranged | Q(**{f"{column}__isnull": True})


def write_cursor(key: Key) -> str:
    return urlsafe_b64encode(json.dumps(key).encode()).decode()


def read_cursor(cursor: str) -> Key:
    """Read a cursor. Raises ValueError, TypeError, RecursionError or binascii.Error for what was not written by us."""
    back, value, row_id = json.loads(urlsafe_b64decode(cursor.encode("ascii")))
    if not isinstance(back, bool) or not isinstance(value, str | None) or type(row_id) is not int:
        raise ValueError("not a key")
    if not 0 <= row_id <= MOST_ID or (value is not None and "\x00" in value):
        raise ValueError("not a key")
    return Key(back, value, row_id)
