"""`manage.py ingest`: a line and a status for every path, whoever does the work."""

import json
import os

import pytest
from django.core.management import CommandError, call_command

from marb.access.models import Practice
from marb.pipeline import actors, crew
from marb.pipeline.models import EdiFile
from marb.pipeline.tests.edi import claim_file, remittance_file, response_file

pytestmark = pytest.mark.django_db(transaction=True)

KEYS = [
    *("path", "file_id", "status", "kind", "claims", "claims_quarantined", "claims_rejected"),
    *("remittances", "remittances_quarantined", "remittances_rejected", "charge_cents", "paid_cents"),
    *("findings", "seconds"),
]


@pytest.fixture
def folder(tmp_path, practice):
    """One file of every kind, in a folder with a space and one below it; a hidden one too."""
    below = tmp_path / "my files" / "below"
    below.mkdir(parents=True)
    files = {
        "a.837": claim_file(["100", "50.25"], ["7"]),
        "b.835": remittance_file("80", "x"),
        "below/c.999": response_file(),
        "below/d.txt": b"Dear sirs",
        "below/e.837": claim_file(["100", "50.25"], ["7"]),
        "f.837": claim_file(["5"], is_broken=True),
        ".hidden": b"no",
    }
    for name, data in files.items():
        (tmp_path / "my files" / name).write_bytes(data)
    return tmp_path / "my files"


def run(capsys, *arguments: str) -> tuple[int, list[str]]:
    """Run the command; answers its exit code and lines."""
    code = 0
    try:
        call_command("ingest", *arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, capsys.readouterr().out.splitlines()


def test_json_is_one_object_per_file_with_exactly_these_keys(folder, capsys):
    code, lines = run(capsys, str(folder), "--json")
    found = {os.path.basename(line["path"]): line for line in map(json.loads, lines)}
    assert [list(line) for line in found.values()] == [KEYS] * 6
    assert {name: line["status"] for name, line in found.items()} == {
        "a.837": "accepted",
        "b.835": "partial",
        "c.999": "kept",
        "d.txt": "refused",
        "e.837": "duplicate",
        "f.837": "rejected",
    }
    assert code == 1
    assert found["e.837"]["file_id"] == found["a.837"]["file_id"]
    assert (found["a.837"]["claims"], found["a.837"]["charge_cents"]) == (3, 15725)
    assert (found["b.835"]["remittances_quarantined"], found["b.835"]["paid_cents"]) == (1, 8000)
    assert found["f.837"]["claims_rejected"] == 1


def test_a_summary_counts_the_files_by_status(folder, capsys):
    _, lines = run(capsys, str(folder))
    assert lines[-3:] == [
        "6 files: 1 accepted, 1 duplicate, 1 kept, 1 partial, 1 refused, 1 rejected",
        "3 claims, charges 157.25",
        "1 remittances, paid 80.00",
    ]


def test_a_path_that_cannot_be_read_is_said_and_the_others_go_on(folder, capsys):
    with pytest.raises(SystemExit):
        call_command("ingest", str(folder / "gone.837"), str(folder / "a.837"), "--json")
    captured = capsys.readouterr()
    assert captured.err.strip().endswith("gone.837: No such file or directory.")
    assert json.loads(captured.out)["status"] == "accepted"


def test_good_files_end_with_zero(folder, capsys):
    assert run(capsys, str(folder / "a.837"))[0] == 0


@pytest.mark.parametrize(
    ("codes", "arguments", "sentence"),
    [
        ([], [], "There is no practice yet: make one in the admin, or with `manage.py up`."),
        (["a", "b"], [], "There are several practices: choose one with --practice CODE (a, b)."),
        (["a"], ["--practice", "z"], "There is no practice with the code z."),
    ],
)
def test_the_practice_must_be_known(tmp_path, codes, arguments, sentence, db):
    for code in codes:
        Practice.objects.create(code=code, name=code)
    with pytest.raises(CommandError) as error:
        call_command("ingest", str(tmp_path), *arguments)
    assert str(error.value) == sentence


def test_a_file_that_was_left_unfinished_is_carried_on(folder, capsys, put):
    file_id = put((folder / "a.837").read_bytes())
    _, lines = run(capsys, str(folder / "a.837"), "--json")
    line = json.loads(lines[0])
    assert (line["file_id"], line["status"], line["claims"]) == (file_id, "accepted", 3)


@pytest.mark.usefixtures("own_process")
def test_two_processes_share_the_chunks(folder, capsys):
    big = claim_file(*[["1", "2"]] * 40)
    (folder / "big.837").write_bytes(big)
    code, lines = run(capsys, str(folder / "big.837"), str(folder / "a.837"), "--json", "-j", "2")
    found = {os.path.basename(line["path"]): line for line in map(json.loads, lines)}
    assert code == 0
    assert (found["big.837"]["claims"], found["big.837"]["charge_cents"]) == (80, 12000)
    assert found["a.837"]["status"] == "accepted"


def test_without_a_worker_the_wait_is_explained(put, monkeypatch):
    monkeypatch.setattr(crew, "PATIENCE_SECONDS", -1)
    monkeypatch.setattr(actors.split_file.broker, "enqueue", lambda message, delay=None: message)
    told: list[str] = []
    workers = crew.Workers(told.append)
    workers.add(put(claim_file(["1"])))
    workers.check()
    workers.check()
    assert told == ["No worker has taken a file yet. Is one running? (manage.py rundramatiq)"]


def test_a_crew_that_dies_is_said(folder, monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "no.such.settings")
    with pytest.raises(CommandError, match=r"Every process has ended \(exit codes 1, 1\)"):
        call_command("ingest", str(folder / "a.837"), "-j", "2")
    assert EdiFile.objects.get().status == "received"


def test_a_run_with_a_limit_stops_at_a_chunk_and_the_next_goes_on(folder, capsys):
    """a.837 has three claims in two chunks; the limit is reached by the first."""
    path = str(folder / "a.837")
    call_command("ingest", path, "--limit", "1")
    shown = capsys.readouterr()
    assert "Stopped after 1 claims" in shown.err
    file = EdiFile.objects.get()
    assert (file.status, file.chunks_done, file.chunk_count) == ("running", 1, 2)
    code, lines = run(capsys, "--batch", str(file.pk), "--json")
    assert (code, json.loads(lines[0])["claims"]) == (0, 3)


def test_without_a_path_what_is_pending_is_carried_on(put, capsys):
    first, second = put(claim_file(["1"]), "a"), put(claim_file(["2"]), "b")
    code, lines = run(capsys, "--json")
    assert (code, [json.loads(line)["file_id"] for line in lines]) == (0, [first, second])
    assert run(capsys, "--json") == (0, [])


@pytest.mark.parametrize(
    "words", [["--limit", "1", "--queue"], ["--limit", "0"], ["--batch", "1", "x"], ["--batch", "999999999"]]
)
def test_options_that_make_no_sense_are_refused(practice, words):
    with pytest.raises(CommandError):
        call_command("ingest", *words)
