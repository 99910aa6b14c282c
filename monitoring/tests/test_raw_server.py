"""What only the real web server shows: bytes that are no request, or half of one, and senders who never end.

Each gets a 4xx or a closed connection, and everybody else is answered all the while.
"""

import json
import os
import select
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from marb.core.embedded.addresses import LOOPBACK
from marb.core.embedded.product import claim_port, wait_web, web
from monitoring.tests.test_audit_stop import database_url
from monitoring.traffic.connection import read_answer

# the database is there only where a test says that it needs it
pytestmark = [pytest.mark.django_db, pytest.mark.workers]
SECONDS = 60
IDLE, SLOW = 300, 24
HOST = b"Host: localhost\r\n"
CLOSE = b"Connection: close\r\n\r\n"
HEALTH = b"GET /api/v1/health/ HTTP/1.1\r\n"
POST = b"POST /api/v1/files/ HTTP/1.1\r\n" + HOST
ME, LOGIN = b"GET /api/v1/auth/me/ HTTP/1.1\r\n", b"POST /api/v1/auth/login/ HTTP/1.1\r\n"
HIDDEN = b"GET /api/v1/health/ HTTP/1.1\r\n" + HOST + b"\r\n"

# two ways to say how long a body is: the hidden request must not be answered
SMUGGLED = {
    "length and chunks": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 43\r\n\r\n" + HIDDEN,
    "two encodings": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "odd encoding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks in 1.0": POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "space before the colon": HEALTH + HOST + b"Content-Length : 4\r\n\r\n" + HIDDEN,
    "folded header": HEALTH + HOST + b"X-A: b\r\n Content-Length: 4\r\n\r\n" + HIDDEN,
}
REFUSED = {
    "negative length": POST + b"Content-Length: -1\r\n\r\n",
    "signed length": POST + b"Content-Length: +4\r\n\r\nabcd",
    "huge length": POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
    "bad chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc",
    "no host": HEALTH + CLOSE,
    "two hosts": HEALTH + HOST + b"Host: evil.example\r\n" + CLOSE,
    "another host": b"GET /api/v1/claims/ HTTP/1.1\r\nHost: evil.example\r\n" + CLOSE,
    "NUL in a header": HEALTH + HOST + b"X-A: a\x00b\r\n" + CLOSE,
    "CR in a header": HEALTH + HOST + b"X-A: a\rb\r\n" + CLOSE,
    "NUL in a method": b"G\x00T / HTTP/1.1\r\n" + HOST + CLOSE,
    "version 9": b"GET / HTTP/9.9\r\n" + HOST + CLOSE,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00" + b"\xff" * 64 + b"\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "header of 100 kB": HEALTH + HOST + b"X-A: " + b"a" * 100_000 + b"\r\n" + CLOSE,
    "header of 1 MB": HEALTH + HOST + b"X-A: " + b"a" * 1_000_000 + b"\r\n" + CLOSE,
    "thousand headers": HEALTH + HOST + b"".join(b"X-%d: a\r\n" % number for number in range(1_000)) + CLOSE,
    "address of 100 kB": b"GET /api/v1/claims/?control_number=" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + CLOSE,
    "address of raw bytes": b"GET /api/v1/\xff\xfe/ HTTP/1.1\r\n" + HOST + CLOSE,
    "address that is no UTF-8": b"GET /api/v1/%ff%fe/ HTTP/1.1\r\n" + HOST + CLOSE,
    "CONNECT": b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    "TRACE": b"TRACE /api/v1/claims/ HTTP/1.1\r\n" + HOST + b"Authorization: Token abc\r\n" + CLOSE,
    "token of raw bytes": ME + HOST + b"Authorization: Token \xff\xfe\r\n" + CLOSE,
    "token of 20 kB": ME + HOST + b"Authorization: Token " + b"a" * 20_000 + b"\r\n" + CLOSE,
    "no base64": LOGIN + HOST + b"Authorization: Basic /\xff/\r\nContent-Length: 0\r\n" + CLOSE,
    "cookie of raw bytes": ME + HOST + b"Cookie: sessionid=\xff\xfe\r\n" + CLOSE,
}
FORM = (
    b"POST /login/ HTTP/1.1\r\n" + HOST + b"Content-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 100\r\n\r\nusername="
)


@pytest.fixture(scope="module")
def port(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The product's web server as `manage.py up` starts it, but that heads have one second; on the tests' database."""
    folder = tmp_path_factory.mktemp("raw")
    (folder / "log").mkdir()
    number, claimed = claim_port(None)
    program = web(Path(settings.BASE_DIR), folder, os.environ, number)
    argv = [{"10000": "1000"}.get(word, word) for word in program.argv]
    limits = ("API_RATE_MINUTE", "API_RATE_HOUR", "API_RATE_ADDRESS_MINUTE", "API_RATE_ADDRESS_HOUR")
    environ = {**os.environ, **dict.fromkeys(limits, "0"), "AUDIT_SECONDS": "86400", "MONITORING": "off"}
    environ["DATABASE_URL"] = database_url()
    log = folder / "log" / "web.log"
    with claimed or nullcontext(), log.open("wb") as output:
        given: dict[str, Any] = {"cwd": program.folder, "env": environ, "stdout": output, "stderr": output}
        process = subprocess.Popen(argv, start_new_session=True, **given)
        try:
            assert wait_web(number, lambda: None), log.read_text()
            yield number
        finally:
            # at once: a clean stop would write its audit into the tests' database
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(SECONDS)


def connect(port: int) -> socket.socket:
    return socket.create_connection((LOOPBACK, port), timeout=SECONDS)


def talk(port: int, data: bytes) -> bytes:
    """Send bytes and read until the server closes; what it does not even take is a closed connection too."""
    found = b""
    with connect(port) as there:
        try:
            there.sendall(data)
            while piece := there.recv(65_536):
                found += piece
        except (BrokenPipeError, ConnectionResetError):
            pass
    return found


def is_well(port: int) -> bool:
    with urllib.request.urlopen(f"http://localhost:{port}/api/v1/health/", timeout=SECONDS) as answer:
        return bool(json.loads(answer.read()) == {"status": "ok"})


def check_refused(answer: bytes) -> None:
    """A 4xx in the API's shape, or the server's own without a word; or nothing."""
    if not answer:
        return
    assert answer.startswith(b"HTTP/1.1 4"), answer[:100]
    assert b"Traceback" not in answer
    if b"application/json" in answer.partition(b"\r\n\r\n")[0]:
        read = read_answer(answer)
        assert read is not None
        assert set(json.loads(read.body)) == {"message", "code", "status_code", "details"}


def test_what_is_no_request_is_refused_and_others_are_answered(port: int) -> None:
    for name, data in REFUSED.items():
        try:
            check_refused(talk(port, data))
        except AssertionError as error:
            raise AssertionError(name) from error
    assert is_well(port)


def test_no_request_is_smuggled_behind_another(port: int) -> None:
    for name, data in SMUGGLED.items():
        answer = talk(port, data)
        assert answer.count(b"HTTP/1.1 ") <= 1, name
        assert b"HTTP/1.1 200" not in answer, name
    assert is_well(port)


@pytest.mark.parametrize("path", [b"/static/../../../etc/passwd", b"/static/%2e%2e/%2e%2e/etc/passwd", b"//etc/passwd"])
def test_no_file_of_the_machine_is_served(path: bytes, port: int) -> None:
    answer = talk(port, b"GET " + path + b" HTTP/1.1\r\n" + HOST + CLOSE)
    assert answer.split(b" ")[1] in (b"301", b"302", b"400", b"404")
    assert b"root:" not in answer


def test_heads_that_never_end_are_cut_and_keep_nobody_waiting(port: int) -> None:
    with ExitStack() as held:
        sockets = [held.enter_context(connect(port)) for _ in range(IDLE)]
        for there in sockets:
            there.sendall(HEALTH + b"Host: loc")
        assert is_well(port)
        for there in sockets:
            check_refused(there.recv(65_536))


def test_bodies_that_never_end_keep_nobody_waiting_who_sends_none(port: int) -> None:
    with ExitStack() as held:
        sockets = [held.enter_context(connect(port)) for _ in range(SLOW)]
        for there in sockets:
            there.sendall(FORM)
        assert is_well(port)
        # all but those who have their turns are told to go
        told = 0
        while told < SLOW - settings.BODIES_AT_ONCE:
            ready, _, _ = select.select(sockets, [], [], SECONDS)
            assert ready
            for there in ready:
                assert there.recv(65_536).startswith(b"HTTP/1.1 403")
                sockets.remove(there)
                told += 1
        assert is_well(port)
    form = urllib.request.Request(f"http://localhost:{port}/login/", data=b"username=a", method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(form, timeout=SECONDS)
    # read whole, and refused for its missing CSRF token
    assert refused.value.code == 403
    refused.value.close()
