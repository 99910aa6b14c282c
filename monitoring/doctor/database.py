"""PostgreSQL: whether it answers, its version, that it keeps what it says it kept, its log, its tables, its room."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor

from monitoring import statements
from monitoring.doctor import clock
from monitoring.doctor.finding import Finding, bad, good, warn
from monitoring.reading import processes_alive, rows

CONNECT_SECONDS = 3
OLDEST, ADVISED = 14, 16
SUBJECT = "PostgreSQL"
# a committed claim must outlive a crash
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
# no value of a row in the server's log
SILENT = {
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
}


def check() -> Iterator[Finding]:
    """Check whether PostgreSQL answers, and if so all else about it."""
    try:
        version = find_version()
    except DatabaseError:
        place = f"{connection.settings_dict['HOST'] or 'its socket'}:{connection.settings_dict['PORT']}"
        mend = "Start it (manage.py up, or services start), or correct DATABASE_URL."
        yield bad(SUBJECT, f"does not answer at {place}.", mend)
        return
    yield judge_version(version)
    for part in (check_durable, check_silent, check_text, check_room, check_counting, check_migrations):
        yield from part()
    yield clock.check(SUBJECT, read_clock)


def find_version() -> int:
    """Connect beside the pool, with a short patience; answer the version, such as 180001."""
    own = connections[DEFAULT_DB_ALIAS].copy()
    options = {key: value for key, value in own.settings_dict["OPTIONS"].items() if key != "pool"}
    own.settings_dict["OPTIONS"] = options | {"connect_timeout": CONNECT_SECONDS}
    try:
        return int(own.pg_version)  # type: ignore[attr-defined]
    finally:
        own.close()


def judge_version(version: int) -> Finding:
    major = version // 10_000
    if major < OLDEST:
        return bad(SUBJECT, f"is version {major}.", f"Move to version {OLDEST} or newer; 18 is what is tested.")
    if major < ADVISED:
        return warn(SUBJECT, f"is version {major}: slow statements are not explained.", f"Move to {ADVISED} or newer.")
    return good(SUBJECT, f"answers, version {major}.")


def setting(*names: str) -> dict[str, str]:
    return dict(rows("SELECT name, setting FROM pg_settings WHERE name = ANY(%(names)s)", {"names": list(names)}))


def check_durable() -> Iterator[Finding]:
    off = sorted(name for name, value in setting(*DURABLE).items() if value in ("off", "local", "remote_write"))
    if off:
        yield bad(SUBJECT, f"may lose commits in a crash: {', '.join(off)} off.", f"Set {', '.join(off)} = on.")
    else:
        yield good(SUBJECT, "keeps what it has committed (fsync, full_page_writes, synchronous_commit).")


def check_silent() -> Iterator[Finding]:
    found = setting(*SILENT)
    loud = {name: value for name, value in SILENT.items() if found.get(name) != value}
    if loud:
        wanted = ", ".join(f"{name} = {value}" for name, value in loud.items())
        yield warn(SUBJECT, "may write patients' data into its log.", f"Set {wanted}.")
    else:
        yield good(SUBJECT, "writes no value of a row into its log.")


def check_text() -> Iterator[Finding]:
    [(encoding, by_code_point)] = rows("SELECT current_setting('server_encoding'), NOT ('a'::text < 'B'::text)", {})
    if encoding != "UTF8":
        yield bad(SUBJECT, f"keeps text as {encoding}.", "Make the database anew with ENCODING 'UTF8'.")
    if not by_code_point:
        mend = "Make the database anew with LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'."
        yield warn(SUBJECT, "compares text by a language: a search by the beginning of a name uses no index.", mend)


def check_room() -> Iterator[Finding]:
    """Every process that lives may fill its pool."""
    most = int(setting("max_connections")["max_connections"])
    pool: Any = settings.DATABASES["default"]["OPTIONS"].get("pool") or {}
    needed = int(pool.get("max_size", 1)) * processes_alive().count()
    if needed > most:
        mend = "Lower DATABASE_POOL_MAX or raise max_connections."
        yield warn(SUBJECT, f"has {most} connections, the pools may ask for {needed}.", mend)
    else:
        yield good(SUBJECT, f"has {most} connections, the pools may ask for {needed}.")


def check_counting() -> Iterator[Finding]:
    reason = statements.why_not()
    if reason:
        yield warn(SUBJECT, "does not count its statements.", reason)


def check_migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        yield bad("Tables", f"{len(missing)} migrations are not applied.", "Run manage.py prepare.")
    else:
        yield good("Tables", "are up to date.")


def read_clock() -> float:
    [(seconds,)] = rows("SELECT EXTRACT(EPOCH FROM clock_timestamp())::float8", {})
    return float(seconds)
