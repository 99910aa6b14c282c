"""Django's entry in the list of apps."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "marb.core"
    label = "core"
    verbose_name = "Core"

    def ready(self) -> None:
        from django.conf import settings
        from django.db.backends.signals import connection_created

        from marb.core import checks  # noqa: F401  (registers them)
        from marb.core.cache import signals
        from marb.core.measure import statements

        signals.connect()
        if settings.MONITORING:
            connection_created.connect(statements.watch, dispatch_uid="marb.core.measure")
