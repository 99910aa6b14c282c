"""/episodes/ of the API, and /claims/unlinked/, which only this room can answer."""

from typing import Any

from django.urls import path
from rest_framework.routers import SimpleRouter

from episodes.api import EpisodeViewSet, UnlinkedClaimViewSet


def unlinked_as(form: str) -> Any:
    """The view of an export, as a router would make it."""
    name = f"export_{form}"
    return UnlinkedClaimViewSet.as_view({"get": name}, **getattr(UnlinkedClaimViewSet, name).kwargs)


router = SimpleRouter()
router.register("episodes", EpisodeViewSet, basename="episode")
urlpatterns = [
    path("claims/unlinked/", UnlinkedClaimViewSet.as_view({"get": "list"}), name="claim-unlinked"),
    path("claims/unlinked/export/csv/", unlinked_as("csv"), name="claim-unlinked-export-csv"),
    path("claims/unlinked/export/ndjson/", unlinked_as("ndjson"), name="claim-unlinked-export-ndjson"),
    *router.urls,
]
