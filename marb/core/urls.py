"""The API's addresses: each app brings its own below /api/v1/."""

from django.urls import URLPattern, URLResolver, include, path

APPS = (
    "marb.access.urls",
    "marb.parties.urls",
    "marb.pipeline.urls",
    "claims.urls",
    "remits.urls",
    "episodes.urls",
    "risk.urls",
    "monitoring.urls",
)

urlpatterns: list[URLPattern | URLResolver] = [path("", include(app)) for app in APPS]
