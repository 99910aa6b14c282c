"""ReDoc's page and script without a word to anybody else: its script would fetch a logo from its makers."""

from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularRedocView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

BUNDLE = "drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
ELSEWHERE = b"https://cdn.redoc.ly/redoc/logo-mini.svg"


class RedocPage(SpectacularRedocView):
    @staticmethod
    def _redoc_standalone() -> str:
        return reverse("redoc-script")


class RedocScript(APIView):
    """The packaged script with our own picture in the place of the one that the browser would refuse."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        answer = HttpResponse(read_script(static("marb/icon.svg")), content_type="text/javascript; charset=utf-8")
        answer.headers["Cache-Control"] = "private, max-age=86400"
        return answer


@lru_cache(maxsize=1)
def read_script(picture: str) -> bytes:
    """Read the script once. Raises FileNotFoundError where the package that holds it is not installed."""
    found = finders.find(BUNDLE)
    if not isinstance(found, str):
        raise FileNotFoundError(BUNDLE)
    return Path(found).read_bytes().replace(ELSEWHERE, picture.encode())
