"""Segments of a service line: LX and what hangs on it (2400), the drug (2410), its adjudications (2430), forms (2440).

005010X222, X223, X224 and the 004010 forebears. A line's number is its place in the claim: LX01 repeats and skips in
real files, and is kept where it differs. An LX that is followed by no SV1, SV2 or SV3 cannot become a row. What the
SVx says is read in claims.edi837.services.
"""

from typing import NamedTuple

from claims.edi837.claim import read_date
from claims.edi837.draft import Draft, Line, Take, append, keep, period
from claims.edi837.guides import TYPE_OF_SERVICE
from claims.edi837.parties import read_reference
from claims.edi837.records import Document
from claims.edi837.services import NO_SERVICE, SERVICE_READERS, Service
from claims.edi837.values import Unreadable, amount, quantity
from marb.edi.findings import CLAIM, IK304, IK403
from marb.edi.values import BadValue, parse_period
from marb.edi.x12 import element


def read_line(draft: Draft, elements: list[str]) -> None:
    """LX: opens a new line."""
    if draft.line is not None and draft.line.service is NO_SERVICE:
        raise no_service(draft)
    open_line(draft, elements[1].strip() if len(elements) > 1 else "")


def open_line(draft: Draft, number: str) -> Line:
    offset, position, _ = draft.here()
    line = draft.line = Line(offset, position)
    draft.lines.append(line)
    draft.enter("2400", line.detail)
    if number != str(len(draft.lines)):
        check_number(draft, line, number)
    return line


def check_number(draft: Draft, line: Line, number: str) -> None:
    """Keep a line's number where it is not its place in the claim; the first of a claim is noted."""
    if number.lstrip("0") == str(len(draft.lines)):
        return
    line.detail["assigned_number"] = number
    if not draft.is_misnumbered:
        draft.is_misnumbered = True
        draft.note(IK403, "7", "LX01: lines are not numbered 1, 2, 3; their order in the claim is used.", element=1)


def no_service(draft: Draft) -> Unreadable:
    return Unreadable(IK304, "3", f"Service line {len(draft.lines)} has no SV1, SV2 or SV3, so it has no charge.")


def take_service(draft: Draft, service: Service) -> None:
    """SV1, SV2, SV3: the service of the open line; one that comes without an LX opens its own."""
    line = draft.line
    if line is None or line.service is not NO_SERVICE:
        draft.note(IK304, "3", "A service has no LX of its own; it is read as a line of its own.")
        line = open_line(draft, str(len(draft.lines) + 1))
    elif draft.section != "2400":
        draft.enter("2400", line.detail)
    line.service = service
    if len(draft.lines) == 1 and draft.heading.claim_type not in ("", TYPE_OF_SERVICE[service.service_id]):
        draft.note(IK304, "2", "The services are of another kind of claim than the guide; the services decide.")
    if service.fault is not None:
        raise service.fault
    line.detail.update(service.detail)
    for code, message, number in service.notes:
        draft.note(IK403, code, message, level=CLAIM, element=number)


class Date(NamedTuple):
    """A DTP of a line: its elements, and (from, to) where it is a plain date or period of service (472)."""

    elements: list[str]
    service_dates: tuple[str, str] | None


def date_of(piece: str, elements: list[str], component: str) -> Date:
    """Read a DTP, once for all lines of the same days. What is no plain 472 is read where it stands."""
    if len(elements) < 4 or elements[1] != "472" or elements[2] not in ("D8", "RD8"):
        return Date(elements, None)
    try:
        start, end = parse_period(elements[2], elements[3].strip())
    except BadValue:
        return Date(elements, None)
    return Date(elements, (start, end or start))


def take_line_date(draft: Draft, date: Date) -> None:
    """DTP 472 of the line: the date or period of service; 573 of an adjudication."""
    line, (elements, service_dates) = draft.line, date
    if service_dates is not None and line is not None and line.service_from_date is None:
        line.service_from_date, line.service_to_date = service_dates
    else:
        read_line_date(draft, elements)


def read_line_date(draft: Draft, elements: list[str]) -> None:
    line = draft.line
    qualifier = elements[1] if len(elements) > 1 else ""
    if qualifier == "472" and line is not None and line.service_from_date is None:
        line.service_from_date, to = period(draft, elements)
        line.service_to_date = to or line.service_from_date
        if elements[2] not in ("D8", "RD8"):
            append(line.detail, "dates", dict(zip(("qualifier", "format", "value"), elements[1:], strict=False)))
    elif qualifier == "573" and draft.section == "2430" and "date" not in draft.scope:
        draft.scope["date"] = period(draft, elements)[0]
    else:
        read_date(draft, elements)


def read_line_reference(draft: Draft, elements: list[str]) -> None:
    """REF 6R of the line: the provider's line control number, which the 835 gives back."""
    line = draft.line
    if line is not None and draft.party is None and not line.line_control_number and elements[1:2] == ["6R"]:
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
        line.drug_unit_code = element(elements, 5).split(draft.separators.component)[0]


def read_adjudication(draft: Draft, elements: list[str]) -> None:
    """SVD: opens 2430, what a prior payer (01) paid (02) for the procedure (03) or revenue code (04)."""
    document: Document = {"payer_code": element(elements, 1), "paid_amount": amount(elements, 2)}
    if procedure := element(elements, 3):
        document["procedure"] = procedure.split(draft.separators.component)
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


LINE_READERS: dict[str, Take] = {
    "LX": read_line,
    **dict.fromkeys(SERVICE_READERS, take_service),
    "DTP": take_line_date,
    "REF": read_line_reference,
    "LIN": read_drug,
    "CTP": read_drug_count,
    "SVD": read_adjudication,
    "LQ": read_form,
}
