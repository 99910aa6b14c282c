"""CMS's NCCI files: reading and loading. All rows are invented."""

from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from claims.models import NcciPair, UnitLimit
from claims.ncci import BadNcciFile, Pair, Units, read_pairs, read_units

PAIRS = (
    '"A notice of copyright"\t\t\t\t\t\t\n'
    "Column 1\tColumn 2\t*=in existence\tEffective\tDeletion\tModifier\tPTP Edit Rationale\n"
    "\t\tprior to 1996\tDate\tDate *=no data\t0=not allowed\t\n"
    "A0001\tA0002\t\t20200101\t*\t1\tStandards\n"
    "A0001\tA0003\t*\t19960101\t20201231\t0\tStandards\n"
)
UNITS = (
    "A notice,,,\n"
    "HCPCS/CPT Code,Practitioner Services MUE Values,MUE Adjudication Indicator,MUE Rationale\n"
    "A0001,2,2 Date of Service Edit: Policy,Policy\nA0002,1,1 Line Edit,Policy\n"
)


def load(tmp_path, text, *arguments, name="file.txt", **options):
    path = tmp_path / name
    path.write_text(text)
    call_command("load_ncci", *arguments, str(path), stdout=StringIO(), **options)


def test_pairs_are_read_below_their_heading():
    assert list(read_pairs(StringIO(PAIRS))) == [
        Pair("A0001", "A0002", date(2020, 1, 1), None, "1"),
        Pair("A0001", "A0003", date(1996, 1, 1), date(2020, 12, 31), "0"),
    ]


def test_units_are_read_with_the_digit_of_their_indicator():
    assert list(read_units(StringIO(UNITS))) == [Units("A0001", 2, "2"), Units("A0002", 1, "1")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "No heading"),
        (PAIRS.replace("20200101", "2020-1-1"), "Row 4: a date is not"),
        (PAIRS.replace("\t*\t1\t", "\t*\t7\t"), "Row 4: the second code or the modifier"),
        (PAIRS.replace("20200101", ""), "Row 4: the effective date is missing"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(text, sentence):
    with pytest.raises(BadNcciFile, match=sentence):
        list(read_pairs(StringIO(text)))


def test_units_that_are_no_number_are_refused():
    with pytest.raises(BadNcciFile, match="Row 3"):
        list(read_units(StringIO(UNITS.replace(",2,2 Date", ",two,2 Date"))))


@pytest.mark.django_db
def test_a_later_quarter_ends_a_pair_and_keeps_the_others(tmp_path):
    load(tmp_path, PAIRS, "ptp", "practitioner")
    load(tmp_path, PAIRS.replace("20200101\t*", "20200101\t20251231"), "ptp", "practitioner")
    ends = dict(NcciPair.objects.values_list("column_two_code", "effective_to_date"))
    assert ends == {"A0002": date(2025, 12, 31), "A0003": date(2020, 12, 31)}


@pytest.mark.django_db
def test_limits_of_quarters_stand_side_by_side(tmp_path):
    load(tmp_path, UNITS, "mue", "practitioner", first=date(2026, 1, 1))
    load(tmp_path, UNITS.replace("A0001,2", "A0001,3"), "mue", "practitioner", first=date(2026, 4, 1))
    found = UnitLimit.objects.filter(procedure_code="A0001").order_by("effective_from_date")
    assert list(found.values_list("unit_count", "adjudication_indicator")) == [(2, "2"), (3, "2")]


@pytest.mark.django_db
def test_nothing_is_loaded_of_a_broken_file(tmp_path):
    with pytest.raises(CommandError, match="Nothing was loaded"):
        load(tmp_path, PAIRS + "A0001\tA0004\t\tnever\t*\t1\t\n", "ptp", "hospital")
    assert not NcciPair.objects.exists()


@pytest.mark.django_db
def test_units_need_their_quarter(tmp_path):
    with pytest.raises(CommandError, match="--from"):
        load(tmp_path, UNITS, "mue", "practitioner")
