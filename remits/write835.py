"""Writing an 835 set (005010X221A1) from what remits.edi835 read of it: pure, in the order of the guide.

What the reader keeps is written; what it does not keep cannot be: bank accounts (BPR06 to BPR15 but BPR10), how the
adjustments of a group were shared among CAS segments, the order of references, the qualifier of the payer's code. So a
set equals the one read where it says none of these, or says them as the guide does.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from marb.edi.values import dollars
from remits.edi835.line import Adjustment, RemittanceLine
from remits.edi835.payment import ADDRESS_NAMES, Payment, ProviderAdjustment
from remits.edi835.remittance import MIA_NAMES, MIA_REMARKS, MOA_NAMES, MOA_REMARKS, NM1_NAMES, Remittance

Segment = list[str]
Document = dict[str, Any]
TRIPLETS = PAIRS = 6
REVENUE = "NU"


def write_payment(
    payment: Payment, remittances: Sequence[Remittance], adjustments: Sequence[ProviderAdjustment], component: str
) -> list[Segment]:
    """Write one 835 set, from ST to SE, as segments without idle elements at their ends."""
    body = [["ST", "835", payment.set_control], *heading(payment)]
    for header, found in groupby(remittances, key=lambda each: each.detail.get("header")):
        body += header_segments(header)
        for remittance in found:
            body += write_remittance(remittance, component)
    body += provider_adjustments(adjustments, component)
    body.append(["SE", str(len(body) + 1), payment.set_control])
    return [trimmed(segment, component) for segment in body]


def trimmed(segment: Segment, component: str) -> Segment:
    found = [element.rstrip(component) if index else element for index, element in enumerate(segment)]
    while found[-1] == "":
        found.pop()
    return found


def amount(cents: int | None) -> str:
    """Write cents as X12 has dollars: 1250 as 12.5, 1200 as 12, nothing for None."""
    return "" if cents is None else dollars(cents).rstrip("0").rstrip(".") if cents % 100 else str(cents // 100)


def compact(day: str | None) -> str:
    return (day or "").replace("-", "")


# --- heading ----------------------------------------------------------------------------------------------------------


def heading(payment: Payment) -> Iterator[Segment]:
    """BPR, TRN, CUR, REF, DTM, 1000A and 1000B."""
    detail = payment.detail
    method = (payment.credit_debit_code, payment.method_code, detail.get("format_code", ""))
    company = ["", "", "", "", detail.get("originating_company", ""), "", "", "", "", ""]
    yield [
        *("BPR", payment.handling_code, amount(payment.payment_cents), *method, *company),
        compact(payment.payment_date),
    ]
    yield ["TRN", "1", payment.trace_number, payment.originator_code, detail.get("trace_reference", "")]
    if "currency" in detail:
        yield ["CUR", "PR", detail["currency"]]
    yield from references(detail, "")
    if payment.production_date:
        yield ["DTM", "405", compact(payment.production_date)]
    yield from ([["DTM", each["qualifier"], each["value"]] for each in detail.get("dates", ())])
    yield from payer(payment)
    yield from payee(payment)


def payer(payment: Payment) -> Iterator[Segment]:
    detail = payment.detail
    code = ["XV", payment.payer_code] if payment.payer_code else []
    yield ["N1", "PR", name_of(payment.payer_name, detail), *code]
    yield from address(detail.get("payer_address", {}))
    yield from references(detail, "PR")
    yield from (contact(each) for each in detail.get("contacts", ()) if each["role"] == "PR")


def payee(payment: Payment) -> Iterator[Segment]:
    detail = payment.detail
    code: list[str] = []
    if payment.payee_npi:
        code = ["XX", payment.payee_npi]
    elif "payee_code" in detail:
        code = [detail["payee_code"]["qualifier"], detail["payee_code"]["value"]]
    elif payment.payee_tax_number:
        code = ["FI", payment.payee_tax_number]
    if payment.payee_name or code:
        yield ["N1", "PE", payment.payee_name, *code]
    yield from address(detail.get("payee_address", {}))
    yield from references(detail, "PE")
    if "delivery" in detail:
        yield ["RDM", *detail["delivery"]]


def name_of(text: str, detail: Document) -> str:
    whole: str = detail.get("oversize", {}).get("N102", "")
    return whole if whole.startswith(text) and text else text


def references(detail: Document, role: str) -> Iterator[Segment]:
    for each in detail.get("references", ()):
        if each.get("role", "") == role:
            yield ["REF", each["qualifier"], each["value"]]


def address(document: Document) -> Iterator[Segment]:
    if names := document.get("names"):
        yield ["N2", *names]
    lines = document.get("lines", [])
    for start in range(0, len(lines), 2):
        yield ["N3", *lines[start : start + 2]]
    if any(name in document for name in ADDRESS_NAMES):
        yield ["N4", *(document.get(name, "") for name in ADDRESS_NAMES)]


def contact(document: Document) -> Segment:
    numbers = [text for number in document["numbers"] for text in (number["qualifier"], number["value"])]
    return ["PER", document["function"], document["name"], *numbers]


# --- claim payments ---------------------------------------------------------------------------------------------------


def header_segments(header: Document | None) -> Iterator[Segment]:
    """LX with TS3 and TS2 (loop 2000)."""
    if header:
        yield ["LX", header["number"]]
        yield from ([name.upper(), *header[name]] for name in ("ts3", "ts2") if name in header)


def write_remittance(remittance: Remittance, component: str) -> Iterator[Segment]:
    """Yield a CLP with what stands below it (loops 2100 and 2110)."""
    detail = remittance.detail
    yield claim_payment(remittance)
    yield from adjustments_of(remittance.adjustments)
    yield from map(party, remittance.parties)
    yield from outpatient_or_inpatient(remittance)
    yield from references(detail, "")
    yield from claim_dates(remittance)
    yield from map(contact, detail.get("contacts", ()))
    yield from (["AMT", each["qualifier"], shortest(each["amount"])] for each in detail.get("amounts", ()))
    yield from (["QTY", each["qualifier"], each["quantity"]] for each in detail.get("quantities", ()))
    for line in remittance.lines:
        yield from write_line(line, component)


def claim_payment(remittance: Remittance) -> Segment:
    detail = remittance.detail
    oversize = detail.get("oversize", {})
    paid = (amount(remittance.charge_cents), amount(remittance.paid_cents))
    owed = "" if "is_responsibility_summed" in detail else amount(remittance.patient_responsibility_cents)
    numbers = (
        *(remittance.filing_indicator_code or oversize.get("CLP06", ""),),
        *(remittance.payer_claim_control_number or oversize.get("CLP07", ""),),
    )
    kind = (remittance.facility_type_code or oversize.get("CLP08", ""), remittance.frequency_code)
    group = (detail.get("patient_status_code", ""), remittance.drg_code, detail.get("drg_weight", ""))
    head = ("CLP", remittance.patient_control_number, remittance.claim_status_code, *paid, owed)
    return [*head, *numbers, *kind, *group, detail.get("discharge_fraction", "")]


def party(document: dict[str, str]) -> Segment:
    numbered = dict(document)
    if "npi" in numbered:
        numbered |= {"id_qualifier": "XX", "id_code": numbered["npi"]}
    return ["NM1", *(numbered.get(name, "") for name in NM1_NAMES)]


def outpatient_or_inpatient(remittance: Remittance) -> Iterator[Segment]:
    """MIA and MOA. The claim's remark codes fill the places that each has for them, in order."""
    codes = list(remittance.remark_codes)
    for name, names, remarks in (("mia", MIA_NAMES, MIA_REMARKS), ("moa", MOA_NAMES, MOA_REMARKS)):
        said = remittance.detail.get(name)
        if said is None:
            continue
        own, codes = codes[: len(remarks)], codes[len(remarks) :]
        places = {number: said.get(key, "") for number, key in names.items()} | dict(zip(remarks, own, strict=False))
        yield [name.upper(), *(places.get(number, "") for number in range(1, max(places) + 1))]


def claim_dates(remittance: Remittance) -> Iterator[Segment]:
    """DTM: dates of service (232, 233) unless they are the lines', the day of receipt (050), and the rest."""
    first, last = remittance.service_from_date, remittance.service_to_date
    if "are_dates_of_lines" not in remittance.detail:
        yield from ([["DTM", "232", compact(first)]] if first else [])
        yield from ([["DTM", "233", compact(last)]] if last else [])
    if remittance.received_date:
        yield ["DTM", "050", compact(remittance.received_date)]
    yield from (["DTM", each["qualifier"], each["value"]] for each in remittance.detail.get("dates", ()))


def adjustments_of(adjustments: Iterable[Adjustment]) -> Iterator[Segment]:
    """CAS: adjustments of one group that stand together, up to six in a segment."""
    for group_code, found in groupby(adjustments, key=lambda each: each.group_code):
        together = list(found)
        for start in range(0, len(together), TRIPLETS):
            said = [(each.carc, amount(each.cents), each.quantity or "") for each in together[start : start + TRIPLETS]]
            yield ["CAS", group_code, *(text for each in said for text in each)]


# --- lines ------------------------------------------------------------------------------------------------------------


def write_line(line: RemittanceLine, component: str) -> Iterator[Segment]:
    detail = line.detail
    yield service(line, component)
    if line.service_to_date:
        yield ["DTM", "150", compact(line.service_from_date)]
        yield ["DTM", "151", compact(line.service_to_date)]
    elif line.service_from_date:
        yield ["DTM", "472", compact(line.service_from_date)]
    yield from (["DTM", each["qualifier"], each["value"]] for each in detail.get("dates", ()))
    yield from adjustments_of(line.adjustments)
    number = line.line_control_number or detail.get("oversize", {}).get("REF02", "")
    yield from ([["REF", "6R", number]] if number else [])
    yield from (["REF", each["qualifier"], each["value"]] for each in detail.get("references", ()))
    yield from (["AMT", each["qualifier"], shortest(each["amount"])] for each in detail.get("amounts", ()))
    yield from (["QTY", each["qualifier"], each["quantity"]] for each in detail.get("quantities", ()))
    qualifiers = detail.get("remark_qualifiers", {})
    yield from (["LQ", qualifiers.get(code, "HE"), code] for code in line.remark_codes)


def service(line: RemittanceLine, component: str) -> Segment:
    """SVC; 04 is the revenue code, unless 01 is it already."""
    procedure = line.detail.get("procedure") or [line.procedure_qualifier, line.procedure_code, *line.modifiers]
    is_said = line.procedure_qualifier == REVENUE and line.revenue_code == line.procedure_code
    revenue = "" if is_said else line.revenue_code
    counts = (line.unit_count or "", component.join(line.detail.get("submitted_procedure", ())))
    paid = (amount(line.charge_cents), amount(line.paid_cents), revenue)
    return ["SVC", component.join(procedure), *paid, *counts, line.submitted_unit_count or ""]


def shortest(text: str) -> str:
    """Write an amount that was kept as it stood as amounts are written here; what is none stays."""
    whole, point, fraction = text.partition(".")
    is_number = whole.lstrip("-").isdigit() and (fraction.isdigit() or not point)
    return f"{whole}.{fraction}".rstrip("0").rstrip(".") if is_number and point else text


def provider_adjustments(adjustments: Sequence[ProviderAdjustment], component: str) -> Iterator[Segment]:
    """PLB: the reasons that one segment held, at their places."""
    for _, found in groupby(adjustments, key=lambda each: each.byte_offset):
        together = list(found)
        pairs = ["", ""] * PAIRS
        for each in together:
            reason = component.join((each.reason_code, each.reference_number)).rstrip(component)
            pairs[2 * each.seq - 2 : 2 * each.seq] = [reason, amount(each.cents)]
        yield ["PLB", together[0].provider_code, compact(together[0].fiscal_date), *pairs]
