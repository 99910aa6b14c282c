"""Requests as people make them: read and written rightly, paced as asked, counted exactly."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice, repeat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.tests.listener import listening
from monitoring.traffic.connection import Address, Connection, read_address, read_answer, write_request
from monitoring.traffic.drive import LATE, Shot, arrivals, drive_closed, drive_open
from monitoring.traffic.mix import USERS, Ask, Known, name_route, requests_of, weigh
from monitoring.traffic.person import NotAnswered, ask, discover, log_in
from monitoring.traffic.summary import Outcome, as_csv, as_document, as_text, measure, percentile, summarize

LONG = 60.0


@pytest.fixture
def listener() -> Iterator[Any]:
    with listening() as server:
        yield server


def address_of(server: Any) -> Address:
    return Address("127.0.0.1", server.server_address[1])


def shot(server: Any, path: str) -> Shot:
    return Shot(path, write_request(address_of(server), path, {}))


def test_an_address_is_read_with_its_port_or_its_schemes():
    assert read_address("http://localhost:8000") == Address("localhost", 8000)
    assert read_address("localhost:8000") == Address("localhost", 8000)
    assert read_address("https://marb.example") == Address("marb.example", 443, is_tls=True)
    assert read_address("http://[::1]:81").name == "[::1]:81"
    assert Address("marb.example", 443, is_tls=True).name == "marb.example"
    for wrong in ("ftp://localhost", "http://", "http://localhost:x"):
        with pytest.raises(ValueError):
            read_address(wrong)


def test_a_request_carries_a_length_where_it_has_a_body_and_no_line_break():
    here = Address("localhost", 80)
    assert write_request(here, "/", {"A": "b"}) == b"GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n\r\n"
    assert write_request(here, "/", {}, method="POST", body=b"xy").endswith(b"Content-Length: 2\r\n\r\nxy")
    for path, headers in (("/a b", {}), ("/\r\n", {}), ("/", {"A": "b\r\nC: d"})):
        with pytest.raises(ValueError):
            write_request(here, path, headers)


@given(st.binary(max_size=200), st.lists(st.integers(1, 60), max_size=8))
def test_an_answer_is_whole_only_with_its_last_byte(body: bytes, sizes: list[int]):
    plain = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    pieces, at = [], 0
    for size in [*sizes, 1000]:
        if body[at : at + size]:
            pieces.append(b"%x\r\n%s\r\n" % (len(body[at : at + size]), body[at : at + size]))
        at += size
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(pieces) + b"0\r\n\r\n"
    for data in (plain, chunked):
        assert all(read_answer(data[:end]) is None for end in range(len(data)))
        answer = read_answer(data)
        assert answer is not None
        assert (answer.status, answer.body) == (200, body)


def test_an_answer_without_a_body_ends_with_its_head():
    answer = read_answer(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 70\r\n\r\n")
    assert answer is not None
    assert (answer.status, answer.body) == (304, b"")


def test_a_connection_is_kept_and_made_anew_after_the_server_closed_it(listener: Any):
    async def ask_all() -> list[bytes]:
        connection = Connection(address_of(listener), LONG)
        paths = ("/a", "/chunked", "/close", "/b")
        found = [(await connection.ask(shot(listener, path).request)).body for path in paths]
        connection.close()
        return found

    assert asyncio.run(ask_all()) == [b'{"results": []}', b"abcde", b'{"results": []}', b'{"results": []}']
    assert listener.seen == {"/a": 1, "/chunked": 1, "/close": 1, "/b": 1}


@pytest.mark.parametrize("concurrent", [1, 7])
def test_closed_pacing_makes_every_request_once(listener: Any, concurrent: int):
    shots = [shot(listener, path) for path in ("/a", "/b", "/404") for _ in range(20)]
    run = drive_closed(address_of(listener), iter(shots), concurrent, seconds=LONG)
    assert listener.seen == Counter(each.name for each in run.outcomes) == {"/a": 20, "/b": 20, "/404": 20}
    assert {(each.name, each.status) for each in run.outcomes} == {("/a", 200), ("/b", 200), ("/404", 404)}


def test_closed_pacing_ends_when_its_time_is_over(listener: Any):
    run = drive_closed(address_of(listener), repeat(shot(listener, "/a")), 2, seconds=0.0)
    # each connection looks at the clock after an answer
    assert len(run.outcomes) == listener.seen["/a"] == 2


def test_open_pacing_makes_as_many_requests_as_were_due(listener: Any):
    run = drive_open(address_of(listener), repeat(shot(listener, "/a")), 200, seconds=0.5, connections=8, patience=LONG)
    due = arrivals(200, 0.5, random.Random(1))
    assert len(run.outcomes) == listener.seen["/a"] == len(due) > 0
    assert {each.status for each in run.outcomes} == {200}


def test_what_was_due_and_never_answered_is_told_with_its_age(listener: Any):
    patience = 0.2
    run = drive_open(
        address_of(listener), repeat(shot(listener, "/hang")), 100, seconds=0.2, connections=2, patience=patience
    )
    assert len(run.outcomes) == len(arrivals(100, 0.2, random.Random(1))) > 2
    assert {(each.status, each.error) for each in run.outcomes} == {(0, LATE)}
    # each waited for at least what patience was left
    assert min(each.seconds for each in run.outcomes) > patience * 0.9


@given(st.integers(1, 500), st.integers(0, 2**32))
def test_arrivals_are_in_order_and_within_their_time(rate: int, seed: int):
    dues = arrivals(rate, 1.0, random.Random(seed))
    assert dues == sorted(dues)
    assert all(0 < due < 1 for due in dues)


def test_nobody_there_is_an_outcome_of_each_request():
    with listening() as server:
        gone = address_of(server)
    run = drive_closed(gone, islice(repeat(Shot("x", b"")), 5), 2, seconds=LONG)
    assert [(each.status, each.error) for each in run.outcomes] == [(0, "ConnectionRefusedError")] * 5
    with pytest.raises(NotAnswered, match="Nobody answers"):
        ask(gone, "/", {})


def test_a_refused_login_says_what_to_set(listener: Any):
    with pytest.raises(NotAnswered, match="401; set MARB_USER"):
        log_in(address_of(listener), "somebody", "wrong")


def test_empty_lists_show_no_ids(listener: Any):
    known = discover(address_of(listener), {})
    assert not known.has(["claims"])
    assert weigh(USERS, known, uploads=False)


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1))
def test_a_percentile_was_seen_and_has_its_share_below(values: list[float], share: float):
    ordered = sorted(values)
    found = percentile(ordered, share)
    assert found in values
    assert sum(value <= found for value in ordered) >= share * len(ordered) - 1e-6


def test_a_summary_counts_by_status_by_error_and_by_endpoint():
    outcomes = [
        Outcome("/a", 200, 1.0),
        Outcome("/a", 200, 3.0),
        Outcome("/b", 404, 2.0),
        Outcome("/b", 0, 4.0, "gone"),
    ]
    summary = summarize(outcomes, 2.0)
    assert (summary.overall.requests, summary.overall.errors) == (4, 2)
    assert summary.rate == 1.0
    assert summary.status_codes == {200: 2, 404: 1}
    assert summary.errors == {"status 404": 1, "gone": 1}
    found = summary.endpoints["/a"]
    assert (found.mean, found.median, found.min, found.max, found.stddev) == (2.0, 2.0, 1.0, 3.0, 1.0)
    assert (summary.overall.p95, found.p99) == (4.0, 3.0)
    assert as_document(summary)["endpoints"]["/b"]["errors"] == 2
    assert [line.split(",")[:3] for line in as_csv(summary).splitlines()[1:]] == [
        ["/a", "2", "0"],
        ["/b", "2", "2"],
        ["all", "4", "2"],
    ]
    text = as_text(summary)
    assert "Total Requests: 4\nTotal Errors: 2\nSuccess Rate: 50.0%" in text
    assert "  200: 2\n  404: 1" in text


def test_nothing_asked_is_a_summary_of_zeros():
    assert measure([]).requests == 0
    assert "Success Rate: 0.0%" in as_text(summarize([], 0.0))


def test_names_carry_no_ids_and_no_values():
    assert name_route("/api/v1/claims/17/?expand=episode") == "/api/v1/claims/:id/?expand"
    assert name_route("/api/v1/claims/?control_number=HERON1&limit=5") == "/api/v1/claims/?control_number&limit"
    assert Ask(1, "/files/{files}/").name == "/api/v1/files/:id/"
    assert Ask(1, "/files/?name=a", "POST").name == "POST /api/v1/files/?name"
    assert all("{" not in each.name and "=" not in each.name for user in USERS for each in user.asks)


def test_a_mix_makes_what_is_known_in_the_share_of_its_weight():
    known = Known({"claims": [3, 2, 1], "files": [9]})
    asked = Counter(each.path for each, _ in islice(requests_of(known, random.Random(7)), 20_000))
    assert not any(need in path for path in asked for need in ("episodes}", "remits}", "control_numbers}"))
    weighed = weigh(USERS, known, uploads=False)
    whole = sum(weight for _, weight in weighed)
    for each, weight in weighed:
        assert asked[each.path] == pytest.approx(20_000 * weight / whole, rel=0.5, abs=20)


def test_uploads_are_made_only_where_they_are_asked_for():
    known = Known({"files": [9]})
    for uploads, methods in ((False, {"GET"}), (True, {"GET", "POST"})):
        assert {each.method for each, _ in weigh(USERS, known, uploads=uploads)} == methods


def test_the_newest_is_the_hottest_and_every_one_can_be_picked():
    known, chance = Known({"claims": range(10)}), random.Random(1)
    picked = Counter(known.pick("claims", chance) for _ in range(10_000))
    assert set(picked) == set(range(10))
    # the first as often as the second and third together
    assert picked[0] == pytest.approx(picked[1] + picked[2], rel=0.2)
    assert picked[0] > picked[1] > picked[4] > picked[9]


def test_a_value_in_an_address_is_quoted():
    known = Known({"control_numbers": ["A B&limit=1"]})
    assert known.fill("/claims/?control_number={control_numbers}", random.Random(1)) == (
        "/claims/?control_number=A%20B%26limit%3D1"
    )


def test_lists_teach_ids_and_control_numbers():
    known: Any = Known()
    note: Callable[..., None] = known.note
    note("claims", [{"id": 5, "patient_control_number": "X"}])
    note("claims", [])
    note("files", [{"id": 7}])
    assert known.values == {"claims": [5], "control_numbers": ["X"], "files": [7]}
