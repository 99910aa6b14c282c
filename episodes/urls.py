"""/episodes/ of the API, and /claims/unlinked/, which only this room can answer."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from episodes.api import EpisodeViewSet, UnlinkedClaimViewSet

router = SimpleRouter()
router.register("episodes", EpisodeViewSet, basename="episode")
urlpatterns = [
    path("claims/unlinked/", UnlinkedClaimViewSet.as_view({"get": "list"}), name="claim-unlinked"),
    *router.urls,
]
