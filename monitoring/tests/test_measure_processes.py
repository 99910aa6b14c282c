"""Real processes: a clean stop loses nothing, a kill at most one flush, a fork begins anew, a fault breaks nothing."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Sum

from claims.models import Claim
from marb.pipeline.models import Chunk
from monitoring.bench.files import write_pair
from monitoring.models import Checkpoint, Process, Sample, Timing
from remits.models import Remittance

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.workers]
PATIENCE_SECONDS = 120
# says how many it has done, and goes on until it is told to stop
WORK = """
import django, sys, time
django.setup()
from marb.core import measure
measure.start("ingest")
print("started", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        measure.record("call", "work", 0.001)
    print("done", flush=True)
"""
FORK = """
import django, os
django.setup()
from marb.core import measure
measure.start("ingest")
measure.record("call", "parent", 0.001)
if os.fork() == 0:
    measure.start("worker")
    measure.record("call", "child", 0.001)
    measure.stop()
    os._exit(0)
os.wait()
"""
SPAWN = """
import django, multiprocessing
django.setup()

def work():
    from marb.core import measure
    measure.start("ingest")
    measure.record("call", "spawned", 0.001)

if __name__ == "__main__":
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
"""


@pytest.fixture
def environ(monkeypatch) -> dict[str, str]:
    base = os.environ["DATABASE_URL"].rpartition("/")[0]
    url = f"{base}/{connection.settings_dict['NAME']}"
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "marb.settings", "MEASURE_SECONDS": "0.1"}


class Worker:
    """A process that does as many pieces of work as it is told."""

    def __init__(self, environ: dict[str, str]):
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([sys.executable, "-c", WORK], env=environ, cwd=settings.BASE_DIR, **pipes)
        self.hear("started")

    def hear(self, word: str) -> None:
        assert self.process.stdout
        assert self.process.stdout.readline().strip() == word

    def do(self, number: int) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()
        self.hear("done")

    def end(self, number: int | None) -> int:
        """End it by a signal, or by the end of its orders; answers its exit code."""
        if number is not None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE_SECONDS)
        # closes the pipes and waits
        with self.process:
            pass
        return self.process.returncode


def run(text: str, environ: dict[str, str], folder: Path) -> None:
    script = folder / "script.py"
    script.write_text(text)
    given = {**environ, "PYTHONPATH": str(settings.BASE_DIR)}
    subprocess.run(
        [sys.executable, str(script)], env=given, cwd=settings.BASE_DIR, check=True, timeout=PATIENCE_SECONDS
    )


def wait_for(found: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not found():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.05)


def done(name: str = "work") -> int:
    return sum(Timing.objects.filter(kind="call", name=name).values_list("count", flat=True))


@pytest.mark.parametrize("number", [None, signal.SIGTERM], ids=["end", "SIGTERM"])
def test_a_clean_stop_loses_nothing(number, environ):
    # longer than the test: all there is, is the last flush
    worker = Worker({**environ, "MEASURE_SECONDS": "600"})
    worker.do(1_234)
    worker.do(766)
    assert done() == 0
    # a SIGTERM that nobody else handles still ends it as a SIGTERM
    assert worker.end(number) == (0 if number is None else -signal.SIGTERM)
    assert done() == 2_000
    assert Process.objects.get().stopped_at is not None


def test_a_kill_loses_what_was_not_handed_on_and_no_more(environ):
    worker = Worker(environ)
    worker.do(500)
    wait_for(lambda: done() == 500)
    worker.end(signal.SIGKILL)
    assert done() == 500
    assert Process.objects.get().stopped_at is None


def test_several_processes_are_counted_together(environ):
    workers = [Worker(environ) for _ in range(2)]
    for worker in workers:
        worker.do(300)
    for worker in workers:
        worker.end(None)
    assert done() == 600
    assert Process.objects.count() == 2


def test_a_fork_begins_with_nothing_and_counts_for_itself(environ, tmp_path):
    run(FORK, environ, tmp_path)
    assert (done("parent"), done("child")) == (1, 1)
    assert set(Process.objects.values_list("role", flat=True)) == {"ingest", "worker"}


def test_a_multiprocessing_child_hands_on_at_its_end(environ, tmp_path):
    run(SPAWN, {**environ, "MEASURE_SECONDS": "600"}, tmp_path)
    assert done("spawned") == 1


def test_a_database_that_is_away_breaks_nothing_and_does_not_hold_the_end_up_for_long(environ):
    worker = Worker({**environ, "DATABASE_URL": "postgres://marb:marb@127.0.0.1:1/none"})
    for _ in range(3):
        worker.do(1_000)
    assert worker.end(None) == 0


def test_switched_off_there_is_no_thread_and_no_row(environ):
    worker = Worker({**environ, "MONITORING": "off"})
    worker.do(10)
    assert worker.end(None) == 0
    assert not Process.objects.exists()


def test_dramatiq_workers_hand_on_at_sigterm_what_their_actors_did(environ):
    from marb.pipeline import actors

    given = {**environ, "MEASURE_SECONDS": "600"}
    command = [sys.executable, "manage.py", "rundramatiq", "--processes", "1", "--threads", "2"]
    actors.reap.broker.flush("maintenance")
    workers = subprocess.Popen(command, cwd=settings.BASE_DIR, env=given, start_new_session=True)
    try:
        for _ in range(3):
            actors.reap.broker.enqueue(actors.reap.message())
        wait_for(lambda: queue_is_empty(actors.reap.broker))
        workers.terminate()
        workers.wait(PATIENCE_SECONDS)
    finally:
        if workers.poll() is None:
            os.killpg(workers.pid, signal.SIGKILL)
            workers.wait()
    counted = dict(Timing.objects.filter(name="reap").values_list("kind", "count"))
    assert counted == {"actor": 3, "wait": 3}


def test_the_web_server_hands_on_at_sigterm_every_request_it_answered(environ):
    given = {**environ, "MEASURE_SECONDS": "600"}
    port = free_port()
    granian = str(Path(sys.executable).with_name("granian"))
    where = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--no-ws"]
    web = subprocess.Popen([granian, *where, "marb.wsgi:application"], cwd=settings.BASE_DIR, env=given)
    try:
        wait_for(lambda: asked(port) is not None)
        answers = [asked(port) for _ in range(20)]
        web.terminate()
        web.wait(PATIENCE_SECONDS)
    finally:
        if web.poll() is None:
            web.kill()
            web.wait()
    assert all(answer and float(answer) > 0 for answer in answers)
    # and the one that found it ready
    assert Timing.objects.get(kind="request", name="GET health").count == 21


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def asked(port: int) -> str | None:
    """Ask for the health and answer the time that it took, by the header; None where nobody serves yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health/", timeout=PATIENCE_SECONDS) as answer:
            return str(answer.headers["X-Process-Time"])
    except OSError:
        return None


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_ingest_counts_the_claims_that_are_in_the_tables(jobs, environ, practice, tmp_path):
    pair = write_pair(tmp_path, 12)
    given = {**environ, "MEASURE_SECONDS": "600", "CHECKPOINT_BYTES": "0", "EDI_CHUNK_CLAIMS": "2"}
    command = [sys.executable, "manage.py", "ingest", *(str(given.path) for given in pair), "-j", str(jobs)]
    subprocess.run(command, cwd=settings.BASE_DIR, env=given, check=True, timeout=PATIENCE_SECONDS)
    counted = dict(Sample.objects.filter(name__in=["claims", "remittances"]).values_list("name").annotate(Sum("total")))
    assert counted["claims"] == Claim.objects.count() > 0
    assert counted["remittances"] == Remittance.objects.count() > 0
    chunks = Chunk.objects.filter(state="done").count()
    noted = Checkpoint.objects.filter(operation="process_edi_file")
    assert {name: noted.filter(checkpoint=name).count() for name in CHUNK_CHECKPOINTS} == dict.fromkeys(
        CHUNK_CHECKPOINTS, chunks
    )
    assert sum(Timing.objects.filter(name__startswith="load_chunk").values_list("count", flat=True)) == chunks


CHUNK_CHECKPOINTS = ("task_started", "parsing_complete", "database_commit_complete")


def queue_is_empty(broker) -> bool:
    return broker.client.hlen(f"{broker.namespace}:maintenance.msgs") == 0
