"""Bells: each message carries one id and says "look at this row". Who works, and whether, the row's lease decides.

A message that is lost, doubled or late does no harm. `interactive` is for a person's small upload, from split to last
step; `ingest` loads everybody's chunks, `link` finishes files, `score` waits for what is scored apart from its file,
`maintenance` is the reaper's. Bells are sent after
the commit that made them true; one that cannot be sent is left to the reaper.
"""

from collections.abc import Iterable
from typing import Any

import dramatiq
from django.conf import settings
from django.db import transaction
from dramatiq_crontab import interval

from marb.access import idempotency
from marb.access.actors import warm_practice
from marb.pipeline import run
from marb.pipeline.models import Chunk, ChunkState, EdiFile
from marb.pipeline.reaper import end_silent, find_overdue
from marb.pipeline.retention import sweep_uploads

# the soft limit: the runner gives the row back; the hard one is the lease keeper's and marb.core.worker's
TIME_LIMIT = settings.SOFT_LIMIT_SECONDS * 1000
REAP_SECONDS = 10
# bells that may wait for a worker before the reaper rings none for what waits its turn
MOST_WAITING = 100
SWEEP_SECONDS = 600
SMALL_BYTES = 4 * 1024 * 1024
RETRIES: dict[str, Any] = {"max_retries": 3, "min_backoff": 1_000, "max_backoff": 30_000}


@dramatiq.actor(queue_name="interactive", time_limit=TIME_LIMIT, **RETRIES)
def split_file(file_id: int) -> None:
    run.split_file(file_id)
    ring_next(file_id)


@dramatiq.actor(queue_name="ingest", time_limit=TIME_LIMIT, **RETRIES)
def run_chunk(chunk_id: int) -> None:
    if run.run_chunk(chunk_id):
        ring_after(chunk_id)


@dramatiq.actor(queue_name="link", time_limit=TIME_LIMIT, **RETRIES)
def finish_file(file_id: int) -> None:
    if run.finish_file(file_id):
        warm_practice.send(EdiFile.objects.values_list("practice_id", flat=True).get(pk=file_id))


# a lease and this pause are the longest that a killed worker's chunk waits
@interval(seconds=REAP_SECONDS)
@dramatiq.actor(queue_name="maintenance", time_limit=60_000, max_retries=0, max_age=60_000)
def reap() -> None:
    end_silent()
    overdue = find_overdue(has_room=count_waiting(run_chunk) < MOST_WAITING)
    ring(split_file, overdue.received, queue="ingest")
    ring(run_chunk, overdue.chunks)
    ring(finish_file, overdue.loaded if count_waiting(finish_file) < MOST_WAITING else [])


def count_waiting(actor: "dramatiq.Actor[[int], None]") -> int:
    broker: Any = actor.broker
    return int(broker.count_waiting(actor.queue_name))


def ring(actor: "dramatiq.Actor[[int], None]", ids: Iterable[int], *, queue: str = "") -> None:
    """Send a bell for each id once the open transaction has committed."""
    messages = [actor.message(number) for number in ids]
    if queue:
        messages = [message.copy(queue_name=queue) for message in messages]

    def send() -> None:
        for message in messages:
            actor.broker.enqueue(message)

    transaction.on_commit(send, robust=True)


def ring_file(file_id: int) -> None:
    """Ring for a file just received; a person's small upload goes before what machines send."""
    ring(split_file, [file_id], queue=own_queue(EdiFile.objects.get(pk=file_id)) or "ingest")


def ring_next(file_id: int) -> None:
    """Ring for what a file waits for after its split: its chunks, or its last steps where it has none."""
    file = EdiFile.objects.get(pk=file_id)
    if file.status == "running":
        waiting = Chunk.objects.filter(file_id=file_id, state=ChunkState.WAITING).order_by("seq")
        chunk_ids = list(waiting.values_list("id", flat=True))
        ring(run_chunk, chunk_ids, queue=own_queue(file))
        ring(finish_file, [] if chunk_ids else [file_id], queue=own_queue(file))


def ring_after(chunk_id: int) -> None:
    """Ring for a file's last steps where this chunk was the last to come in."""
    chunk = Chunk.objects.select_related("file").get(pk=chunk_id)
    if chunk.file.chunks_done >= chunk.file.chunk_count:
        ring(finish_file, [chunk.file_id], queue=own_queue(chunk.file))


def own_queue(file: EdiFile) -> str:
    """The queue of a person's small upload; for others the actor's own."""
    return "interactive" if file.uploaded_by_id and file.byte_count <= SMALL_BYTES else ""


# a day's end of what people began and did not finish, and of keys that nobody can repeat any more
@interval(seconds=SWEEP_SECONDS)
@dramatiq.actor(queue_name="maintenance", time_limit=60_000, max_retries=0, max_age=60_000)
def sweep() -> None:
    sweep_uploads()
    idempotency.sweep()
