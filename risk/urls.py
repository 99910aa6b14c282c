"""/risk/ and /patterns/ of the API."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from risk.api import RiskViewSet
from risk.modelapi import RiskModelViewSet
from risk.patternapi import PatternViewSet, PayerPatternViewSet, SearchViewSet

NUMBER = r"(?P<pk>[0-9]{1,18})"
router = SimpleRouter()
router.register("risk/models", RiskModelViewSet, basename="riskmodel")
router.register("risk", RiskViewSet, basename="risk")
router.register("patterns", PatternViewSet, basename="pattern")
urlpatterns = [
    re_path(rf"^patterns/detect/{NUMBER}/$", SearchViewSet.as_view({"post": "detect"}), name="payer-detect"),
    re_path(rf"^patterns/payer/{NUMBER}/$", PayerPatternViewSet.as_view({"get": "list"}), name="payer-patterns"),
    re_path(r"^patterns/detect-all/$", SearchViewSet.as_view({"post": "detect_all"}), name="pattern-detect-all"),
    re_path(rf"^patterns/analyze-claim/{NUMBER}/$", SearchViewSet.as_view({"post": "analyze"}), name="claim-analyze"),
    *router.urls,
]
