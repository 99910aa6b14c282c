"""The reaper and the bells: what is overdue is rung for, what is not is left alone."""

import os
import threading
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from marb.pipeline import actors
from marb.pipeline import lease as leases
from marb.pipeline.intake import take_in
from marb.pipeline.models import Chunk, EdiFile
from marb.pipeline.reaper import end_silent, find_overdue
from marb.pipeline.run import run_chunk, split_file
from marb.pipeline.tests.edi import claim_file
from marb.pipeline.tests.test_workers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bells(monkeypatch) -> list[tuple[str, str, int]]:
    """What is sent to the broker: queue, actor, id."""
    sent: list[tuple[str, str, int]] = []

    def enqueue(message, delay=None):
        sent.append((message.queue_name, message.actor_name, *message.args))

    monkeypatch.setattr(actors.split_file.broker, "enqueue", enqueue)
    return sent


def age(file_id: int) -> None:
    """Let a file and its chunks have waited for an hour."""
    with connection.cursor() as cursor:
        hour = "interval '1 hour'"
        cursor.execute(
            f"UPDATE pipeline_edifile SET received_at = received_at - {hour}, lease_until = lease_until - {hour}"
        )
        cursor.execute(f"UPDATE pipeline_chunk SET lease_until = lease_until - {hour} WHERE file_id = %s", [file_id])


def chunk_ids(file_id: int) -> list[int]:
    return list(Chunk.objects.filter(file_id=file_id).values_list("id", flat=True))


def test_a_new_file_is_left_to_its_first_bell(put):
    file_id = put(claim_file(["1"]))
    assert find_overdue() == ([], [], [])
    age(file_id)
    assert find_overdue() == ([file_id], [], [])


def test_a_waiting_chunk_is_rung_once_a_lease(put):
    file_id = put(claim_file(["1", "2"], ["3"]))
    split_file(file_id)
    assert find_overdue().chunks == []
    age(file_id)
    assert sorted(find_overdue().chunks) == chunk_ids(file_id)
    assert find_overdue().chunks == []


def test_a_chunk_whose_holder_is_gone_is_rung(put):
    file_id = put(claim_file(["1"]))
    split_file(file_id)
    lease = leases.take_chunk(*chunk_ids(file_id))
    assert lease is not None
    assert find_overdue().chunks == []
    age(file_id)
    assert find_overdue().chunks == [lease.chunk_id]


def test_a_file_whose_last_bell_was_lost_is_rung(put):
    file_id = put(claim_file(["1"]))
    split_file(file_id)
    run_chunk(*chunk_ids(file_id))
    assert find_overdue().loaded == [file_id]


def test_the_reaper_rings_for_all_that_is_overdue(put, bells):
    received, split, loaded = put(claim_file(["1"])), put(claim_file(["2"])), put(claim_file(["3"]))
    split_file(split)
    split_file(loaded)
    run_chunk(*chunk_ids(loaded))
    age(received)
    age(split)
    actors.reap.fn()
    assert bells == [
        ("ingest", "split_file", received),
        ("ingest", "run_chunk", *chunk_ids(split)),
        ("link", "finish_file", loaded),
    ]


def test_a_full_queue_gets_no_bells_for_those_who_wait_their_turn(put, bells, monkeypatch):
    """Else a long queue doubles with each lease; a chunk whose holder is gone is rung all the same."""
    file_id, received, loaded = put(claim_file(["1", "2"], ["3"])), put(claim_file(["4"])), put(claim_file(["5"]))
    split_file(file_id)
    split_file(loaded)
    run_chunk(*chunk_ids(loaded))
    first, second = chunk_ids(file_id)
    assert leases.take_chunk(first)
    age(file_id)
    monkeypatch.setattr(actors, "count_waiting", lambda actor: actors.MOST_WAITING)
    actors.reap.fn()
    assert bells == [("ingest", "run_chunk", first)]
    monkeypatch.setattr(actors, "count_waiting", lambda actor: 0)
    actors.reap.fn()
    rung = {("ingest", "split_file", received), ("ingest", "run_chunk", second), ("link", "finish_file", loaded)}
    assert rung <= set(bells)


def test_what_waits_in_a_queue_is_counted(monkeypatch):
    broker: Any = actors.run_chunk.broker
    queue = f"counted-{os.getpid()}"
    broker.declare_queue(queue)
    try:
        broker.enqueue(actors.run_chunk.message(1).copy(queue_name=queue))
        assert broker.count_waiting(queue) == 1
    finally:
        broker.flush(queue)
        broker.queues.discard(queue)


def test_bells_follow_a_file_through_the_belt(put, bells):
    file_id = put(claim_file(["1", "2"], ["3"]))
    actors.ring_file(file_id)
    actors.split_file.fn(file_id)
    first, last = chunk_ids(file_id)
    assert bells == [("ingest", "split_file", file_id), ("ingest", "run_chunk", first), ("ingest", "run_chunk", last)]
    bells.clear()
    actors.run_chunk.fn(first)
    assert bells == []
    actors.run_chunk.fn(last)
    assert bells == [("link", "finish_file", file_id)]
    actors.finish_file.fn(file_id)
    assert EdiFile.objects.get(pk=file_id).status == "accepted"


def test_a_persons_small_upload_goes_its_own_way(practice, bells, django_user_model):
    user = django_user_model.objects.create_user("ann")
    received = take_in(practice_id=practice.pk, name="a", stream=[claim_file(["1"])], user_id=user.pk)
    actors.split_file.fn(received.file_id)
    assert {queue for queue, _, _ in bells} == {"interactive"}


def test_an_upload_stands_though_no_bell_can_be_sent(practice, monkeypatch):
    def refuse(message, delay=None):
        raise ConnectionError

    monkeypatch.setattr(actors.split_file.broker, "enqueue", refuse)
    received = take_in(practice_id=practice.pk, name="a", stream=[claim_file(["1"])])
    age(received.file_id)
    assert find_overdue().received == [received.file_id]


def test_a_session_silent_inside_a_copy_is_ended(put, settings):
    """No timeout of PostgreSQL's reaches a client that stands still in the middle of a COPY."""
    settings.CHUNK_LEASE_SECONDS = 1
    file_id = put(claim_file(["1"]))
    split_file(file_id)
    (chunk_id,) = chunk_ids(file_id)
    stuck = threading.Thread(target=copy_until_ended, args=(chunk_id,))
    stuck.start()
    wait_for(lambda: is_held(chunk_id))
    wait_for(lambda: end_silent() == 1)
    stuck.join()
    assert end_silent() == 0
    assert not is_held(chunk_id)
    assert run_chunk(chunk_id)


def copy_until_ended(chunk_id: int) -> None:
    """Hold a chunk's row and begin a COPY that is fed only when its session has been ended."""
    with pytest.raises((DatabaseError, psycopg.Error)):
        stand_still(chunk_id)
    connection.close()


def stand_still(chunk_id: int) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        Chunk.objects.select_for_update().get(pk=chunk_id)
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
        with cursor.copy("COPY pipeline_finding (message) FROM STDIN") as copy:
            wait_for(lambda: is_ended(pid))
            copy.write(b"late\n" * 100_000)


def is_ended(pid: int) -> bool:
    known = connection.settings_dict
    address = {"host": known["HOST"], "port": known["PORT"], "user": known["USER"], "password": known["PASSWORD"]}
    with psycopg.connect(**address, dbname=known["NAME"]) as other:
        return other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone() is None


def is_held(chunk_id: int) -> bool:
    with transaction.atomic():
        return not Chunk.objects.select_for_update(skip_locked=True).filter(pk=chunk_id)


def test_no_bell_is_sent_for_what_is_finished(practice, ingested, bells):
    file = ingested(claim_file(["1"]))
    assert take_in(practice_id=practice.pk, name="b", stream=[claim_file(["1"])]).file_id == file.pk
    assert bells == []
