"""Django's entry in the list of apps, what risk follows and adds below, and what makes it score again."""

from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "risk"
    label = "risk"
    verbose_name = "Risk"

    def ready(self) -> None:
        from episodes.followers import register as follow
        from marb.core.sections import register
        from risk import expand, hooks, patternsections, sections
        from risk.adjudication import note_links
        from risk.decided import draw_decisions

        follow(note_links)
        hooks.listen()
        register(
            "claim",
            "risk",
            title="Risk of denial",
            render=sections.draw_claim,
            expand=expand.expand_claims,
            depends=("risk_score+",),
        )
        register("claim", "denials", title="Denial patterns", render=patternsections.draw_claim)
        register("payer", "patterns", title="Denial patterns", render=patternsections.draw_payer)
        register("claim", "decision", title="What was decided", render=draw_decisions)
