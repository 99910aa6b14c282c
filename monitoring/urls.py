"""/health/ of the API."""

from django.urls import path

from monitoring.api import Health

urlpatterns = [path("health/", Health.as_view(), name="health")]
