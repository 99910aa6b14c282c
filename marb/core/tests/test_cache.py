"""The cache's own laws: names, bytes, stamps and leases. What is asked for needs no row here."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from marb.core.cache import breaker, entries, fill, forget, forget_pattern, keys, memory, server, stamps, statistics
from marb.core.cache.fill import Filled, choose, fetch, read, read_hits
from marb.core.cache.keys import EVERYBODY, Wanted, stamp_key, want_page, want_row

INTERLEAVINGS = 10_000
READERS = 200


def row() -> Wanted:
    """Claim 17 as practice 5 sees it."""
    return want_row("claim", 17, 5, "full", ("claim", "party"))


def filled(body: bytes | None) -> Callable[[], Filled]:
    return lambda: Filled(body, 5)


# --- names and bytes --------------------------------------------------------------------------------------------------


@given(st.integers(1), st.integers(0), st.sampled_from(["full", "masked"]), st.integers(1), st.integers(0))
def test_two_rows_or_scopes_never_share_a_name(
    pk: int, practice: int, variant: str, pk_2: int, practice_2: int
) -> None:
    one, other = want_row("claim", pk, practice, variant, ()), want_row("claim", pk_2, practice_2, variant, ())
    assert (one.key == other.key) == ((pk, practice) == (pk_2, practice_2))
    assert one.key.split(":")[1:] == ["claim", str(pk), str(practice), variant]


TEXTS = st.dictionaries(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=3), max_size=4)


@given(TEXTS, TEXTS, st.lists(st.integers(1), min_size=1, max_size=40, unique=True))
def test_a_page_is_named_by_scope_and_parameters_and_shows_no_value(one: Any, other: Any, scope: list[int]) -> None:
    first, second = (want_page("claim", "list", scope, each, ()) for each in (one, other))
    assert (first.key == second.key) == (one == other)
    assert want_page("claim", "list", scope[::-1], one, ()).key == first.key
    assert len(first.key) < 140
    assert first.key.isascii()
    assert first.key.split(":")[-1].isalnum()


@given(st.binary(max_size=5_000) | st.none(), st.integers(0), st.text("abcdef0123456789,", max_size=60).filter(bool))
def test_an_entry_reads_back_as_it_was_written(body: bytes | None, practice_id: int, stood: str) -> None:
    entry = entries.make_entry(stood, practice_id, 10, body)
    assert entries.read_entry(entries.write_entry(entry)) == entry


@given(st.binary(max_size=200))
def test_bytes_that_are_no_entry_are_a_miss_and_no_error(data: bytes) -> None:
    assert entries.read_entry(data) is None or data.split(b" ")[4][:1] in (b"n", b"-", b"z")


def test_an_entry_of_text_is_kept_compressed() -> None:
    entry = entries.make_entry("a", 5, 10, b'{"detail": "same"}' * 1_000)
    assert len(entries.write_entry(entry)) < 500


# --- reading and filling ----------------------------------------------------------------------------------------------


def test_an_answer_is_filled_once_and_then_met() -> None:
    first, second = fetch([row()], filled(b"1")), fetch([row()], filled(b"2"))
    assert [(each.body, each.is_hit) for each in (first, second)] == [(b"1", False), (b"1", True)]
    memory.MEMORY.clear()
    assert read_hits([row()]) == second


def test_that_there_is_no_row_is_an_answer_until_rows_come() -> None:
    assert fetch([row()], filled(None)).body is None
    assert fetch([row()], filled(b"1")).is_hit
    settle_names("claim+")
    assert fetch([row()], filled(b"1")).body == b"1"


def settle_names(*names: str) -> None:
    """What a writer that commits does to the stamps."""
    changed = stamps.stamp_keys([5], names)
    stamps.settle(changed, stamps.mark(changed))


@pytest.mark.parametrize(("name", "stands"), [("claim", False), ("party", False), ("claim+", True), ("episode", True)])
def test_an_entry_falls_with_what_it_depends_on(name: str, stands: bool) -> None:
    fetch([row()], filled(b"1"))
    settle_names(name)
    assert (read_hits([row()]) is not None) == stands


def test_a_row_of_several_practices_choices_is_found_in_its_own() -> None:
    choices = [row(), want_row("claim", 17, 9, "masked", ("claim", "party"))]
    assert fetch(choices, lambda: Filled(b"nine", 9)).body == b"nine"
    assert read_hits([choices[0]]) is None
    assert read_hits(choices) == fetch(choices, filled(b"other"))


def test_none_is_answered_only_where_every_practice_says_so() -> None:
    choices = [want_row("claim", 17, each, "full", ("claim",)) for each in (5, 9)]
    fetch(choices, filled(None))
    found = read_hits(choices)
    assert found is not None
    assert found.body is None
    settle_names("claim+")
    assert read_hits(choices) is None


def test_a_mark_hides_an_entry_until_its_writer_has_settled() -> None:
    fetch([row()], filled(b"1"))
    changed = stamps.stamp_keys([5], ["claim"])
    one, other = stamps.mark(changed), stamps.mark(changed)
    stamps.settle(changed, one)
    # the other writer has not committed: nothing is believed and nothing kept
    assert fetch([row()], filled(b"2")).body == b"2"
    assert read_hits([row()]) is None
    stamps.settle(changed, other)
    assert fetch([row()], filled(b"3")).body == b"3"
    assert read_hits([row()]) is not None


def test_a_stamp_that_the_server_lost_does_not_come_back_as_it_was() -> None:
    fetch([row()], filled(b"1"))
    server.ask(lambda client: client.delete(stamp_key(5, "claim")), 0)
    assert fetch([row()], filled(b"2")).body == b"2"


def test_what_is_forgotten_while_it_is_filled_is_not_kept() -> None:
    def interrupted() -> Filled:
        assert forget("claim", 17) >= 1
        return Filled(b"1", 5)

    assert fetch([row()], interrupted).body == b"1"
    assert read_hits([row()]) is None


def test_a_pattern_forgets_its_names_and_no_others() -> None:
    wanted = row()
    other = wanted._replace(kind="episode", key=wanted.key.replace(":claim:", ":episode:"))
    for wanted in (row(), other):
        fetch([wanted], filled(b"1"))
    assert forget_pattern("claim:*") == 1
    assert read_hits([row()]) is None
    assert read_hits([other]) is not None


def test_an_entry_past_its_time_is_answered_while_one_fills_it_anew(monkeypatch) -> None:
    monkeypatch.setattr(fill, "lifetime", lambda kind, *, is_missing: 0.0)
    fetch([row()], filled(b"1"))
    answers: list[bytes | None] = []

    def refill() -> Filled:
        answers.append(fetch([row()], filled(b"3")).body)
        return Filled(b"2", 5)

    assert fetch([row()], refill).body == b"2"
    assert answers == [b"1"]


def test_a_filler_that_died_is_replaced_when_its_lease_is_over(monkeypatch) -> None:
    monkeypatch.setattr(fill, "LEASE_SECONDS", 0.2)
    assert fill.Flight(read([row()], repair=True)).is_first()
    fill.FLIGHTS.clear()
    assert fetch([row()], filled(b"1")).body == b"1"


def test_many_readers_of_one_key_fill_it_once(monkeypatch) -> None:
    # the lease outlives the test, however slow the machine is
    monkeypatch.setattr(fill, "LEASE_SECONDS", 60)
    start, count, answers = threading.Barrier(READERS), [], []

    def slow() -> Filled:
        count.append(1)
        time.sleep(0.3)
        return Filled(b"1", 5)

    def reader() -> None:
        start.wait()
        answers.append(fetch([row()], slow).body)

    threads = [threading.Thread(target=reader) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [b"1"] * READERS
    assert len(count) <= 2


# --- no stale reads (FAULTS F15) --------------------------------------------------------------------------------------


class Database:
    """One value and its commits; what a transaction has not committed nobody sees."""

    value = 0


def read_steps(database: Database, wanted: Wanted, stale: list[Any]) -> Iterator[None]:
    """A reader, one step at a time: ask the cache, read the row, keep the answer."""
    newest = database.value
    readings = read([wanted], repair=True)
    found = choose(readings)
    if found is not None:
        if int(found.body or b"-1") < newest:
            stale.append((found.body, newest))
        return
    flight = fill.Flight(readings)
    is_first = flight.is_first()
    yield
    seen = database.value
    yield
    if is_first:
        flight.keep(Filled(str(seen).encode(), 5))
        flight.end()


def write_steps(database: Database, *, commits: bool) -> Iterator[None]:
    """A writer, one step at a time: mark, commit, settle. One that does not commit leaves its mark behind."""
    changed = stamps.stamp_keys([5], ["claim"])
    token = stamps.mark(changed)
    yield
    if commits:
        database.value += 1
        yield
        stamps.settle(changed, token)


def test_no_interleaving_of_readers_and_writers_answers_an_old_value() -> None:
    chance, database, met = random.Random(15), Database(), 0
    stale: list[Any] = []
    for round_number in range(INTERLEAVINGS):
        wanted = want_row("claim", round_number % 7, 5, "full", ("claim",))
        actors: list[Iterator[None]] = [read_steps(database, wanted, stale) for _ in range(chance.randint(1, 2))]
        actors += [write_steps(database, commits=chance.random() > 0.02) for _ in range(chance.randint(0, 2))]
        while actors:
            actor = chance.choice(actors)
            if next(actor, actor) is actor:
                actors.remove(actor)
        if round_number % 50 == 0:
            # a rollback's mark would hide everything for a minute
            server.ask(lambda client: client.delete(*stamps.stamp_keys([5], ["claim"])), 0)
        met += read_hits([wanted]) is not None
    assert stale == []
    # the test would prove nothing if the cache never answered
    assert met > INTERLEAVINGS / 20


def test_threads_that_read_while_others_write_see_no_old_value() -> None:
    database, stale, ended, reads = Database(), [], threading.Event(), []

    def reader() -> None:
        while not ended.is_set():
            newest = database.value
            body = fetch([row()], lambda: Filled(str(database.value).encode(), 5)).body
            reads.append(1)
            if int(body or b"-1") < newest:
                stale.append((body, newest))

    def writer() -> None:
        changed = stamps.stamp_keys([5], ["claim"])
        for _ in range(100):
            token = stamps.mark(changed)
            with lock:
                database.value += 1
            stamps.settle(changed, token)

    lock = threading.Lock()
    readers = [threading.Thread(target=reader) for _ in range(4)]
    writers = [threading.Thread(target=writer) for _ in range(2)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    for thread in readers:
        thread.join()
    assert (stale, database.value) == ([], 200)
    assert reads


# --- writers ----------------------------------------------------------------------------------------------------------


def touch_and_fail() -> None:
    with transaction.atomic():
        stamps.touch(5, "claim")
        raise ZeroDivisionError


@pytest.mark.django_db(transaction=True)
def test_a_transaction_moves_a_stamp_once_and_only_when_it_commits(monkeypatch) -> None:
    settled: list[list[str]] = []
    monkeypatch.setattr(stamps, "settle", lambda changed, token: settled.append(changed))
    with transaction.atomic():
        for _ in range(3):
            stamps.touch(5, "claim")
        assert settled == []
    assert [sorted(each) for each in settled] == [sorted(stamps.stamp_keys([5], ["claim"]))]
    with pytest.raises(ZeroDivisionError):
        touch_and_fail()
    assert len(settled) == 1


@pytest.mark.django_db(transaction=True)
def test_a_savepoint_that_is_rolled_back_does_not_swallow_what_is_said_after_it() -> None:
    fetch([row()], filled(b"1"))
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError):
            touch_and_fail()
        stamps.touch(5, "claim")
        assert len(connection.run_on_commit) == 1
    assert read_hits([row()]) is None


@pytest.mark.django_db(transaction=True)
def test_to_say_it_outside_of_a_transaction_is_a_fault() -> None:
    with pytest.raises(RuntimeError):
        stamps.touch(5, "claim")


def test_who_sees_everything_has_stamps_of_her_own() -> None:
    assert {stamp_key(EVERYBODY, "claim"), stamp_key(5, "claim+")} <= set(stamps.stamp_keys([5], ["claim"]))
    assert stamp_key(5, "claim") not in stamps.stamp_keys([5], ["claim+"])


# --- the breaker, and a server that is away ---------------------------------------------------------------------------


def test_a_breaker_opens_at_the_first_failure_and_lets_one_try() -> None:
    now = [0.0]
    it = breaker.Breaker(lambda: now[0])
    assert it.allows()
    assert it.failed()
    assert not it.allows()
    now[0] = breaker.PAUSE_SECONDS + 0.1
    assert [it.allows(), it.allows()] == [True, False]
    it.succeeded()
    assert [it.allows(), it.allows()] == [True, True]


def test_without_a_server_everybody_is_answered_by_the_rows(no_cache: None) -> None:
    assert [fetch([row()], filled(body)).body for body in (b"1", b"2")] == [b"1", b"2"]
    assert server.BREAKER.is_open
    statistics.flush()


def test_what_a_writer_could_not_say_is_said_before_the_cache_is_believed(monkeypatch) -> None:
    fetch([row()], filled(b"1"))
    with monkeypatch.context() as gone:
        gone.setattr(server, "BREAKER", breaker.Breaker(time.monotonic))
        gone.setattr(server.BREAKER, "open_until", time.monotonic() + 60)
        settle_names("claim")
    assert server.OWED
    assert fetch([row()], filled(b"2")).body == b"2"
    assert not server.OWED


# --- memory and statistics --------------------------------------------------------------------------------------------


def test_memory_keeps_to_its_bounds() -> None:
    kept = memory.Memory(most_entries=10, most_bytes=1_000)
    for number in range(100):
        kept.put(str(number), object(), 30)
    assert len(kept.kept) == 10
    for number in range(100):
        kept.put(str(number), object(), 120)
    assert kept.bytes <= 1_000
    assert kept.bytes == sum(each.size for each in kept.kept.values())


def test_counts_of_all_processes_come_together() -> None:
    for _ in range(2):
        fetch([row()], filled(b"1"))
        # another process has counts of its own
        statistics.flush()
    read_hits([row()])
    found = statistics.read_kinds()
    assert found["claim"] == {"hits": 2, "misses": 1, "total": 3, "hit_rate": 66.67, "target": 60}
    assert statistics.read_overall(found)["hit_rate"] == 66.67
    assert statistics.read_key("claim:17")["hits"] == 2
    assert statistics.read_keys() == {"claim:17": statistics.read_key("claim:17")}
    statistics.reset("claim:17")
    assert statistics.read_key("claim:17")["total"] == 0
    statistics.reset()
    assert statistics.read_kinds() == {}


def test_the_keys_that_are_counted_are_bounded(monkeypatch) -> None:
    monkeypatch.setattr(statistics, "MOST_KEYS", 10)
    for number in range(50):
        statistics.count(want_row("claim", number, 5, "full", ()), is_hit=True)
    statistics.flush()
    assert len(statistics.read_keys()) == 10
    assert statistics.read_kinds()["claim"]["hits"] == 50


def test_a_batch_that_could_not_be_sent_is_kept(no_cache: None, monkeypatch) -> None:
    statistics.count(row(), is_hit=True)
    statistics.flush()
    assert statistics.PROCESS.kinds["claim:hit"] == 1


def test_hashes_of_parameters_need_the_secret(settings) -> None:
    before = keys.digest({"member_id": ["W123456789"]})
    settings.SECRET_KEY = "another"
    assert keys.digest({"member_id": ["W123456789"]}) != before
