"""The product's own programs, as a supervisor runs them: web, a worker per group of queues, one scheduler.

Each is the command that a person would type; docker-compose.yml runs the same. Output goes to the log folder.
"""

import contextlib
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from marb.core.embedded.addresses import LOOPBACK, is_free
from marb.core.embedded.program import Program

# one message of "ingest" is a chunk that keeps a core busy; the others wait for PostgreSQL
QUEUES = {"ingest": ["ingest"], "interactive": ["interactive", "link", "score", "maintenance"]}
# HTTP/1 alone; a head of 64 KiB at most (two buffers), and all of it within ten seconds
LIMITS = ["--no-ws", "--http", "1", "--http1-buffer-size", "32768", "--http1-header-read-timeout", "10000"]
FIRST_PORT, LAST_PORT = 8000, 8099
READY_SECONDS = 300


def manage(base: Path, *words: str) -> list[str]:
    return [sys.executable, str(base / "manage.py"), *words]


def command(base: Path, environ: Mapping[str, str], *words: str) -> Program:
    """A management command that writes to our own output."""
    return Program(words[0], manage(base, *words), base, environ=environ)


def web(base: Path, var: Path, environ: Mapping[str, str], port: int) -> Program:
    granian = str(Path(sys.executable).with_name("granian"))
    threads = ["--workers", "1", "--blocking-threads", "8", "--workers-kill-timeout", "10"]
    where = ["--interface", "wsgi", "--host", LOOPBACK, "--port", str(port)]
    argv = [granian, *where, *threads, *LIMITS, "marb.wsgi:application"]
    return Program("web", argv, base, var / "log" / "web.log", environ)


def worker(base: Path, var: Path, environ: Mapping[str, str], group: str) -> Program:
    """Workers of a group of queues. Those that parse take a core each, those that wait share one process."""
    size = [str(os.cpu_count() or 1), "1"] if group == "ingest" else ["1", "4"]
    shape = ["--processes", size[0], "--threads", size[1], "--worker-shutdown-timeout", "10000", "--skip-logging"]
    argv = manage(base, "rundramatiq", *shape, "--queues", *QUEUES[group])
    # take no more messages ahead than there are threads: a chunk is long, and another process may be idle
    ahead = {"dramatiq_queue_prefetch": size[1]}
    return Program(f"worker-{group}", argv, base, var / "log" / f"worker-{group}.log", {**environ, **ahead})


def scheduler(base: Path, var: Path, environ: Mapping[str, str]) -> Program:
    # its own heartbeat is a message each minute to a queue that nobody reads; ours is a row (marb.core.measure)
    argv = manage(base, "crontab", "--no-heartbeat")
    return Program("scheduler", argv, base, var / "log" / "scheduler.log", environ)


def claim_port(preferred: int | None) -> tuple[int, socket.socket | None]:
    """Choose the web's port: the one asked for, or the first free one from 8000 on.

    The web server would share a port with another one silently, so the choice is claimed for this machine by a name
    that lives as long as the answered socket (Linux only). Raises OSError when none is free.
    """
    for port in [preferred] if preferred else range(FIRST_PORT, LAST_PORT + 1):
        if is_free(port):
            with contextlib.suppress(OSError):
                return port, claim_name(f"marb-web-{port}")
    raise OSError(f"No free port: {preferred or f'{FIRST_PORT} to {LAST_PORT}'} taken. Choose one with --port.")


def claim_name(name: str) -> socket.socket | None:
    if not sys.platform.startswith("linux"):
        return None
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0{name}")
    except OSError:
        claim.close()
        raise
    return claim


def wait_web(port: int, watch: Callable[[], None]) -> bool:
    """Wait until the web server answers anything at all; tell whether it did within five minutes."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if answers(port):
            return True
        watch()
        time.sleep(0.05)
    return False


def answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://{LOOPBACK}:{port}/", timeout=10).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
