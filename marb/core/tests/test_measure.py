"""What is measured: requests by route, statements without values, memory at checkpoints, calls; nothing when off."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory

from marb.core.measure import checkpoint, count, gauge, mark, measured, memory, process, record, statements
from marb.core.measure.ledger import Ledger
from marb.core.measure.middleware import RequestMiddleware, endpoint_of


@pytest.fixture(autouse=True)
def ledger(monkeypatch) -> Ledger:
    fresh = Ledger()
    monkeypatch.setattr(process.HELD, "ledger", fresh)
    return fresh


def timings(ledger, kind):
    return {timing.name: timing for timing in ledger.take().timings if timing.kind == kind}


def notes(ledger):
    return ledger.take().notes


@pytest.mark.django_db
def test_a_request_is_counted_by_method_and_route_and_tells_its_time(ledger):
    answers = [Client().get("/api/v1/health/") for _ in range(3)]
    assert timings(ledger, "request")["GET health"].count == 3
    assert all(0 < float(answer.headers["X-Process-Time"]) < 60 for answer in answers)


@pytest.mark.django_db
def test_an_unknown_path_is_no_name_of_its_own(ledger):
    Client().get("/secret/123-45-6789/")
    assert len(found := timings(ledger, "request")) == 1
    assert "6789" not in str(set(found))


def test_an_invented_method_is_no_name_of_its_own():
    assert endpoint_of(RequestFactory().generic("SMITH", "/")) == "(other) (unmatched)"


def test_an_answer_of_500_is_an_error_and_404_is_none(ledger):
    statuses = [500, 503, 404, 200]
    middleware = RequestMiddleware(lambda request: HttpResponse(status=statuses.pop()))
    for _ in range(4):
        middleware(RequestFactory().get("/"))
    timing = timings(ledger, "request")["GET (unmatched)"]
    assert (timing.count, timing.errors) == (4, 2)


def test_statements_are_named_by_verb_and_table():
    assert statements.subject_of('SELECT "a"."b" FROM "claims_claim" WHERE 1') == "SELECT claims_claim"
    assert statements.subject_of("\n INSERT INTO remits_payment (x) SELECT 1") == "INSERT remits_payment"
    assert statements.subject_of("update ONLY pipeline_chunk SET a = 1") == "UPDATE pipeline_chunk"
    assert statements.subject_of("SAVEPOINT a") == "SAVEPOINT"
    assert statements.subject_of("") == "(other)"


def test_a_kept_text_holds_no_literal():
    text = statements.masked("SELECT a1 FROM t WHERE n = 'O''Hara' AND m = $q$W12$q$ AND d = 19570412 AND x = %s")
    assert text == "SELECT a1 FROM t WHERE n = ? AND m = ? AND d = ? AND x = %s"


def test_lists_of_any_length_are_one_statement():
    texts = [f"SELECT 1 FROM t WHERE a IN ({', '.join(['%s'] * length)})" for length in (2, 3, 50)]
    assert len({statements.fingerprint_of(text) for text in texts}) == 1
    rows = [f"INSERT INTO t VALUES {', '.join(['(%s, %s)'] * length)}" for length in (2, 7)]
    assert len({statements.fingerprint_of(text) for text in rows}) == 1


@pytest.mark.django_db
def test_statements_are_counted_and_slow_ones_kept_without_their_values(ledger, settings):
    settings.SLOW_QUERY_MS = 0
    with connection.cursor() as cursor:
        for _ in range(4):
            cursor.execute("SELECT id FROM access_practice WHERE name = %s", ["Rosalind Abernathy"])
    batch = ledger.take()
    fast = {timing.name: timing.count for timing in batch.timings if timing.kind == "sql"}
    assert fast["SELECT access_practice"] == 4
    assert "SELECT id FROM access_practice WHERE name = %s" in batch.statements.values()
    assert "Abernathy" not in repr(batch)


@pytest.mark.django_db
def test_a_statement_that_fails_is_an_error(ledger):
    with pytest.raises(Exception, match="nothing_here"), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM nothing_here")
    assert timings(ledger, "sql")["SELECT nothing_here"].errors == 1


def test_a_checkpoint_notes_start_points_and_end(ledger):
    with checkpoint("process_edi_file", last="database_commit_complete", file_id=7):
        mark("parsing_complete", claims=12)
    found = notes(ledger)
    assert [note.checkpoint for note in found] == ["task_started", "parsing_complete", "database_commit_complete"]
    assert [note.metadata for note in found] == [{"file_id": 7}, {"file_id": 7, "claims": 12}, {"file_id": 7}]
    assert all(note.process_mb > 1 and note.peak_mb >= note.process_mb for note in found)
    assert all(note.system_total_mb > note.system_available_mb > 0 for note in found)


def test_an_operation_that_fails_ends_with_error_and_still_fails(ledger):
    with pytest.raises(ZeroDivisionError), checkpoint("ml"):
        raise ZeroDivisionError("Abernathy")
    last = notes(ledger)[-1]
    assert (last.checkpoint, last.metadata) == ("error", {"error": "ZeroDivisionError"})


def test_a_checkpoint_is_a_decorator_too(ledger):
    @checkpoint("detect_patterns")
    def detect():
        return 3

    assert (detect(), detect()) == (3, 3)
    assert len(notes(ledger)) == 4


def test_metadata_that_is_not_on_the_list_is_left_out(ledger):
    given: Any = {"patient": "Abernathy", "kind": "837 O'Hara", "file_id": "12", "claims": 3, "model_version": "v1.2"}
    with checkpoint("ml", **given):
        pass
    assert notes(ledger)[0].metadata == {"claims": 3, "model_version": "v1.2"}


def test_the_memory_that_an_operation_took_is_its_delta(ledger):
    with checkpoint("ml"):
        held = bytearray(64 * 2**20)
        for place in range(0, len(held), 4096):
            held[place] = 1
        mark("loaded")
    loaded = next(note for note in notes(ledger) if note.checkpoint == "loaded")
    assert 60 < loaded.delta_mb < 80


def test_critical_implies_warning(settings):
    found = memory.thresholds_exceeded(memory.Memory(1_500, 1_500, 1, 1, 91), 300)
    assert [name for name, is_exceeded in found.items() if is_exceeded] == [
        *("process_warning", "process_critical", "delta_warning", "system_warning", "system_critical"),
    ]
    settings.MEMORY_THRESHOLDS = {**settings.MEMORY_THRESHOLDS, "process_warning": 9_999}
    assert memory.thresholds_exceeded(memory.Memory(1_500, 1_500, 1, 1, 1), 0)["process_warning"]


def test_a_threshold_that_is_exceeded_is_logged(ledger, settings, caplog):
    settings.MEMORY_THRESHOLDS = {**settings.MEMORY_THRESHOLDS, "process_warning": 1}
    with caplog.at_level(logging.WARNING), checkpoint("ml", practice_id=3):
        pass
    assert "Memory checkpoint ml task_started: process_warning exceeded" in caplog.text


@pytest.mark.parametrize("fault", ["missing", "raising"])
def test_without_psutil_memory_is_0_and_nothing_fails(ledger, monkeypatch, fault, caplog):
    monkeypatch.setattr(memory.Said, "words", set())
    monkeypatch.setattr(memory, "KEPT", memory.Kept())
    if fault == "missing":
        monkeypatch.setattr(memory, "psutil", None)
    else:
        monkeypatch.setattr(memory.psutil, "virtual_memory", broken)
    with checkpoint("ml"):
        mark("loaded")
    assert [note.process_mb for note in notes(ledger)] == [0.0, 0.0, 0.0]
    assert len([line for line in caplog.messages if "psutil" in line]) == 1


def broken():
    raise OSError("no /proc")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells it there")
def test_memory_is_what_the_operating_system_says(monkeypatch):
    held = bytearray(os.urandom(2**20) * 64)
    monkeypatch.setattr(memory, "KEPT", memory.Kept())
    told = memory.read()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    assert told.process_mb == pytest.approx(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, rel=0.02)
    assert told.peak_mb >= told.process_mb
    assert told.system_total_mb == pytest.approx(
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20, rel=0.02
    )
    assert len(held) == 64 * 2**20


def test_the_machines_memory_is_asked_for_once_in_a_while(monkeypatch):
    asked: list[int] = []

    def ask() -> object:
        asked.append(1)
        return object()

    monkeypatch.setattr(memory.psutil, "virtual_memory", ask)
    clock = [100.0]
    monkeypatch.setattr(memory.time, "monotonic", lambda: clock[0])
    kept = memory.Kept()
    for now, times in ((100.0, 1), (100.9, 1), (101.0, 2), (101.5, 2)):
        clock[0] = now
        kept.machine()
        assert len(asked) == times


def test_a_measured_call_is_counted_and_answers(ledger):
    @measured("price", with_memory=True, with_allocations=True)
    def price(amount):
        return amount * 2

    assert price(4) == 8
    batch = ledger.take()
    assert [(timing.kind, timing.name, timing.count) for timing in batch.timings] == [("call", "price", 1)]
    assert {sample.name for sample in batch.samples} == {"call_memory_mb", "call_allocated_mb"}


def test_allocations_are_those_of_the_call(ledger):
    @measured("hold", with_allocations=True)
    def hold():
        return len(bytearray(8 * 2**20))

    hold()
    (sample,) = ledger.take().samples
    assert 8 <= sample.total < 9


def test_a_slow_call_is_logged_without_its_arguments(ledger, caplog):
    @measured("find", slow_ms=0)
    def find(name):
        raise LookupError(name)

    with pytest.raises(LookupError), caplog.at_level(logging.WARNING):
        find("Abernathy")
    assert "Slow call: find took" in caplog.text
    assert "Abernathy" not in caplog.text
    assert timings(ledger, "call")["find"].errors == 1


@pytest.mark.django_db
def test_switched_off_nothing_is_measured(ledger, settings):
    settings.MONITORING = False
    record("call", "f", 1)
    count("claims")
    gauge("level", 1)
    with checkpoint("ml"), connection.cursor() as cursor:
        mark("loaded")
        cursor.execute("SELECT 1")
    measured("f")(lambda: None)()
    answer = Client().get("/api/v1/health/")
    assert "X-Process-Time" not in answer.headers
    assert ledger.take()[1:6] == ([], [], [], {}, [])
