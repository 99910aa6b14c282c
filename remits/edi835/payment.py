"""The heading of an 835 (ST to the first LX or CLP: BPR, TRN, 1000A payer, 1000B payee) and its PLBs.

A payment is one ST. Without an amount (BPR02) it cannot be a row, and the claim payments under it are quarantined;
anything else that is missing is noted and left empty. Bank accounts (BPR06 to BPR15 but BPR10) are not taken out of
the file. The payer's code is N104, else REF*2U, else the name in capitals (marb.parties.resolve); TRN03 is the
payer's tax number, which no 837 names its payer by.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from marb.edi.findings import EDIT, IK304, IK403, SET, WARNING
from remits.edi835.elements import BadElement, Note, cents, day, fit, label, missing, text

NAME_WIDTH, CODE_WIDTH = 120, 80
PLB_PAIRS = range(3, 15, 2)
ADDRESS_NAMES = ("city", "state", "postal_code", "country_code")


class ProviderAdjustment(NamedTuple):
    """One reason and amount of a PLB, of the payment whose ST stands at `payment_offset`."""

    payment_offset: int
    byte_offset: int
    seq: int
    provider_code: str
    fiscal_date: str | None
    reason_code: str
    reference_number: str
    cents: int


@dataclass(slots=True)
class Payment:
    """One 835 set's heading. `payment_cents` is None where BPR02 is missing or cannot be read."""

    byte_offset: int
    set_control: str
    guide: str
    is_4010: bool
    payment_cents: int | None = None
    handling_code: str = ""
    credit_debit_code: str = ""
    method_code: str = ""
    payment_date: str | None = None
    trace_number: str = ""
    originator_code: str = ""
    production_date: str | None = None
    payer_name: str = ""
    payer_code: str = ""
    payee_name: str = ""
    payee_npi: str = ""
    payee_tax_number: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    # N101 of the open 1000 loop
    role: str = ""
    seen: set[str] = field(default_factory=set)


def read_bpr(payment: Payment, elements: list[str], notes: list[Note]) -> None:
    if is_repeated(payment, "BPR", notes):
        return
    detail = payment.detail
    payment.payment_cents = cents(elements, 2)
    payment.handling_code = fit(elements, 1, 2, detail, notes)
    payment.credit_debit_code = fit(elements, 3, 1, detail, notes)
    payment.method_code = fit(elements, 4, 3, detail, notes)
    payment.payment_date = noted_day(elements, 16, notes)
    if not text(elements, 16):
        notes.append(missing("BPR", 16, WARNING))
    if text(elements, 5):
        detail["format_code"] = text(elements, 5)
    if text(elements, 10):
        detail["originating_company"] = text(elements, 10)
    if payment.payment_cents < 0:
        notes.append(Note(SET, EDIT, "payment_negative", "The payment amount (BPR02) is below zero.", 2))


def is_repeated(payment: Payment, name: str, notes: list[Note]) -> bool:
    """Say whether a segment of which a heading has one was there before; the first one stands."""
    if name in payment.seen:
        notes.append(Note(WARNING, IK304, "5", f"The payment has a second {name}; the first one stands."))
        return True
    payment.seen.add(name)
    return False


def noted_day(elements: list[str], number: int, notes: list[Note]) -> str | None:
    """Get a date that a heading can do without: one that does not exist is noted and left empty."""
    try:
        return day(elements, number)
    except BadElement as bad:
        notes.append(Note(WARNING, IK403, bad.code, f"The {label(elements[0], number)} {bad.sentence}.", number))
        return None


def read_trn(payment: Payment, elements: list[str], notes: list[Note]) -> None:
    if is_repeated(payment, "TRN", notes):
        return
    payment.trace_number = fit(elements, 2, CODE_WIDTH, payment.detail, notes)
    payment.originator_code = fit(elements, 3, 20, payment.detail, notes)
    if text(elements, 4):
        payment.detail["trace_reference"] = text(elements, 4)


def read_cur(payment: Payment, elements: list[str], notes: list[Note]) -> None:
    payment.detail["currency"] = text(elements, 2)
    if text(elements, 2) not in ("", "USD"):
        notes.append(Note(SET, EDIT, "payment_currency", "The payment is not in US dollars (CUR02).", 2))


def read_heading_ref(payment: Payment, elements: list[str], notes: list[Note]) -> None:
    qualifier, value = text(elements, 1), text(elements, 2)
    found = {"role": payment.role, "qualifier": qualifier, "value": value}
    payment.detail.setdefault("references", []).append(found)
    if payment.role == "PR" and qualifier == "2U" and not payment.payer_code:
        payment.payer_code = fit(elements, 2, CODE_WIDTH, payment.detail, notes)
    elif payment.role == "PE" and qualifier == "TJ" and not payment.payee_tax_number:
        payment.payee_tax_number = fit(elements, 2, 20, payment.detail, notes)


def read_heading_dtm(payment: Payment, elements: list[str], notes: list[Note]) -> None:
    if text(elements, 1) == "405":
        payment.production_date = noted_day(elements, 2, notes)
        return
    found = {"qualifier": text(elements, 1), "value": text(elements, 2)}
    payment.detail.setdefault("dates", []).append(found)


def read_n1(payment: Payment, elements: list[str], notes: list[Note]) -> None:
    """Open loop 1000A (PR) or 1000B (PE). A second payer or payee in one heading is noted and kept beside."""
    role = payment.role = text(elements, 1)
    name, qualifier, code = text(elements, 2), text(elements, 3), text(elements, 4)
    if role not in ("PR", "PE") or is_repeated(payment, f"N1*{role}", notes):
        payment.role = "other"
        payment.detail.setdefault("parties", []).append({"role": role, "name": name, "code": code})
        return
    if len(name) > NAME_WIDTH:
        payment.detail.setdefault("oversize", {})["N102"] = name
    if role == "PR":
        payment.payer_name = name[:NAME_WIDTH]
        payment.payer_code = fit(elements, 4, CODE_WIDTH, payment.detail, notes)
    else:
        payment.payee_name = name[:NAME_WIDTH]
        read_payee_code(payment, qualifier, elements, notes)


def read_payee_code(payment: Payment, qualifier: str, elements: list[str], notes: list[Note]) -> None:
    """Read N103 and N104 of the payee: XX an NPI, FI a tax number."""
    if qualifier == "XX":
        payment.payee_npi = fit(elements, 4, CODE_WIDTH, payment.detail, notes)
    elif qualifier == "FI":
        payment.payee_tax_number = fit(elements, 4, 20, payment.detail, notes)
    elif text(elements, 4):
        payment.detail["payee_code"] = {"qualifier": qualifier, "value": text(elements, 4)}


def address(payment: Payment) -> dict[str, Any]:
    name = {"PR": "payer_address", "PE": "payee_address"}.get(payment.role, "other_address")
    found: dict[str, Any] = payment.detail.setdefault(name, {})
    return found


def read_n2(payment: Payment, elements: list[str], notes: list[Note]) -> None:
    address(payment).setdefault("names", []).extend(e.strip() for e in elements[1:] if e.strip())


def read_n3(payment: Payment, elements: list[str], notes: list[Note]) -> None:
    address(payment).setdefault("lines", []).extend(e.strip() for e in elements[1:] if e.strip())


def read_n4(payment: Payment, elements: list[str], notes: list[Note]) -> None:
    address(payment).update(
        {name: value.strip() for name, value in zip(ADDRESS_NAMES, elements[1:], strict=False) if value.strip()}
    )


def read_heading_per(payment: Payment, elements: list[str], notes: list[Note]) -> None:
    payment.detail.setdefault("contacts", []).append({"role": payment.role, **contact(elements)})


def contact(elements: list[str]) -> dict[str, Any]:
    """Read a PER: function, name and up to three numbers with their qualifiers; a bare PER*BL is one too."""
    numbers = [
        {"qualifier": text(elements, n), "value": text(elements, n + 1)} for n in (3, 5, 7) if text(elements, n + 1)
    ]
    return {"function": text(elements, 1), "name": text(elements, 2), "numbers": numbers}


def read_rdm(payment: Payment, elements: list[str], notes: list[Note]) -> None:
    payment.detail["delivery"] = [e.strip() for e in elements[1:]]


def heading_notes(payment: Payment) -> list[Note]:
    """Say what a whole heading lacks: BPR, TRN or payer."""
    lacking = {"BPR": "payment amount (BPR)", "TRN": "trace number (TRN)", "N1*PR": "payer (N1*PR)"}
    return [
        Note(SET, IK304, "3", f"The payment has no {words}.")
        for name, words in lacking.items()
        if name not in payment.seen
    ]


def read_plb(
    payment: Payment, byte_offset: int, elements: list[str], component: str, notes: list[Note]
) -> list[ProviderAdjustment]:
    """Read a PLB's provider, date and up to six reasons. An amount that is none is noted and its reason left out."""
    provider, fiscal_date = fit(elements, 1, CODE_WIDTH, {}, notes), noted_day(elements, 2, notes)
    found: list[ProviderAdjustment] = []
    for seq, number in enumerate(PLB_PAIRS, 1):
        if not (text(elements, number) or text(elements, number + 1)):
            continue
        try:
            amount = cents(elements, number + 1)
        except BadElement as bad:
            sentence = f"The {label('PLB', number + 1)} {bad.sentence}: it is not counted."
            notes.append(Note(SET, IK403, bad.code, sentence, number + 1))
            continue
        reason, reference = plb_reason(elements, number, component, notes)
        place = (payment.byte_offset, byte_offset, seq)
        found.append(ProviderAdjustment(*place, provider, fiscal_date, reason, reference, amount))
    return found


def plb_reason(elements: list[str], number: int, component: str, notes: list[Note]) -> tuple[str, str]:
    """Read PLB03 and its like: reason of two characters and reference. An unknown form is kept verbatim and noted."""
    reason, _, reference = text(elements, number).partition(component)
    reason, reference = reason.strip(), reference.strip()
    if len(reason) != 2 or len(reference) > CODE_WIDTH:
        notes.append(Note(WARNING, IK403, "7", f"The {label('PLB', number)} is not a known code.", number))
    return reason[:10], reference[:CODE_WIDTH]


HEADING_SEGMENTS = {
    "BPR": read_bpr,
    "TRN": read_trn,
    "CUR": read_cur,
    "REF": read_heading_ref,
    "DTM": read_heading_dtm,
    "N1": read_n1,
    "N2": read_n2,
    "N3": read_n3,
    "N4": read_n4,
    "PER": read_heading_per,
    "RDM": read_rdm,
}
