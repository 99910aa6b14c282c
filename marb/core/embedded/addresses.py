"""Where the embedded services listen: `addresses.json` in the var folder, mode 0600, made at their first start.

Settings read it; the supervisor writes it. Without the file the addresses point nowhere, so that commands which need
no database (makemigrations, help, check) still run.
"""

import json
from pathlib import Path
from typing import NamedTuple

NOWHERE = "127.0.0.1:9"


class Addresses(NamedTuple):
    """URLs with passwords, and the secret key that this folder's sessions are signed with."""

    database_url: str = f"postgres://marb@{NOWHERE}/marb"
    broker_url: str = f"redis://{NOWHERE}/0"
    cache_url: str = f"redis://{NOWHERE}/0"
    secret_key: str = "no var folder yet: nothing can be signed that outlives this process"


def read(var: Path) -> Addresses:
    """Read the addresses of the services of a var folder, or ones that point nowhere."""
    path = var / "addresses.json"
    if not path.exists():
        return Addresses()
    return Addresses(**json.loads(path.read_text()))
