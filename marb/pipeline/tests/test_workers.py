"""Real Dramatiq worker processes on a real broker: files come to their end, also when a worker is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.core.management import call_command

from marb.pipeline import actors
from marb.pipeline.models import FINISHED, Chunk, EdiFile, Finding
from marb.pipeline.tests.edi import claim_file

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.workers,
    pytest.mark.usefixtures("own_process"),
]
PATIENCE_SECONDS = 180


@pytest.fixture
def start_workers() -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "rundramatiq", "--processes", "1", "--threads", "2"]
        workers = subprocess.Popen(command, cwd=settings.BASE_DIR, start_new_session=True)
        started.append(workers)
        return workers

    yield start
    for workers in started:
        kill(workers)


def kill(workers: subprocess.Popen[bytes]) -> None:
    """End the whole group of a worker at once, as a power cut would."""
    if workers.poll() is None:
        os.killpg(workers.pid, signal.SIGKILL)
    workers.wait()


def wait_for(found: Callable[[], bool], step: Callable[[], object] = lambda: None) -> None:
    """Wait until something holds; `step` is what a clock would do meanwhile."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not found():
        step()
        assert time.monotonic() < until, "the workers took too long"
        time.sleep(0.1)


def is_finished(file_id: int) -> bool:
    return EdiFile.objects.filter(pk=file_id, status__in=FINISHED).exists()


def test_workers_carry_a_file_to_its_end(start_workers, tmp_path, practice, capsys):
    start_workers()
    (tmp_path / "a.837").write_bytes(claim_file(["1", "bad"], ["2", "3"], ["4"]))
    call_command("ingest", str(tmp_path), "--queue")
    assert "4 claims, charges 10.00" in capsys.readouterr().out
    file = EdiFile.objects.get()
    assert (file.status, file.claim_count, file.claims_quarantined, file.chunks_done) == ("partial", 4, 1, 3)


def test_a_worker_above_its_memory_limit_starts_anew_and_loses_nothing(start_workers, tmp_path, practice, monkeypatch):
    """Every process is above one megabyte: SIGHUP after its first message, and the parent stays."""
    monkeypatch.setenv("WORKER_MEMORY_MB", "1")
    parent = psutil.Process(start_workers().pid)
    first = children_of(parent)
    for number in range(3):
        path = tmp_path / f"{number}.837"
        path.write_bytes(claim_file([str(number + 1)]))
        call_command("ingest", str(path), "--queue")
        first = wait_for_others(parent, first)
    assert set(EdiFile.objects.values_list("status", "claim_count")) == {("accepted", 1)}
    assert parent.is_running()


def children_of(parent: psutil.Process) -> set[psutil.Process]:
    """The worker processes, once there are any."""
    wait_for(lambda: bool(parent.children()))
    return set(parent.children())


def wait_for_others(parent: psutil.Process, first: set[psutil.Process]) -> set[psutil.Process]:
    wait_for(lambda: not first & children_of(parent))
    return children_of(parent)


def test_a_worker_killed_in_a_chunk_costs_nothing_but_the_lease(start_workers, put, tmp_path, monkeypatch):
    mark = tmp_path / "stalled"
    monkeypatch.setenv("BELT_STALL", str(mark))
    monkeypatch.setenv("CHUNK_LEASE_SECONDS", "2")
    file_id = put(claim_file(["1", "2"], ["3"]))
    first = start_workers()
    actors.ring_file(file_id)
    wait_for(mark.exists)
    kill(first)
    start_workers()
    wait_for(lambda: is_finished(file_id), actors.reap.fn)
    file = EdiFile.objects.get(pk=file_id)
    assert (file.status, file.claim_count, str(file.charge_amount)) == ("accepted", 3, "6.00")
    assert Finding.objects.filter(file_id=file_id).count() == 3
    assert Chunk.objects.get(pk=int(Path(mark).read_text())).attempts >= 2
