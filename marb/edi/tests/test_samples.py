"""The scan over public sample files: sets, claims and payments as their index counts them.

Skipped where the samples are absent. Two files of the index are counted otherwise than there, on purpose: see OTHERS.
"""

import csv
import re
from pathlib import Path

import pytest

from marb.edi.tests.text import Result
from marb.edi.x12 import Span, read_segments

SAMPLES = Path(__file__).parents[4] / "shared" / "edi"

# ISA16, a line break, and then `~`, which is the terminator: each `~` stands at the beginning of the next line. The
# index takes the line break for the terminator, sees `~ST` for an id, and counts nothing.
OTHERS = {"835-example.txt": (1, 0, 2), "835-example-2.txt": (2, 0, 2)}
# the first of its two interchanges stops in the middle of a set
CUT_OFF = {"837I-Examples.txt": ["rejected", "accepted"]}


def index() -> list[dict[str, str]]:
    if not (SAMPLES / "INDEX.tsv").exists():
        return []
    with (SAMPLES / "INDEX.tsv").open() as rows:
        return list(csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE))


ROWS = index()
needs_samples = pytest.mark.skipif(not ROWS, reason="the public sample files are not here")


def name_of(row: dict[str, str]) -> str:
    return row["path"].rpartition("/")[2]


@needs_samples
@pytest.mark.parametrize("row", ROWS, ids=[row["path"][6:] for row in ROWS])
def test_a_sample_is_counted_as_its_index_says(row):
    result = Result((SAMPLES / row["path"]).read_bytes())
    named = [one for one in result.sets if one.set_code not in ("", "TA1")]
    expected = OTHERS.get(name_of(row)) or tuple(int(row[column]) for column in ("ST", "CLM", "CLP"))
    assert (len(named), result.totals.claim_count, result.totals.remittance_count) == expected


@needs_samples
@pytest.mark.parametrize("row", ROWS, ids=[row["path"][6:] for row in ROWS])
def test_a_sample_that_a_human_would_accept_is_accepted(row):
    result = Result((SAMPLES / row["path"]).read_bytes())
    kind = row["type (ST01 GS08)"][:3]
    usual = "accepted" if kind in ("837", "835") or name_of(row) in OTHERS else "kept"
    assert result.statuses() == CUT_OFF.get(name_of(row), [usual] * len(result.sets))
    assert {finding.level for finding in result.findings} <= ({"T", "W"} if name_of(row) in CUT_OFF else {"W"})


@needs_samples
@pytest.mark.parametrize("row", ROWS, ids=[row["path"][6:] for row in ROWS])
def test_the_cents_of_a_sample_are_those_of_its_segments(row):
    data = (SAMPLES / row["path"]).read_bytes()
    result = Result(data)
    charges, paid = 0, 0
    for chunk in result.chunks:
        body = Span(chunk.byte_from, chunk.position, data[chunk.byte_from : chunk.byte_to])
        for _, _, elements in read_segments(body, chunk.separators):
            charges += cents(elements[2]) if elements[0] == "CLM" else 0
            paid += cents(elements[4]) if elements[0] == "CLP" else 0
    if name_of(row) not in CUT_OFF:
        assert (result.totals.charge_cents, result.totals.paid_cents) == (charges, paid)


def cents(text: str) -> int:
    """Another way to the same number than the scan's: by decimal places, of plain amounts only."""
    matched = re.fullmatch(r"(-?)(\d*)\.?(\d{0,2})", text.strip())
    if matched is None:
        return 0
    value = int((matched[2] or "0") + matched[3].ljust(2, "0"))
    return -value if matched[1] else value
