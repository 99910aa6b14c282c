"""`manage.py makemigrations`: Django's, without the connection pool.

It looks at the database only to compare histories and goes on without one; a pool would first try for ten seconds.
"""

from typing import Any

from django.core.management.commands import makemigrations
from django.db import connections


class Command(makemigrations.Command):
    def handle(self, *app_labels: str, **options: Any) -> None:
        for connection in connections.all():
            connection.settings_dict["OPTIONS"].pop("pool", None)
        super().handle(*app_labels, **options)
