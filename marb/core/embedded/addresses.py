"""Where the embedded services listen: `addresses.json` in the var folder, mode 0600, made at their first start.

Settings read it; the supervisor writes it. Without the file the addresses point nowhere, so that commands which need
no database (makemigrations, help, check) still run. Standard library only: settings import this.
"""

import json
import os
import random
import secrets
import socket
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

NOWHERE = "127.0.0.1:9"
LOOPBACK = "127.0.0.1"
# below the range from which Linux takes the ports of outgoing connections
PORTS = range(20_000, 32_000)


class Addresses(NamedTuple):
    """URLs with passwords, and the secret key that this folder's sessions are signed with."""

    database_url: str = f"postgres://marb@{NOWHERE}/marb"
    broker_url: str = f"redis://{NOWHERE}/0"
    cache_url: str = f"redis://{NOWHERE}/0"
    # no var folder yet: a key of this process alone
    secret_key: str = secrets.token_urlsafe(50)


def read(var: Path) -> Addresses:
    """Read the addresses of the services of a var folder, or ones that point nowhere."""
    path = var / "addresses.json"
    if not path.exists():
        return Addresses()
    return Addresses(**json.loads(path.read_text()))


def write(var: Path, addresses: Addresses) -> None:
    """Replace the file at once, never readable by others and never half written."""
    path, draft = var / "addresses.json", var / "addresses.json.new"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(json.dumps(addresses._asdict(), indent=1))
    draft.replace(path)


def make(var: Path) -> None:
    """Make the file where there is none: passwords and the secret key, ports not chosen yet."""
    if not (var / "addresses.json").exists():
        write(var, first())


def settle(var: Path) -> Addresses:
    """Give every service a port that is free now: the one it had where possible. Passwords are made once."""
    make(var)
    before = read(var)
    taken: set[int] = set()
    urls = [keep_or_move(url, taken) for url in before[:3]]
    after = before._replace(database_url=urls[0], broker_url=urls[1], cache_url=urls[2])
    write(var, after)
    return after


def first() -> Addresses:
    """Make addresses with new passwords; port 0 stands for one not chosen yet."""
    password = [secrets.token_urlsafe(24) for _ in range(3)]
    return Addresses(
        f"postgres://marb:{password[0]}@{LOOPBACK}:0/marb",
        f"redis://:{password[1]}@{LOOPBACK}:0/0",
        f"redis://:{password[2]}@{LOOPBACK}:0/0",
        secrets.token_urlsafe(50),
    )


def keep_or_move(url: str, taken: set[int]) -> str:
    port = port_of(url)
    while port == 0 or port in taken or not is_free(port):
        port = random.choice(PORTS)
    taken.add(port)
    return url.replace(f"@{LOOPBACK}:{port_of(url)}/", f"@{LOOPBACK}:{port}/")


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


def password_of(url: str) -> str:
    return urlsplit(url).password or ""


def is_free(port: int) -> bool:
    """Tell whether nobody listens on a loopback port. A connection that lingers there does not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
