"""The addresses of the whole: the admin at /, the API below /api/v1/."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("marb.core.urls")),
    path("", admin.site.urls),
]
