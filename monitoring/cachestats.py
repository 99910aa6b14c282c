"""/cache/stats/: how often the cache was met, by kind and by key, of all processes; and starting to count anew.

Rates are percentages beside the ones that are expected (founding document 001). Counts by kind are for every member;
single keys name rows of any practice, so they, the server's own figures (INFO) and the reset are a superuser's.
"""

import re
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from marb.access.roles import Action, is_superuser
from marb.core.cache import statistics

KEY_FORM = "^[!-~]{1,200}$"
KEY = OpenApiParameter(
    "key", {"type": "string", "pattern": KEY_FORM}, description="One key, such as `claim:17`; a superuser's."
)
COUNTS: dict[str, Any] = {
    "hits": serializers.IntegerField(),
    "misses": serializers.IntegerField(),
    "total": serializers.IntegerField(),
    "hit_rate": serializers.FloatField(help_text="Percent."),
}
TALLY = inline_serializer("Tally", COUNTS)
EXPECTED = inline_serializer("ExpectedTally", COUNTS | {"target": serializers.FloatField(help_text="Percent.")})
STATISTICS = inline_serializer(
    "CacheStatistics",
    {
        "overall": EXPECTED,
        "by_kind": serializers.DictField(child=EXPECTED),
        "by_key": serializers.DictField(child=TALLY, required=False),
        "server": serializers.DictField(required=False),
        "key": serializers.CharField(required=False),
    },
)


def read_query(request: Request, known: set[str]) -> str | None:
    """Get `key`, checked; anything else that is sent is refused."""
    if not set(request.query_params) <= known:
        raise ValidationError({"request": [f"Unknown parameter. Known: {', '.join(sorted(known)) or 'none'}."]})
    key = request.query_params.get("key")
    if key is not None and not re.fullmatch(KEY_FORM, key):
        raise ValidationError({"key": ["A key such as claim:17."]})
    if key is not None and not is_superuser(request.user):
        raise PermissionDenied
    return key


class CacheStats(APIView):
    @extend_schema(operation_id="cache_stats", parameters=[KEY], responses=STATISTICS)
    def get(self, request: Request) -> Response:
        """Answer hits and misses: overall and by kind; for a superuser the busiest keys and the server's own too."""
        key = read_query(request, {"key"})
        if key is not None:
            return Response({"key": key} | statistics.read_key(key))
        kinds = statistics.read_kinds()
        shown: dict[str, Any] = {"overall": statistics.read_overall(kinds), "by_kind": kinds}
        if is_superuser(request.user):
            shown |= {"by_key": statistics.read_keys(), "server": statistics.read_server()}
        return Response(shown)


class CacheStatsReset(APIView):
    write_action = Action.MANAGE_MEMBERS

    @extend_schema(operation_id="cache_stats_reset", parameters=[KEY], request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Start to count anew, one key or all."""
        if not is_superuser(request.user):
            raise PermissionDenied
        statistics.reset(read_query(request, {"key"}))
        return Response(status=204)
