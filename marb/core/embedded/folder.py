"""The var folder: who holds it, and which services were left running in it on purpose.

`lock` is held by a supervisor and inherited by its guard, so it is free only when both are gone. `detached.json` lists
the processes of `manage.py services start`.
"""

import contextlib
import fcntl
import json
import os
import time
from pathlib import Path

from marb.core.embedded.guard import Ward, is_alive, started_at

PATIENCE = 60.0


class Busy(Exception):
    """Another supervisor holds the folder."""

    def __init__(self, var: Path, pid: int):
        super().__init__(f"mARB already runs in {var} under process {pid}: stop it first, or set MARB_VAR.")


class Foreign(Exception):
    """The folder is another user's: what we would write there, its owner could not read."""

    def __init__(self, var: Path):
        super().__init__(f"{var} belongs to another user: run as its owner, or set MARB_VAR to a folder of your own.")


def hold(var: Path) -> int:
    """Lock a var folder and answer the lock's file descriptor. Waits for a guard that is still ending things.

    Raises Busy where a living supervisor holds it, Foreign where another user owns it.
    """
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    if var.stat().st_uid != os.geteuid():
        raise Foreign(var)
    lock = os.open(var / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + PATIENCE
    while not try_lock(lock):
        pid = int(os.pread(lock, 20, 0).strip() or 0)
        if lives(pid) or time.monotonic() > deadline:
            os.close(lock)
            raise Busy(var, pid)
        time.sleep(0.1)
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock


def try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lives(pid: int) -> bool:
    """Tell whether a process runs; one that ended and was not buried yet does not."""
    return is_alive(Ward(pid, started_at(pid), 0, 0, 0))


def holder(var: Path) -> int:
    """Get the process id of the supervisor that holds a folder; 0 where none does."""
    with contextlib.suppress(FileNotFoundError):
        lock = os.open(var / "lock", os.O_RDWR)
        try:
            pid = int(os.pread(lock, 20, 0).strip() or 0)
            return pid if not try_lock(lock) and lives(pid) else 0
        finally:
            os.close(lock)
    return 0


def write_detached(var: Path, wards: dict[str, Ward]) -> None:
    (var / "detached.json").write_text(json.dumps({name: list(ward) for name, ward in wards.items()}))


def read_detached(var: Path) -> dict[str, Ward]:
    """Get the services left running in a folder that still run, by name."""
    path = var / "detached.json"
    if not path.exists():
        return {}
    wards = {name: Ward(*values) for name, values in json.loads(path.read_text()).items()}
    return {name: ward for name, ward in wards.items() if is_alive(ward)}
