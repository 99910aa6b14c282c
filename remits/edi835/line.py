"""Service lines of a claim payment (loop 2110) and adjustments (CAS) of either level.

A CAS holds up to six adjustments: reason, amount, quantity in CAS02 to CAS19. A line's dates are DTM*472, or DTM*150
to DTM*151. Values stand on their own line and never pass to the next. Sums are for remits.balance.
"""

from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, NamedTuple

from marb.edi.findings import IK403, WARNING
from marb.edi.values import BadValue
from remits.edi835.codes import GROUPS, GROUPS_4010, PATIENT, is_reason
from remits.edi835.elements import (
    BadElement,
    Note,
    cents,
    check_number,
    fit,
    key,
    label,
    missing,
    pair,
    period,
    quantity,
    text,
)

CAS_ELEMENTS = 20
PROCEDURE_WIDTH, MODIFIER_WIDTH, REMARK_WIDTH = 48, 10, 50


class Adjustment(NamedTuple):
    """One reason of a CAS. A positive amount lowers the payment."""

    group_code: str
    carc: str
    cents: int
    quantity: str | None


make_adjustment = partial(tuple.__new__, Adjustment)


@dataclass(init=False)
class RemittanceLine:
    """One SVC (loop 2110). Amounts in cents, dates in ISO text, quantities as plain decimal text.

    Made for every line of a file: what the line does not say stays the class's.
    """

    number: int
    byte_offset: int
    segment_position: int
    is_4010: bool
    component: str
    procedure_qualifier: str = ""
    procedure_code: str = ""
    modifiers: list[str] = field(default_factory=list)
    submitted_procedure_code: str = ""
    revenue_code: str = ""
    charge_cents: int = 0
    paid_cents: int = 0
    coverage_cents: int | None = None
    unit_count: str | None = None
    submitted_unit_count: str | None = None
    service_from_date: str | None = None
    service_to_date: str | None = None
    line_control_number: str = ""
    remark_codes: list[str] = field(default_factory=list)
    adjustments: list[Adjustment] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)
    # sums of the adjustments: all, and the patient's; None until the line is whole (close_line)
    adjusted_cents: int | None = field(default=None, compare=False)
    patient_cents: int = field(default=0, compare=False)
    # lines of one excerpt with the same number say the same (remits.edi835.lexicon); 0 where none is known to
    alike: int = field(default=0, compare=False)

    def __init__(self, number: int, byte_offset: int, segment_position: int, *, is_4010: bool, component: str):
        self.number, self.byte_offset, self.segment_position = number, byte_offset, segment_position
        self.is_4010, self.component = is_4010, component
        self.modifiers, self.remark_codes, self.adjustments, self.detail = [], [], [], {}


def close_line(line: RemittanceLine) -> None:
    """Sum the adjustments of a line that is whole."""
    line.adjusted_cents, line.patient_cents = sum_cents(line.adjustments), patient_cents(line.adjustments)


def sum_cents(adjustments: list[Adjustment]) -> int:
    return sum([adjustment[2] for adjustment in adjustments])


def patient_cents(adjustments: list[Adjustment]) -> int:
    return sum([adjustment[2] for adjustment in adjustments if adjustment[0] == PATIENT])


def read_svc(line: RemittanceLine, elements: list[str], notes: list[Note]) -> None:
    plain = plain_procedure(elements[1], line.component) if len(elements) > 1 else None
    if plain is None:
        read_procedure(line, elements, notes)
    else:
        line.procedure_qualifier, line.procedure_code, modifiers = plain
        line.modifiers = list(modifiers)
    line.charge_cents = cents(elements, 2)
    line.paid_cents = cents(elements, 3)
    if len(elements) > 4:
        line.revenue_code = fit(elements, 4, PROCEDURE_WIDTH, line.detail, notes) or line.revenue_code
        line.unit_count = quantity(elements, 5)
        if len(elements) > 6:
            line.submitted_unit_count = quantity(elements, 7)
            read_submitted_procedure(line, text(elements, 6), notes)


@lru_cache(maxsize=16384)
def plain_procedure(composite: str, component: str) -> tuple[str, str, tuple[str, ...]] | None:
    """Read SVC01 where all of it fits its columns: qualifier, code, up to four modifiers. None where not all does."""
    qualifier, *parts = composite.strip().split(component)
    if not 1 <= len(parts) <= 5 or not parts[0].strip() or len(parts[0].strip()) > PROCEDURE_WIDTH:
        return None
    if qualifier.strip() == "NU" or len(qualifier.strip()) > 2:
        return None
    if not all(0 < len(part) <= MODIFIER_WIDTH for part in parts[1:]):
        return None
    return qualifier.strip(), parts[0].strip(), tuple(parts[1:])


def read_procedure(line: RemittanceLine, elements: list[str], notes: list[Note]) -> None:
    """Read SVC01: qualifier, code, up to four modifiers, description. NU names a revenue code."""
    parts = text(elements, 1).split(line.component)
    if len(parts) < 2 or not parts[1]:
        notes.append(missing("SVC", 1, WARNING))
        line.detail["procedure"] = parts
        line.procedure_qualifier = parts[0] if len(parts[0]) <= 2 else ""
        return
    line.procedure_qualifier = fit(["SVC", parts[0]], 1, 2, line.detail, notes)
    line.procedure_code = key(parts, 1, PROCEDURE_WIDTH)
    if len(parts) > 2:
        line.modifiers = [part for part in parts[2:6] if part and len(part) <= MODIFIER_WIDTH]
        if len(parts) > 6 or len(line.modifiers) < sum(map(bool, parts[2:6])):
            line.detail["procedure"] = parts
    if line.procedure_qualifier == "NU":
        line.revenue_code = line.procedure_code


def read_submitted_procedure(line: RemittanceLine, composite: str, notes: list[Note]) -> None:
    """Read SVC06, the procedure as billed where the payer paid under another."""
    if not composite:
        return
    parts = composite.split(line.component)
    line.detail["submitted_procedure"] = parts
    line.submitted_procedure_code = fit(["SVC", *parts[1:2]], 1, PROCEDURE_WIDTH, line.detail, notes)


def read_line_cas(line: RemittanceLine, elements: list[str], notes: list[Note]) -> None:
    read_adjustments(line.adjustments, elements, notes, is_4010=line.is_4010)


def read_adjustments(adjustments: list[Adjustment], elements: list[str], notes: list[Note], *, is_4010: bool) -> None:
    """Append the adjustments of a CAS. Raises BadElement for an amount or quantity that is none."""
    group = key(elements, 1, 2)
    if group not in (GROUPS_4010 if is_4010 else GROUPS):
        notes.append(Note(WARNING, IK403, "7", f"The {label('CAS', 1)} is not one of CO, OA, PI and PR.", 1))
    size = len(elements)
    for number in range(2, size, 3):
        reason = elements[number].strip()
        if not is_reason(reason):
            if not any(part.strip() for part in elements[number : number + 3]):
                continue
            note_reason(elements, number, notes)
        units = quantity(elements, number + 2) if number + 2 < size and elements[number + 2] else None
        adjustments.append(make_adjustment((group, reason, cents(elements, number + 1), units)))
    if size > CAS_ELEMENTS:
        notes.append(Note(WARNING, IK403, "3", "An adjustment segment (CAS) has more than six adjustments."))


def note_reason(elements: list[str], number: int, notes: list[Note]) -> None:
    """Note a reason that has not the form of one; one that does not fit its column raises BadElement."""
    if len(elements[number].strip()) > 5:
        raise BadElement(number, BadValue("5", "is longer than 5 characters"))
    notes.append(Note(WARNING, IK403, "7", f"The {label('CAS', number)} is not a claim adjustment reason.", number))


def read_line_dtm(line: RemittanceLine, elements: list[str], notes: list[Note]) -> None:
    qualifier, value = pair(elements)
    if qualifier == "472" or qualifier == "150":
        first, last = period(elements)
        line.service_from_date, line.service_to_date = first, last or line.service_to_date
    elif qualifier == "151":
        line.service_to_date = period(elements)[0]
    else:
        line.detail.setdefault("dates", []).append({"qualifier": qualifier, "value": value})


def read_line_ref(line: RemittanceLine, elements: list[str], notes: list[Note]) -> None:
    qualifier, value = pair(elements)
    if qualifier == "6R" and not line.line_control_number:
        line.line_control_number = fit(elements, 2, 80, line.detail, notes)
        return
    line.detail.setdefault("references", []).append({"qualifier": qualifier, "value": value})


def read_line_amt(line: RemittanceLine, elements: list[str], notes: list[Note]) -> None:
    """Keep an amount; AMT*B6 is the allowed amount. None of them takes part in balancing."""
    qualifier, amount = pair(elements)
    check_number(elements, 2, notes)
    line.detail.setdefault("amounts", []).append({"qualifier": qualifier, "amount": amount})
    if qualifier == "B6" and not notes:
        line.coverage_cents = cents(elements, 2)


def read_line_qty(line: RemittanceLine, elements: list[str], notes: list[Note]) -> None:
    qualifier, count = pair(elements)
    check_number(elements, 2, notes)
    line.detail.setdefault("quantities", []).append({"qualifier": qualifier, "quantity": count})


def read_line_lq(line: RemittanceLine, elements: list[str], notes: list[Note]) -> None:
    """Keep a remark code (HE: RARC, RX: NCPDP reject); codes of other lists than HE are named in `detail`."""
    code = fit(elements, 2, REMARK_WIDTH, line.detail, notes)
    if code:
        line.remark_codes.append(code)
    if text(elements, 1) != "HE":
        line.detail.setdefault("remark_qualifiers", {})[code] = text(elements, 1)


LINE_SEGMENTS = {
    "DTM": read_line_dtm,
    "CAS": read_line_cas,
    "REF": read_line_ref,
    "AMT": read_line_amt,
    "QTY": read_line_qty,
    "LQ": read_line_lq,
}
