"""Service lines: LX, SV1 or SV2 and what hangs on it (2400), drug (2410), providers (2420), adjudications (2430).

A service that says more than the columns hold was kept whole by the reader, and goes back whole.
"""

from collections.abc import Iterator

from claims.edi837.guides import INSTITUTIONAL
from claims.edi837.records import Document, ParsedLine
from claims.write837.segments import (
    Segment,
    adjustments,
    amount,
    amounts,
    compact,
    dates,
    kept,
    name,
    notes,
    ordered,
    period,
    quantities,
    references,
)
from marb.edi.values import dollars

LINE_ORDER = (
    *("SV1", "SV2", "SV5", "PWK", "CR1", "CR3", "CR5", "CRC", "DTP", "QTY", "MEA", "CN1", "REF", "AMT", "K3", "NTE"),
    *("PS1", "HCP", "LIN", "CTP"),
)
# a supporting form (2440) stands behind everything
FORMS = ("LQ", "FRM")
# REF01 of 2410: the prescription, and the link between the drugs of a compound
DRUG_REFERENCES = ("XZ", "VY")


def write_line(line: ParsedLine, claim_type: str, component: str) -> Iterator[Segment]:
    detail = line.detail
    yield ["LX", str(detail.get("assigned_number", line.line_number))]
    own = [each for each in detail.get("references", ()) if each.get("qualifier") not in DRUG_REFERENCES]
    of_drug = [each for each in detail.get("references", ()) if each.get("qualifier") in DRUG_REFERENCES]
    said = [
        service(line, claim_type, component),
        *line_dates(line),
        *quantities(detail.get("quantities", ())),
        *([["REF", "6R", line.line_control_number]] if line.line_control_number else []),
        *references(own),
        *amounts(detail.get("amounts", ())),
        *notes(detail.get("notes", ())),
        *drug(line),
        *(segment for segment in kept(detail) if segment[0] not in FORMS),
    ]
    yield from ordered(said, LINE_ORDER)
    yield from references(of_drug)
    for party in detail.get("providers", ()):
        yield from name(party)
    for adjudication in line.adjudications:
        yield from adjudicated(adjudication, component)
    yield from (segment for segment in kept(detail) if segment[0] in FORMS)


def service(line: ParsedLine, claim_type: str, component: str) -> Segment:
    """SV1 or SV2."""
    if "service" in line.detail:
        return list(line.detail["service"])
    charge, count = amount(dollars(line.charge_cents)), line.unit_count or ""
    procedure = composite(line, component)
    if claim_type == INSTITUTIONAL:
        return ["SV2", line.revenue_code, procedure, charge, line.unit_code, count]
    pointers = component.join(map(str, (*line.diagnosis_pointers, *line.detail.get("pointers", ()))))
    return ["SV1", procedure, charge, line.unit_code, count, line.place_of_service_code, "", pointers]


def composite(line: ParsedLine, component: str) -> str:
    """Write a procedure (C003): qualifier, code, four modifiers, and what else the reader kept of it."""
    more = line.detail.get("procedure", [])
    modifiers = [*line.modifiers, *[""] * (4 - len(line.modifiers) if more else 0)]
    return component.join([line.procedure_qualifier, line.procedure_code, *modifiers, *more]).rstrip(component)


def line_dates(line: ParsedLine) -> Iterator[Segment]:
    known = line.detail.get("dates", ())
    if line.service_from_date and not any(date.get("qualifier") == "472" for date in known):
        yield period("472", line.service_from_date, line.service_to_date)
    yield from dates(known)


def drug(line: ParsedLine) -> Iterator[Segment]:
    if line.drug_code:
        yield ["LIN", "", "N4", line.drug_code]
    if line.drug_unit_count is not None:
        yield ["CTP", "", "", "", line.drug_unit_count, line.drug_unit_code]


def adjudicated(document: Document, component: str) -> Iterator[Segment]:
    """SVD with its CAS, DTP 573 and AMT (2430)."""
    procedure = component.join(document.get("procedure", ()))
    rest = [document.get(key, "") for key in ("revenue_code", "quantity", "bundled_line")]
    yield ["SVD", document["payer_code"], amount(document["paid_amount"]), procedure, *rest]
    yield from adjustments(document.get("adjustments", ()))
    if day := document.get("date"):
        yield ["DTP", "573", "D8", compact(day)]
    yield from dates(document.get("dates", ()))
    yield from amounts(document.get("amounts", ()))
