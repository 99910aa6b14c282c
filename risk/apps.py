"""Django's entry in the list of apps."""

from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "risk"
    label = "risk"
    verbose_name = "Risk"
