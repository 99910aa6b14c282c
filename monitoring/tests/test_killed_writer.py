"""A writer that is killed between its commit and the new stamps: nobody is answered what stood before it."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django_redis import get_redis_connection

from marb.access.models import Practice
from marb.core.cache.keys import Namespace
from marb.core.cache.scripts import PENDING_BYTE, PENDING_SECONDS
from marb.parties.models import Payer
from marb.parties.tests.rows import create_payer
from monitoring.tests.test_audit_stop import database_url

KILLED = 9
SECONDS = 120
# what would make the new stamps ends the process as SIGKILL does: at once, and nothing of Python runs any more
CHILD = """
import os, sys
import django
django.setup()
from marb.core.cache import keys, stamps
from marb.parties.models import Payer
keys.Namespace.prefix = sys.argv[1]
stamps.settle = lambda *_: os._exit(9)
Payer.objects.filter(pk=int(sys.argv[2])).update(name="after")
"""


def write_and_die(payer: Payer) -> int:
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "marb.settings", "DATABASE_URL": database_url()}
    environ["CACHE_URL"] = str(settings.CACHES["default"]["LOCATION"])
    argv = [sys.executable, "-c", CHILD, Namespace.prefix, str(payer.pk)]
    return subprocess.run(argv, cwd=settings.BASE_DIR, env=environ, timeout=SECONDS, check=False).returncode


def pending(client: Any) -> list[bytes]:
    """Find the stamps that are marked."""
    names = list(client.scan_iter(f"{Namespace.prefix}:stamp:*", count=1_000))
    return [name for name in names if client.get(name).startswith(PENDING_BYTE)]


@pytest.mark.django_db(transaction=True)
def test_nobody_reads_what_stood_before_a_writer_that_died(client: Client, biller: Any, practice: Practice) -> None:
    payer = create_payer(practice, "P1", name="before")
    client.force_login(biller)
    path, cache = f"/api/v1/payers/{payer.pk}/", get_redis_connection("default")
    for _ in range(2):
        assert client.get(path).json()["name"] == "before"
    assert list(cache.scan_iter(f"{Namespace.prefix}:payer:{payer.pk}:*", count=1_000))
    assert write_and_die(payer) == KILLED
    assert Payer.objects.get().name == "after"
    marked = pending(cache)
    assert marked
    assert all(0 < cache.ttl(name) <= PENDING_SECONDS for name in marked)
    assert [client.get(path).json()["name"] for _ in range(2)] == ["after", "after"]
    # as when their time is over
    cache.delete(*marked)
    assert [client.get(path).json()["name"] for _ in range(2)] == ["after", "after"]
    assert client.get("/api/v1/payers/").json()["results"][0]["name"] == "after"
