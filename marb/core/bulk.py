"""Many rows by their ids in one request: `POST <list>/bulk/` with {"ids": [...]}, answered as the list shows them.

Ids of another practice, or of nothing, are named in `missing`, all alike. `get_many` is where a cache may stand.
"""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from marb.core.download import DownloadViewSet
from marb.core.paginator import MOST_ID
from marb.core.parser import StrictParser
from marb.core.reads import note_values
from marb.core.viewsets import get_shape, select

MOST_IDS = 1_000


class WholeNumberField(serializers.IntegerField):
    """A JSON number without a fraction; `"7"`, 7.0 and true are none."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """A JSON text; a number or a truth value is none, NUL is in none. Its length counts the blanks at its ends too."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class IdsSerializer(serializers.Serializer[Any]):
    ids = serializers.ListField(
        child=WholeNumberField(min_value=0, max_value=MOST_ID), min_length=1, max_length=MOST_IDS
    )


class BulkViewSet(DownloadViewSet):
    """A list whose rows can be had by their ids."""

    list_actions = (*DownloadViewSet.list_actions, "bulk")

    @extend_schema(request=IdsSerializer)
    @action(detail=False, methods=["post"], write_action="read", filterset_class=None, parser_classes=[StrictParser])
    def bulk(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer the rows of at most 1000 ids, in their order, and which ids there are none of."""
        serializer = IdsSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        ids = list(dict.fromkeys(serializer.validated_data["ids"]))
        found = self.get_many(ids)
        missing = [number for number in ids if number not in found]
        return Response({"results": list(found.values()), "missing": missing})

    def get_many(self, ids: Sequence[int]) -> dict[int, Any]:
        """Get rows as the list shows them by id, in the order of the ids; those out of reach are left out."""
        shape = self.chosen(get_shape(self.serializer_class))
        found = {row["id"]: row for row in select(self.get_queryset().filter(pk__in=ids), shape)}
        rows = [found[number] for number in ids if number in found]
        note_values(self.request, rows)
        shown = self.with_parts(rows, self.show_rows(rows, shape))
        return {row["id"]: answer for row, answer in zip(rows, shown, strict=True)}
