"""A worker process: its pool is warm and countable, and one that grew too large asks for a fresh start, once."""

import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from marb.core import pool, worker
from marb.core.worker import MemoryLimit

NOTHING: Any = None


@pytest.fixture
def signals(monkeypatch) -> list[tuple[int, int]]:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda process, number: sent.append((process, number)))
    monkeypatch.setattr(worker, "JITTER_SECONDS", 0)
    return sent


@pytest.fixture
def limit() -> MemoryLimit:
    limit = MemoryLimit()
    limit.after_worker_boot(NOTHING, NOTHING)
    return limit


def test_a_worker_above_its_limit_asks_its_parent_once(limit, signals, settings):
    settings.WORKER_MEMORY_MB = 1
    limit.after_process_message(NOTHING, NOTHING)
    limit.after_process_message(NOTHING, NOTHING)
    assert limit.has_asked.is_set()
    limit.timer.join(60)
    assert signals == [(os.getppid(), signal.SIGHUP)]


def test_a_worker_below_its_limit_goes_on(limit, signals, settings):
    settings.WORKER_MEMORY_MB = 100_000
    limit.after_process_message(NOTHING, NOTHING)
    assert not limit.has_asked.is_set()
    assert signals == []


def test_a_process_that_is_no_worker_asks_nobody(signals, settings):
    settings.WORKER_MEMORY_MB = 1
    limit = MemoryLimit()
    limit.after_process_message(NOTHING, NOTHING)
    assert not limit.has_asked.is_set()


HANGING = """
import django
django.setup()
from types import SimpleNamespace
from django.conf import settings
from marb.core.worker import HardLimit
limit, brief, long = HardLimit(), SimpleNamespace(message_id="a"), SimpleNamespace(message_id="b")
limit.before_process_message(None, brief)
settings.HARD_LIMIT_SECONDS = 0.1
limit.before_process_message(None, long)
limit.after_process_message(None, {ended})
{then}
"""


@pytest.mark.parametrize(
    ("ended", "then", "status"),
    # a sum in C that no signal and no other thread of Python interrupts
    [("brief", "sum(range(10**12))", 1), ("long", "import time; time.sleep(0.5)", 0)],
)
def test_a_message_that_outlasts_the_hard_limit_ends_its_process(ended, then, status):
    program = HANGING.format(ended=ended, then=then)
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "marb.settings"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=django_settings.BASE_DIR, env=environ, capture_output=True, check=False
    )
    assert done.returncode == status
    assert (b"Timeout" in done.stderr) == bool(status)


@pytest.mark.django_db
def test_the_pool_is_warmed_and_tells_its_use():
    pool.warm()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    counted = pool.statistics()["default"]
    assert counted["pool_size"] >= 1
    assert counted["pool_max"] == 8
    assert counted["requests_num"] >= 1
