"""Django's entry in the list of apps, and the sections that episodes add to pages below."""

from django.apps import AppConfig


class EpisodesConfig(AppConfig):
    name = "episodes"
    label = "episodes"
    verbose_name = "Episodes"

    def ready(self) -> None:
        from episodes import api, sections
        from marb.core.sections import register

        claim, remittance = sections.draw_claim, sections.draw_remittance
        register("claim", "episode", render=claim, expand=api.expand_claims)
        register("remittance", "episode", title="Claim and episode", render=remittance, expand=api.expand_remittances)
