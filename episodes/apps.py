"""Django's entry in the list of apps."""

from django.apps import AppConfig


class EpisodesConfig(AppConfig):
    name = "episodes"
    label = "episodes"
    verbose_name = "Episodes"

    def ready(self) -> None:
        from episodes import expand
        from marb.core.sections import register

        register("claim", "episode", expand=expand.expand_claims)
        register("remittance", "episode", expand=expand.expand_remittances)
