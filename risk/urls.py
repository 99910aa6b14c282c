"""/risk/ of the API."""

from rest_framework.routers import SimpleRouter

from risk.modelapi import RiskModelViewSet

router = SimpleRouter()
router.register("risk/models", RiskModelViewSet, basename="riskmodel")
urlpatterns = router.urls
