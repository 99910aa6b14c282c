"""Lists and details of rows, scoped to the person's practices, in a fixed number of queries.

A serializer class is the shape: its fields' sources become the columns of one values() query, a nested serializer one
more query (`find_<name>(row)` on the viewset answers its rows). No model instances are made. A field with `show(value,
row, view)` has the last word on its value (masking). Writing is each view's own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, cast

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, ListSerializer, Serializer
from rest_framework.viewsets import GenericViewSet

from marb.core.paginator import NEWEST_FIRST, KeyPagination
from marb.core.reads import note_values
from marb.core.schema import RowSchema
from marb.core.sections import Expand, sections
from marb.core.statements import Build

Row = Mapping[str, Any]
Answers = list[dict[str, Any]]


class Shape(NamedTuple):
    """What a serializer class asks for: columns by name, who shows them, and nested shapes."""

    columns: dict[str, str]
    shows: dict[str, Callable[[Any, Row, Any], Any]]
    nested: dict[str, type[Serializer[Any]]]
    singles: frozenset[str]


@cache
def get_shape(serializer_class: type[Serializer[Any]]) -> Shape:
    """Read a serializer class once."""
    fields = serializer_class().fields
    columns: dict[str, str] = {}
    nested: dict[str, type[Serializer[Any]]] = {}
    singles: set[str] = set()
    for name, field in fields.items():
        if isinstance(field, ListSerializer):
            nested[name] = cast(Any, type(field.child))
        elif isinstance(field, BaseSerializer):
            nested[name] = cast(Any, type(field))
            singles.add(name)
        else:
            columns[name] = (field.source or name).replace(".", "__")
    shows = {name: field.show for name, field in fields.items() if hasattr(field, "show")}
    return Shape(columns, shows, nested, frozenset(singles))


def select(queryset: QuerySet[Any, Any], shape: Shape, also: Sequence[str] = ()) -> QuerySet[Any, Any]:
    """Read a shape's columns as dictionaries by source, and the keys: its own, mostly `id`, and the practice's."""
    keys = (queryset.model._meta.pk.attname, "practice_id")
    return queryset.values(*sorted({*shape.columns.values(), *keys, *also}))


class ReadOnlyViewSet(GenericViewSet[Any]):
    """A list and a detail below a person's practices.

    `serializer_class` shapes the list and `detail_class` the detail; `orderings` are the orders that an index serves;
    `kind` is the name under which rooms above add their parts (`expand=`).
    """

    serializer_class: type[Serializer[Any]]
    detail_class: type[Serializer[Any]]
    kind = ""
    orderings: Sequence[str] = NEWEST_FIRST
    parameters: Sequence[str] = ("fields", "expand", *KeyPagination.parameters)
    lookup_value_regex = "[0-9]{1,18}"
    http_method_names: Sequence[str] = ("get", "head", "post", "put", "patch", "delete")
    schema = RowSchema()
    # what a person needs a right for (marb.access.roles); reading needs none
    write_action: str | None = None
    list_actions: Sequence[str] = ("list",)
    action: str

    @property
    def is_detail(self) -> bool:
        return self.action not in self.list_actions

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # a method that the address does not have is a 405, whatever came with it
        if self.action:
            self.check_parameters(request)

    def check_parameters(self, request: Request) -> None:
        """Refuse parameters that nobody reads or that say nothing, and NUL, which PostgreSQL text refuses."""
        known = {*self.parameters, *getattr(getattr(self, "filterset_class", None), "base_filters", ())}
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            raise ValidationError({"request": [f"Unknown parameter. Known: {', '.join(sorted(known))}."]})
        values = [value for _, values in request.query_params.lists() for value in values]
        if not all(values) or any("\x00" in value for value in values):
            raise ValidationError({"request": ["A parameter has a value, and NUL is in none."]})

    def get_queryset(self) -> QuerySet[Any, Any]:
        return super().get_queryset().for_user(self.request.user)  # type: ignore[attr-defined]

    def get_serializer_class(self) -> type[Serializer[Any]]:
        return self.detail_class if self.is_detail and hasattr(self, "detail_class") else self.serializer_class

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer one page of rows, newest first unless `ordering` says otherwise."""
        shape = self.chosen(get_shape(self.serializer_class))
        queryset = self.filter_queryset(self.get_queryset())
        order = request.query_params.get("ordering", self.orderings[0]).removeprefix("-")
        also = [order] if order in {name.removeprefix("-") for name in self.orderings} else []
        page = self.paginate_queryset(select(queryset, shape, also)) or []
        note_values(request, page)
        return self.get_paginated_response(self.with_parts(page, self.show_rows(page, shape)))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer one row with its children."""
        whole = get_shape(self.detail_class)
        shape = self.chosen(whole)
        # children are found by columns that need not be shown
        row = self.get_row(whole)
        shown = self.show_row(row, shape)
        for name, child in shape.nested.items():
            shown[name] = self.show_children(name, child, row, single=name in shape.singles)
        return Response(self.with_parts([row], [shown])[0])

    def get_row(self, shape: Shape) -> dict[str, Any]:
        """Get the addressed row as a dictionary, or raise Http404."""
        part = "" if shape is get_shape(self.detail_class) else None
        own = {"pk": int(self.kwargs["pk"])}
        found = self.read_part(part, lambda values: select(self.get_queryset().filter(pk=values["pk"]), shape), own)
        if not found:
            raise Http404
        note_values(self.request, found)
        return dict(found[0])

    def show_children(self, name: str, child: type[Serializer[Any]], row: Row, *, single: bool) -> Any:
        shape, find = get_shape(child), getattr(self, f"find_{name}")
        shown = self.show_rows(self.read_part(name, lambda values: select(find(values), shape), row), shape)
        return next(iter(shown), None) if single else shown

    def read_part(self, name: str | None, build: Build, values: Row) -> Sequence[Row]:
        """Read what a queryset made from these values gives; `name` is the part's, where it is always the same."""
        return list(build(values))

    def show_rows(self, rows: Iterable[Row], shape: Shape) -> Answers:
        return [self.show_row(row, shape) for row in rows]

    def show_row(self, row: Row, shape: Shape) -> dict[str, Any]:
        shown = {name: row[source] for name, source in shape.columns.items()}
        for name, show in shape.shows.items():
            shown[name] = show(shown[name], row, self)
        return shown

    def chosen(self, shape: Shape) -> Shape:
        """Narrow a shape to `fields=a,b`; a name that it does not have is a 400."""
        text = self.request.query_params.get("fields")
        if text is None:
            return shape
        names = text.split(",")
        if not set(names) <= {*shape.columns, *shape.nested}:
            raise ValidationError({"fields": [f"Of {', '.join([*shape.columns, *shape.nested])}."]})
        columns = {name: shape.columns[name] for name in names if name in shape.columns}
        shows = {name: show for name, show in shape.shows.items() if name in names}
        nested = {name: child for name, child in shape.nested.items() if name in names}
        return Shape(columns, shows, nested, shape.singles)

    def with_parts(self, rows: Sequence[Row], shown: Answers) -> Answers:
        """Add what `expand=a,b` asks for, each part in a fixed number of queries for the whole page."""
        ids = [row["id"] for row in rows]
        for name, find in self.parts().items():
            found = find(ids, self.request.user)
            for row, answer in zip(rows, shown, strict=True):
                answer[name] = found.get(row["id"])
        return shown

    def parts(self) -> dict[str, Expand]:
        """Find who reads the parts that `expand=` names, in its order; a name that is none is a 400."""
        text = self.request.query_params.get("expand")
        if text is None:
            return {}
        known = {section.name: section.expand for section in sections(self.kind) if section.expand}
        if not set(text.split(",")) <= set(known):
            raise ValidationError({"expand": [f"Of {', '.join(known) or 'nothing'}."]})
        return {name: known[name] for name in text.split(",")}

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Cache-Control"] = "private, no-store"
        return response
