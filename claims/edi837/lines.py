"""Segments of a service line: LX, SV1, SV2, SV3 (2400), the drug (2410), its adjudications (2430), its forms (2440).

005010X222 (SV1), X223 (SV2), X224 (SV3) and the 004010 forebears. A line's number is its place in the claim: LX01
repeats and skips in real files, and is kept where it differs. An LX that is followed by no SV1, SV2 or SV3 cannot
become a row. The whole SVx segment is kept where it says more than the columns hold.
"""

from claims.edi837.claim import read_date
from claims.edi837.draft import (
    Draft,
    Line,
    Unreadable,
    amount,
    append,
    cents,
    check_components,
    check_count,
    keep,
    period,
    quantity,
)
from claims.edi837.guides import TYPE_OF_SERVICE
from claims.edi837.parties import read_reference
from claims.edi837.records import MODIFIER_LENGTH, Document
from marb.edi.findings import CLAIM, IK304, IK403
from marb.edi.x12 import element

MOST_ELEMENTS = {"SV1": 21, "SV2": 10, "SV3": 11}


def read_line(draft: Draft, elements: list[str]) -> None:
    """LX: opens a new line."""
    if draft.line is not None and not draft.line.service_id:
        raise no_service(draft)
    open_line(draft, elements[1].strip() if len(elements) > 1 else "")


def open_line(draft: Draft, number: str) -> None:
    line = Line(draft.here[0], draft.here[1], number)
    draft.line = line
    draft.lines.append(line)
    draft.enter("2400", line.detail)
    if number != str(len(draft.lines)) and number.lstrip("0") != str(len(draft.lines)):
        line.detail["assigned_number"] = number
        if any("assigned_number" in earlier.detail for earlier in draft.lines[:-1]):
            return
        draft.note(IK403, "7", "LX01: lines are not numbered 1, 2, 3; their order in the claim is used.", element=1)


def no_service(draft: Draft) -> Unreadable:
    return Unreadable(IK304, "3", f"Service line {len(draft.lines)} has no SV1, SV2 or SV3, so it has no charge.")


def open_service(draft: Draft, elements: list[str]) -> Line:
    """Get the line that an SVx belongs to; one that comes without an LX opens its own."""
    line = draft.line
    if line is None or line.service_id:
        draft.note(IK304, "3", "A service has no LX of its own; it is read as a line of its own.")
        open_line(draft, str(len(draft.lines) + 1))
        line = draft.lines[-1]
    elif draft.section != "2400":
        draft.enter("2400", line.detail)
    line.service_id = elements[0]
    if len(draft.lines) == 1 and draft.heading.claim_type not in ("", TYPE_OF_SERVICE[elements[0]]):
        draft.note(IK304, "2", "The services are of another kind of claim than the guide; the services decide.")
    check_count(draft, elements, MOST_ELEMENTS[elements[0]])
    return line


def read_professional_service(draft: Draft, elements: list[str]) -> None:
    """SV1: 01 procedure, 02 charge, 03 unit, 04 quantity, 05 place, 07 diagnosis pointers."""
    line = open_service(draft, elements)
    count = len(elements)
    if count < 3:
        raise Unreadable(IK403, "1", "SV102: the amount is empty.", 2)
    read_procedure(draft, line, elements[1])
    line.charge_cents = cents(elements, 2)
    if count > 4:
        line.unit_code = elements[3].strip()
        line.unit_count = quantity(elements, 4)
    if count > 5:
        line.place_of_service_code = elements[5].strip()
    if count > 7 and elements[7]:
        read_pointers(draft, line, elements[7], 7)
    if count > 8 or (count > 6 and elements[6]):
        line.detail["service"] = elements


def read_institutional_service(draft: Draft, elements: list[str]) -> None:
    """SV2: 01 revenue code, 02 procedure, 03 charge, 04 unit, 05 quantity; 06 rate and 07 non-covered are kept."""
    line = open_service(draft, elements)
    line.revenue_code = element(elements, 1)
    if len(elements) > 2 and elements[2]:
        read_procedure(draft, line, elements[2])
    line.charge_cents = cents(elements, 3)
    line.unit_code = element(elements, 4)
    line.unit_count = quantity(elements, 5)
    if len(elements) > 6:
        line.detail["service"] = elements


def read_dental_service(draft: Draft, elements: list[str]) -> None:
    """SV3: 01 procedure, 02 charge, 03 place, 04 oral cavity, 06 quantity, 11 diagnosis pointers."""
    line = open_service(draft, elements)
    read_procedure(draft, line, element(elements, 1))
    line.charge_cents = cents(elements, 2)
    line.place_of_service_code = element(elements, 3)
    line.unit_count = quantity(elements, 6)
    if pointers := element(elements, 11):
        read_pointers(draft, line, pointers, 11)
    if any(elements[4:6]) or any(elements[7:11]) or len(elements) > 12:
        line.detail["service"] = elements


def read_procedure(draft: Draft, line: Line, composite: str) -> None:
    """Read a procedure (C003): qualifier, code, four modifiers, description."""
    parts = composite.split(draft.component)
    line.procedure_qualifier = parts[0].strip()
    if len(parts) > 1:
        line.procedure_code = parts[1].strip()
        if len(parts) > 2:
            line.modifiers = [text for part in parts[2:6] if (text := part.strip())]
            if len(parts) > 6:
                line.detail["procedure"] = parts[6:]
                check_components(draft, parts, 8, 2 if line.service_id == "SV2" else 1)
            if line.modifiers and max(map(len, line.modifiers)) > MODIFIER_LENGTH:
                cut_modifiers(draft, line)


def cut_modifiers(draft: Draft, line: Line) -> None:
    line.detail["modifiers"] = line.modifiers
    line.modifiers = [text[:MODIFIER_LENGTH] for text in line.modifiers]
    draft.note(IK403, "5", "A modifier has more than two characters.", level=CLAIM, element=1)


def read_pointers(draft: Draft, line: Line, composite: str, number: int) -> None:
    """Read diagnosis pointers (C004): up to four numbers. One that is no number is kept in the detail."""
    for part in composite.split(draft.component):
        text = part.strip()
        if text.isascii() and text.isdigit() and len(text) < 3:
            line.pointers.append(int(text))
        elif text:
            append(line.detail, "pointers", text)
            draft.note(IK403, "6", "A diagnosis pointer is not a number from 1 to 12.", level=CLAIM, element=number)


def read_line_date(draft: Draft, elements: list[str]) -> None:
    """DTP 472 of the line: the date or period of service; 573 of an adjudication."""
    line = draft.line
    if elements[1:2] == ["472"] and line is not None and line.service_from_date is None:
        line.service_from_date, to = period(draft, elements)
        line.service_to_date = to or line.service_from_date
        if elements[2] not in ("D8", "RD8"):
            append(line.detail, "dates", dict(zip(("qualifier", "format", "value"), elements[1:], strict=False)))
    elif elements[1:2] == ["573"] and draft.section == "2430" and "date" not in draft.scope:
        draft.scope["date"] = period(draft, elements)[0]
    else:
        read_date(draft, elements)


def read_line_reference(draft: Draft, elements: list[str]) -> None:
    """REF 6R of the line: the provider's line control number, which the 835 gives back."""
    line = draft.line
    if elements[1:2] == ["6R"] and line is not None and draft.party is None and not line.line_control_number:
        line.line_control_number = element(elements, 2)
    else:
        read_reference(draft, elements)


def read_drug(draft: Draft, elements: list[str]) -> None:
    """LIN: opens 2410; 03 is the National Drug Code where 02 is N4."""
    line = draft.line
    if line is None or line.drug_code or len(elements) > 4 or element(elements, 2) != "N4":
        keep(draft, elements)
    else:
        line.drug_code = element(elements, 3)
    draft.enter("2410", draft.scope)


def read_drug_count(draft: Draft, elements: list[str]) -> None:
    """CTP: 04 quantity, 05 unit; a unit price (004010) or a second drug is kept as it is."""
    line = draft.line
    if line is None or line.drug_unit_count is not None or element(elements, 3):
        keep(draft, elements)
    else:
        line.drug_unit_count = quantity(elements, 4)
        line.drug_unit_code = element(elements, 5).split(draft.component)[0]


def read_adjudication(draft: Draft, elements: list[str]) -> None:
    """SVD: opens 2430, what a prior payer (01) paid (02) for the procedure (03) or revenue code (04)."""
    document: Document = {"payer_code": element(elements, 1), "paid_amount": amount(elements, 2)}
    if procedure := element(elements, 3):
        document["procedure"] = procedure.split(draft.component)
    for key, number in (("revenue_code", 4), ("quantity", 5), ("bundled_line", 6)):
        if text := element(elements, number):
            document[key] = text
    if draft.line is None:
        draft.note(IK304, "7", "An adjudication stands before the first line; it is kept with the claim.")
        append(draft.detail, "adjudications", document)
    else:
        draft.line.adjudications.append(document)
    draft.enter("2430", document)


def read_form(draft: Draft, elements: list[str]) -> None:
    """LQ: opens 2440, a supporting form, kept with the FRM segments that follow."""
    if draft.line is not None:
        draft.enter("2440", draft.line.detail)
    keep(draft, elements)


LINE_READERS = {
    "LX": read_line,
    "SV1": read_professional_service,
    "SV2": read_institutional_service,
    "SV3": read_dental_service,
    "DTP": read_line_date,
    "REF": read_line_reference,
    "LIN": read_drug,
    "CTP": read_drug_count,
    "SVD": read_adjudication,
    "LQ": read_form,
}
