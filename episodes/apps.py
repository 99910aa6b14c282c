"""Django's entry in the list of apps, and the sections that episodes add to pages below."""

from django.apps import AppConfig


class EpisodesConfig(AppConfig):
    name = "episodes"
    label = "episodes"
    verbose_name = "Episodes"

    def ready(self) -> None:
        from episodes.sections import draw_claim, draw_remittance
        from marb.core.sections import register

        register("claim", "episode", title="Episode", render=draw_claim)
        register("remittance", "episode", title="Claim and episode", render=draw_remittance)
