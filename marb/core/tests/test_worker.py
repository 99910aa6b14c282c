"""A worker process: its pool is warm and countable, and one that grew too large asks for a fresh start, once."""

import os
import signal
from typing import Any

import pytest
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


@pytest.mark.django_db
def test_the_pool_is_warmed_and_tells_its_use():
    pool.warm()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    counted = pool.statistics()["default"]
    assert counted["pool_size"] >= 1
    assert counted["pool_max"] == 8
    assert counted["requests_num"] >= 1
