"""Django's entry in the list of apps, what risk adds to the pages of claims, and what makes it score again."""

from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "risk"
    label = "risk"
    verbose_name = "Risk"

    def ready(self) -> None:
        from marb.core.sections import register
        from risk import expand, hooks, sections

        hooks.listen()
        register(
            "claim",
            "risk",
            title="Risk of denial",
            render=sections.draw_claim,
            expand=expand.expand_claims,
            depends=("risk_score+",),
        )
