"""/files/ of the API."""

from rest_framework.routers import SimpleRouter

from marb.pipeline.api import FileViewSet

router = SimpleRouter()
router.register("files", FileViewSet, basename="file")
urlpatterns = router.urls
