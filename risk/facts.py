"""Facts of claims as they were before they were sent, read set-based: a Batch of 100,000 in about a second.

The claim's own date (`submitted_date`) is the day on which it was sent (BHT04, GS04), else the day after its last day
of service; when a row was loaded says nothing of it. Rows come by binary COPY, every value not null and of a fixed
width, so that numpy reads the answer as one array. Left out: everything that a remittance says. Claims that are not
stored have the same columns by risk.unsent.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from django.db.backends.utils import CursorWrapper

from risk.batch import NO_AMOUNT, NO_DATE, NO_LIMIT, Batch, Column, derived

# what Medicare allows (42 CFR 424.44) where nobody has said a limit of the payer's own
MEDICARE_DAYS = 365
EPOCH = "date '1970-01-01'"
LAST_DATE = "coalesce(c.service_to_date, c.service_from_date)"
# the claim's own date, over a claim `c`; null where it says no day at all
SUBMITTED_DATE = f"coalesce(c.submitted_date, {LAST_DATE} + 1)"
FILING_LIMIT = f"""coalesce(p.timely_filing_days,
    CASE WHEN p.payer_type = 'medicare' OR c.filing_indicator_code IN ('MA', 'MB') THEN {MEDICARE_DAYS} END)"""


class Field(NamedTuple):
    """A column as it comes: numpy's type of it, big-endian, and the SQL of its value, which is never null."""

    name: str
    form: str
    sql: str


def number(name: str, sql: str) -> Field:
    return Field(name, ">i8", f"({sql})::bigint")


def yes(name: str, sql: str) -> Field:
    return Field(name, "u1", f"({sql}) IS TRUE")


def text(name: str, width: int, sql: str) -> Field:
    """A text of so many bytes, filled up with NUL: what is longer is cut, which no code of a claim is."""
    filling = f"'\\x{'00' * width}'::bytea"
    return Field(name, f"S{width}", f"substring(convert_to(coalesce({sql}, ''), 'UTF8') || {filling} FOR {width})")


def day(name: str, sql: str) -> Field:
    return number(name, f"coalesce({sql} - {EPOCH}, {NO_DATE})")


CLAIM_FIELDS = (
    number("claim_id", "c.id"),
    number("practice_id", "c.practice_id"),
    number("payer_id", "coalesce(c.payer_id, 0)"),
    text("payer_code", 24, "p.payer_code"),
    text("payer_type", 20, "p.payer_type"),
    text("claim_type", 1, "c.claim_type"),
    text("filing_indicator_code", 2, "c.filing_indicator_code"),
    text("frequency_code", 1, "c.frequency_code"),
    text("place_of_service_code", 4, "c.place_of_service_code"),
    text("payer_sequence_code", 1, "c.payer_sequence_code"),
    text("principal", 12, "c.principal_diagnosis_code"),
    number("billing_provider_id", "coalesce(c.billing_provider_id, 0)"),
    number("rendering_provider_id", "coalesce(c.rendering_provider_id, 0)"),
    number("charge_cents", "c.charge_amount * 100"),
    number("expected_cents", f"coalesce(c.expected_amount * 100, {NO_AMOUNT})"),
    number("line_count", "c.line_count"),
    number("diagnosis_count", "cardinality(c.diagnosis_codes)"),
    number("finding_count", "c.finding_count"),
    yes("has_authorization", "c.prior_authorization_number <> ''"),
    yes("has_referral", "c.referral_number <> ''"),
    yes("has_rendering", "c.rendering_provider_id IS NOT NULL"),
    yes("has_attending", "c.attending_npi <> ''"),
    yes("has_principal", "c.principal_diagnosis_code <> ''"),
    yes("has_assignment", "c.assignment_code <> ''"),
    yes("has_member_id", "c.subscriber_member_id <> ''"),
    yes("has_payer_number", "c.payer_claim_control_number <> ''"),
    yes("is_self", "c.patient_relationship_code = '18'"),
    yes("is_incomplete", "c.status = 'incomplete'"),
    yes("is_duplicate", "alike.id IS NOT NULL"),
    yes("has_prior_payment", "jsonb_path_exists(c.other_payers, '$[*].paid_amount')"),
    number("other_payer_count", "jsonb_array_length(c.other_payers)"),
    yes("is_new_patient", "NOT c.service_from_date > person.first_date"),
    day("submitted_date", SUBMITTED_DATE),
    day("service_from_date", "c.service_from_date"),
    day("service_to_date", LAST_DATE),
    number("filing_days_left", f"coalesce({LAST_DATE} + {FILING_LIMIT} - {SUBMITTED_DATE}, {NO_LIMIT})"),
)
LINE_FIELDS = (
    number("claim_id", "l.claim_id"),
    number("line_id", "l.id"),
    text("line_procedure", 12, "l.procedure_code"),
    yes("line_is_unnamed", "l.procedure_code = '' AND l.revenue_code = ''"),
    text("line_modifiers", 20, "array_to_string(l.modifiers, ',')"),
    number("line_charge_cents", "l.charge_amount * 100"),
    Field("line_units", ">f8", "coalesce(l.unit_count, 0)::float8"),
    text("line_diagnosis", 12, "coalesce(c.diagnosis_codes[l.diagnosis_pointers[1]], c.principal_diagnosis_code)"),
    text("line_place", 4, "coalesce(nullif(l.place_of_service_code, ''), c.place_of_service_code)"),
)

# A patient by the subscriber's member id, first name and birth date. The other claims of the batch's patients are read
# once. Lines are only looked at where payer, provider, day and charge are alike: as a part of the join's key, those of
# every claim would be read.
CLAIMS = """
WITH chosen AS MATERIALIZED (
    SELECT c.id, c.practice_id, c.payer_id, c.billing_provider_id, c.subscriber_member_id AS member_id,
        c.patient_first_name AS first_name, c.patient_birth_date AS birth_date, c.service_from_date, c.charge_amount,
        c.frequency_code IN ('', '1') AS is_original
    FROM {source} JOIN claims_claim c ON c.id = given.id
), patient AS MATERIALIZED (
    SELECT DISTINCT practice_id, member_id FROM chosen WHERE member_id <> ''
), other AS MATERIALIZED (
    SELECT c.id, c.practice_id, c.payer_id, c.billing_provider_id, c.subscriber_member_id AS member_id,
        c.patient_first_name AS first_name, c.patient_birth_date AS birth_date, c.service_from_date, c.charge_amount,
        c.frequency_code IN ('', '1') AS is_original
    FROM patient JOIN claims_claim c
        ON c.practice_id = patient.practice_id AND c.subscriber_member_id = patient.member_id
), person AS MATERIALIZED (
    SELECT practice_id, member_id, first_name, birth_date, min(service_from_date) AS first_date
    FROM other GROUP BY practice_id, member_id, first_name, birth_date
), pair AS MATERIALIZED (
    SELECT chosen.id, other.id AS other_id
    FROM chosen JOIN other USING (practice_id, member_id, service_from_date, charge_amount, first_name)
    WHERE other.id < chosen.id AND other.is_original AND chosen.is_original
        AND other.birth_date IS NOT DISTINCT FROM chosen.birth_date
        AND other.payer_id IS NOT DISTINCT FROM chosen.payer_id
        AND other.billing_provider_id IS NOT DISTINCT FROM chosen.billing_provider_id
), alike AS MATERIALIZED (
    SELECT DISTINCT pair.id FROM pair
    WHERE ARRAY(SELECT procedure_code || array_to_string(modifiers, ',') FROM claims_serviceline
                WHERE claim_id = pair.other_id ORDER BY 1)
            = ARRAY(SELECT procedure_code || array_to_string(modifiers, ',') FROM claims_serviceline
                WHERE claim_id = pair.id ORDER BY 1)
)
SELECT {columns}
FROM chosen JOIN claims_claim c ON c.id = chosen.id
LEFT JOIN parties_payer p ON p.id = c.payer_id
LEFT JOIN alike ON alike.id = c.id
LEFT JOIN person ON person.practice_id = chosen.practice_id AND person.member_id = chosen.member_id
    AND person.first_name = chosen.first_name AND person.birth_date IS NOT DISTINCT FROM chosen.birth_date
ORDER BY c.id
"""
LINES = """
SELECT {columns} FROM {source} JOIN claims_claim c ON c.id = given.id
JOIN claims_serviceline l ON l.claim_id = c.id
ORDER BY l.claim_id, l.line_number
"""
# COPY takes no parameters; ids are integers
GIVEN = "unnest('{{{ids}}}'::bigint[]) AS given (id)"
MOST_GIVEN = 2_000
CHOOSE = """
CREATE TEMP TABLE IF NOT EXISTS risk_given (id bigint PRIMARY KEY);
TRUNCATE risk_given
"""


def read_facts(cursor: CursorWrapper, claim_ids: Sequence[int] | None = None, table: str = "risk_given") -> Batch:
    """Read the facts of these claims, or of those in a temporary table of `id`; unknown ids are left out.

    More than MOST_GIVEN ids are put into an analysed temporary table first, so that the planner knows how many.
    """
    source = f"{table} AS given"
    if claim_ids is not None and len(claim_ids) <= MOST_GIVEN:
        source = GIVEN.format(ids=",".join(str(int(claim_id)) for claim_id in claim_ids))
    elif claim_ids is not None:
        choose(cursor, claim_ids)
        source = "risk_given AS given"
    claims = read_binary(cursor, CLAIMS, CLAIM_FIELDS, source)
    return batch_of(claims, read_binary(cursor, LINES, LINE_FIELDS, source))


def choose(cursor: CursorWrapper, claim_ids: Sequence[int]) -> None:
    """Put ids into the session's temporary table, analysed."""
    cursor.execute(CHOOSE)
    cursor.execute("INSERT INTO risk_given SELECT DISTINCT unnest(%s::bigint[])", [list(claim_ids)])
    cursor.execute("ANALYZE risk_given")


def batch_of(claims: dict[str, Column], lines: dict[str, Column]) -> Batch:
    """Put claims and their lines together, and compute what follows from them."""
    owners = np.searchsorted(claims["claim_id"], lines.pop("claim_id"))
    columns = claims | lines | {"line_claim": owners}
    return Batch(**(columns | derived(columns)))


HEADER_BYTES, TRAILER_BYTES = 19, 2


def read_binary(cursor: CursorWrapper, query: str, fields: Sequence[Field], source: str) -> dict[str, Column]:
    """Read a query's rows by binary COPY as columns. ValueError if a value is null or of another width."""
    statement = query.format(columns=", ".join(field.sql for field in fields), source=source)
    with cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT BINARY)") as copy:
        answer = b"".join(bytes(part) for part in copy)
    form = row_form(fields)
    rows = np.frombuffer(memoryview(answer)[HEADER_BYTES:-TRAILER_BYTES], form)
    if np.any(rows["fields"] != len(fields)):
        raise ValueError("A row of facts is not of its width.")
    return {field.name: plain(rows[field.name], field.form) for field in fields}


def row_form(fields: Sequence[Field]) -> np.dtype[Any]:
    """Say how a row stands in binary COPY: a count of values, and before each value its length."""
    form: list[tuple[str, str]] = [("fields", ">i2")]
    for field in fields:
        form += [(f"{field.name} length", ">i4"), (field.name, field.form)]
    return np.dtype(form)


def plain(values: Column, form: str) -> Column:
    """Make a column numpy's own: native numbers, bools, str."""
    if form.startswith("S"):
        return texts_of(values)
    if form == "u1":
        return values.astype(np.bool_)
    return values.astype(form.replace(">", "="))


def texts_of(values: Column) -> Column:
    """Decode a column of bytes; hardly any has a letter that is not ASCII."""
    try:
        return values.astype(f"U{values.dtype.itemsize}")
    except UnicodeDecodeError:
        decoded: Column = np.char.decode(values, "utf-8", "replace")
        return decoded
