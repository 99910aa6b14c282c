"""Messages that are given up: kept with ids and a reason, never with values; driven again; no stop for the others."""

import os

import dramatiq
import pytest
from django.core.management import call_command
from django.urls import reverse
from dramatiq import Worker
from dramatiq.message import Message

from marb.pipeline import actors, run
from marb.pipeline.deadletters import ids_of, redrive
from marb.pipeline.models import DeadLetter
from marb.pipeline.tests.test_workers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
# tests run in several processes on one broker
QUEUE = f"poisoned-{os.getpid()}"


@pytest.fixture
def broker():
    broker = dramatiq.get_broker()
    broker.declare_queue(QUEUE)
    broker.flush(QUEUE)
    yield broker
    broker.flush(QUEUE)
    broker.queues.discard(QUEUE)


@pytest.fixture
def worker(broker, caplog):
    caplog.set_level("CRITICAL", logger="dramatiq")
    worker = Worker(broker, queues={QUEUE}, worker_threads=1, worker_timeout=50)
    worker.start()
    yield worker
    worker.stop()
    broker.middleware.pop()


def count() -> int:
    return DeadLetter.objects.count()


def test_a_message_for_nobody_is_kept_without_its_values(broker, worker):
    broker.enqueue(Message(QUEUE, "nobody", ("123-45-6789",), {}, {}))
    wait_for(lambda: count() == 1)
    letter = DeadLetter.objects.get()
    assert (letter.queue, letter.actor, letter.ids, letter.reason) == (QUEUE, "nobody", [], "ActorNotFound")


def test_bytes_that_are_no_message_do_not_stop_what_comes_after(broker, worker, monkeypatch):
    heard: list[int] = []
    monkeypatch.setattr(run, "finish_file", heard.append)
    for data in (b"\xff\x00", b"[1]", b'{"queue_name": "ingest"}'):
        broker.client.hset(f"dramatiq:{QUEUE}.msgs", data, data)
        broker.client.rpush(f"dramatiq:{QUEUE}", data)
    broker.client.rpush(f"dramatiq:{QUEUE}", "an id without a message")
    broker.enqueue(actors.finish_file.message(7).copy(queue_name=QUEUE))
    wait_for(lambda: heard == [7] and count() == 3)
    assert set(DeadLetter.objects.values_list("actor", "reason")) == {
        ("", "It could not be read: its bytes are no message.")
    }
    assert broker.client.zcard(f"dramatiq:{QUEUE}.XQ") == 3


def test_a_message_that_fails_each_time_is_kept_and_driven_again(broker, worker, monkeypatch, capsys):
    heard: list[int] = []

    def fail(file_id):
        raise ValueError("123-45-6789")

    monkeypatch.setattr(run, "finish_file", fail)
    broker.enqueue(actors.finish_file.message_with_options(args=(7,), max_retries=0).copy(queue_name=QUEUE))
    wait_for(lambda: count() == 1)
    letter = DeadLetter.objects.get()
    assert (letter.actor, letter.ids, letter.reason) == ("finish_file", [7], "ValueError")
    monkeypatch.setattr(run, "finish_file", heard.append)
    call_command("redrive")
    wait_for(lambda: heard == [7])
    letter.refresh_from_db()
    assert letter.redriven_at is not None
    assert capsys.readouterr().out == "1 of 1 messages were sent again.\n"
    call_command("redrive")
    assert capsys.readouterr().out == "0 of 0 messages were sent again.\n"


def test_a_bell_of_a_clock_is_not_kept(broker, worker):
    broker.enqueue(Message(QUEUE, "reap", (), {}, {}, message_timestamp=1))
    wait_for(lambda: broker.client.zcard(f"dramatiq:{QUEUE}.XQ") == 1)
    assert count() == 0


def test_what_no_actor_takes_is_not_sent():
    letter = DeadLetter.objects.create(actor="nobody", queue="ingest", ids=[1])
    assert redrive([letter]) == 0


@pytest.mark.parametrize(
    ("args", "ids"), [((1, 2), [1, 2]), ((), []), (("a",), []), ((1, "a"), []), ((-1,), []), ((2**70,), [])]
)
def test_only_ids_are_kept(args, ids):
    assert ids_of(args) == ids


def test_a_superuser_drives_letters_again_in_the_admin(client, admin_user, biller, monkeypatch):
    sent: list[tuple[str, int]] = []

    def enqueue(message, delay=None):
        sent.append((message.queue_name, *message.args))

    monkeypatch.setattr(actors.split_file.broker, "enqueue", enqueue)
    letter = DeadLetter.objects.create(actor="run_chunk", queue="ingest.DQ", ids=[4])
    address, order = (
        reverse("admin:pipeline_deadletter_changelist"),
        {"action": "drive_again", "_selected_action": [letter.pk]},
    )
    client.force_login(biller)
    assert client.post(address, order).status_code == 403
    client.force_login(admin_user)
    assert client.get(address).status_code == 200
    assert client.post(address, order, follow=True).status_code == 200
    assert sent == [("ingest", 4)]
