"""The ledger: counts equal what was done, a failed hand-over loses nothing, memory is bounded."""

import threading
from datetime import UTC, datetime

import pytest

from marb.core.measure import ledger as ledgers
from marb.core.measure.ledger import Ledger, Note, Run

NOTE = Note(0, datetime(2026, 1, 1, tzinfo=UTC), "o", "c", 0, 0, 0, 0, 0, 0, {}, {}, 0)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still; advance it by setting `now`."""

    class Clock:
        now = 1_700_000_000

        def time(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(ledgers, "time", clock)
    return clock


@pytest.fixture
def ledger(clock) -> Ledger:
    return Ledger()


def only(batch):
    (timing,) = batch.timings
    return timing


def test_counts_equal_what_was_done(ledger):
    ledger.record("request", "GET x", 0.001)
    ledger.record("request", "GET x", 0.003, is_error=True)
    ledger.record("request", "GET x", 0.002, is_retry=True)
    timing = only(ledger.take())
    assert (timing.count, timing.errors, timing.retries) == (3, 1, 1)
    assert (timing.total_us, timing.most_us) == (6000, 3000)
    assert sum(timing.buckets.values()) == 3


def test_a_batch_holds_the_minutes_sum_and_not_the_change(ledger):
    ledger.record("call", "f", 0.001)
    first = ledger.take()
    ledger.settle(first)
    ledger.record("call", "f", 0.001)
    assert only(ledger.take()).count == 2


def test_what_did_not_change_is_not_handed_on_again(ledger):
    ledger.record("call", "f", 0.001)
    ledger.settle(ledger.take())
    assert ledger.take().timings == []


def test_a_failed_hand_over_is_in_the_next_batch_whole(ledger):
    ledger.record("call", "f", 0.001)
    ledger.sample("rows", 5)
    ledger.note(NOTE)
    ledger.keep_statement("a", "SELECT 1")
    ledger.keep_run(Run("reap", NOTE.at, 1.0, ""))
    lost = ledger.take()
    ledger.put_back(lost)
    assert ledger.take()[1:] == lost[1:]


def test_checkpoints_keep_their_order_when_put_back(ledger):
    for _ in range(3):
        ledger.note(NOTE)
    ledger.put_back(ledger.take())
    ledger.note(NOTE)
    assert [note.number for note in ledger.take().notes] == [1, 2, 3, 4]


def test_a_minute_that_is_over_and_handed_on_is_forgotten(ledger, clock):
    ledger.record("call", "f", 0.001)
    clock.now += 60
    ledger.settle(ledger.take())
    assert ledger.timings == {}


def test_a_minute_that_was_not_handed_on_is_kept(ledger, clock):
    ledger.record("call", "f", 0.001)
    clock.now += 60
    ledger.put_back(ledger.take())
    assert only(ledger.take()).count == 1


def test_a_clock_that_goes_back_does_not_open_a_minute_again(ledger, clock):
    ledger.record("call", "f", 0.001)
    first = only(ledger.take())
    clock.now -= 3600
    ledger.record("call", "f", 0.001)
    again = only(ledger.take())
    assert (again.at, again.count) == (first.at, 2)


def test_names_beyond_the_room_are_counted_together(ledger, monkeypatch):
    monkeypatch.setattr(ledgers, "MOST_CELLS", 3)
    for number in range(10):
        ledger.record("call", f"f{number}", 0.001)
    batch = ledger.take()
    assert len(batch.timings) == 4
    assert sum(timing.count for timing in batch.timings) == 10


def test_old_minutes_give_way_where_nobody_takes_them_and_are_told(ledger, clock, monkeypatch):
    monkeypatch.setattr(ledgers, "MOST_CELLS", 3)
    for _ in range(9):
        ledger.record("call", "f", 0.001)
        clock.now += 60
    batch = ledger.take()
    assert len(batch.timings) <= 3
    assert batch.dropped + len(batch.timings) == 9


def test_checkpoints_are_bounded_and_the_oldest_go(ledger, monkeypatch):
    monkeypatch.setattr(ledgers, "MOST_CHECKPOINTS", 2)
    for _ in range(5):
        ledger.note(NOTE)
    batch = ledger.take()
    assert [note.number for note in batch.notes] == [4, 5]
    assert batch.dropped == 3


def test_threads_lose_no_count(ledger):
    def work():
        for _ in range(2_000):
            ledger.record("call", "f", 0.000001)
            ledger.sample("rows", 1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batch = ledger.take()
    assert only(batch).count == 8_000
    assert batch.samples[0].total == 8_000


def test_a_gauge_keeps_its_least_most_and_last(ledger):
    for value in (5.0, -2.0, 3.0):
        ledger.sample("level", value, "a")
    (sample,) = ledger.take().samples
    assert (sample.count, sample.total, sample.least, sample.most, sample.last) == (3, 6.0, -2.0, 5.0, 3.0)
