"""The tables of a claim's page: diagnoses with their letters, service lines, providers, other payers, the rest.

The JSON columns are read leniently: what a file left out is left out of the page, a shape that is not known is shown
as text. A line's pointers count through the diagnoses (ABK, ABF, BK, BF) in order: 1 is A.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from claims import words
from claims.models import Claim, ServiceLine
from claims.words import word
from marb.access.masking import mask_member_id, mask_ssn

LETTERS = "ABCDEFGHIJKL"
MOST_LINES = 1_000
# reference qualifiers whose values identify a person
IDENTIFYING = {"SY", "1W", "EA", "Y4", "IL"}


class DiagnosisRow(NamedTuple):
    """One code of a HI; `letter` is what service lines point with, empty for other kinds of codes."""

    letter: str
    kind: str
    code: str
    present_on_admission: str
    more: str


class LineRow(NamedTuple):
    """One service line with its pointers as letters and its drug and adjudications in words."""

    line: ServiceLine
    letters: list[str]
    unit_words: str
    drug: str
    adjudications: list[str]


class PersonRow(NamedTuple):
    """One NM1 of a claim: what it is there for, its name, NPI, taxonomy, address and references."""

    role: str
    name: str
    npi: str
    taxonomy_code: str
    more: str


def diagnosis_rows(claim: Claim) -> list[DiagnosisRow]:
    """Get the codes of every HI in order; without them the codes of the columns."""
    letters = iter(LETTERS)
    stored = claim.diagnoses or [{"qualifier": "ABF", "code": code} for code in claim.diagnosis_codes]
    return [diagnosis_row(diagnosis, letters) for diagnosis in stored if isinstance(diagnosis, Mapping)]


def diagnosis_row(diagnosis: Mapping[str, Any], letters: Iterable[str]) -> DiagnosisRow:
    qualifier = str(diagnosis.get("qualifier", ""))
    letter = next(iter(letters), "") if qualifier in words.POINTED_AT else ""
    more = texts(diagnosis, skip=("qualifier", "code", "present_on_admission"))
    kind = words.DIAGNOSIS.get(qualifier, qualifier)
    return DiagnosisRow(letter, kind, str(diagnosis.get("code", "")), diagnosis.get("present_on_admission") or "", more)


def line_rows(claim: Claim) -> list[LineRow]:
    """Get a claim's lines in order; one query."""
    return [line_row(line) for line in claim.lines.all()[:MOST_LINES]]


def line_row(line: ServiceLine) -> LineRow:
    letters = [LETTERS[pointer - 1] if 0 < pointer <= len(LETTERS) else "?" for pointer in line.diagnosis_pointers]
    drug = f"NDC {line.drug_code}" if line.drug_code else ""
    adjudications = [texts(row) for row in line.adjudications if isinstance(row, Mapping)]
    return LineRow(line, letters, words.UNIT.get(line.unit_code, line.unit_code), drug, adjudications)


def provider_rows(claim: Claim, is_full: bool) -> list[PersonRow]:
    return [person_row(person, is_full) for person in claim.providers if isinstance(person, Mapping)]


def person_row(person: Mapping[str, Any], is_full: bool) -> PersonRow:
    known = ("loop", "role", "last_name", "first_name", "middle_name", "npi", "taxonomy_code", "references")
    name = ", ".join(str(person[key]) for key in ("last_name", "first_name") if person.get(key))
    references = "; ".join(reference(pair, is_full) for pair in pairs(person.get("references")))
    more = "; ".join(part for part in (texts(person, skip=known) if is_full else "", references) if part)
    role = word(words.PROVIDER_ROLE, str(person.get("role", "")))
    return PersonRow(role, name, str(person.get("npi") or ""), str(person.get("taxonomy_code") or ""), more)


def other_payer_rows(claim: Claim, is_full: bool) -> list[list[tuple[str, str]]]:
    """Get the facts of every 2320, its member id masked where it must be."""
    return [other_payer(payer, is_full) for payer in claim.other_payers if isinstance(payer, Mapping)]


def other_payer(payer: Mapping[str, Any], is_full: bool) -> list[tuple[str, str]]:
    facts = []
    for key, value in payer.items():
        text = word(words.PAYER_SEQUENCE, value) if key == "sequence" else as_text(value)
        if "member" in key or "subscriber" in key or "insured" in key:
            text = text if is_full else mask_member_id(text)
        facts.append((label_of(key), text))
    return [fact for fact in facts if fact[1]]


def detail_rows(detail: Mapping[str, Any], is_full: bool) -> list[tuple[str, str]]:
    """Get references, dates, amounts and notes of the claim in words; other parts as they are, for who may."""
    tables = {"references": words.REFERENCE, "dates": words.DATE, "amounts": words.AMOUNT}
    rows: list[tuple[str, str]] = []
    for key, table in tables.items():
        rows += [(table.get(code, code), masked(code, text, is_full)) for code, text in pairs(detail.get(key))]
    rows += [("Note", as_text(note)) for note in detail.get("notes") or () if is_full]
    others = [key for key in detail if key not in (*tables, "notes") and is_full]
    return [row for row in (*rows, *((label_of(key), as_text(detail[key])) for key in others)) if row[1]]


def reference(pair: tuple[str, str], is_full: bool) -> str:
    return f"{words.REFERENCE.get(pair[0], pair[0])} {masked(*pair, is_full)}"


def masked(code: str, text: str, is_full: bool) -> str:
    if is_full or code not in IDENTIFYING:
        return mask_ssn(text) if code == "SY" else text
    return mask_member_id(text)


def pairs(rows: Any) -> list[tuple[str, str]]:
    """Read [{qualifier, value, ...}] or [[qualifier, value, ...]] as (qualifier, the rest as text)."""
    return [pair_of(row) for row in rows or ()]


def pair_of(row: Any) -> tuple[str, str]:
    values = list(row.values()) if isinstance(row, Mapping) else list(row) if isinstance(row, list | tuple) else [row]
    shown = [as_text(value) for value in values if value not in (None, "", [], {})]
    return (shown[0], " ".join(shown[1:])) if shown else ("", "")


def texts(row: Mapping[str, Any], skip: Iterable[str] = ()) -> str:
    shown = ((key, as_text(value)) for key, value in row.items() if key not in skip)
    return ", ".join(f"{label_of(key).lower()} {text}" for key, text in shown if text)


def as_text(value: Any) -> str:
    """Write any JSON value on one line, nothing for what is empty."""
    if isinstance(value, Mapping):
        return texts(value)
    if isinstance(value, list | tuple):
        return "; ".join(part for part in map(as_text, value) if part)
    return "" if value is None else str(value)


def label_of(key: str) -> str:
    return key.replace("_", " ").capitalize()
