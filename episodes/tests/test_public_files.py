"""The belt over public sample files, against counts and sums that know nothing of our readers.

The oracle takes each file's separators from the index beside the files and splits the raw text with them. The files lie
beside the project, not in it: without them this module is skipped.
"""

import contextlib
import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.conf import settings
from django.core.management import call_command

EDI = settings.BASE_DIR.parent / "shared" / "edi"
pytestmark = [
    pytest.mark.skipif(not EDI.is_dir(), reason="the public sample files are not beside the project"),
    pytest.mark.django_db,
]

# The index finds no ST in these two: their segments end in a newline and begin with a tilde, so its separators fail.
UNREAD_BY_INDEX = {"835-example.txt", "835-example-2.txt"}


class Counted(NamedTuple):
    """What the raw text of a file holds: CLM and CLP segments, and the sums of CLM02 and CLP04 that are amounts."""

    claims: int
    remittances: int
    charge_cents: int
    paid_cents: int


def index() -> Iterator[dict[str, str]]:
    with (EDI / "INDEX.tsv").open(newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t")


def cents(text: str) -> int:
    try:
        return int(Decimal(text) * 100)
    except InvalidOperation:
        return 0


def count(path: Path, delimiters: str) -> Counted:
    marks = dict(mark.partition("=")[::2] for mark in delimiters.split())
    text = path.read_bytes().decode("latin-1")
    segments = [
        piece.strip().split(marks["elem"]) for piece in text.split(marks["seg"].replace("\\n", "\n")) if piece.strip()
    ]
    claims = [segment for segment in segments if segment[0] == "CLM"]
    remittances = [segment for segment in segments if segment[0] == "CLP"]
    return Counted(
        len(claims),
        len(remittances),
        sum(cents(segment[2]) for segment in claims if len(segment) > 2),
        sum(cents(segment[4]) for segment in remittances if len(segment) > 4),
    )


@pytest.fixture
def answers(transactional_db: None, practice: Any) -> dict[str, dict[str, Any]]:
    """What `manage.py ingest --json` says of every public file, by its path below the folder.

    Each file is committed: in one transaction the catalog of its temporary tables only grows, and so does each step.
    """
    out = io.StringIO()
    with contextlib.suppress(SystemExit):  # some of them are rejected, so the command ends with 1
        call_command("ingest", str(EDI / "files"), practice=practice.code, json=True, stdout=out)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    return {str(Path(line["path"]).relative_to(EDI)): line for line in lines}


def test_no_claim_and_no_cent_of_the_public_files_is_lost(answers):
    compared = 0
    for row in index():
        answer, name = answers[row["path"]], Path(row["path"]).name
        assert answer["status"] in {"accepted", "partial", "rejected", "kept", "duplicate"}
        if answer["status"] == "duplicate" or name in UNREAD_BY_INDEX:
            continue
        claims = answer["claims"] + answer["claims_quarantined"] + answer["claims_rejected"]
        remittances = answer["remittances"] + answer["remittances_quarantined"] + answer["remittances_rejected"]
        assert (name, claims, remittances) == (name, int(row["CLM"]), int(row["CLP"]))
        if answer["status"] == "accepted":
            counted = count(EDI / row["path"], row["delimiters"])
            cents = (answer["charge_cents"], answer["paid_cents"])
            assert (name, *cents) == (name, counted.charge_cents, counted.paid_cents)
            compared += 1
    assert compared > 90
