"""Django's entry in the list of apps."""

from django.apps import AppConfig


class PartiesConfig(AppConfig):
    name = "marb.parties"
    label = "parties"
    verbose_name = "Payers and providers"
