"""`manage.py loadtest`: its numbers are the server's, it stays on this machine, it says what to do."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.core.signals import request_started
from knox.models import get_token_model

from claims.tests.rows import create_claim
from marb.pipeline.tests.rows import create_chunk, create_file
from monitoring.tests.listener import listening

NAMES = ("MARB_TOKEN", "MARB_USER", "MARB_PASSWORD")


@pytest.fixture(autouse=True)
def stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def seen() -> Iterator[Counter[str]]:
    """What the live server was asked, by path."""
    found: Counter[str] = Counter()

    def note(environ: dict[str, Any], **_: Any) -> None:
        found[environ["PATH_INFO"]] += 1

    request_started.connect(note)
    yield found
    request_started.disconnect(note)


def loadtest(url: str, *words: str) -> tuple[str, str, int]:
    """What it wrote, what it wrote to stderr, and its exit status."""
    out, err, status = StringIO(), StringIO(), 0
    try:
        call_command("loadtest", "--base-url", url, *words, stdout=out, stderr=err)
    except SystemExit as end:
        status = int(end.code or 0)
    return out.getvalue(), err.getvalue(), status


def test_each_endpoint_is_asked_as_often_as_said_and_counted_so():
    with listening() as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        words = ("--endpoints", "/claims", "remits/?limit=5", "--concurrent", "3", "--requests", "12", "--json")
        out, _, status = loadtest(url, *words)
        assert server.seen == {"/claims/": 12, "/remits/?limit=5": 12}
    told = json.loads(out)
    assert {name: each["requests"] for name, each in told["endpoints"].items()} == {
        "/claims/": 12,
        "/remits/?limit": 12,
    }
    assert (told["overall"]["requests"], told["overall"]["errors"], told["status_codes"]) == (24, 0, {"200": 24})
    assert status == 0


def test_failures_are_told_and_end_with_status_1(tmp_path: Path):
    with listening() as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        file = tmp_path / "rows.csv"
        out, _, status = loadtest(url, "--endpoints", "/500", "/ok", "--requests", "4", "--csv", str(file))
        asked = sum(server.seen.values())
    assert (asked, status) == (8, 1)
    assert "Total Errors: 4\nSuccess Rate: 50.0%" in out
    assert "  status 500: 4" in out
    rows = {row["endpoint"]: row for row in csv.DictReader(StringIO(file.read_text()))}
    assert (rows["/:id/"]["errors"], rows["/ok/"]["errors"], rows["all"]["requests"]) == ("4", "0", "8")


@pytest.mark.parametrize("url", ["http://192.0.2.1", "http://marb.example:8000", "http://127.0.0.1.example"])
def test_another_machine_is_refused_before_anything_is_sent(url: str):
    with pytest.raises(CommandError, match="Say --remote"):
        loadtest(url)


@pytest.mark.parametrize(
    "words",
    [
        ("--requests", "0"),
        ("--concurrent", "1001"),
        ("--seconds", "3601"),
        ("--rate", "x"),
        ("--mix", "--endpoints", "/"),
    ],
)
def test_what_is_out_of_bounds_is_refused(words: tuple[str, ...]):
    with pytest.raises(CommandError):
        loadtest("http://127.0.0.1:9", *words)


def test_nobody_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MARB_TOKEN", "x")
    with pytest.raises(CommandError, match="Nobody answers"):
        loadtest("http://127.0.0.1:9")


def test_the_mix_needs_a_person():
    with pytest.raises(CommandError, match="MARB_USER"):
        loadtest("http://127.0.0.1:9", "--mix")


@pytest.mark.django_db(transaction=True)
def test_a_stranger_asks_for_health_alone(live_server: Any, seen: Counter[str]):
    out, err, status = loadtest(live_server.url, "--requests", "3", "--concurrent", "2")
    assert (seen, status) == ({"/api/v1/health/": 3}, 0)
    assert "Total Requests: 3" in out
    assert "Only /api/v1/health/" in err


@pytest.mark.django_db(transaction=True)
def test_a_person_asks_for_lists_and_a_claim_and_leaves_no_token(
    live_server: Any, seen: Counter[str], practice: Any, biller: Any, password: str, monkeypatch: pytest.MonkeyPatch
):
    claim = create_claim(create_chunk(create_file(practice, "a.837")), 100)
    monkeypatch.setenv("MARB_USER", "biller")
    monkeypatch.setenv("MARB_PASSWORD", password)
    out, _, status = loadtest(live_server.url, "--requests", "2", "--concurrent", "2", "--json")
    told = json.loads(out)
    assert told["overall"]["requests"] == 10
    assert told["endpoints"]["/api/v1/claims/:id/"]["requests"] == seen[f"/api/v1/claims/{claim.pk}/"] == 2
    # once more to know the ids
    assert seen["/api/v1/claims/"] == told["endpoints"]["/api/v1/claims/"]["requests"] + 1 == 3
    assert seen["/api/v1/auth/logout/"] == 1
    assert not get_token_model().objects.exists()
    assert status == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pace", [(), ("--rate", "200")])
def test_the_mix_is_made_as_often_as_said(
    pace: tuple[str, ...],
    live_server: Any,
    seen: Counter[str],
    practice: Any,
    biller: Any,
    monkeypatch: pytest.MonkeyPatch,
):
    create_claim(create_chunk(create_file(practice, "a.837")), 100)
    _, token = get_token_model().objects.create(biller)
    monkeypatch.setenv("MARB_TOKEN", token)
    out, _, status = loadtest(live_server.url, "--mix", "--requests", "25", "--concurrent", "4", "--json", *pace)
    told = json.loads(out)
    # four lists were read before, for their ids
    assert told["overall"]["requests"] == sum(seen.values()) - 4 == 25
    assert (told["overall"]["errors"], status) == (0, 0)
    # a token that was lent is not given back
    assert get_token_model().objects.count() == 1
