"""Django's entry in the list of apps."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "marb.core"
    label = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        from marb.core import checks  # noqa: F401  (registers them)
        from marb.core.cache import signals

        signals.connect()
