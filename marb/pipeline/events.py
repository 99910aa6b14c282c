"""Live progress as server-sent events: `progress` with the files that moved, `done` when there is nothing to wait for.

A web thread is held for as long as somebody listens, so a stream takes a slot (marb.core.slots) and ends after
EVENTS_MOST_SECONDS; `retry:` tells the browser to come again by itself, and its Last-Event-ID keeps it from hearing
twice what it knows. Where every slot of the process is taken, the answer is one batch and "come again": everybody is
served, only less often. Between two looks no connection is held; all files of a look are one statement and one
message. A comment goes out when nothing moved, so that a listener who went away is noticed.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.http import StreamingHttpResponse

from marb.core.pool import give_back
from marb.core.slots import Busy, take_slot
from marb.pipeline.models import FINISHED, EdiFile
from marb.pipeline.progress import measure

RETRY_MS = 2_000
HEARTBEAT = b": nothing new\n\n"
MOST_FILES = 100


class Look(NamedTuple):
    """What was seen at one moment: each file's status and progress, and whether all of them are finished."""

    files: list[dict[str, Any]]
    is_over: bool

    @property
    def mark(self) -> str:
        """Name what was seen, but for the seconds, which always move."""
        seen = [(file["id"], file["status"], file["hold"], file["percent"], file["claims"]) for file in self.files]
        return hashlib.sha256(orjson.dumps(seen)).hexdigest()[:16]


def look_at(file_ids: Sequence[int]) -> Look:
    """Look at files, in two statements whatever their number."""
    rows = EdiFile.objects.filter(pk__in=file_ids).order_by("id").values("id", "status", "hold")
    measured = measure(file_ids)
    files = [{**row, **measured[row["id"]]._asdict()} for row in rows]
    return Look(files, all(file["status"] in FINISHED for file in files))


def answer_events(user_id: Any, find: Callable[[], Sequence[int]], last_mark: str) -> StreamingHttpResponse:
    """Begin a stream about the files that `find` names at each look. Raises TooManyStreams."""
    try:
        slot = take_slot(user_id, settings.EVENTS_MOST_SECONDS)
    except Busy:
        slot = None
    seconds = settings.EVENTS_MOST_SECONDS if slot else 0
    response = StreamingHttpResponse(tell(find, last_mark, seconds), content_type="text/event-stream")
    response._resource_closers += [slot.release] if slot else []  # type: ignore[attr-defined]
    # a proxy that gathers an answer before it passes it on would keep the events back
    response["X-Accel-Buffering"] = "no"
    response["Cache-Control"] = "no-store"
    return response


def tell(find: Callable[[], Sequence[int]], mark: str, seconds: float) -> Iterator[bytes]:
    """Yield events until every file is finished, or the time is over."""
    end = time.monotonic() + seconds
    yield f"retry: {RETRY_MS}\n\n".encode()
    while True:
        look = look_at(find())
        give_back()
        yield HEARTBEAT if look.mark == mark else event("progress", look)
        mark = look.mark
        if look.is_over:
            yield event("done", look)
            return
        if time.monotonic() + settings.EVENTS_SECONDS > end:
            return
        time.sleep(settings.EVENTS_SECONDS)


def event(name: str, look: Look) -> bytes:
    """Write one message; JSON has no line break of its own."""
    data = orjson.dumps({"files": look.files if name == "progress" else []})
    return b"event: %s\nid: %s\ndata: %s\n\n" % (name.encode(), look.mark.encode(), data)
