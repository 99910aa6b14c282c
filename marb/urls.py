"""The addresses of the whole: the admin at /, the API below /api/v1/, Prometheus's page, silk where it is on."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from marb.core.errors import unknown_address

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("marb.core.urls")),
    re_path("^api/", unknown_address, name="unknown"),
    path("metrics", include("monitoring.prometheus.page")),
]
if settings.SILK:
    urlpatterns.append(path("silk/", include("silk.urls", namespace="silk")))
urlpatterns.append(path("", admin.site.urls))

handler400 = "marb.core.errors.bad_request"
handler403 = "marb.core.errors.permission_denied"
handler404 = "marb.core.errors.page_not_found"
handler500 = "marb.core.errors.server_error"
