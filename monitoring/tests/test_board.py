"""The board in a terminal: it tells what the measures say, exports it, and says what is missing."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.utils import timezone
from rich.console import Console

from monitoring.board import drawing
from monitoring.board import read as board_reading
from monitoring.board.read import TARGET, read
from monitoring.management.commands import performance_dashboard
from monitoring.models import Process
from monitoring.reading import period
from monitoring.tests.measures import fire_alert, hand_on, note, sample, this_minute, timing

LENGTH = timedelta(minutes=15)


@pytest.fixture
def measured(db: None) -> None:
    """A minute of everything, a process that fell silent, and an alert."""
    at = this_minute(2)
    timings = [
        timing("GET claim-list", [4_000] * 99 + [900_000], at=at, errors=3),
        timing("SELECT claims_claim", [700] * 10, kind="sql", at=at),
        timing("run_chunk", [2_000_000], kind="actor", at=at),
        timing("run_chunk", [50_000], kind="wait", at=at),
    ]
    levels = [("cpu_percent", 40, "host"), ("load_average", 1.5, "host"), ("queue_ready", 12, "ingest")]
    counted = [("cache_hits", 100, "claim", 3), ("cache_hits", 190, "claim", 2), ("cache_misses", 5, "claim", 3)]
    counted += [("cache_misses", 15, "claim", 2)]
    samples = [sample(name, value, label, at=at) for name, value, label in levels]
    samples += [sample(name, value, label, at=this_minute(ago)) for name, value, label, ago in counted]
    samples += [sample("claims", 3_000, at=at), sample("remittances", 2_000, at=at)]
    hand_on(timings=timings, samples=samples, notes=[note(delta=77.7)])
    hand_on(token="b", role="worker")
    Process.objects.filter(token="a").update(seen_at=timezone.now() + timedelta(hours=1))
    Process.objects.filter(token="b").update(seen_at=timezone.now() - timedelta(minutes=5))
    fire_alert()


def drawn(what: Any) -> str:
    console = Console(file=io.StringIO(), width=160)
    console.print(what)
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def test_the_board_is_what_was_measured(measured: None) -> None:
    board = read(period(LENGTH))
    assert board.missing == []
    assert board.per_second("claims", "remittances") == pytest.approx(5_000 / board.within.seconds)
    assert board.percentile_ms(0.5) == pytest.approx(4, rel=0.01)
    assert board.hits == {"claim": (90, 10)}
    assert [work.name for work in board.work["actor"]] == ["run_chunk"]
    assert ([each.token for each in board.alive], [each.token for each in board.lost]) == (["a"], ["b"])
    assert len(board.alerts) == 1
    assert [each.process_memory_delta_mb for each in board.deltas] == [77.7]


def test_the_board_costs_a_fixed_number_of_queries(measured: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(12):
        read(period(LENGTH))


@pytest.mark.parametrize("draw", [drawing.draw_live, drawing.draw_report])
def test_what_is_wrong_stands_above_the_figures(draw: Any, measured: None) -> None:
    lines = drawn(draw(read(period(LENGTH)))).splitlines()
    assert lines[1].startswith("! ")
    assert "was last heard of" in lines[2]
    text = "\n".join(lines)
    for said in ("GET claim-list", "run_chunk", "90.0 %", f"of {TARGET:,}/s", "ingest", "40 %", "3.00 %", "900.0 ms"):
        assert said in text, said


def test_an_empty_board_is_drawn_too(db: None) -> None:
    for draw in (drawing.draw_live, drawing.draw_report):
        assert "Nothing is wrong that is known of." in drawn(draw(read(period(LENGTH))))


def test_a_name_is_no_markup(db: None) -> None:
    hand_on(timings=[timing("GET [red]x[/red][/b]", [5])])
    assert "GET [red]x[/red][/b]" in drawn(drawing.draw_live(read(period(LENGTH))))


def test_a_part_that_cannot_be_read_is_told_and_the_rest_is_there(
    measured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(board: Any) -> None:
        raise DatabaseError("Rosalind")

    monkeypatch.setitem(board_reading.PARTS, "The levels", fail)
    board = read(period(LENGTH))
    assert board.missing == ["The levels cannot be read (DatabaseError)"]
    text = drawn(drawing.draw_live(board))
    assert "! The levels cannot be read (DatabaseError)." in text
    assert "GET claim-list" in text
    with pytest.raises(CommandError, match="The levels cannot be read"):
        call_command("performance_dashboard", report=True, stdout=io.StringIO())


def test_a_report_is_printed_once(measured: None) -> None:
    out = io.StringIO()
    call_command("performance_dashboard", report=True, statements=True, indexes=True, minutes=15, stdout=out)
    said = out.getvalue()
    for title in ("Throughput", "Requests", "Processes", "Highest change of memory", "77.7 MB", "Unused indexes"):
        assert title in said, title
    assert "PostgreSQL does not count its statements." in said or "Statements by PostgreSQL's count" in said


def test_a_part_of_the_report_is_printed_alone(measured: None) -> None:
    out = io.StringIO()
    call_command("performance_dashboard", indexes=True, stdout=out)
    assert "Most used indexes" in out.getvalue()
    assert "Throughput" not in out.getvalue()


def test_the_export_has_a_row_for_each_measure(measured: None, tmp_path: Path) -> None:
    path, err = tmp_path / "metrics.csv", io.StringIO()
    call_command("performance_dashboard", export=path, stderr=err)
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert err.getvalue().strip() == f"{len(rows)} rows are in {path}."
    found = {(row["kind"], row["name"], row["label"]): row for row in rows}
    request = found["request", "GET claim-list", ""]
    assert (request["count"], request["errors"], request["unit"]) == ("100", "3", "ms")
    assert float(request["p50"]) == pytest.approx(4, rel=0.01)
    assert float(request["most"]) == 900
    assert found["counter", "claims", ""]["total"] == "3000"
    assert (found["gauge", "cpu_percent", "host"]["average"], found["counter", "cache_hits", "claim"]["total"]) == (
        "40",
        "90",
    )
    assert list(tmp_path.iterdir()) == [path]


def test_an_export_that_cannot_be_written_leaves_what_was_there(measured: None, tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("performance_dashboard", export=path, stderr=io.StringIO())
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        call_command("performance_dashboard", export=tmp_path / "no" / "m.csv", stderr=io.StringIO())
    assert list(tmp_path.iterdir()) == [path]


def test_where_nobody_looks_it_is_not_drawn_live(db: None) -> None:
    with pytest.raises(CommandError, match="This is no terminal"):
        call_command("performance_dashboard", stdout=io.StringIO())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_is_drawn_anew_until_ctrl_c(measured: None, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        hand_on(token=f"c{len(slept)}", timings=[timing(f"GET heron-{len(slept)}", [5])])
        if len(slept) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(performance_dashboard.time, "sleep", sleep)
    for name, value in {"TERM": "xterm-256color", "COLUMNS": "160", "LINES": "80"}.items():
        monkeypatch.setenv(name, value)
    out = Terminal()
    with pytest.raises(SystemExit) as ended:
        call_command("performance_dashboard", every=7, stdout=out)
    assert (ended.value.code, slept) == (0, [7, 7, 7])
    screen = out.getvalue()
    assert "GET heron-2" in screen
    assert "GET heron-3" not in screen
    # the screen of before is given back
    assert screen.count("\x1b[?1049h") == screen.count("\x1b[?1049l") == 1
