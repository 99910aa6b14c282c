"""Django's entry in the list of apps."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    name = "monitoring"
    label = "monitoring"
    verbose_name = "Monitoring"

    def ready(self) -> None:
        from marb.core.sections import register
        from monitoring.room.banner import show_banner

        register("every page", "alerts", render=show_banner)
