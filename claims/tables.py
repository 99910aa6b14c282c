"""The tables of a claim's page: diagnoses with their letters, service lines, providers, other payers, the rest.

The JSON columns are read leniently: what a file left out is left out of the page, a shape that is not known is shown
as text. A line's pointers count through the diagnoses (ABK, ABF, BK, BF) in order: 1 is A. Who may not see identifiers
gets the documents masked (marb.access.masking), and neither addresses nor notes.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from claims import words
from claims.models import Claim, ServiceLine
from claims.words import word
from marb.access.masking import mask_document
from marb.core.templatetags.marb import money

LETTERS = "ABCDEFGHIJKL"
MOST_LINES = 1_000
Fact = tuple[str, Any]
Document = Mapping[str, Any]
# parts of `detail` that have a place of their own on the page, or say how the claim was read
PLACED = {"subscriber", "patient", "billing", "references", "dates", "amounts", "notes", "long"}


class DiagnosisRow(NamedTuple):
    """One code of a HI; `letter` is what service lines point with, empty for other kinds of codes."""

    letter: str
    kind: str
    code: str
    present_on_admission: str
    more: str


class LineRow(NamedTuple):
    """One service line: its pointers as letters, its drug, and what stands below it in words."""

    line: ServiceLine
    letters: list[str]
    unit_words: str
    drug: str
    below: list[str]


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
    return [diagnosis_row(diagnosis, letters) for diagnosis in stored]


def diagnosis_row(diagnosis: Document, letters: Iterator[str]) -> DiagnosisRow:
    qualifier = str(diagnosis.get("qualifier", ""))
    letter = next(letters, "") if qualifier in words.POINTED_AT else ""
    more = texts(diagnosis, skip=("qualifier", "code", "present_on_admission"))
    kind = words.DIAGNOSIS.get(qualifier, qualifier)
    return DiagnosisRow(letter, kind, str(diagnosis.get("code", "")), diagnosis.get("present_on_admission") or "", more)


def line_rows(claim: Claim, is_full: bool) -> list[LineRow]:
    """Get a claim's lines in order; one query."""
    return [line_row(line, is_full) for line in claim.lines.all()[:MOST_LINES]]


def line_row(line: ServiceLine, is_full: bool) -> LineRow:
    letters = [LETTERS[pointer - 1] if 0 < pointer <= len(LETTERS) else "?" for pointer in line.diagnosis_pointers]
    drug = f"NDC {line.drug_code}" if line.drug_code else ""
    said = detail_rows({key: line.detail.get(key) for key in ("references", "notes")}, is_full)
    below = [*map(adjudication_words, line.adjudications), *(f"{label}: {text}" for label, text in said)]
    return LineRow(line, letters, words.UNIT.get(line.unit_code, line.unit_code), drug, below)


def adjudication_words(row: Document) -> str:
    """Write a 2430 as a sentence: who paid what for which procedure, and why not more."""
    paid = f"{row.get('payer_code') or 'Another payer'} paid {money_of(row.get('paid_amount'))}"
    procedure = " ".join(row.get("procedure") or ())
    parts = [paid, f"for {procedure}" if procedure else "", f"on {day_of(row['date'])}" if row.get("date") else ""]
    reasons = adjustment_words(row.get("adjustments"))
    return " ".join(part for part in parts if part) + (f": {reasons}" if reasons else "")


def adjustment_words(adjustments: Any) -> str:
    return ", ".join(f"{a.get('group_code')}-{a.get('carc')} {money_of(a.get('amount'))}" for a in adjustments or ())


def provider_rows(claim: Claim, is_full: bool) -> list[PersonRow]:
    shown = claim.providers if is_full else mask_document(claim.providers)
    return [person_row(person, is_full) for person in shown]


def person_row(person: Document, is_full: bool) -> PersonRow:
    references = [f"{label} {text}" for label, text in coded(person.get("references"), words.REFERENCE)]
    more = "; ".join(part for part in (address_of(person.get("address")) if is_full else "", *references) if part)
    role = word(words.PROVIDER_ROLE, str(person.get("role", "")))
    npi, taxonomy_code = (str(person.get(key) or "") for key in ("npi", "taxonomy_code"))
    return PersonRow(role, name_of(person), npi, taxonomy_code, more)


def name_of(person: Document) -> str:
    return ", ".join(str(person[key]) for key in ("last_name", "first_name") if person.get(key))


def address_of(address: Any) -> str:
    if not isinstance(address, Mapping):
        return ""
    postal_code = str(address.get("postal_code") or "")
    shown = f"{postal_code[:5]}-{postal_code[5:]}" if len(postal_code) == 9 else postal_code
    parts = [*(address.get("lines") or ()), address.get("city"), address.get("state"), shown]
    return ", ".join(str(part) for part in parts if part)


def other_payer_cards(claim: Claim, is_full: bool) -> list[tuple[str, list[Fact]]]:
    """Get (title, facts) of every 2320: the payer, whose insurance it is, what it paid and adjusted."""
    shown = claim.other_payers if is_full else mask_document(claim.other_payers)
    return [(f"Other payer: {payer_name(row)}", other_payer_facts(row)) for row in shown]


def payer_name(row: Document) -> str:
    payer = row.get("payer")
    return name_of(payer) if isinstance(payer, Mapping) else str(payer or "not named")


def other_payer_facts(row: Document) -> list[Fact]:
    payer, subscriber = document_of(row, "payer"), document_of(row, "subscriber")
    return [
        ("Order", word(words.PAYER_SEQUENCE, row.get("sequence"))),
        ("Type", word(words.FILING_INDICATOR, row.get("filing_indicator_code"))),
        ("Payer id", payer.get("id_code")),
        ("Insured", name_of(subscriber)),
        ("Member id", subscriber.get("id_code") or row.get("member_id")),
        ("Relationship", word(words.RELATIONSHIP, row.get("relationship_code"))),
        ("Group", row.get("group_number")),
        ("Paid", money_of(row.get("paid_amount"))),
        ("Adjusted", adjustment_words(row.get("adjustments"))),
        *(
            (label, money_of(text))
            for label, text in coded(row.get("amounts"), words.AMOUNT)
            if label != words.AMOUNT["D"]
        ),
        *coded(row.get("references"), words.REFERENCE),
    ]


def document_of(row: Document, key: str) -> Document:
    found = row.get(key)
    return found if isinstance(found, Mapping) else {}


def detail_rows(detail: Document, is_full: bool) -> list[Fact]:
    """Get references, dates, amounts and notes in words, then the other parts as they are."""
    shown = detail if is_full else mask_document(dict(detail))
    rows: list[Fact] = coded(shown.get("references"), words.REFERENCE)
    rows += [(label, day_of(text)) for label, text in coded(shown.get("dates"), words.DATE)]
    rows += [(label, money_of(text)) for label, text in coded(shown.get("amounts"), words.AMOUNT)]
    if is_full:
        rows += [("Note", str(note.get("text", ""))) for note in shown.get("notes") or ()]
        rows += [(label_of(key), as_text(value)) for key, value in shown.items() if key not in PLACED]
    return [row for row in rows if row[1]]


def coded(rows: Any, table: dict[str, str]) -> list[Fact]:
    """Read [{qualifier, value or amount, ...}] as (what the qualifier means, the value)."""
    facts = []
    for row in rows or ():
        qualifier = str(row.get("qualifier") or "Other")
        facts.append((table.get(qualifier, qualifier), str(row.get("value") or row.get("amount") or "")))
    return facts


def day_of(text: Any) -> str:
    """Write 20260225 and 2026-02-25 as 02/25/2026, a span as two days, other text as it is."""
    days = [part.replace("-", "") for part in ([text] if str(text).count("-") == 2 else str(text).split("-"))]
    if not all(len(day) == 8 and day.isdigit() for day in days):
        return str(text)
    return " to ".join(f"{day[4:6]}/{day[6:]}/{day[:4]}" for day in days)


def money_of(text: Any) -> str:
    """Write an amount of a document, which is dollars in text; what is no amount as it is."""
    plain = str(text or "").removeprefix("-").replace(".", "", 1)
    return money(Decimal(str(text))) if plain.isascii() and plain.isdigit() else str(text or "")


def texts(row: Document, skip: Iterable[str] = ()) -> str:
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
