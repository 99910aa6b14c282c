"""Django's entry in the list of apps."""

from django.apps import AppConfig


class EpisodesConfig(AppConfig):
    name = "episodes"
    label = "episodes"
    verbose_name = "Episodes"

    def ready(self) -> None:
        from episodes import api
        from marb.core.sections import register

        register("claim", "episode", expand=api.expand_claims)
        register("remittance", "episode", expand=api.expand_remittances)
