"""Django's entry in the list of apps, and what risk follows and adds below."""

from django.apps import AppConfig


class RiskConfig(AppConfig):
    name = "risk"
    label = "risk"
    verbose_name = "Risk"

    def ready(self) -> None:
        from episodes.followers import register as follow
        from marb.core.sections import register
        from risk.adjudication import note_links
        from risk.decided import draw_decisions

        follow(note_links)
        register("claim", "decision", title="What was decided", render=draw_decisions)
