"""Every check in turn; one that cannot be asked says so, and the others are asked all the same."""

from collections.abc import Callable, Iterator

import redis
from django.db import DatabaseError

from marb.core.logs import plain_reason
from monitoring.doctor import database, machine, servers
from monitoring.doctor.finding import Finding, bad

CHECKS: dict[str, Callable[[], Iterator[Finding]]] = {
    "PostgreSQL": database.check,
    "Servers": servers.check,
    "Measures": servers.check_measures,
    "Machine": machine.check,
}


def examine() -> Iterator[Finding]:
    is_up = is_database_up()
    for name, check in CHECKS.items():
        if name != "Measures" or is_up:
            yield from attempt(name, check)


def attempt(name: str, check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from check()
    except (DatabaseError, redis.RedisError, OSError) as error:
        mend = "Mend what is above, then ask again."
        yield bad(name, f"cannot be examined further ({plain_reason(error)}).", mend)


def is_database_up() -> bool:
    try:
        database.find_version()
    except DatabaseError:
        return False
    return True
