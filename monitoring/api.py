"""/health/: the one page that strangers may read. It says ok, or 503; which part is down is for the log.

Asked of each: PostgreSQL a SELECT, the broker and the cache a PING, with a short time limit.
"""

import logging
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

log = logging.getLogger(__name__)
PATIENCE_SECONDS = 1.0


class Health(APIView):
    """Whether the product can work now."""

    authentication_classes: tuple[Any, ...] = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="health",
        responses=inline_serializer("Health", {"status": serializers.ChoiceField(["ok", "down"])}),
    )
    def get(self, request: Request) -> Response:
        down = [name for name, is_up in PARTS.items() if not is_up()]
        if down:
            log.error("health: %s down", ", ".join(down))
        answer = Response({"status": "down" if down else "ok"}, status=503 if down else 200)
        answer.headers["Cache-Control"] = "no-store"
        return answer


def is_database_up() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def is_broker_up() -> bool:
    return answers_ping(settings.BROKER_URL)


def is_cache_up() -> bool:
    return answers_ping(str(settings.CACHES["default"]["LOCATION"]))


def answers_ping(url: str) -> bool:
    limits = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    try:
        with redis.Redis.from_url(url, **limits) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


PARTS: dict[str, Callable[[], bool]] = {"database": is_database_up, "broker": is_broker_up, "cache": is_cache_up}
