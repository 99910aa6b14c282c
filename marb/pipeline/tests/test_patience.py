"""A PostgreSQL that is away is waited for, by each process of `manage.py ingest -j` and by the command itself."""

import threading
from multiprocessing import Pipe

import pytest
from django.db import OperationalError
from django.db.utils import DataError

from marb.pipeline import crew, patience, run
from marb.pipeline import lease as leases
from marb.pipeline.crew import Alone
from marb.pipeline.ingest import Ingest
from marb.pipeline.models import EdiFile
from marb.pipeline.patience import Patience
from marb.pipeline.tests.edi import claim_file
from marb.pipeline.tests.test_workers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def brief_pauses(monkeypatch) -> None:
    monkeypatch.setattr(patience, "PAUSE_SECONDS", 0)


def fail_at_first(monkeypatch, module, name: str, times: int = 1) -> None:
    """Let a function find PostgreSQL away so many times."""
    work, left = getattr(module, name), [times]

    def flaky(*given):
        if left[0]:
            left[0] -= 1
            raise OperationalError("connection refused")
        return work(*given)

    monkeypatch.setattr(module, name, flaky)


@pytest.mark.parametrize("name", ["take_chunk_of", "take_loaded", "take_received"])
def test_a_process_that_finds_postgresql_away_when_it_takes_a_lease_goes_on(put, monkeypatch, name):
    monkeypatch.setattr(crew, "prepare", lambda: None)
    monkeypatch.setattr(crew.signal, "signal", lambda number, handler: None)
    fail_at_first(monkeypatch, leases, name, 3)
    theirs, ours = Pipe(duplex=False)
    process = threading.Thread(target=crew.work, args=(theirs,))
    process.start()
    file_id = put(claim_file(["1", "2"], ["3"]))
    ours.send(file_id)
    wait_for(lambda: EdiFile.objects.get(pk=file_id).status == "accepted")
    ours.close()
    process.join()


def test_one_process_alone_goes_on_too(practice, tmp_path, monkeypatch):
    (tmp_path / "a.837").write_bytes(claim_file(["1", "2"], ["3"]))
    fail_at_first(monkeypatch, leases, "take_chunk_of", 2)
    found = list(Ingest(practice.pk, Alone(), lambda done: None).run([tmp_path / "a.837"]))
    assert [line[2:5] for line in found] == [("accepted", "837P", 3)]


def test_an_absence_that_lasts_too_long_is_raised(monkeypatch):
    def step(file_ids):
        raise OperationalError("connection refused")

    bearing = Patience(-1)
    monkeypatch.setattr(run, "step", step)
    with pytest.raises(OperationalError), bearing:
        run.step([])


def test_what_is_no_absence_is_raised_at_once():
    with pytest.raises(DataError), Patience(60):
        raise DataError
