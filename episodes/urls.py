"""/episodes/ of the API, and what only this room can answer of claims and remittances: unlinked ones, and links."""

from typing import Any

from django.urls import URLPattern, path, re_path
from rest_framework.routers import SimpleRouter

from episodes.api import EpisodeViewSet, UnlinkedClaimViewSet
from episodes.denialapi import DenialViewSet
from episodes.holdapi import HoldViewSet
from episodes.kpiapi import Kpis
from episodes.linkapi import LinkViewSet, UnlinkedRemittanceViewSet
from episodes.underpaidapi import UnderpaidViewSet

NUMBER = r"(?P<pk>[0-9]{1,18})"


def unlinked(place: str, name: str, view: Any) -> list[URLPattern]:
    """The list of a kind's unlinked rows and its exports, as a router would make them."""
    exports = [(form, f"export_{form}") for form in ("csv", "ndjson")]
    return [
        path(f"{place}/unlinked/", view.as_view({"get": "list"}), name=f"{name}-unlinked"),
        *(
            path(
                f"{place}/unlinked/export/{form}/",
                view.as_view({"get": action}, **getattr(view, action).kwargs),
                name=f"{name}-unlinked-export-{form}",
            )
            for form, action in exports
        ),
    ]


def linking(word: str, method: str, action: str) -> URLPattern:
    view = LinkViewSet.as_view({method: action})
    return re_path(rf"^remits/{NUMBER}/{word}/$", view, name=f"remittance-{word}")


router = SimpleRouter()
router.register("episodes", EpisodeViewSet, basename="episode")
router.register("denials", DenialViewSet, basename="denial")
router.register("underpayments", UnderpaidViewSet, basename="underpaid")
router.register("holds", HoldViewSet, basename="hold")
urlpatterns = [
    path("kpis/", Kpis.as_view(), name="kpis"),
    *unlinked("claims", "claim", UnlinkedClaimViewSet),
    *unlinked("remits", "remittance", UnlinkedRemittanceViewSet),
    linking("candidates", "get", "candidates"),
    linking("link-changes", "get", "changes"),
    linking("link", "post", "link"),
    linking("unlink", "post", "unlink"),
    linking("release", "post", "release"),
    re_path(rf"^episodes/{NUMBER}/link/$", LinkViewSet.as_view({"post": "link_episode"}), name="episode-link"),
    *router.urls,
]
