"""`manage.py alive web|worker|scheduler`: the health checks of docker-compose.yml. Exit status 0 where it lives.

web: it answers over HTTP on this host. worker: a worker of the broker has given a sign of life within a minute.
scheduler: somebody holds the scheduler's lock.
"""

import time
from typing import Any

import psutil
import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from marb.core.embedded.product import answers

RECENT_SECONDS = 60
HEARTBEATS = "dramatiq:__heartbeats__"
SCHEDULER_LOCK = "dramatiq-scheduler"


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("part", choices=["web", "worker", "scheduler"])
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *, part: str, port: int, **options: Any) -> None:
        with redis.Redis.from_url(settings.BROKER_URL, socket_timeout=5) as broker:
            since = (time.time() - RECENT_SECONDS) * 1000
            found = {
                "web": lambda: answers(port),
                "worker": lambda: broker.zcount(HEARTBEATS, since, "+inf") and is_process("dramatiq"),
                "scheduler": lambda: broker.exists(SCHEDULER_LOCK),
            }[part]()
        if not found:
            raise CommandError(f"No {part} is alive.")


def is_process(name: str) -> bool:
    """Tell whether a process that we see runs a program of that name: in a container, the worker itself."""
    return any(name in word for found in psutil.process_iter(["cmdline"]) for word in (found.info["cmdline"] or [])[:2])
