"""A sample with planted causes through the belt: links, totals, statuses and every label are as they were drawn."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from episodes.sample import planted
from marb.access.models import Practice
from monitoring.truth import compare

CLAIMS = 400


@pytest.fixture
def folder(practice: Practice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small sample, taken in; its batches are few and larger than else."""
    monkeypatch.setattr(planted, "FEWEST_BATCHES", 3)
    monkeypatch.setattr(planted, "MOST_BATCHES", 3)
    call_command("sample", claims=CLAIMS, seed=5, out=tmp_path, patterns="all", stdout=StringIO())
    names = sorted(str(path) for path in tmp_path.glob("*.x12"))
    call_command("ingest", *names, practice=practice.code, json=True, stdout=StringIO())
    return tmp_path


def test_the_rows_are_what_was_planted_and_a_changed_one_is_told(folder: Path, practice: Practice):
    agreements = {each.name: each for each in compare(folder, practice.pk)}
    assert list(agreements) == ["links", "totals", "statuses", "labels", "plants"]
    assert [each for each in agreements.values() if each.different] == []
    assert agreements["labels"].agreed > 0.9 * CLAIMS
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE truth_line")
        cursor.execute(
            "UPDATE remits_adjustment SET carc = '45' WHERE id = (SELECT max(id) FROM remits_adjustment"
            " WHERE carc = '16' AND amount > 0)"
        )
    told = StringIO()
    with pytest.raises(SystemExit):
        call_command("verify", truth=folder, practice=practice.code, stdout=told)
    assert "1 differ" in told.getvalue()


def test_a_folder_without_truth_and_one_of_another_sample_are_refused(practice: Practice, tmp_path: Path):
    with pytest.raises(CommandError, match=r"no truth\.json"):
        call_command("verify", truth=tmp_path, practice=practice.code, stdout=StringIO())
    call_command("sample", claims=4, seed=5, out=tmp_path, stdout=StringIO())
    text = (tmp_path / "truth.json").read_text()
    (tmp_path / "truth.json").write_text(text.replace('"seed": 5', '"seed": 6'))
    with pytest.raises(CommandError, match="another sample"):
        call_command("verify", truth=tmp_path, practice=practice.code, stdout=StringIO())
