"""/risk/ of the API."""

from rest_framework.routers import SimpleRouter

from risk.api import RiskViewSet

router = SimpleRouter()
router.register("risk", RiskViewSet, basename="risk")
urlpatterns = router.urls
