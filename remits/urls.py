"""/payments/ and /remits/ of the API."""

from rest_framework.routers import SimpleRouter

from remits.api import PaymentViewSet, RemittanceViewSet

router = SimpleRouter()
router.register("payments", PaymentViewSet, basename="payment")
router.register("remits", RemittanceViewSet, basename="remittance")
urlpatterns = router.urls
