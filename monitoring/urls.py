"""/health/ and /cache/stats/ of the API."""

from django.urls import path

from monitoring.api import Health, HealthDetail
from monitoring.cachestats import CacheStats, CacheStatsReset

urlpatterns = [
    path("health/", Health.as_view(), name="health"),
    path("health/detailed/", HealthDetail.as_view(), name="health-detailed"),
    path("cache/stats/", CacheStats.as_view(), name="cache-stats"),
    path("cache/stats/reset/", CacheStatsReset.as_view(), name="cache-stats-reset"),
]
