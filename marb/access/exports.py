"""What has left by an export: its rows, counted by practice, in an entry of the audit when the answer is over.

The entry of the request itself stands before the first byte leaves (marb.access.audit) and cannot know how many follow;
this one, `exported`, says it, to the auditor of each practice for its own rows. It bears the same request id. Where no
more entries can be kept the answer is out already: that is logged, and the first entry stands.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest

from marb.access import audit
from marb.access.middleware import who
from marb.access.reader import Reader

logger = logging.getLogger(__name__)
ACTION = "exported"


def record(sender: Any, request: HttpRequest, form: str, rows: Mapping[int | None, int], **_: Any) -> None:
    """Record an export that has ended (marb.core.export.exported): how many rows of each practice have left."""
    reader = who(request)
    counted = rows or {audit.only_practice(request, reader): 0}
    try:
        audit.BUFFER.add(list(entries_of(request, reader, form, counted)))
    except audit.AuditFull:
        logger.error("audit: the end of an export of %s rows is not recorded", sum(counted.values()))


def entries_of(
    request: HttpRequest, reader: Reader | None, form: str, rows: Mapping[int | None, int]
) -> Iterable[audit.Entry]:
    place = request.resolver_match
    if place is None or not place.url_name:
        return
    kind = audit.kind_of(place.url_name, is_page="admin" in place.namespaces)
    words = (kind, ACTION, place.view_name[:100])
    for entry in audit.entries_of(request, reader, {practice_id: [] for practice_id in rows}, words, 200):
        told = {"form": form, "rows": str(rows[entry.practice_id])}
        yield entry._replace(parameters={**entry.parameters, **told})
