"""The sample: same seed, same bytes; everything balances to the cent; the truth says what is in the files."""

import json
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from episodes.models import EpisodeStatus
from episodes.sample import course
from episodes.sample.course import MOST_IN_BATCH, calendar
from episodes.sample.people import CLINIC, DOCTORS, EQUIPMENT, HOSPITAL
from episodes.sample.values import money, npi
from episodes.sample.writer import Sample
from marb.edi.values import parse_cents

UNTIL = date(2026, 6, 30)
Elements = list[str]


def segments(text: str) -> Iterator[Elements]:
    return (line.rstrip("~").split("*") for line in text.splitlines())


def write(total: int, seed: int = 1) -> tuple[dict[str, str], Sample]:
    sample = Sample(total, seed, UNTIL)
    return dict(sample.files()), sample


def cents(elements: Elements, number: int) -> int:
    return parse_cents(elements[number])


def adjusted(elements: Elements) -> int:
    return sum(parse_cents(amount) for amount in elements[3::3])


def test_the_shipped_samples_are_made_by_the_command(tmp_path: Path):
    call_command("sample", claims=400, seed=1, out=tmp_path, verbosity=0)
    shipped = settings.BASE_DIR / "samples"
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(path.name for path in shipped.iterdir() if path.is_file())
    for name in names:
        assert (tmp_path / name).read_bytes() == (shipped / name).read_bytes(), name


def test_a_folder_with_files_is_not_written_over(tmp_path: Path):
    (tmp_path / "0001-837p.x12").write_text("")
    with pytest.raises(CommandError, match="empty folder"):
        call_command("sample", claims=4, seed=1, out=tmp_path)


def test_another_seed_writes_other_files():
    assert write(40, 1)[0] != write(40, 2)[0]


@hypothesis_settings(deadline=None, max_examples=15)
@given(st.integers(1, 400), st.integers(0, 10**6))
def test_all_that_was_asked_for_is_written_and_nothing_more(total: int, seed: int):
    files, sample = write(total, seed)
    text = "".join(text for name, text in files.items() if "837" in name)
    claims = [elements for elements in segments(text) if elements[0] == "CLM"]
    assert len(claims) == total == sample.truth.claims["total"]
    assert sum(cents(claim, 2) for claim in claims) == sample.truth.claims["charge_cents"]
    episodes = sum(sample.truth.episodes.values())
    assert episodes == sample.truth.claims["originals"]


def test_every_claim_is_the_sum_of_its_lines():
    files, _ = write(400)
    charge = total = 0
    for elements in segments("".join(text for name, text in files.items() if "837" in name)):
        if elements[0] in ("CLM", "SE"):
            assert charge == total
            charge, total = (cents(elements, 2), 0) if elements[0] == "CLM" else (0, 0)
        elif elements[0] in ("SV1", "SV2"):
            total += cents(elements, 2 if elements[0] == "SV1" else 3)


def test_every_835_balances_by_line_claim_and_check():
    files, sample = write(1_200, 5)
    seen: Counter[str] = Counter()
    for name, text in files.items():
        if "835" in name:
            for each in text.split("ST*835")[1:]:
                check_balance(list(segments("ST*835" + each)), seen)
    assert seen["CLP"] == sample.truth.remittances["total"]
    assert seen["paid"] == sample.truth.remittances["paid_cents"]
    assert seen["bpr"] == sample.truth.payments["bpr_cents"]
    assert seen["zero"] > 0
    assert seen["PLB"] > 0


def check_balance(rows: list[Elements], seen: Counter[str]) -> None:
    bpr = paid = withheld = 0
    claim = line = 0
    has_lines = False
    for elements in rows:
        tag = elements[0]
        if tag in ("CLP", "SVC", "PLB", "SE"):
            assert line == 0, "SVC02 - CAS = SVC03"
        if tag in ("CLP", "PLB", "SE"):
            assert claim == 0, "CLP03 - all CAS = CLP04"
        if tag == "BPR":
            bpr = cents(elements, 2)
        elif tag == "CLP":
            claim, has_lines = cents(elements, 3) - cents(elements, 4), False
            paid += cents(elements, 4)
            seen["zero"] += elements[4] == "0"
        elif tag == "SVC":
            line, has_lines = cents(elements, 2) - cents(elements, 3), True
        elif tag == "CAS":
            claim -= adjusted(elements)
            line -= adjusted(elements) if has_lines else 0
        elif tag == "PLB":
            withheld += sum(parse_cents(amount) for amount in elements[4::2])
        seen[tag] += 1
    assert paid - withheld == bpr >= 0
    seen["paid"] += paid
    seen["bpr"] += bpr


def test_counts_of_segments_sets_and_groups_are_right():
    files, _ = write(200, 3)
    for text in files.values():
        rows = list(segments(text))
        starts = [place for place, elements in enumerate(rows) if elements[0] == "ST"]
        ends = [place for place, elements in enumerate(rows) if elements[0] == "SE"]
        for start, end in zip(starts, ends, strict=True):
            assert rows[end][1:] == [str(end - start + 1), rows[start][2]]
        assert rows[-2][1:] == [str(len(starts)), rows[1][6]]
        assert rows[-1][1:] == ["1", rows[0][13]]
        assert len(text.splitlines()[0]) == 106


def test_hl_numbers_count_up_and_name_a_parent_before_them():
    files, _ = write(200, 3)
    for name, text in files.items():
        expected = 1
        for elements in segments(text if "837" in name else ""):
            if elements[0] == "ST":
                expected = 1
            elif elements[0] == "HL":
                assert int(elements[1]) == expected
                assert elements[2] == "" or int(elements[2]) < expected
                expected += 1


def test_a_replacement_and_a_void_quote_the_number_that_the_payer_gave():
    files, sample = write(1_200, 5)
    given = {elements[7] for text in files.values() for elements in segments(text) if elements[0] == "CLP"}
    quoted = [elements[2] for text in files.values() for elements in segments(text) if elements[:2] == ["REF", "F8"]]
    assert set(quoted) <= given
    sent = sample.truth.claims["replacements"] + sample.truth.claims["voids"]
    assert len(quoted) == sent - sample.truth.claims["unquoted"] > 50


def test_a_reversal_takes_back_an_earlier_answer_to_the_cent():
    files, sample = write(1_200, 5)
    answers: dict[str, list[Elements]] = defaultdict(list)
    reversals: list[Elements] = []
    for text in files.values():
        for elements in segments(text):
            if elements[0] == "CLP":
                (reversals if elements[2] == "22" else answers[elements[7]]).append(elements)
    assert len(reversals) == sample.truth.remittances["reversals"] > 10
    for elements in reversals:
        (answer,) = answers[elements[7]]
        assert [cents(elements, n) for n in (3, 4, 5)] == [-cents(answer, n) for n in (3, 4, 5)]


def test_everything_that_the_issue_names_is_planted():
    _, sample = write(3_000, 2)
    document = json.loads(json.dumps(sample.truth.as_document()))
    assert {"replacements", "voids", "secondary", "professional", "institutional", "dependents"} <= {
        name for name, value in document["claims"].items() if value
    }
    planted = {name for name, value in document["remittances"].items() if value}
    assert {"reversals", "corrections", "secondary", "crossed_over", "denied", "in_parts", "without_claim"} <= planted
    assert {"WO", "FB", "L6", "72"} <= set(document["provider_adjustment_cents"])
    assert len(document["denials_by_carc"]) >= 8
    assert set(document["episodes"]) == set(EpisodeStatus.values)
    assert len(document["claims_by_payer"]) == 12
    assert {"number_cut", "number_small", "number_padded", "number_lost"} <= planted
    assert document["claims"]["unquoted"] > 0


def test_the_truth_names_the_control_number_of_every_damaged_answer():
    files, sample = write(1_200, 5)
    sent = {elements[1] for name, text in files.items() for elements in segments(text) if elements[0] == "CLM"}
    said = {elements[7]: elements[1] for text in files.values() for elements in segments(text) if elements[0] == "CLP"}
    damaged = {given: number for given, number in said.items() if number not in sent and not number.startswith("OLD")}
    assert damaged.keys() <= sample.truth.numbers.keys()
    assert all(sample.truth.numbers[given] != number for given, number in damaged.items())
    assert len(damaged) > 10


def test_no_day_is_later_than_until_and_payments_follow_submissions():
    dates = calendar(100_000, UNTIL.toordinal())
    assert dates.batches == 100_000 / MOST_IN_BATCH
    assert dates.sent(dates.lag) > dates.sent(0) + 28
    assert dates.sent(dates.batches + dates.lag - 1) + 28 <= UNTIL.toordinal()
    files, _ = write(100)
    days = [
        elements[3]
        for text in files.values()
        for elements in segments(text)
        if elements[0] == "DTP" and elements[2] == "D8"
    ]
    assert max(days) <= UNTIL.strftime("%Y%m%d")


def test_memory_does_not_grow_with_the_number_of_claims(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(course, "MOST_IN_BATCH", 100)

    def peak(total: int) -> int:
        tracemalloc.start()
        for _ in Sample(total, 1, UNTIL).files():
            pass
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(4_000)  # fills the caches of amounts and days, which are bounded
    assert peak(4_000) < peak(2_500) * 1.15


@given(st.integers(0, 10**8 - 1))
def test_an_npi_passes_the_luhn_check_of_80840(number: int):
    digits = [int(digit) for digit in reversed("80840" + npi(number))]
    assert len(npi(number)) == 10
    assert (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


def test_nobody_in_the_sample_has_an_npi_that_is_given_out():
    numbers = [CLINIC.npi, EQUIPMENT.npi, HOSPITAL.npi, *(doctor.npi for doctor in DOCTORS)]
    assert {number[0] for number in numbers} == {"2"}


@given(st.integers(-(10**12), 10**12))
def test_money_reads_back_to_the_same_cents(amount: int):
    assert parse_cents(money(amount)) == amount
