"""Django's entry in the list of apps."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "marb.core"
    label = "core"
    verbose_name = "Core"
