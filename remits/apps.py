"""Django's entry in the list of apps."""

from django.apps import AppConfig


class RemitsConfig(AppConfig):
    name = "remits"
    label = "remits"
    verbose_name = "Remittances"
