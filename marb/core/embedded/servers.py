"""The embedded servers together: PostgreSQL, broker and cache of one var folder, under a supervisor or left running.

A server whose URL is given by environment is not started. Leftovers of a supervisor that was killed together with its
guard are ended before new ones start, and a PID file that names a stranger is removed.
"""

import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import psutil

from marb.core.embedded import addresses as address_book
from marb.core.embedded import postgres, valkey
from marb.core.embedded.addresses import Addresses
from marb.core.embedded.folder import read_detached, write_detached
from marb.core.embedded.guard import Ward, started_at, stop
from marb.core.embedded.program import SERVICE, NotStarted, Program, launch, ward_of
from marb.core.embedded.supervisor import Supervisor

VARIABLES = {"postgres": "DATABASE_URL", "broker": "BROKER_URL", "cache": "CACHE_URL"}
PID_FILES = {"postgres": "postmaster.pid", "broker": "valkey.pid", "cache": "valkey.pid"}
TRIES = 3


class State(NamedTuple):
    """What `services status` says of one server. No password."""

    name: str
    place: str
    pid: int


def embedded() -> list[str]:
    """Name the servers that are ours to start: those whose URL is not given by environment."""
    return [name for name, variable in VARIABLES.items() if not os.environ.get(variable)]


def programs(var: Path, found: Addresses, shared_buffers_mb: int) -> dict[str, Program]:
    return {
        "postgres": postgres.program(var, found, shared_buffers_mb),
        "broker": valkey.program(var, "broker", found.broker_url),
        "cache": valkey.program(var, "cache", found.cache_url),
    }


def start(supervisor: Supervisor, shared_buffers_mb: int) -> Addresses:
    """Start the servers below a supervisor and wait until they answer; ones left running on purpose are used as is.

    A port that somebody took in the meantime is chosen again. Raises NotStarted.
    """
    var = supervisor.var
    address_book.make(var)
    if is_whole(var):
        return effective(address_book.read(var))
    stop_detached(var)
    for attempt in range(TRIES):
        try:
            return start_once(supervisor, shared_buffers_mb)
        except NotStarted:
            if attempt == TRIES - 1:
                raise
            end_all(supervisor)
    raise AssertionError("unreachable")


def is_whole(var: Path) -> bool:
    """Tell whether every server that is ours to start was still runs here, left running; one alone is not used."""
    return set(embedded()) <= set(read_detached(var))


def start_once(supervisor: Supervisor, shared_buffers_mb: int) -> Addresses:
    chosen = prepare(supervisor.var, shared_buffers_mb)
    for program in chosen.values():
        supervisor.start(program)
    found = address_book.read(supervisor.var)
    wait_ready(chosen, found, lambda name: supervisor.running[name].process.poll() is None)
    return effective(found)


def end_all(supervisor: Supervisor) -> None:
    for name in [name for name in VARIABLES if name in supervisor.running]:
        supervisor.end(name)


def prepare(var: Path, shared_buffers_mb: int) -> dict[str, Program]:
    """End leftovers, settle ports, make the data folder; answer the programs to start."""
    wanted = embedded()
    for name in wanted:
        end_leftover(var / name, PID_FILES[name])
    found = address_book.settle(var)
    if "postgres" in wanted:
        postgres.initialize(var, found)
    return {name: program for name, program in programs(var, found, shared_buffers_mb).items() if name in wanted}


def end_leftover(folder: Path, pid_file: str) -> None:
    """End a server that still runs in a folder, and remove a PID file that names nobody, or a stranger."""
    path = folder / pid_file
    if not path.exists():
        return
    pid = int(path.read_text().split("\n", 1)[0].strip() or 0)
    if works_in(pid, folder):
        stop([Ward(pid, started_at(pid), 2, 60, SERVICE)])
    path.unlink(missing_ok=True)


def works_in(pid: int, folder: Path) -> bool:
    try:
        process = psutil.Process(pid)
        return Path(process.cwd()) == folder.resolve() and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def wait_ready(chosen: dict[str, Program], found: Addresses, is_alive: Callable[[str], bool]) -> None:
    for name, program in chosen.items():
        if name == "postgres":
            postgres.wait_ready(program, found, lambda: is_alive("postgres"))
        else:
            url = found.broker_url if name == "broker" else found.cache_url
            valkey.wait_ready(program, url, lambda name=name: is_alive(name))  # type: ignore[misc]


def effective(found: Addresses) -> Addresses:
    """Get the addresses in use: those given by environment before the embedded ones."""
    given = [os.environ.get(variable) for variable in VARIABLES.values()]
    urls = [value or url for value, url in zip(given, found[:3], strict=True)]
    secret_key = os.environ.get("SECRET_KEY") or found.secret_key
    return Addresses(urls[0], urls[1], urls[2], secret_key)


def environ(found: Addresses) -> dict[str, str]:
    """Write addresses as the environment of a program that does not read the var folder."""
    return {**dict(zip(VARIABLES.values(), found[:3], strict=True)), "SECRET_KEY": found.secret_key}


def start_detached(var: Path, shared_buffers_mb: int) -> None:
    """Start the servers and leave them running. The caller holds the folder. Raises NotStarted with none left."""
    if is_whole(var):
        return
    stop_detached(var)
    chosen = prepare(var, shared_buffers_mb)
    processes = {name: launch(program) for name, program in chosen.items()}
    wards = {name: ward_of(chosen[name], process.pid) for name, process in processes.items()}
    write_detached(var, wards)
    try:
        wait_ready(chosen, address_book.read(var), lambda name: processes[name].poll() is None)
    except BaseException:
        stop_detached(var)
        raise
    disown(processes.values())


def disown(processes: Iterable[subprocess.Popen[bytes]]) -> None:
    """Keep Python from warning that children outlive it: that is what was asked for."""
    for process in processes:
        process.returncode = 0


def stop_detached(var: Path) -> list[str]:
    """End the servers left running in a folder; answer their names."""
    wards = read_detached(var)
    stop(wards.values())
    (var / "detached.json").unlink(missing_ok=True)
    return list(wards)


def states(var: Path) -> list[State]:
    """Tell of each server where it listens and the process id of ours (0: not running, or not ours)."""
    urls = effective(address_book.read(var))
    found = []
    for name, url in zip(VARIABLES, urls[:3], strict=True):
        pid = pid_in(var / name / PID_FILES[name]) if name in embedded() else 0
        found.append(State(name, url.rpartition("@")[2].partition("/")[0], pid if works_in(pid, var / name) else 0))
    return found


def pid_in(path: Path) -> int:
    return int(path.read_text().split("\n", 1)[0].strip() or 0) if path.exists() else 0
