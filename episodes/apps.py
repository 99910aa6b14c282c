"""Django's entry in the list of apps, and the sections that episodes add to pages below."""

from django.apps import AppConfig


class EpisodesConfig(AppConfig):
    name = "episodes"
    label = "episodes"
    verbose_name = "Episodes"

    def ready(self) -> None:
        from episodes import expand, sections
        from marb.core.sections import register

        register("claim", "episode", render=sections.draw_claim, expand=expand.expand_claims, depends=("episode+",))
        register(
            "remittance",
            "episode",
            title="Claim and episode",
            render=sections.draw_remittance,
            expand=expand.expand_remittances,
            depends=("episode+",),
        )
        register("payment", "episode", title="Holds, takebacks and forwarded balances", render=sections.draw_payment)
