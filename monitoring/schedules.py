"""What runs on schedule: dramatiq-crontab's own list, kept as rows with their last run, and run at once on demand.

The list is complete once the apps' actors are loaded, which `load` does. The last run is written by monitoring.sink
from what the workers measured.
"""

from importlib import import_module
from importlib.util import find_spec

import dramatiq
from django.apps import apps
from dramatiq_crontab import scheduler

from monitoring.models import ScheduledJob


class Unknown(Exception):
    """There is no scheduled actor of this name."""


def load() -> None:
    """Import every app's actors, so that their schedules are known to this process."""
    for app in apps.get_app_configs():
        if find_spec(f"{app.name}.actors"):
            import_module(f"{app.name}.actors")


def known() -> dict[str, str]:
    """Get the schedules that this process knows: actor name to trigger, such as "interval[0:00:10]"."""
    return {job.name: str(job.trigger) for job in scheduler.get_jobs()}


def keep() -> int:
    """Write what is known as rows; rows of actors that are scheduled no more are deleted. Answers how many remain."""
    load()
    actors = dramatiq.get_broker().actors
    found = {name: text for name, text in known().items() if name in actors}
    rows = [
        ScheduledJob(name=name[:100], queue=actors[name].queue_name, schedule=text[:100])
        for name, text in found.items()
    ]
    told = ("queue", "schedule")
    ScheduledJob.objects.bulk_create(rows, update_conflicts=True, unique_fields=("name",), update_fields=told)
    ScheduledJob.objects.exclude(name__in=found).delete()
    return len(found)


def run_now(name: str) -> None:
    """Send a scheduled actor's message at once. Raises Unknown."""
    load()
    broker = dramatiq.get_broker()
    if name not in known() or name not in broker.actors:
        raise Unknown(name)
    broker.enqueue(broker.actors[name].message())
