"""Planted causes of denial: told chances are those drawn from, conditions occur, the traffic is otherwise sound."""

from collections import Counter
from datetime import date
from math import prod, sqrt
from pathlib import Path

import orjson
import pytest
from django.core.management import call_command

from episodes.sample.habits import BASE_RATE
from episodes.sample.planted import COPY_SHARE, long_calendar
from episodes.sample.plants import AUTHORIZED, PLANTS
from episodes.sample.writer import PlantedSample
from episodes.tests.test_sample import check_balance, segments

UNTIL = date(2026, 6, 30)


def write(total: int, seed: int = 1, plants=PLANTS):
    sample = PlantedSample(total, seed, UNTIL, plants)
    files = dict(sample.files())
    return files, sample.truth, [orjson.loads(row) for row in sample.truth.take_rows().splitlines()]


@pytest.fixture(scope="module")
def planted():
    return write(2_500, 3)


@pytest.fixture(scope="module")
def bare():
    return write(2_500, 3, ())


def test_the_same_seed_writes_the_same_bytes_and_another_writes_others():
    assert write(60, 1)[0] == write(60, 1)[0] != write(60, 2)[0]


@pytest.mark.parametrize("total", [1, 5, 77])
def test_as_many_claims_are_written_as_were_asked_for(total):
    files, truth, _ = write(total)
    text = "".join(text for name, text in files.items() if "837" in name)
    claims = [elements for elements in segments(text) if elements[0] == "CLM"]
    assert len(claims) == total == truth.claims["total"]


def test_every_835_balances_and_the_truth_counts_it(planted):
    files, truth, _ = planted
    seen: Counter[str] = Counter()
    for name, text in files.items():
        for each in text.split("ST*835")[1:] if "835" in name else ():
            check_balance(list(segments("ST*835" + each)), seen)
    assert seen["CLP"] == truth.remittances["total"]
    assert seen["paid"] == truth.remittances["paid_cents"]


def test_a_claims_chance_is_what_its_lines_come_to(planted):
    for row in planted[2]:
        chances = [chance for chance, _ in row["lines"]]
        apart = 1 - prod(1 - chance for chance in chances)
        assert max(chances) - 1e-5 <= row["chance"] <= apart + 1e-4
        if row["is_denied"] is not None:
            assert row["is_denied"] == any(denied for _, denied in row["lines"])


def test_the_told_chances_are_those_that_the_labels_were_drawn_by(planted):
    rows = [row for row in planted[2] if row["is_denied"] is not None]
    lines = [(chance, denied) for row in rows for chance, denied in row["lines"]]
    for pairs in ([(row["chance"], row["is_denied"]) for row in rows], lines):
        for least, most in ((0, 0.1), (0.1, 0.3), (0.3, 1)):
            some = [(chance, denied) for chance, denied in pairs if least <= chance < most]
            expected, spread = sum(c for c, _ in some), sqrt(sum(c * (1 - c) for c, _ in some))
            # lines of a claim that is denied as a whole hang together
            assert abs(sum(denied for _, denied in some) - expected) < 5 * spread
            assert len(some) > 100


def test_every_plant_is_met_and_its_lines_are_denied_more_often(planted):
    _, truth, _ = planted
    patterns = truth.as_document()["patterns"]
    assert all(each["lines"] > 0 for each in patterns)
    assert all(each["lift"] > 1.2 for each in patterns if each["lines"] >= 100 and each["strength"] >= 4)
    assert {each["kind"] for each in patterns} == {
        "carc", "procedure", "modifier", "diagnosis_procedure", "provider", "place", "authorization", "timely_filing",
        "duplicate", "bundling", "charge_band", "drift", "weekday", "new_code",
    }  # fmt: skip


def test_without_plants_every_line_has_its_payers_base_rate(bare):
    _, truth, rows = bare
    document = truth.as_document()
    assert document["patterns"] == []
    assert document["gradients"] == {}
    for row in rows:
        assert {chance for chance, _ in row["lines"]} <= {BASE_RATE[row["payer"]], 0.0}


def test_nothing_but_a_copy_repeats_a_patients_service_and_day(planted):
    files, _, rows = planted
    seen: Counter[tuple[str, str]] = Counter()
    member, claim = "", list[str]()
    for elements in segments("".join(text for name, text in files.items() if "837" in name)):
        if elements[:2] == ["NM1", "IL"] and not claim:
            member = elements[9]
        elif elements[0] == "CLM":
            claim = elements
        elif elements[:2] == ["DTP", "472"] and claim:
            # second payers' members begin with S and a digit; a replacement repeats its original
            seen[member, elements[3]] += claim[5].endswith(":1") and not member.startswith("S0")
            claim = []
    repeated = sum(count > 1 for count in seen.values())
    assert 0 < repeated < 2 * COPY_SHARE * len(rows)


def test_the_batches_cover_more_than_a_year_and_every_weekday():
    for total in (400, 6_000, 60_000, 1_000_000):
        dates = long_calendar(total, UNTIL.toordinal())
        days = [dates.sent(index) for index in range(dates.batches)]
        assert days[-1] - days[0] > 365
        assert len({day % 7 for day in days}) == 7
        assert dates.sent(dates.batches + dates.lag - 1) + 28 <= UNTIL.toordinal()
        assert sum(dates.claims(index) for index in range(dates.batches)) == total


def test_what_needs_an_authorization_often_has_none(planted):
    files, _, _ = planted
    text = "".join(text for name, text in files.items() if "837p" in name)
    needing = [claim for claim in text.split("\nCLM*") if any(f"HC:{code}" in claim for code in AUTHORIZED)]
    share = sum("REF*G1*" in claim for claim in needing) / len(needing)
    assert 0.5 < share < 0.85


def test_the_command_writes_a_row_for_every_claim_that_is_judged(tmp_path: Path):
    call_command("sample", claims=120, seed=2, out=tmp_path, patterns="all", verbosity=0)
    document = orjson.loads((tmp_path / "truth.json").read_bytes())
    rows = [orjson.loads(row) for row in (tmp_path / "claims.ndjson").read_bytes().splitlines()]
    assert len(rows) == document["claims"]["total"] - document["claims"].get("voids", 0)
    assert sum(row["is_denied"] is True for row in rows) == document["labels"]["denied"]
    keys = {(row["claim"], row["frequency"], row["sequence"]) for row in rows}
    assert len(keys) == len(rows)
