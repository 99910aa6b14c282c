"""Segments of the claim: CLM and what describes it (2300), and its other payers (2320, 2330).

005010X222, X223, X224 and the 004010 forebears. A SBR after a CLM opens loop 2320, never a new subscriber. REF, DTP,
AMT, NTE and CAS belong to whatever loop is open: claim, other payer, line or adjudication.
"""

from claims.edi837.draft import Draft, Take, append, period
from claims.edi837.parties import named
from claims.edi837.records import Document
from claims.edi837.values import Unreadable, amount, quantity
from marb.edi.findings import CLAIM, IK403
from marb.edi.values import BadValue, parse_period
from marb.edi.x12 import element

# CLM03 to CLM20; those with a column are read when the claim is closed
CLAIM_KEYS = (
    *("filing_code", "claim_kind_code", "", "signature_code", "", "benefits_assignment_code", "release_code"),
    *("patient_signature_code", "related_causes", "special_program_code", "handicapped_code", "service_level_code"),
    *("condition_response", "agreement_code", "claim_status_code", "explanation_of_benefits_code"),
    *("submission_reason_code", "delay_reason_code"),
)
CL1_KEYS = ("admission_type_code", "admission_source_code", "patient_status_code")
INFORMATION_KEYS = ("qualifier", "code", "date_format", "date", "amount", "quantity", "version", "code_to")


def read_claim(draft: Draft, elements: list[str]) -> None:
    """CLM: the columns are read when the claim is closed; what has none goes into the detail."""
    draft.claim = elements
    if any(elements[21:]):
        draft.note(IK403, "3", "CLM has more than 20 elements.", level=CLAIM, element=21)
    for key, value in zip(CLAIM_KEYS, elements[3:], strict=False):
        if key and value:
            draft.detail[key] = value.strip()


def read_admission(draft: Draft, elements: list[str]) -> None:
    draft.detail.update(named(CL1_KEYS, elements))


def take_other_subscriber(draft: Draft, subscriber: Document) -> None:
    """SBR below a claim: opens 2320, another payer of the claim."""
    other = subscriber.copy()
    draft.other_payers.append(other)
    draft.enter("2320", other)


def read_date(draft: Draft, elements: list[str]) -> None:
    """DTP of claim or other payer: dates without a column are kept; one that does not exist is a warning.

    A date that has a column (434, 435, 472 and 096 of the claim) is read again when the claim is closed.
    """
    date = named(("qualifier", "format", "value"), elements)
    if date.get("format") != "TM":
        if draft.section == "2300" and date.get("qualifier") in COLUMN_DATES:
            if period(draft, elements)[1] is None and date.get("format") == "RD8":
                date["format"] = "D8"
        else:
            check_date(draft, date)
    append(draft.scope, "dates", date)


def check_date(draft: Draft, date: Document) -> None:
    try:
        parse_period(date.get("format", ""), date.get("value", ""))
    except BadValue as bad:
        draft.note(IK403, bad.code, f"DTP03: the date {bad.sentence}; it is kept as it is.", element=3)


COLUMN_DATES = ("434", "435", "472", "096")


def read_amount(draft: Draft, elements: list[str]) -> None:
    qualifier = element(elements, 1)
    append(draft.scope, "amounts", {"qualifier": qualifier, "amount": (paid := amount(elements, 2))})
    if draft.section == "2320" and qualifier == "D":
        draft.scope["paid_amount"] = paid


def read_quantity(draft: Draft, elements: list[str]) -> None:
    append(draft.scope, "quantities", {"qualifier": element(elements, 1), "quantity": quantity(elements, 2)})


def read_note(draft: Draft, elements: list[str]) -> None:
    append(draft.scope, "notes", named(("code", "text"), elements))


def read_adjustment(draft: Draft, elements: list[str]) -> None:
    """CAS: one group code and up to six triplets of reason, amount and quantity; reason and amount come in pairs."""
    group_code = element(elements, 1)
    for number in range(2, min(len(elements), 20), 3):
        carc = element(elements, number)
        if not carc and not element(elements, number + 1):
            continue
        if not carc:
            raise Unreadable(IK403, "1", f"CAS{number:02d}: an adjustment has an amount and no reason.", number)
        adjustment = {"group_code": group_code, "carc": carc, "amount": amount(elements, number + 1)}
        if count := quantity(elements, number + 2):
            adjustment["quantity"] = count
        append(draft.scope, "adjustments", adjustment)


def codes_of(piece: str, elements: list[str], component: str) -> list[Document]:
    """Read the composites of a HI (C022), once for all claims with the same codes."""
    return [information(composite.split(component)) for composite in elements[1:] if composite]


def take_codes(draft: Draft, codes: list[Document]) -> None:
    """HI: up to twelve composites of qualifier and code, with a date, an amount, or present-on-admission (C022-9)."""
    draft.diagnoses += codes
    for entry in codes:
        if "more" in entry:
            draft.note(IK403, "13", "A code of HI has more than nine components.", level=CLAIM)


def information(parts: list[str]) -> Document:
    if len(parts) == 2:
        return {"qualifier": parts[0].strip(), "code": parts[1].strip()}
    entry: Document = {
        key: text for key, value in zip(INFORMATION_KEYS, parts, strict=False) if (text := value.strip())
    }
    entry.setdefault("qualifier", "")
    entry.setdefault("code", "")
    if len(parts) > 8 and parts[8].strip():
        entry["present_on_admission"] = parts[8].strip()
    if any(parts[9:]):
        entry["more"] = parts[9:]
    return entry


CLAIM_READERS: dict[str, Take] = {
    "CL1": read_admission,
    "SBR": take_other_subscriber,
    "DTP": read_date,
    "AMT": read_amount,
    "NTE": read_note,
    "CAS": read_adjustment,
    "HI": take_codes,
    "QTY": read_quantity,
}
