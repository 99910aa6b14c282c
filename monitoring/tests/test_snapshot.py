"""The snapshot: what belongs to no process is sampled; a part that is away is left out and named."""

import dramatiq
import pytest
from django.conf import settings as project
from django.db import OperationalError

from marb.core.measure import gauges, memory, process
from marb.core.measure.ledger import Ledger
from monitoring import snapshot

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ledger(monkeypatch) -> Ledger:
    fresh = Ledger("worker")
    monkeypatch.setattr(process.HELD, "ledger", fresh)
    return fresh


def sampled(ledger: Ledger) -> dict[tuple[str, str], float]:
    return {(sample.name, sample.label): sample.last for sample in ledger.take().samples}


def test_every_part_is_sampled(ledger):
    assert snapshot.take() == []
    names = {name for name, _ in sampled(ledger)}
    assert names >= {
        *("queue_ready", "queue_running", "queue_delayed", "queue_oldest_seconds", "broker_memory_mb"),
        *("server_hits", "server_misses", "server_evictions", "server_expired", "cache_memory_mb"),
        *("database_connections", "database_connections_percent", "database_mb"),
        *("files_unfinished", "stalled_seconds", "dead_letters", "workers_alive"),
    }


def test_the_depth_of_a_queue_is_counted_by_message(ledger):
    broker: object = dramatiq.get_broker()
    queue = snapshot.Queue(broker.client, broker.namespace, "counted")  # type: ignore[attr-defined]
    try:
        for number in range(3):
            queue.client.hset(f"{queue.key}.msgs", f"m{number}", b"no message")
            queue.client.rpush(queue.key, f"m{number}")
        queue.client.lpop(queue.key)
        queue.sample()
    finally:
        queue.client.delete(queue.key, f"{queue.key}.msgs")
    found = sampled(ledger)
    assert (found["queue_ready", "counted"], found["queue_running", "counted"]) == (2, 1)
    assert found["queue_oldest_seconds", "counted"] == 0


def test_the_products_own_counts_are_sampled_by_kind(ledger, settings):
    settings.CACHE_COUNTS = "monitoring.tests.test_snapshot.counts"
    snapshot.sample_cache()
    found = sampled(ledger)
    assert (found["cache_hits", "claim"], found["cache_misses", "claim"]) == (9, 1)


def counts() -> dict[str, dict[str, int]]:
    return {"claim": {"hits": 9, "misses": 1}}


def test_a_broker_and_a_cache_that_are_away_are_named_and_the_rest_is_sampled(ledger, settings):
    nowhere = "redis://127.0.0.1:1/0"
    settings.BROKER_URL = nowhere
    settings.CACHES = {"default": {**project.CACHES["default"], "LOCATION": nowhere}}
    assert snapshot.take() == ["queues", "cache"]
    assert ("database_mb", "") in sampled(ledger)


def test_a_database_that_is_away_is_named_and_the_rest_is_sampled(ledger, monkeypatch):
    def away():
        raise OperationalError

    monkeypatch.setattr(snapshot, "connection", type("Away", (), {"cursor": staticmethod(away)}))
    assert snapshot.take() == ["database", "belt"]
    assert ("cache_memory_mb", "") in sampled(ledger)


@pytest.mark.parametrize("fault", ["missing", "raising"])
def test_without_psutil_the_other_gauges_are_sampled(ledger, monkeypatch, fault):
    monkeypatch.setattr(memory.Said, "words", set())
    if fault == "missing":
        monkeypatch.setattr(gauges, "psutil", None)
    else:
        monkeypatch.setattr(gauges.psutil, "virtual_memory", broken)
    gauges.sample(gauges.meters([]))
    names = {name for name, _ in sampled(ledger)}
    assert names >= {"disk_percent", "load_average"}
    assert "memory_percent" not in names


def broken() -> None:
    raise OSError("no /proc")
