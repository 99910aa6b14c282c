"""A clean stop loses no entry: a real web server is asked by many at once, told to end, and its audit is counted."""

import os
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from knox.models import AuthToken

from marb.access import trail
from marb.access.models import AuditEntry
from marb.core.embedded.product import claim_port, wait_web, web

READERS = 4
SECONDS = 60


def database_url() -> str:
    given = connection.settings_dict
    return f"postgres://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"


def empty_audit() -> None:
    """Take away what was committed here, as no trigger lets anybody: other tests count from nothing."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(f"TRUNCATE {trail.TABLE}")
        cursor.execute("UPDATE access_audithead SET digest = %s, entry_count = 0", [trail.FIRST])


@pytest.fixture
def server(transactional_db: None, tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The product's web server on the test's database, which writes its audit at its end only."""
    port, claimed = claim_port(None)
    (tmp_path / "log").mkdir()
    program = web(Path(settings.BASE_DIR), tmp_path, os.environ, port)
    limits = dict.fromkeys(("API_RATE_MINUTE", "API_RATE_HOUR"), "0")
    environ = {**os.environ, **limits, "DATABASE_URL": database_url(), "AUDIT_SECONDS": "86400"}
    log = tmp_path / "log" / "web.log"
    with claimed or nullcontext(), log.open("wb") as output:
        process = subprocess.Popen(program.argv, cwd=program.folder, env=environ, stdout=output, stderr=output)
        try:
            assert wait_web(port, lambda: None), log.read_text()
            yield f"http://127.0.0.1:{port}/api/v1/claims/", process
        finally:
            process.terminate()
            process.wait(SECONDS)
            empty_audit()


class Asker(threading.Thread):
    """Asks until nobody answers, and keeps the request ids of what was answered."""

    def __init__(self, url: str, token: str, warmed: threading.Semaphore):
        super().__init__(daemon=True)
        self.asked = urllib.request.Request(url, headers={"Authorization": f"Token {token}"})
        self.warmed = warmed
        self.answered: list[str] = []

    def run(self) -> None:
        while True:
            try:
                with urllib.request.urlopen(self.asked, timeout=SECONDS) as answer:
                    assert answer.status == 200
                    self.answered.append(answer.headers["X-Request-ID"])
            except OSError:
                return
            self.warmed.release()


def test_every_answered_read_is_recorded_before_a_stopped_server_ends(
    server: tuple[str, subprocess.Popen[bytes]], biller: Any
) -> None:
    url, process = server
    token, warmed = AuthToken.objects.create(biller)[1], threading.Semaphore(0)
    askers = [Asker(url, token, warmed) for _ in range(READERS)]
    for asker in askers:
        asker.start()
    for _ in range(READERS * 10):
        assert warmed.acquire(timeout=SECONDS)
    assert not AuditEntry.objects.filter(user_id=biller.pk, username="biller").exists()
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == 0
    for asker in askers:
        asker.join(SECONDS)
    answered = [number for asker in askers for number in asker.answered]
    recorded = set(AuditEntry.objects.filter(request_id__in=answered).values_list("request_id", flat=True))
    assert len(answered) >= READERS * 10
    assert recorded == set(answered)
