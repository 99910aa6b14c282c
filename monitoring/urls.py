"""/health/ of the API."""

from django.urls import path

from monitoring.api import Health, HealthDetail

urlpatterns = [
    path("health/", Health.as_view(), name="health"),
    path("health/detailed/", HealthDetail.as_view(), name="health-detailed"),
]
