"""`manage.py schedule`: the one scheduler. It rings the bells of actors that carry dramatiq_crontab's `cron`.

A lock in the broker keeps a second one waiting. The library looks for `tasks` modules; ours are in `actors`.
"""

import importlib
from typing import Any

from django.apps import apps
from django.conf import settings
from django.utils.module_loading import module_has_submodule
from dramatiq_crontab.management.commands import crontab


class Command(crontab.Command):
    help = __doc__

    def load_tasks(self, options: dict[str, Any]) -> None:
        for app in apps.get_app_configs():
            for name in settings.DRAMATIQ_AUTODISCOVER_MODULES:
                if app.module is not None and module_has_submodule(app.module, name):
                    importlib.import_module(f"{app.name}.{name}")
