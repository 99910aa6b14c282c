"""/payers/, /plans/ and /providers/ of the API."""

from rest_framework.routers import SimpleRouter

from marb.parties import api

router = SimpleRouter()
router.register("payers", api.PayerViewSet, basename="payer")
router.register("plans", api.PlanViewSet, basename="plan")
router.register("providers", api.ProviderViewSet, basename="provider")
urlpatterns = router.urls
