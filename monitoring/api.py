"""/health/: the one page that strangers may read. It says ok, or 503; which part is down is for the log and for
members, who may read /health/detailed/.

Asked of each: PostgreSQL a SELECT, the broker and the cache a PING, with a short time limit.
"""

import logging
import time
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
HEARTBEAT_SECONDS = 60
HEARTBEATS = "dramatiq:__heartbeats__"
SCHEDULER_LOCK = "dramatiq-scheduler"


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


class ComponentSerializer(serializers.Serializer[Any]):
    """One part of the product; `response_time_ms` is how long its answer took."""

    status = serializers.ChoiceField(["ok", "down"])
    response_time_ms = serializers.FloatField()


class HealthDetailSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["healthy", "degraded"])
    components = serializers.DictField(child=ComponentSerializer())


class HealthDetail(APIView):
    """Which parts are up, for members: database, broker, cache, and whether any worker and the scheduler live."""

    @extend_schema(operation_id="health_detailed", responses=HealthDetailSerializer)
    def get(self, request: Request) -> Response:
        found = {name: ask(is_up) for name, is_up in {**PARTS, **CREW}.items()}
        degraded = any(part["status"] == "down" for part in found.values())
        answer = Response({"status": "degraded" if degraded else "healthy", "components": found})
        answer.headers["Cache-Control"] = "no-store"
        return answer


def ask(is_up: Callable[[], bool]) -> dict[str, Any]:
    began = time.monotonic()
    status = "ok" if is_up() else "down"
    return {"status": status, "response_time_ms": round((time.monotonic() - began) * 1000, 2)}


def limits() -> dict[str, Any]:
    return {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}


def are_workers_up() -> bool:
    """Say whether a worker has asked the broker for work in the last minute (Dramatiq's own heartbeats)."""
    since = (time.time() - HEARTBEAT_SECONDS) * 1000
    return asks_broker(lambda client: client.zcount(HEARTBEATS, since, "+inf"))


def is_scheduler_up() -> bool:
    """Say whether a scheduler holds the lock, which ends seconds after its holder."""
    return asks_broker(lambda client: client.exists(SCHEDULER_LOCK))


def asks_broker(call: Callable[[Any], Any]) -> bool:
    try:
        with redis.Redis.from_url(settings.BROKER_URL, **limits()) as client:
            return bool(call(client))
    except redis.RedisError:
        return False


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
    try:
        with redis.Redis.from_url(url, **limits()) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


PARTS: dict[str, Callable[[], bool]] = {"database": is_database_up, "broker": is_broker_up, "cache": is_cache_up}
# without these what is there is shown, and nothing new happens
CREW: dict[str, Callable[[], bool]] = {"workers": are_workers_up, "scheduler": is_scheduler_up}
