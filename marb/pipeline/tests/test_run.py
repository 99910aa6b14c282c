"""The belt as a whole, in this process: from bytes to a status, with every count explained."""

import itertools
import threading
from typing import Any

import pytest
from django.db import InternalError, OperationalError, connection
from dramatiq.middleware import TimeLimitExceeded

from marb.pipeline import actors
from marb.pipeline import lease as leases
from marb.pipeline.jobs import LeaseLost
from marb.pipeline.models import Chunk, ChunkState, EdiFile, Finding, Quarantine, TransactionSet
from marb.pipeline.retry import retry_file
from marb.pipeline.run import build_job, finish_file, run_chunk, run_stages, split_file, step
from marb.pipeline.split import split_leased
from marb.pipeline.tests import stages
from marb.pipeline.tests.edi import claim_file, claim_set, claim_sets, remittance_file, response_file
from marb.pipeline.tests.test_workers import wait_for
from marb.pipeline.verdict import count_file

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def silent_broker(monkeypatch) -> None:
    monkeypatch.setattr(actors.split_file.broker, "enqueue", lambda message, delay=None: message)


def rows(file: EdiFile) -> tuple[int, int, int, int]:
    """Rows that the belt left behind: sets, chunks, findings, quarantined."""
    models = (TransactionSet, Chunk, Finding, Quarantine)
    return tuple(model.objects.filter(file=file).count() for model in models)  # type: ignore[return-value]


def test_a_claim_file_is_accepted_with_its_counts(ingested):
    file = ingested(claim_file(["100", "50.25"], ["7"]))
    assert (file.status, file.reason, file.kind) == ("accepted", "", "837P")
    assert (file.claim_count, str(file.charge_amount)) == (3, "157.25")
    assert (file.chunk_count, file.chunks_done) == (2, 2)
    assert rows(file) == (2, 2, 3, 0)
    assert file.started_at <= file.finished_at


def test_a_remittance_file_is_accepted_with_its_payments(ingested):
    file = ingested(remittance_file("80", "-5.50"))
    assert (file.status, file.kind, file.remittance_count, str(file.paid_amount)) == ("accepted", "835", 2, "74.50")


def test_a_claim_that_cannot_be_read_is_quarantined_and_the_rest_goes_on(ingested):
    file = ingested(claim_file(["100", "1E2", "3"]))
    assert (file.status, file.claim_count, file.claims_quarantined) == ("partial", 2, 1)
    assert file.reason == "1 of 3 claims cannot be read and are in quarantine."


def test_a_rejected_set_leaves_its_siblings_alone(ingested):
    file = ingested(claim_sets(claim_set(1, ["9", "10"]), claim_set(2, ["20", "30"], is_broken=True)))
    assert (file.status, file.claim_count, file.claims_rejected) == ("partial", 2, 2)
    assert file.reason == "2 of 4 claims are in rejected sets: A segment is longer than 64 KB."


def test_a_file_of_rejected_sets_is_rejected(ingested):
    file = ingested(claim_file(["10"], is_broken=True))
    assert (file.status, file.claims_rejected, file.claim_count) == ("rejected", 1, 0)


def test_an_acknowledgement_is_kept_and_no_stage_for_claims_runs(ingested, settings):
    settings.PIPELINE = {"file": ["no.such.stage"], "kept": []}
    file = ingested(response_file())
    assert (file.status, file.kind) == ("kept", "999")
    assert "acknowledgement (999)" in file.reason


def test_an_interchange_that_cannot_be_read_is_rejected_with_the_reason(ingested):
    file = ingested(b"ISA*00*short~GS*HC~")
    assert (file.status, file.finding_count) == ("rejected", 1)
    assert file.reason.startswith("The interchange header (ISA) has fewer than sixteen elements.")
    assert Finding.objects.get(file=file).code == "022"


def test_a_claim_that_no_stage_answers_for_is_said(ingested, monkeypatch):
    whole = stages.read_outcome
    monkeypatch.setattr(stages, "read_outcome", lambda job: whole(job)._replace(claim_count=1))
    file = ingested(claim_file(["1", "2"]))
    assert file.status == "partial"
    assert file.reason == "1 of 2 claims are not accounted for; please report this file."


def test_every_step_twice_changes_nothing(put):
    file_id = put(claim_file(["1", "2"], ["3"]))
    assert split_file(file_id)
    assert not split_file(file_id)
    chunks = list(Chunk.objects.filter(file_id=file_id).values_list("id", flat=True))
    assert [run_chunk(chunk) for chunk in chunks + chunks] == [True, True, False, False]
    assert [finish_file(file_id), finish_file(file_id)] == [True, False]
    file = EdiFile.objects.get(pk=file_id)
    assert (file.status, file.claim_count, rows(file)) == ("accepted", 3, (2, 2, 3, 0))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_chunks_in_any_order_come_to_the_same(put, order):
    file_id = put(claim_file(["1"], ["2", "bad"], ["3"]))
    split_file(file_id)
    chunks = list(Chunk.objects.filter(file_id=file_id).values_list("id", flat=True))
    for place in order:
        assert not finish_file(file_id)
        run_chunk(chunks[place])
    finish_file(file_id)
    file = EdiFile.objects.get(pk=file_id)
    assert (file.claim_count, file.claims_quarantined, str(file.charge_amount)) == (3, 1, "6.00")


def take_chunk(chunk_id: int) -> leases.ChunkLease:
    lease = leases.take_chunk(chunk_id)
    assert lease is not None
    return lease


def test_of_two_holders_of_a_chunk_only_the_later_commits(put, settings):
    settings.CHUNK_LEASE_SECONDS = 0
    file_id = put(claim_file(["1", "2"]))
    split_file(file_id)
    chunk = Chunk.objects.get(file_id=file_id)
    first, second = take_chunk(chunk.pk), take_chunk(chunk.pk)
    assert (first.lease_no, second.lease_no) == (1, 2)
    with pytest.raises(LeaseLost):
        run_stages(first)
    assert Finding.objects.filter(file_id=file_id).count() == 0
    run_stages(second)
    assert Finding.objects.filter(file_id=file_id).count() == 2
    with pytest.raises(LeaseLost):
        stages.load_chunk(build_job(chunk, second))
    assert count_file(file_id).claims == 2


def test_a_split_whose_lease_is_lost_writes_nothing(put, settings):
    settings.CHUNK_LEASE_SECONDS = 0
    file_id = put(claim_file(["1"]))
    first = leases.take_received([file_id])
    assert first is not None
    assert leases.take_received([file_id]) is not None
    with pytest.raises(LeaseLost):
        split_leased(first)
    assert not Chunk.objects.filter(file_id=file_id).exists()


def fail_times(monkeypatch, times: int, error: Exception) -> None:
    """Let the chunk stage fail so many times before it works."""
    work, left = stages.load_chunk, [times]

    def flaky(job):
        if left[0]:
            left[0] -= 1
            raise error
        work(job)

    monkeypatch.setattr(stages, "load_chunk", flaky)


def test_a_stage_that_fails_and_then_succeeds_loses_nothing(ingested, monkeypatch):
    fail_times(monkeypatch, 2, OperationalError("terminating connection"))
    file = ingested(claim_file(["1", "2"]))
    chunk = Chunk.objects.get(file=file)
    assert (file.status, file.claim_count, chunk.attempts, chunk.reason) == ("accepted", 2, 3, "")


def test_a_chunk_that_keeps_failing_is_parked_and_its_claims_are_counted(ingested, monkeypatch, settings, caplog):
    settings.CHUNK_MOST_ATTEMPTS = 3
    fail_times(monkeypatch, 3, ValueError("could not read SMITH"))
    file = ingested(claim_file(["1", "2"], ["3"]))
    parked = Chunk.objects.get(file=file, state=ChunkState.PARKED)
    assert parked.reason == "It failed 3 times, last with ValueError."
    assert (file.status, file.claim_count, file.claims_rejected) == ("partial", 1, 2)
    assert file.reason == "2 of 3 claims could not be loaded; their chunks can be retried."
    assert "SMITH" not in caplog.text


def test_parked_chunks_are_tried_again_when_asked(ingested, monkeypatch, settings):
    settings.CHUNK_MOST_ATTEMPTS = 2
    fail_times(monkeypatch, 2, ValueError())
    file = ingested(claim_file(["1", "2"], ["3"]))
    assert file.status == "partial"
    assert retry_file(file.pk)
    assert not retry_file(file.pk)
    file.refresh_from_db()
    assert (file.status, file.chunks_done) == ("running", 1)
    while step([file.pk]):
        pass
    file.refresh_from_db()
    assert (file.status, file.claim_count, file.claims_rejected, file.reason) == ("accepted", 3, 0, "")


def test_a_rejected_file_is_split_anew_when_asked(ingested):
    file = ingested(b"ISA*00*short~GS*HC~")
    assert retry_file(file.pk)
    while step([file.pk]):
        pass
    file.refresh_from_db()
    assert (file.status, Finding.objects.filter(file=file).count()) == ("rejected", 1)


def test_an_accepted_file_is_not_tried_again(ingested):
    file = ingested(claim_file(["1"]))
    assert not retry_file(file.pk)


def test_a_chunk_whose_workers_die_each_time_is_parked(put, settings):
    settings.CHUNK_MOST_ATTEMPTS, settings.CHUNK_LEASE_SECONDS = 2, 0
    file_id = put(claim_file(["1"]))
    split_file(file_id)
    chunk = Chunk.objects.get(file_id=file_id)
    assert leases.take_chunk(chunk.pk)
    assert leases.take_chunk(chunk.pk)
    run_chunk(chunk.pk)
    chunk.refresh_from_db()
    assert chunk.state == ChunkState.PARKED
    assert chunk.reason.startswith("Each attempt ended without an answer")


def test_a_stage_that_commits_nothing_is_a_failure(ingested, monkeypatch, settings):
    settings.CHUNK_MOST_ATTEMPTS = 1
    monkeypatch.setattr(stages, "load_chunk", lambda job: None)
    file = ingested(claim_file(["1"]))
    assert Chunk.objects.get(file=file).reason == "It failed 1 times, last with NothingCommitted."
    assert file.status == "rejected"


def test_last_steps_that_keep_failing_leave_the_claims_and_say_so(ingested, monkeypatch, settings):
    settings.CHUNK_MOST_ATTEMPTS = 1

    def fail(job):
        raise RuntimeError

    monkeypatch.setattr(stages, "settle_file", fail)
    file = ingested(claim_file(["1"]))
    assert (file.status, file.claim_count) == ("partial", 1)
    assert file.reason == "Its last steps failed 1 times, last with RuntimeError."


def test_a_lease_is_renewed_while_the_work_lasts(put, settings):
    settings.CHUNK_LEASE_SECONDS = 0.6
    file_id = put(claim_file(["1"]))
    split_file(file_id)
    lease = take_chunk(Chunk.objects.get(file_id=file_id).pk)
    first = lease_until(lease)
    with leases.kept(lease):
        wait_for(lambda: lease_until(lease) > first)
    last = lease_until(lease)
    wait_for(lambda: leases.take_chunk(lease.chunk_id) is not None)
    assert lease_until(lease) > last


def lease_until(lease: leases.ChunkLease) -> Any:
    return Chunk.objects.get(pk=lease.chunk_id).lease_until


def test_a_worker_that_stands_still_in_its_transaction_loses_its_lease(put, settings):
    """F14: PostgreSQL ends the silent session, another commits, and the late COMMIT changes nothing."""
    # longer than this process may be kept waiting between two statements
    settings.CHUNK_LEASE_SECONDS = 4
    file_id = put(claim_file(["1"]))
    split_file(file_id)
    chunk = Chunk.objects.get(file_id=file_id)
    lease = take_chunk(chunk.pk)
    job = build_job(chunk, lease)
    with pytest.raises(InternalError):
        commit_late(job)
    connection.close()
    chunk.refresh_from_db()
    assert (chunk.state, chunk.lease_no, Finding.objects.filter(chunk=chunk).count()) == ("done", 2, 1)


def commit_late(job) -> None:
    """Commit a chunk, but stand still in its transaction until another has it."""
    with job.commit(stages.read_outcome(job)):
        other = threading.Thread(target=commit_elsewhere, args=(job.chunk_id,))
        other.start()
        other.join()


def commit_elsewhere(chunk_id: int) -> None:
    try:
        wait_for(lambda: run_chunk(chunk_id))
    finally:
        connection.close()


@pytest.mark.parametrize("has_effect", [False, True])
def test_a_commit_whose_answer_is_lost_is_looked_up_before_it_is_repeated(put, has_effect, monkeypatch, caplog):
    caplog.set_level("CRITICAL")
    file_id = put(claim_file(["1"]))
    split_file(file_id)
    chunk = Chunk.objects.get(file_id=file_id)
    wrapper: Any = connection
    commit, state = wrapper._commit, {"left": 1}

    def lose():
        state["left"] -= 1
        if state["left"]:
            return commit()
        if has_effect:
            commit()
        raise OperationalError("server closed the connection")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "_commit", lose)
        assert run_chunk(chunk.pk)
    chunk.refresh_from_db()
    assert chunk.state == ("done" if has_effect else "waiting")
    while step([file_id]):
        pass
    file = EdiFile.objects.get(pk=file_id)
    assert (file.status, file.claim_count, Finding.objects.filter(file=file).count()) == ("accepted", 1, 1)


def test_an_interrupted_chunk_is_given_back_at_once(put, monkeypatch, caplog):
    caplog.set_level("CRITICAL")

    def interrupt(job):
        raise TimeLimitExceeded

    file_id = put(claim_file(["1"]))
    split_file(file_id)
    chunk = Chunk.objects.get(file_id=file_id)
    with monkeypatch.context() as patch:
        patch.setattr(stages, "load_chunk", interrupt)
        with pytest.raises(TimeLimitExceeded):
            run_chunk(chunk.pk)
    chunk.refresh_from_db()
    assert (chunk.state, chunk.reason) == ("waiting", "TimeLimitExceeded")
    assert run_chunk(chunk.pk)


def test_a_lease_is_not_renewed_beyond_the_hard_limit(put, settings):
    settings.CHUNK_LEASE_SECONDS, settings.HARD_LIMIT_SECONDS = 0.3, 0
    file_id = put(claim_file(["1"]))
    split_file(file_id)
    lease = take_chunk(Chunk.objects.get(file_id=file_id).pk)
    with leases.kept(lease):
        wait_for(lambda: leases.take_chunk(lease.chunk_id) is not None)
