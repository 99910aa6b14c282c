"""/files/ and /uploads/ of the API."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from marb.core.renderer import EventRenderer, OrjsonRenderer
from marb.pipeline.api import FileViewSet
from marb.pipeline.parts import UploadViewSet

router = SimpleRouter()
router.register("files", FileViewSet, basename="file")
router.register("uploads", UploadViewSet, basename="upload")
live = FileViewSet.as_view({"get": "live"}, parameters=(), renderer_classes=[EventRenderer, OrjsonRenderer])
urlpatterns = [path("files/events/", live, name="live"), *router.urls]
