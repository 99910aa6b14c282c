"""The faults that need no worker: the same bytes many times, work in any order, the n-th call failing.

They run the belt in this process, with its real stages on the stand's PostgreSQL. Time is not waited for: leases are
made to have run out.
"""

import gzip
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg
from django.db import OperationalError, connection

from marb.pipeline import actors, run
from marb.pipeline.models import FINISHED, Chunk, ChunkState, EdiFile
from marb.pipeline.receive import receive
from monitoring.faults.cases import Amount, Broken, Load
from monitoring.faults.stand import Stand

CLIENTS = 8
MOST_STEPS = 10_000


def send_again(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F6: the same bytes one after another, by eight clients at once, and packed: one file each."""
    for path in load.paths:
        ids = [*at_once(stand, path), *at_once(stand, path, gzip.compress(path.read_bytes()))]
        if len(set(ids)) != 1:
            raise Broken(f"{path.name} became {len(set(ids))} files")
    work_in_order()
    for path in load.paths:
        stand.put([path])
    work_in_order()
    return len(load.paths) * (2 * CLIENTS + 1)


CONTENT = """
SELECT md5(coalesce(string_agg(md5(ROW(c.patient_control_number, c.charge_amount, c.status, c.line_count,
    c.finding_count, p.payer_code)::text), '' ORDER BY c.byte_offset), ''))
FROM claims_claim c LEFT JOIN parties_payer p ON p.id = c.payer_id WHERE c.file_id = %s
"""


def send_with_other_breaks(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F6: the same claims with CR LF between the segments, or with nothing: other bytes, so other files, each of them
    whole. Whether the claims were meant to be sent again is said by people, not by the belt."""
    path = load.paths[0]
    data = path.read_bytes()
    variants = [data, data.replace(b"\n", b"\r\n"), data.replace(b"\n", b"")]
    contents = set()
    for content in variants:
        (file_id,) = set(at_once(stand, path, content))
        work_in_order()
        file = EdiFile.objects.get(pk=file_id)
        counts = (file.status, file.claim_count, file.charge_amount, file.claims_quarantined, file.scan_claim_count)
        contents.add((counts, content_of(file_id)))
    if len(contents) != 1 or EdiFile.objects.count() != len(variants):
        raise Broken(f"{len(variants)} writings of one file came to {len(contents)} contents")
    return len(variants) * CLIENTS


def content_of(file_id: int) -> str:
    """A digest of a file's claims in their order, without their places."""
    with connection.cursor() as cursor:
        cursor.execute(CONTENT, [file_id])
        return str(cursor.fetchone()[0])


def at_once(stand: Stand, path: Path, data: bytes = b"") -> list[int]:
    """Receive the same bytes by several threads at one moment; answer the ids they were told."""
    barrier, ids = threading.Barrier(CLIENTS), []
    content = data or path.read_bytes()

    def send() -> None:
        barrier.wait()
        ids.append(receive(practice_id=stand.practice.pk, name=path.name, stream=iter([content])).file_id)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ids


def work_in_order() -> None:
    """Take steps until nothing waits."""
    for _ in range(MOST_STEPS):
        pending = unfinished()
        if not pending:
            return
        run.step(pending)
    raise Broken("the belt did not come to its end")


def unfinished() -> list[int]:
    return list(EdiFile.objects.exclude(status__in=FINISHED).values_list("pk", flat=True))


def shuffle(stand: Stand, load: Load, amount: Amount, rng: random.Random) -> int:
    """F12: files and chunks in a random order, chosen anew at each step."""
    paths = list(load.paths)
    rng.shuffle(paths)
    for path in paths:
        with path.open("rb") as stream:
            receive(practice_id=stand.practice.pk, name=path.name, stream=stream)
    for _ in range(MOST_STEPS):
        moves = find_moves()
        if not moves:
            return 1
        move, row_id = rng.choice(moves)
        move(row_id)
    raise Broken("the belt did not come to its end")


def find_moves() -> list[tuple[Callable[[int], bool], int]]:
    """List everything that could be done now."""
    open_chunks = Chunk.objects.filter(state=ChunkState.WAITING)
    chunks = list(open_chunks.values_list("pk", flat=True))
    busy = set(open_chunks.values_list("file_id", flat=True))
    moves: list[tuple[Callable[[int], bool], int]] = [(run.run_chunk, chunk_id) for chunk_id in chunks]
    for file_id, status in EdiFile.objects.exclude(status__in=FINISHED).values_list("pk", "status"):
        if status == "received":
            moves.append((run.split_file, file_id))
        elif file_id not in busy:
            moves.append((run.finish_file, file_id))
    return moves


class Fault:
    """Fails the n-th call, once: before it has its effect, or after, so that only its answer is lost."""

    def __init__(self, number: int, *, has_effect: bool):
        self.number = number
        self.has_effect = has_effect
        self.count = 0

    def call(self, work: Callable[[], Any]) -> Any:
        self.count += 1
        is_it = self.count == self.number
        if is_it and not self.has_effect:
            raise OperationalError("server closed the connection")
        answer = work()
        if is_it:
            raise OperationalError("server closed the connection")
        return answer

    def execute(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        return self.call(lambda: execute(sql, params, many, context))


@contextmanager
def failing_sql(fault: Fault) -> Iterator[None]:
    """Let a statement, a COPY or a COMMIT of this thread fail."""
    wrapper: Any = connection
    commit, copy = wrapper._commit, psycopg.Cursor.copy

    def failing_commit() -> Any:
        return fault.call(commit)

    def failing_copy(cursor: Any, *args: Any, **kwargs: Any) -> Any:
        return fault.call(lambda: copy(cursor, *args, **kwargs))

    with (
        connection.execute_wrapper(fault.execute),
        mock.patch.object(psycopg.Cursor, "copy", failing_copy),
        mock.patch.object(connection, "_commit", failing_commit),
    ):
        yield


def fail_sql(stand: Stand, load: Load, fault: Fault) -> None:
    """F22: work the load off with one statement failing; whoever falls is started again."""
    for path in load.paths:
        with path.open("rb") as stream:
            receive(practice_id=stand.practice.pk, name=path.name, stream=stream)
    for _ in range(MOST_STEPS):
        pending = unfinished()
        if not pending:
            return
        # only the belt's own calls fail, not what stands for time here
        with failing_sql(fault):
            try:
                run.step(pending)
            except OperationalError:
                connection.close()
        let_leases_run_out()
    raise Broken("the belt did not come to its end")


def fail_bells(stand: Stand, load: Load, fault: Fault) -> None:
    """F22: work the load off by its messages, one of which cannot be sent; the reaper rings for what is left."""
    waiting: list[Any] = []

    def enqueue(message: Any, *, delay: int | None = None) -> Any:
        return fault.call(lambda: waiting.append(message))

    with mock.patch.object(actors.split_file.broker, "enqueue", enqueue):
        stand.put(load.paths)
        for _ in range(MOST_STEPS):
            while waiting:
                message = waiting.pop(0)
                getattr(actors, message.actor_name).fn(*message.args)
            if not unfinished():
                return
            let_leases_run_out()
            actors.reap.fn()
    raise Broken("the belt did not come to its end")


def let_leases_run_out() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pipeline_chunk SET lease_until = '2000-01-01' WHERE state IN ('waiting', 'leased')")
        cursor.execute(
            "UPDATE pipeline_edifile SET lease_until = '2000-01-01', received_at = '2000-01-01'"
            " WHERE status IN ('received', 'running')"
        )
