"""Fee schedule files in CMS's layouts of several years, with made-up codes and no descriptions."""

from decimal import Decimal

import pytest

from claims.feefiles import BadFeeFile, read_caps, read_fee_lines, read_localities, read_zips
from claims.rvu import Cap, Gpci

PPRRVU = """\
2025 National Physician Fee Schedule Relative Value File January Release,,,,,,,,,,,,,,,,,,,,,,,,
,,,,,,,,,,,,,,,,,,,,,,,,
"RELEASED 12/27/2024",,,,,,,,,,,,,,,,,,,,,,,,
,,,,NOT USED,,,,,,,NON-,,,,,,,,,,,,,
,,,,FOR,,NON-FAC,NON-FAC,FACILITY,FAC,,FACILITY,FACILITY,,,,,,,,,,,,
,,,STATUS,MEDICARE,WORK,PE,NA,PE,NA,MP,,,PCTC,GLOB,PRE,INTRA,POST,MULT,BILAT,ASST,CO-,TEAM,ENDO,CONV
HCPCS,MOD,DESCRIPTION,CODE,PAYMENT,RVU,RVU,INDICATOR,RVU,INDICATOR,RVU,TOTAL,TOTAL,IND,DAYS,OP,OP,OP,PROC,SURG,SURG,SURG,SURG,BASE,FACTOR
A1234,,x,A,,1.30,1.26,,0.55,,0.10,2.66,1.95,0,XXX,0.00,0.00,0.00,0,0,0,0,0,,32.3465
A1234,26,x,A,,0.50,0.20,,0.20,,0.02,0.72,0.72,1,XXX,0.10,0.70,0.20,2,1,2,1,0,A1000,32.3465
"""


def test_columns_are_found_by_the_joined_heading():
    first, second = read_fee_lines(PPRRVU.splitlines(keepends=True))
    assert (first.code, first.modifier, first.rvu.work) == ("A1234", "", Decimal("1.30"))
    assert (first.rvu.nonfacility_pe, first.rvu.facility_pe) == (Decimal("1.26"), Decimal("0.55"))
    assert (second.modifier, second.rvu.endoscopy_base, second.rvu.cosurgeon) == ("26", "A1000", "1")
    assert second.rvu.intraoperative == Decimal("0.70")


def test_a_column_more_before_the_factor_changes_nothing():
    wider = []
    for line in PPRRVU.splitlines():
        cells = line.split(",")
        extra = {"BASE": "IND", "ENDO": "PRIC"}.get(cells[23], "")
        wider.append(",".join([*cells[:24], extra, *cells[24:]]) + "\n")
    assert list(read_fee_lines(wider)) == list(read_fee_lines(PPRRVU.splitlines(keepends=True)))


def test_a_file_without_its_factor_is_refused_by_name():
    text = PPRRVU.replace("CONV", "").replace("FACTOR", "")
    with pytest.raises(BadFeeFile, match="CONV FACTOR"):
        list(read_fee_lines(text.splitlines(keepends=True)))


def test_a_word_for_a_number_is_refused_with_its_row():
    with pytest.raises(BadFeeFile, match="Row 8: work"):
        list(read_fee_lines(PPRRVU.replace("1.30", "n/a").splitlines(keepends=True)))


def test_a_file_that_is_something_else_is_refused():
    with pytest.raises(BadFeeFile, match="No heading"):
        list(read_fee_lines(["a,b,c\n"] * 50))


def test_localities_are_read_under_a_heading_with_the_year_in_it():
    text = (
        "ADDENDUM E. FINAL CY 2025 GPCIs,,,,,,\n,,,,,,\n"
        "Medicare Administrative Contractor (MAC),State,Locality Number,Locality Name,"
        "2025 PW GPCI (with 1.0 Floor),2025 PE GPCI,2025 MP GPCI\n"
        "02102,AK,01,ALASKA*,1.500,1.081,0.592\n"
    )
    (line,) = read_localities(text.splitlines(keepends=True))
    assert (line.contractor, line.locality, line.name) == ("02102", "01", "ALASKA")
    assert line.gpci == Gpci(Decimal("1.500"), Decimal("1.081"), Decimal("0.592"))


def test_caps_are_read_in_either_spelling():
    text = "HCPCS,MOD,PROCSTAT,CARRIER,LOCALITY,FACILITY PRICE,NON-FACILTY PRICE\nB2000,TC,A,01112,05,10.00,12.50\n"
    for spelt in (text, text.replace("FACILTY", "FACILITY")):
        (line,) = read_caps(spelt.splitlines(keepends=True))
        assert line.cap == Cap(Decimal("10.00"), Decimal("12.50"))


@pytest.mark.parametrize("line", ["CA,90001,01182,18\n", "CA900010118218\n"])
def test_zips_are_read_as_csv_or_in_fixed_columns(line):
    (row,) = read_zips([line])
    assert row == ("90001", "CA", "01182", "18")


def test_numbers_of_contractors_get_their_leading_zero_back():
    text = "Medicare Administrative Contractor (MAC),State,Locality Number,Locality Name,PW GPCI,PE GPCI,MP GPCI\n"
    (line,) = read_localities([text, "9202,PR,7,PUERTO RICO,1,0.869,0.575\n"])
    assert (line.contractor, line.locality) == ("09202", "07")
    (cap,) = read_caps(
        ["HCPCS,MOD,PROCSTAT,CARRIER,LOCALITY,FACILITY PRICE,NON-FACILTY PRICE\n", "B2000,TC,A,1112,5,1,2\n"]
    )
    assert (cap.carrier, cap.locality) == ("01112", "05")


def test_of_two_work_indices_the_one_with_the_floor_is_taken():
    text = (
        "Medicare Administrative Contractor (MAC),State,Locality Number,Locality Name,2026 PW GPCI (without 1.0 Floor),"
        "2026 PW GPCI (with 1.0 Floor),2026 PE GPCI,2026 MP GPCI\n"
        "10112,AL,00,ALABAMA,0.975,1.000,0.869,0.575\n"
    )
    (line,) = read_localities(text.splitlines(keepends=True))
    assert line.gpci == Gpci(Decimal("1.000"), Decimal("0.869"), Decimal("0.575"))


BAD_CELLS = [
    ("A1234,,", "A12345,,"),
    (",A1000,", ",A10000,"),
    ("A1234,26", "A1234,26A"),
    ("1.30", "1e9"),
    ("1.30", "-1"),
    ("0.70,0.20", "70,0.20"),
]


@pytest.mark.parametrize(("good", "bad"), BAD_CELLS)
def test_what_is_longer_than_its_column_is_refused_with_its_row(good, bad):
    with pytest.raises(BadFeeFile, match=r"Row [89]"):
        list(read_fee_lines(PPRRVU.replace(good, bad).splitlines(keepends=True)))


@pytest.mark.parametrize(
    "line", ["OH,45246,152020,00\n", "OH,45246,15202,000\n", "OHIO,45246,15202,00\n", "OH,4524,15202,00\n"]
)
def test_a_crosswalk_row_with_a_cell_too_long_or_short_is_refused(line):
    with pytest.raises(BadFeeFile, match="Row 1"):
        list(read_zips([line]))
