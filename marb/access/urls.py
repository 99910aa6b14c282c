"""/auth/, /audit/, and the API's own description, for those who are logged in."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from marb.access import api
from marb.access.auditapi import AuditViewSet
from marb.access.pages import RedocPage, RedocScript

router = SimpleRouter()
router.register("audit", AuditViewSet, basename="audit")
urlpatterns = [
    path("auth/login/", api.Login.as_view(), name="auth-login"),
    path("auth/logout/", api.Logout.as_view(), name="auth-logout"),
    path("auth/logoutall/", api.LogoutAll.as_view(), name="auth-logoutall"),
    path("auth/me/", api.Me.as_view(), name="auth-me"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("schema/swagger/", SpectacularSwaggerSplitView.as_view(), name="swagger"),
    path("schema/redoc/", RedocPage.as_view(), name="redoc"),
    path("schema/redoc/script/", RedocScript.as_view(), name="redoc-script"),
    *router.urls,
]
