"""The bench: its input is what it says, its figures are judged rightly, and a small run leaves nothing behind."""

import json
import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from claims.models import Claim, ServiceLine
from marb.access.models import Practice
from marb.edi.scan import Totals, scan
from marb.pipeline.jobs import ChunkJob
from monitoring.bench import held, measuring, reading
from monitoring.bench.figures import Figure, Target, as_document, as_row, rate
from monitoring.bench.files import describe, write_large, write_pair, write_professional
from monitoring.bench.house import furnish
from monitoring.bench.works import WORKS


def written(path: Path, practice_id: int, read: Callable[[ChunkJob], int]) -> list[int]:
    """The bytes of COPY text of each chunk."""
    sizes: list[int] = []

    def note(job: ChunkJob) -> None:
        sizes.append(read(job))

    assert reading.run(path, practice_id, note) > 0
    return sizes


def totals(path: Path) -> Totals:
    found = [item for item in scan([path.read_bytes()]) if isinstance(item, Totals)]
    return found[0]


def test_a_pair_holds_as_many_claims_as_asked_and_their_answers(tmp_path):
    pair = write_pair(tmp_path, 30)
    assert pair.claims.total == totals(pair.claims.path).claim_count == 30
    assert pair.remittances.total == totals(pair.remittances.path).remittance_count > 20
    assert pair.claims.lines > pair.claims.total
    assert pair.claims.bytes == pair.claims.path.stat().st_size


def test_the_same_number_is_the_same_bytes_and_another_seed_is_not(tmp_path):
    first = write_pair(tmp_path, 12).claims.path.read_bytes()
    assert write_pair(tmp_path, 12).claims.path.read_bytes() == first
    assert write_pair(tmp_path, 12, seed=2).claims.path.read_bytes() != first


def test_professional_claims_stand_alone(tmp_path):
    given = write_professional(tmp_path, 30)
    assert b"SV2*" not in given.path.read_bytes()
    assert 0 < given.total < 30


def test_a_large_file_repeats_claims_under_interchange_numbers_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr("monitoring.bench.files.REPEATED_CLAIMS", 30)
    given = write_large(tmp_path, 60_000)
    assert given.bytes >= 60_000
    assert given.total == totals(given.path).claim_count
    numbers = [line.split(b"*")[13] for line in given.path.read_bytes().split(b"\n") if line.startswith(b"ISA*")]
    assert len(set(numbers)) == len(numbers)


def test_claims_at_the_borders_of_pieces_are_counted_once(tmp_path):
    path = tmp_path / "long.x12"
    path.write_bytes(b"ISA*~\n" + b"CLM*1*2~\nSV1*3~\n" * 400_000)
    assert describe(path)[1:] == (400_000, 400_000, path.stat().st_size)


@pytest.mark.django_db
def test_every_chunk_is_read_and_written(practice, tmp_path):
    pair = write_pair(tmp_path, 12)
    for given, read in ((pair.claims, reading.read_claims), (pair.remittances, reading.read_remittances)):
        sizes = written(given.path, practice.pk, read)
        assert sum(sizes) > given.total * 300


@pytest.mark.django_db
def test_prices_come_from_the_samples_fees():
    practice_id = furnish()
    with TemporaryDirectory() as folder:
        figure = reading.measure_prices(write_professional(Path(folder), 30), practice_id, 2)
    assert len(figure.seconds) == 2
    assert figure.total > 20
    assert figure.details["hit_rate_percent"] > 50


def test_a_figure_is_the_median_and_knows_its_target():
    seconds = [2.0, 9.0, 1.0]
    fast = Figure("load", "work", 100, seconds, rate(100, seconds), Target(50, "claims/s"))
    assert (fast.value, fast.is_reached) == (50.0, True)
    assert fast._replace(target=Target(51, "claims/s")).is_reached is False
    assert fast._replace(target=Target(49, "s", at_most=True)).is_reached is False
    assert fast._replace(target=None).is_reached is None
    assert as_document(fast)["median_seconds"] == 2.0
    assert as_row(fast) == "| `load` work | 50.00 claims/s | 50.00 claims/s | 100 | 2.00, 9.00, 1.00 |  |"


def definitions(table: str) -> list[Any]:
    """A table's constraints and indexes, as PostgreSQL writes them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass"
            " UNION SELECT '', pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass ORDER BY 1, 2",
            [table, table],
        )
        return cursor.fetchall()


@pytest.mark.django_db(transaction=True)
def test_held_rows_are_whole_claims_with_numbers_of_their_own(practice: Practice, tmp_path: Path):
    path = write_pair(tmp_path, 12).claims.path
    call_command("ingest", str(path), practice=practice.code, json=True, stdout=StringIO())
    lines, numbers = ServiceLine.objects.count(), Claim.objects.values("patient_control_number").distinct().count()
    tables = ("claims_claim", "claims_serviceline")
    before = [definitions(table) for table in tables]
    assert held.hold(30) == Claim.objects.count() == 36
    assert [definitions(table) for table in tables] == before
    assert ServiceLine.objects.count() == 3 * lines
    assert all(claim.lines.count() == claim.line_count for claim in Claim.objects.all())
    assert len(set(Claim.objects.values_list("patient_control_number", flat=True))) == 3 * numbers
    # what is held already is held further, not again
    assert held.hold(60, with_lines=False) == Claim.objects.count() == 60
    assert ServiceLine.objects.count() == 3 * lines
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('claims_claim', 'id')) > max(id) FROM claims_claim")
        assert cursor.fetchone()[0]


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_a_small_bench_tells_its_figures_and_leaves_no_database(capfd):
    before = connection.settings_dict["NAME"]
    out = StringIO()
    call_command("bench", "load", claims=12, runs=1, jobs=1, json=True, stdout=out, stderr=StringIO())
    told = json.loads(out.getvalue())
    assert [figure["name"] for figure in told["figures"]] == ["load", "copy"]
    assert told["figures"][0]["total"] == 12
    assert told["postgresql"]["fsync"] == "on"
    assert connection.settings_dict["NAME"] == before
    assert f"bench_{os.getpid()}" not in databases()


@pytest.mark.workers
@pytest.mark.django_db(transaction=True)
def test_what_monitoring_costs_is_measured_by_turns(capfd, monkeypatch):
    monkeypatch.setattr(measuring, "TURNS_OF_GET", 3)
    monkeypatch.setattr(measuring, "LEAST_TURNS", 1)
    out = StringIO()
    call_command("bench", "monitoring", claims=12, runs=2, jobs=1, json=True, stdout=out, stderr=StringIO())
    ingest, get = json.loads(out.getvalue())["figures"]
    assert len(ingest["seconds"]) == len(ingest["details"]["seconds_off"]) == 2
    assert (ingest["target"]["value"], get["target"]["value"]) == (3, 5)
    assert get["details"]["microseconds_off"] > 0


def test_a_cost_is_the_median_of_pairs_and_a_disturbed_turn_decides_nothing():
    assert measuring.cost({True: [1.03, 2.06, 9.0], False: [1.0, 2.0, 3.0]}) == pytest.approx(3)
    assert measuring.cost({True: [1.0], False: [0.0]}) == 0


def databases() -> list[str]:
    known = connection.settings_dict
    address = {"host": known["HOST"], "port": known["PORT"], "user": known["USER"], "password": known["PASSWORD"]}
    with psycopg.connect(**address, dbname="postgres") as server:
        return [row[0] for row in server.execute("SELECT datname FROM pg_database")]


def test_every_work_of_the_issue_has_a_name():
    named = {"parse", "parse835", "price", "load", "remits", "link", "together", "memory", "second"}
    assert named | {"api", "monitoring", "agree", "kpis", "risk"} == set(WORKS)
