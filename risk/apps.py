"""Django's entry in the list of apps, and what risk follows and adds below."""

from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "risk"
    label = "risk"
    verbose_name = "Risk"

    def ready(self) -> None:
        from episodes.followers import register as follow
        from risk.adjudication import note_links

        follow(note_links)
