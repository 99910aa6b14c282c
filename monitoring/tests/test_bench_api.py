"""`manage.py bench api`: every row of its table from a small run, counted exactly, on servers that leave nothing."""

import json
from pathlib import Path
from typing import Any

import psutil
import pytest
from django.db import connection

from claims.models import Claim
from claims.tests.rows import create_claim
from marb.access.models import Practice
from marb.pipeline.models import EdiFile
from marb.pipeline.tests.rows import create_chunk, create_file
from monitoring.bench import answers, api, counting, crowd, inside, people, stage
from monitoring.bench.crowd import Hits
from monitoring.bench.server import serving
from monitoring.traffic.drive import Run
from monitoring.traffic.person import NotAnswered, ask
from monitoring.traffic.summary import Outcome

WORKS = [
    "GET of a hot claim, requests/s as a share of a constant view",
    "the same against a plain ModelViewSet with the same authentication",
    "list of 100 claims read before, p95",
    "list of 100 claims not read before, p95",
    "POST of a small file, p95",
    "dashboard with its figures, p95",
    "mix at 20/s, p95",
    "mix at 20/s, p99",
    "hit rate of the mix",
    "a page deep in the list against page 1",
    "queries in a GET of a claim read before",
    "time of a database query in the mix, p95",
    "memory of a request of the mix, p95",
]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    # the server, which is not of the tests, must know the hash of a password
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    for module, name, value in (
        (answers, "HOT", 3),
        (answers, "SINGLE", 4),
        (answers, "SIZES", range(50, 53)),
        (inside, "WARM", 5),
        (inside, "COUNTED", 5),
        (people, "COUNT", 2),
    ):
        monkeypatch.setattr(module, name, value)


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let servers that are started find the database of the tests."""
    known = connection.settings_dict
    address = f"{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
    monkeypatch.setenv("DATABASE_URL", f"postgres://{address}")


@pytest.mark.timeout(1200)
@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_a_small_run_tells_every_row_and_leaves_no_server(small: None, reached: None, tmp_path: Path):
    practice = Practice.objects.create(code="bench", name="Bench")
    figures = api.measure(stage.Scope(tmp_path, practice.pk, claims=12, held=24, runs=1, rate=20, seconds=1))
    assert [figure.work for figure in figures] == WORKS
    by_work = {figure.work: figure for figure in figures}
    assert by_work["POST of a small file, p95"].total == 3
    assert by_work["a page deep in the list against page 1"].details["held"] == Claim.objects.count() == 24
    assert by_work["mix at 20/s, p95"].total == by_work["mix at 20/s, p99"].total > 0
    assert by_work["queries in a GET of a claim read before"].total == 20
    assert by_work["time of a database query in the mix, p95"].details["requests"] == 10
    assert not [each for each in psutil.Process().children(recursive=True) if "granian" in " ".join(each.cmdline())]


@pytest.mark.timeout(1200)
@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_a_counting_server_counts_what_it_was_asked(reached: None, practice: Practice, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(people, "COUNT", 1)
    [who] = people.create_people(practice.pk)
    claim = create_claim(create_chunk(create_file(practice, "a.837")), 100)
    with serving(tmp_path / "web", counting=True) as server:
        plain = json.loads(ask(server.address, f"/bench/plain/{claim.pk}/", who).body)
        # whoever waited for the server asked it, too
        ask(server.address, "/bench/counts/", {})
        assert ask(server.address, "/bench/constant/", {}).status == 200
        for _ in range(3):
            assert ask(server.address, f"/api/v1/claims/{claim.pk}/", who).status == 200
        counted: dict[str, Any] = json.loads(ask(server.address, "/bench/counts/?trace=1", {}).body)
        assert len(counted["queries"]) == len(counted["bytes"]) == 3
        assert sum(counted["queries"]) == len(counted["seconds"])
        assert ask(server.address, f"/api/v1/claims/{claim.pk}/", {}).status == 401
        counted = json.loads(ask(server.address, "/bench/counts/", {}).body)
        assert counted["bytes"][0] > 0
        assert counted["held"] > 0
    assert (plain["id"], plain["lines"]) == (claim.pk, [])


def test_the_products_own_addresses_have_no_bench(client: Any):
    assert client.get("/bench/constant/").status_code in (302, 404)
    assert client.get("/bench/counts/").status_code in (302, 404)


def test_the_product_counts_nothing(settings: Any):
    assert not [name for name in settings.MIDDLEWARE if "bench" in name]


def test_a_query_that_fails_is_timed_too():
    timer = counting.Timer()
    with pytest.raises(ZeroDivisionError):
        timer(lambda *given: 1 / 0, "SELECT", (), False, {})
    assert len(timer.seconds) == 1


def test_a_run_with_a_failure_is_no_figure():
    good, bad = Outcome("x", 200, 1.0), Outcome("x", 429, 1.0)
    assert stage.answered(Run([good], 1.0, 0.0)).outcomes == [good]
    with pytest.raises(NotAnswered, match="1 of 2 requests failed: 429"):
        stage.answered(Run([good, bad], 1.0, 0.0))


@pytest.mark.parametrize(
    ("before", "after", "value", "by"),
    [
        (Hits(None, (0, 0)), Hits(None, (0, 0)), 0.0, "the cache's server"),
        (Hits(None, (5, 5)), Hits(None, (14, 6)), 0.9, "the cache's server"),
        (Hits((0, 0), (5, 5)), Hits((3, 1), (14, 6)), 0.75, "the product"),
    ],
)
def test_hits_are_those_of_the_mix_by_the_products_count(before: Hits, after: Hits, value: float, by: str):
    figure = crowd.judge_hits(before, after, 10)
    assert (figure.value, figure.details["counted_by"]) == (value, by)


@pytest.mark.django_db
def test_ids_come_newest_first(practice: Practice):
    chunk = create_chunk(create_file(practice, "a.837"))
    made = [create_claim(chunk, 100 * number) for number in range(1, 4)]
    known = stage.read_known()
    assert known.values["claims"] == [claim.pk for claim in reversed(made)]
    assert known.values["files"] == [EdiFile.objects.get().pk]
    assert not known.has(["episodes"])
    assert Claim.objects.count() == 3
