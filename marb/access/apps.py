"""Django's entry in the list of apps."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "marb.access"
    label = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        # registers itself with drf-spectacular
        from marb.access import schema  # noqa: F401
