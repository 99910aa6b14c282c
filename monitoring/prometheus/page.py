"""/metrics: what every process measured, for Prometheus; for nobody else.

METRICS_TOKEN is asked for as `Authorization: Bearer ...`, METRICS_ADDRESSES are the networks that may ask; where both
are given both must hold, and where neither is, there is no such page. Without PostgreSQL it answers marb_database_up 0.
"""

import hmac
import ipaddress
from collections.abc import Iterator

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from marb.access.origin import address_of
from monitoring.prometheus.families import collect

PATIENCE_MS = 5_000


class Tables(Collector):
    """Every family, or that PostgreSQL is away."""

    def __init__(self, families: list[Metric]):
        self.families = families

    def collect(self) -> Iterator[Metric]:
        yield from self.families


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    if not (settings.METRICS_TOKEN or settings.METRICS_ADDRESSES) or not is_near(request):
        raise Http404
    if not has_token(request):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer", "Cache-Control": "no-store"})
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Tables(read()))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type, headers={"Cache-Control": "no-store"})


def read() -> list[Metric]:
    """Read the tables at one point in time, with a time limit."""
    up = GaugeMetricFamily("marb_database_up", "Whether PostgreSQL answered.")
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
            found = list(collect())
    except DatabaseError:
        up.add_metric([], 0)
        return [up]
    up.add_metric([], 1)
    return [up, *found]


def is_near(request: HttpRequest) -> bool:
    """Say whether a request comes from a network that may ask."""
    if not settings.METRICS_ADDRESSES:
        return True
    try:
        address = ipaddress.ip_address(address_of(request))
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(network, strict=False) for network in settings.METRICS_ADDRESSES)


def has_token(request: HttpRequest) -> bool:
    """Say whether a request shows the token, where one is asked for."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if not settings.METRICS_TOKEN:
        return True
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), settings.METRICS_TOKEN.encode())


urlpatterns = [path("", metrics, name="metrics")]
