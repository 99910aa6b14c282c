"""Django's entry in the list of apps, and the sections that episodes add to pages below."""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed
from django.db.models.signals import post_migrate, post_save


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
        post_save.connect(follow_payer, "parties.Payer", dispatch_uid="denial deadlines")
        post_migrate.connect(keep_seeds, self, dispatch_uid="denial reasons")


def keep_seeds(sender: Any, apps: Any = installed, **kwargs: Any) -> None:
    """Plant the shipped meanings of adjustments where a flush, which names no apps, has taken them all."""
    from episodes.seeds import plant

    plant(apps, None)


def follow_payer(sender: Any, instance: Any, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """Reckon deadlines anew after a payer's days were changed; a payer that is new has no denials."""
    from episodes.worklist import redate_items

    if not created and not raw:
        redate_items(instance)
