"""What must be true before anything is served: tables made, static files collected, a practice and a first person.

Safe to run at every start and by several at once (a lock in PostgreSQL); quick when there is nothing to do. Practice
and membership stand above marb.core and are named here as text.
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

# any fixed number: "mARB" in ASCII
LOCK = 0x6D415242
FIRST_PRACTICE = "main"
FIRST_USER = "admin"


class Login(NamedTuple):
    """The first administrator. The password is told once and kept nowhere."""

    username: str
    password: str


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other process prepares the same database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def migrate() -> int:
    """Apply the migrations that are missing and answer their number."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        call_command("migrate", interactive=False, verbosity=0)
    return len(plan)


def collect_static() -> bool:
    """Collect the static files if any of them is newer or other than at the last time; tell whether it was needed."""
    stamp, root = Path(settings.STATIC_ROOT, ".collected"), Path(settings.STATIC_ROOT)
    digest = static_digest()
    if stamp.exists() and stamp.read_text() == digest:
        return False
    root.mkdir(parents=True, exist_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(digest)
    return True


def static_digest() -> str:
    """Sum up names, sizes and times of all static files, without reading them."""
    found = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            stat = Path(storage.path(name)).stat()
            found.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return found.hexdigest()


@transaction.atomic
def make_first_login() -> Login | None:
    """Make the first practice and, where there is nobody yet, an administrator of it with a random password."""
    practices = apps.get_model("access", "Practice").objects
    practice = practices.order_by("id").first() or practices.create(code=FIRST_PRACTICE, name="Main practice")
    users = get_user_model().objects
    if users.exists():
        return None
    login = Login(FIRST_USER, secrets.token_urlsafe(15))
    user = users.create_superuser(login.username, password=login.password)
    apps.get_model("access", "Membership").objects.create(practice=practice, user=user, role="administrator")
    return login
