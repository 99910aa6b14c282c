"""Django's entry in the list of apps."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "marb.access"
    label = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from marb.access import exports, lockout, reader, schema, sessions, tokens  # noqa: F401  (schema registers itself)
        from marb.core.export import exported

        reader.watch()
        user_logged_in.connect(sessions.begin, dispatch_uid="session-begin")
        user_logged_in.connect(lockout.forgive, dispatch_uid="login-forgive")
        tokens.watch()
        exported.connect(exports.record, dispatch_uid="export-record")
