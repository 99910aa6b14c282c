"""Pausing, resuming, cancelling and retrying: what is committed stays, what is not is neither lost nor done twice."""

import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from marb.pipeline import actors
from marb.pipeline import lease as leases
from marb.pipeline.hold import FileBusy, cancel_file, pause_file, resume_file
from marb.pipeline.jobs import LeaseLost
from marb.pipeline.models import Chunk, ChunkState, EdiFile
from marb.pipeline.reaper import find_overdue
from marb.pipeline.retry import retry_file
from marb.pipeline.run import build_job, run_chunk, split_file, step
from marb.pipeline.tests import stages
from marb.pipeline.tests.edi import claim_file

pytestmark = pytest.mark.django_db(transaction=True)
CLAIMS = claim_file(["1", "2"], ["3", "4"])


@pytest.fixture(autouse=True)
def bells(monkeypatch) -> list[tuple[str, int]]:
    """What is sent to the broker: actor, id."""
    sent: list[tuple[str, int]] = []

    def enqueue(message, delay=None):
        sent.append((message.actor_name, *message.args))

    monkeypatch.setattr(actors.split_file.broker, "enqueue", enqueue)
    return sent


@pytest.fixture
def split(put) -> int:
    """A file whose chunks wait."""
    file_id = put(CLAIMS)
    split_file(file_id)
    return file_id


def chunks(file_id: int) -> list[Chunk]:
    return list(Chunk.objects.filter(file_id=file_id).order_by("seq"))


def work(file_id: int) -> EdiFile:
    while step([file_id]):
        pass
    return EdiFile.objects.get(pk=file_id)


def test_a_paused_file_gives_no_lease_until_it_is_resumed(split, bells):
    assert pause_file(split)
    assert not step([split])
    Chunk.objects.update(lease_until="2000-01-01T00:00:00Z")
    assert find_overdue() == ([], [], [])
    assert resume_file(split)
    assert bells == [("run_chunk", chunk.pk) for chunk in chunks(split)]
    assert work(split).status == "accepted"


def test_a_file_is_paused_before_its_split_and_before_its_last_steps(put, bells):
    early, late = put(CLAIMS), put(claim_file(["9"]))
    split_file(late)
    run_chunk(chunks(late)[0].pk)
    assert pause_file(early)
    assert pause_file(late)
    assert not step([early, late])
    assert resume_file(early)
    assert resume_file(late)
    assert bells == [("split_file", early), ("finish_file", late)]
    assert {work(early).status, work(late).status} == {"accepted"}


def test_a_chunk_in_hand_is_committed_though_its_file_is_paused(split):
    lease = leases.take_chunk(chunks(split)[0].pk)
    assert lease
    pause_file(split)
    stages.load_chunk(build_job(Chunk.objects.get(pk=lease.chunk_id), lease))
    assert [chunk.state for chunk in chunks(split)] == ["done", "waiting"]


def test_a_cancelled_file_keeps_what_is_committed_and_says_why(split, bells):
    run_chunk(chunks(split)[0].pk)
    assert cancel_file(split)
    assert bells == [("finish_file", split)]
    file = work(split)
    assert (file.status, file.claim_count, file.claims_rejected, file.hold) == ("partial", 2, 2, "cancelled")
    assert "It was cancelled" in file.reason
    assert not cancel_file(split)


def test_a_cancelled_file_comes_in_whole_when_it_is_retried(split):
    run_chunk(chunks(split)[0].pk)
    cancel_file(split)
    work(split)
    assert retry_file(split)
    file = work(split)
    assert (file.status, file.hold, file.claim_count, str(file.charge_amount)) == ("accepted", "", 4, "10.00")


def test_a_file_cancelled_with_nothing_committed_is_rejected(split):
    cancel_file(split)
    assert work(split).status == "rejected"


def test_a_file_cancelled_before_it_was_read_is_rejected_and_can_be_retried(put):
    file_id = put(CLAIMS)
    lease = leases.take_received([file_id])
    assert lease
    assert cancel_file(file_id)
    assert EdiFile.objects.get(pk=file_id).reason == "It was cancelled before it was read."
    assert not split_file(file_id)
    assert retry_file(file_id)
    assert work(file_id).status == "accepted"


def test_a_chunk_at_work_when_its_file_is_cancelled_commits_nothing(split):
    first = chunks(split)[0]
    lease = leases.take_chunk(first.pk)
    assert lease
    job = build_job(first, lease)
    cancel_file(split)
    with pytest.raises(LeaseLost):
        stages.load_chunk(job)
    assert Chunk.objects.get(pk=first.pk).state == ChunkState.PARKED


def test_a_finished_file_is_neither_paused_nor_cancelled(ingested):
    file = ingested(CLAIMS)
    assert not pause_file(file.pk)
    assert not resume_file(file.pk)
    assert not cancel_file(file.pk)


def test_a_file_that_is_being_split_is_busy(put, monkeypatch):
    monkeypatch.setattr("marb.pipeline.hold.LOCK_SECONDS", 0.1)
    file_id = put(CLAIMS)
    held, ended = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            EdiFile.objects.select_for_update().get(pk=file_id)
            held.set()
            ended.wait(120)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(60)
    with pytest.raises(FileBusy):
        cancel_file(file_id)
    ended.set()
    holder.join()


def test_one_parked_chunk_is_retried_by_the_command(split, capsys):
    cancel_file(split)
    work(split)
    first, *rest = chunks(split)
    call_command("retry", "--chunk", str(first.pk))
    assert capsys.readouterr().out == f"File {split} is on the belt again.\n"
    file = work(split)
    assert (file.status, file.claim_count) == ("partial", 2)
    assert [chunk.state for chunk in chunks(split)] == ["done", *("parked" for _ in rest)]
    call_command("retry", "--all")
    assert work(split).status == "accepted"
    with pytest.raises(CommandError, match="neither partly accepted nor rejected"):
        call_command("retry", "--file", str(split))
    with pytest.raises(CommandError, match="is not parked"):
        call_command("retry", "--chunk", str(first.pk))
