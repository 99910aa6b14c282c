"""The audit's table: written by COPY, append-only, a chain of keyed digests, one partition a month, kept AUDIT_YEARS.

Every entry's digest covers the one before it under a key made of SECRET_KEY, so a changed, removed or inserted entry is
named by `manage.py audit verify`. One row, access_audithead, holds the end of the chain and puts the writers of all
processes in line. A trigger refuses UPDATE, DELETE and TRUNCATE (the migration); old months go as whole tables.

What this does not protect against: the tables' owner may switch a trigger off or drop a month, and whoever also holds
SECRET_KEY may write a chain of their own; for that, give the application a role that does not own the tables. A batch
whose COMMIT was carried out but not answered is written twice.
"""

import atexit
import hashlib
import hmac
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from multiprocessing.util import Finalize
from typing import Any

import orjson
from django.conf import settings
from django.db import Error, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.encoding import force_bytes

from marb.access.models import AuditEntry
from marb.core.copy import copy_rows

logger = logging.getLogger(__name__)
MOST_ROWS = 5_000
TABLE = "access_auditentry"
COLUMNS = (
    *("at", "practice_id", "user_id", "username", "kind", "action", "place", "method"),
    *("object_ids", "parameters", "status_code", "address", "request_id"),
)
FIRST = "0" * 64


class Writer:
    """A thread that flushes every so many seconds, and once more at a clean stop of the process.

    A granian worker is a multiprocessing child, which runs no atexit handlers but multiprocessing's own finalizers;
    every other process runs both. The thread is a daemon: a stop does not wait for its pause.
    """

    def __init__(self, flush: Callable[[], bool], seconds: float):
        self.flush, self.seconds = flush, seconds
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, name="audit", daemon=True)
        Finalize(None, self.close, exitpriority=100)
        atexit.register(self.close)
        self.thread.start()

    @property
    def is_closed(self) -> bool:
        return self.stop.is_set()

    def run(self) -> None:
        while not self.stop.wait(self.seconds):
            self.flush()
            connection.close()

    def close(self) -> None:
        """Write what waits. What comes after this is written as it comes."""
        self.stop.set()
        if not self.flush():
            logger.error("audit: entries were lost, the database cannot be written")
        connection.close()


def store(entries: Sequence[Sequence[Any]]) -> bool:
    """Write a batch in one transaction, and say whether it is written; the error is logged by its name."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT digest FROM access_audithead WHERE id = 1 FOR UPDATE")
            previous = cursor.fetchone()[0]
            open_months(cursor, {entry[0] for entry in entries})
            rows = list(chained(entries, previous))
            copy_rows(cursor, AuditEntry, (*COLUMNS, "digest"), rows)
            cursor.execute(
                "UPDATE access_audithead SET digest = %s, entry_count = entry_count + %s WHERE id = 1",
                [rows[-1][-1], len(rows)],
            )
    except Error as error:
        logger.error("audit: %s entries wait, the database cannot be written (%s)", len(entries), type(error).__name__)
        return False
    return True


def chained(entries: Iterable[Sequence[Any]], previous: str) -> Iterator[list[Any]]:
    """Add to each entry the digest that ties it to the one before."""
    key = key_of(settings.SECRET_KEY)
    for entry in entries:
        previous = digest_of(key, previous, entry)
        yield [*entry, previous]


def key_of(secret: Any) -> bytes:
    return hashlib.sha256(b"marb.access.trail:" + force_bytes(secret)).digest()


def digest_of(key: bytes, previous: str, entry: Sequence[Any]) -> str:
    """Digest an entry, its columns in the order of COLUMNS, together with the digest before it."""
    said = orjson.dumps([previous, entry[0].astimezone(UTC), *entry[1:]], option=orjson.OPT_SORT_KEYS)
    return hmac.new(key, said, hashlib.sha256).hexdigest()


def open_months(cursor: CursorWrapper, moments: set[datetime]) -> None:
    """Make the partitions that entries of these times need; the head's lock lets one process do it."""
    for first in {moment.astimezone(UTC).date().replace(day=1) for moment in moments}:
        name = f"{TABLE}_{first:%Y_%m}"
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0] is None:
            cursor.execute("SELECT access_open_month(%s)", [first])


def verify() -> Iterator[int]:
    """Find the entries that the chain does not hold, in the order they were written: changed, or not after their own.

    The first entry that there is may be any: what stood before it was dropped by retention. Last, 0 where the head
    is not the digest of the last entry: the end is missing.
    """
    keys = [key_of(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    previous = None
    rows = AuditEntry.objects.order_by("id").values_list("id", "digest", *COLUMNS)
    for number, digest, *entry in rows.iterator(chunk_size=MOST_ROWS):
        if previous is not None and digest not in {digest_of(key, previous, entry) for key in keys}:
            yield number
        previous = digest
    with connection.cursor() as cursor:
        cursor.execute("SELECT digest FROM access_audithead WHERE id = 1")
        if cursor.fetchone()[0] != (previous or FIRST):
            yield 0


def drop_expired(now: datetime) -> list[str]:
    """Drop the months that ended AUDIT_YEARS ago, and answer their names."""
    last = f"{TABLE}_{now.year - settings.AUDIT_YEARS}_{now.month:02}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [TABLE])
        expired = sorted(name for (name,) in cursor.fetchall() if name < last)
        for name in expired:
            cursor.execute(f'DROP TABLE "{name}"')
    return expired
