"""Who read what: one entry per request and practice, kept in memory for a moment and written in batches.

The invariant: an answer leaves only after its entry stands in this memory, and what stands there is written before a
clean stop ends (marb.access.trail writes). An entry holds ids, names of parameters and a keyed digest of their values,
never a value that could be a patient's. Where the database cannot be written and the memory is full, nothing more is
read (AuditFull): reading without a trace is worse than not reading. A process that is killed loses what it had not
written, at most AUDIT_SECONDS of it.
"""

import hashlib
import hmac
import re
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.encoding import force_bytes

from marb.access import trail
from marb.access.origin import address_of
from marb.access.reader import Reader
from marb.core.reads import noted

RECORDED = "marb_recorded"
REQUEST_ID = "marb_request_id"
NUMBER = re.compile(r"[0-9]{1,18}")
# parameters that say which page or which part, never whose
PLAIN = frozenset(
    {
        *("practice", "status", "ordering", "limit", "fields", "expand", "kind", "level", "format", "claim_type"),
        *("role", "o", "p", "e", "page", "action", "code_set", "is_clean"),
    }
)
PLAIN_VALUE = re.compile(r"[A-Za-z0-9_.,-]{1,60}")
PARAMETER = re.compile(r"[a-z][a-z0-9_]{0,59}")
MOST_PARAMETERS = 20
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
ACTIONS = {"GET": "read", "HEAD": "read", "OPTIONS": "read", "DELETE": "delete"}


class AuditFull(Exception):
    """The entries that wait are as many as may wait, and cannot be written."""


class Entry(NamedTuple):
    """One read as it is kept, in the order of the table's columns (marb.access.trail)."""

    at: datetime
    practice_id: int | None
    user_id: int | None
    username: str
    kind: str
    action: str
    place: str
    method: str
    object_ids: list[int]
    parameters: dict[str, str]
    status_code: int
    address: str
    request_id: str


class Buffer:
    """The entries that are not yet written, and the thread that writes them."""

    def __init__(self) -> None:
        self.waiting: deque[Entry] = deque()
        self.writing = threading.Lock()
        self.starting = threading.Lock()
        self.writer: trail.Writer | None = None

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep entries until they are written. Raises AuditFull."""
        if len(self.waiting) >= settings.AUDIT_MOST:
            self.flush()
            if len(self.waiting) >= settings.AUDIT_MOST:
                raise AuditFull
        self.waiting.extend(entries)
        if self.writer is None and settings.AUDIT_SECONDS > 0:
            self.start()
        elif self.writer is not None and self.writer.is_closed:
            self.flush()

    def start(self) -> None:
        with self.starting:
            if self.writer is None:
                self.writer = trail.Writer(self.flush, settings.AUDIT_SECONDS)

    def flush(self) -> bool:
        """Write what waits, oldest first, and say whether all of it is written."""
        with self.writing:
            while self.waiting:
                if not self.flush_some():
                    return False
        return True

    def flush_some(self) -> bool:
        batch = [self.waiting.popleft() for _ in range(min(len(self.waiting), trail.MOST_ROWS))]
        is_written = False
        try:
            is_written = trail.store(batch)
        finally:
            if not is_written:
                self.waiting.extendleft(reversed(batch))
        return is_written


BUFFER = Buffer()


def record(
    request: HttpRequest,
    reader: Reader | None,
    rows: Iterable[tuple[int, int | None]],
    *,
    kind: str,
    place: str = "",
    action: str = "read",
    status_code: int = 200,
    asked: int | None = None,
) -> None:
    """Record that a request read these rows, given as (id, practice id), once a request; by plain functions only.

    `place` is the name of the address, `asked` the id that the address names, for an answer without rows. Raises
    AuditFull, upon which nothing may be answered.
    """
    if getattr(request, RECORDED, False):
        return
    setattr(request, RECORDED, True)
    by_practice: dict[int | None, list[int]] = {}
    for number, practice_id in rows:
        by_practice.setdefault(practice_id, []).append(number)
    if not by_practice:
        by_practice[only_practice(request, reader)] = [] if asked is None else [asked]
    BUFFER.add(list(entries_of(request, reader, by_practice, (kind, action, place), status_code)))


def entries_of(
    request: HttpRequest,
    reader: Reader | None,
    by_practice: Mapping[int | None, list[int]],
    words: tuple[str, str, str],
    status_code: int,
) -> Iterable[Entry]:
    """Make one entry per practice: an auditor of one sees no id of another."""
    entry = Entry(
        datetime.now(UTC),
        None,
        reader.id if reader else None,
        reader.user.get_username() if reader else "",
        *words,
        request.method if request.method in METHODS else "other",
        [],
        parameters_of(request),
        status_code,
        address_of(request),
        getattr(request, REQUEST_ID, ""),
    )
    for practice_id, ids in by_practice.items():
        yield entry._replace(practice_id=practice_id, object_ids=ids)


def only_practice(request: HttpRequest, reader: Reader | None) -> int | None:
    """Get the practice of a member of one: whose auditor sees what was asked for and not found."""
    if reader is None or reader.user.is_superuser:
        return None
    ids = list(reader.roles) or getattr(request, "marb_practice_ids", [])
    return ids[0] if len(ids) == 1 else None


def record_answer(request: HttpRequest, reader: Reader | None, response: HttpResponse) -> None:
    """Record a request by its address and what it noted (marb.core.reads). Raises AuditFull."""
    place = request.resolver_match
    if place is None or not place.url_name or place.url_name in settings.UNAUDITED_PLACES:
        return
    reads = noted(request)
    number = next((value for value in map(str, place.kwargs.values()) if NUMBER.fullmatch(value)), None)
    action = (reads.action if reads else "") or ACTIONS.get(request.method or "", "write")
    record(
        request,
        reader,
        reads.rows if reads else (),
        kind=kind_of(place.url_name, is_page="admin" in place.namespaces),
        place=place.view_name[:100],
        action=action,
        status_code=response.status_code,
        asked=None if number is None else int(number),
    )


@lru_cache(maxsize=1024)
def kind_of(name: str, *, is_page: bool) -> str:
    """Get the kind of an address by its name: claim of claim-findings, and of the page claims_claim_change."""
    if not is_page:
        return name.partition("-")[0][:40]
    parts = name.split("_")
    return (parts[1] if len(parts) > 2 else name)[:40]


def parameters_of(request: HttpRequest) -> dict[str, str]:
    """Get what a list was asked for: a value only of parameters that name nobody, a keyed digest of any other."""
    if not request.META.get("QUERY_STRING"):
        return {}
    found: dict[str, str] = {}
    for name, values in list(request.GET.lists())[:MOST_PARAMETERS]:
        if PARAMETER.fullmatch(name):
            found[name] = ",".join(shown(name, value) for value in values[:MOST_PARAMETERS])
        else:
            found["other"] = ""
    return found


def shown(name: str, value: str) -> str:
    if name in PLAIN and PLAIN_VALUE.fullmatch(value):
        return value
    return f"#{digest_of(value)}" if value else ""


def digest_of(value: str) -> str:
    """Get the digest by which a value can be looked for, and not be read."""
    key = force_bytes(settings.SECRET_KEY)
    return hmac.new(key, b"marb.access.audit:" + value.encode(errors="replace"), hashlib.sha256).hexdigest()[:16]
