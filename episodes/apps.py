"""Django's entry in the list of apps."""

from django.apps import AppConfig


class EpisodesConfig(AppConfig):
    name = "episodes"
    label = "episodes"
    verbose_name = "Episodes"
