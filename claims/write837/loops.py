"""The loops of one claim: billing provider (2000A), subscriber (2000B), patient (2000C), claim (2300 to 2330).

005010X222A1 and X223A2. The levels are written from the documents that the reader keeps of them in the claim's detail;
dates of service that the reader took from the lines are not written again as the claim's own, but for 434, which an
institutional claim must have.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from claims.edi837.claim import CL1_KEYS, CLAIM_KEYS, INFORMATION_KEYS
from claims.edi837.guides import INSTITUTIONAL
from claims.edi837.parties import PATIENT_KEYS
from claims.edi837.records import Document, ParsedClaim
from claims.write837.lines import write_line
from claims.write837.segments import (
    Segment,
    adjustments,
    amount,
    amounts,
    compact,
    dates,
    kept,
    listed,
    name,
    notes,
    ordered,
    period,
    quantities,
    references,
    subscriber,
)
from marb.edi.values import dollars

CLAIM_ORDER = (
    *("CLM", "DTP", "CL1", "PWK", "CN1", "AMT", "REF", "K3", "NTE", "CR1", "CR2", "CR3", "CR5", "CR6", "CRC", "HI"),
    *("QTY", "HCP"),
)
OTHER_PAYER_ORDER = ("SBR", "CAS", "AMT", "DMG", "OI", "MIA", "MOA")
MOST_CODES = 12
# diagnoses of a professional claim stand in one HI; every other kind of code in one of its own
DIAGNOSES = ("ABK", "ABF", "BK", "BF")


def write_loops(claim: ParsedClaim, component: str) -> Iterator[Segment]:
    """Yield the segments of one claim with the levels above it, from HL 1 on."""
    detail = claim.detail
    yield from billing_level(claim)
    patient = detail.get("patient") if isinstance(detail.get("patient"), dict) else None
    yield ["HL", "2", "1", "22", "1" if patient else "0"]
    yield from subscriber_level(detail["subscriber"])
    if patient:
        yield ["HL", "3", "2", "23", "0"]
        yield from patient_level(patient)
    yield from claim_loop(claim, component)
    for party in claim.providers:
        if str(party.get("loop")).startswith("2310"):
            yield from name(party)
    for other in claim.other_payers:
        yield from other_payer(other)
    for line in claim.lines:
        yield from write_line(line, claim.claim_type, component)


def billing_level(claim: ParsedClaim) -> Iterator[Segment]:
    billing = claim.detail.get("billing", {})
    yield ["HL", "1", "", "20", "1"]
    if code := billing.get("taxonomy_code"):
        yield ["PRV", "BI", "PXC", code]
    yield from kept(billing)
    for party in claim.providers:
        if str(party.get("loop")).startswith("2010"):
            yield from name(party)


def subscriber_level(level: Document) -> Iterator[Segment]:
    yield subscriber(level)
    if patient := level.get("patient"):
        yield listed("PAT", PATIENT_KEYS, patient)
    yield from names(level)


def patient_level(level: Document) -> Iterator[Segment]:
    yield listed("PAT", PATIENT_KEYS, level.get("patient", {}))
    yield from names(level)


def names(level: Document) -> Iterator[Segment]:
    """The names of a level. A DMG that says more than two elements is kept with the level, and is the person's."""
    births = [segment for segment in kept(level) if segment[0] == "DMG"]
    yield from (segment for segment in kept(level) if segment[0] != "DMG")
    yield from references(level.get("references", ()))
    for party in level.get("names", ()):
        yield from name(party, birth=births[0] if births and "birth_date" in party else None)


def claim_loop(claim: ParsedClaim, component: str) -> list[Segment]:
    detail = claim.detail
    said = [
        claim_segment(claim, component),
        *claim_dates(claim),
        *([listed("CL1", CL1_KEYS, detail)] if any(key in detail for key in CL1_KEYS) else []),
        *amounts(detail.get("amounts", ())),
        *numbers(claim),
        *references(detail.get("references", ())),
        *notes(detail.get("notes", ())),
        *codes(claim, component),
        *quantities(detail.get("quantities", ())),
        *kept(detail),
    ]
    return ordered(said, CLAIM_ORDER)


def claim_segment(claim: ParsedClaim, component: str) -> Segment:
    """CLM: 05 is place, qualifier and frequency, 07 the assignment; the rest stands in the detail."""
    facility = component.join((claim.place_of_service_code, claim.facility_code_qualifier, claim.frequency_code))
    said = {**claim.detail, "": ""}
    rest = [str(said.get(key, "")) for key in CLAIM_KEYS]
    rest[2], rest[4] = facility, claim.assignment_code
    return ["CLM", claim.patient_control_number, amount(dollars(claim.charge_cents)), *rest]


def claim_dates(claim: ParsedClaim) -> Iterator[Segment]:
    """DTP: discharge, statement, admission, and those without a column. One kept with its hour stands for itself."""
    known = claim.detail.get("dates", ())
    qualifiers = {date.get("qualifier") for date in known if date.get("format") != "TM"}
    if claim.discharge_date and "096" not in qualifiers:
        yield period("096", claim.discharge_date, None)
    if claim.claim_type == INSTITUTIONAL and claim.service_from_date and not qualifiers & {"434", "472"}:
        ends = claim.service_from_date, claim.service_to_date or claim.service_from_date
        yield ["DTP", "434", "RD8", "-".join(map(compact, ends))]
    if claim.admission_date and "435" not in qualifiers:
        yield period("435", claim.admission_date, None)
    yield from dates(known)


def numbers(claim: ParsedClaim) -> Iterator[Segment]:
    columns = (claim.referral_number, claim.prior_authorization_number, claim.payer_claim_control_number)
    for qualifier, value in zip(("9F", "G1", "F8"), columns, strict=True):
        if value:
            yield ["REF", qualifier, value]


def codes(claim: ParsedClaim, component: str) -> Iterator[Segment]:
    """HI: composites (C022), those of one kind together, up to twelve in a segment."""
    for _, found in groupby(claim.diagnoses, key=lambda entry: kind_of(entry, claim.claim_type)):
        together = [composite(entry, component) for entry in found]
        for start in range(0, len(together), MOST_CODES):
            yield ["HI", *together[start : start + MOST_CODES]]


def kind_of(entry: Document, claim_type: str) -> str:
    qualifier: str = entry["qualifier"]
    return "diagnosis" if claim_type != INSTITUTIONAL and qualifier in DIAGNOSES else qualifier


def composite(entry: Document, component: str) -> str:
    parts = [str(entry.get(key, "")) for key in (*INFORMATION_KEYS, "present_on_admission")]
    return component.join([*parts, *entry.get("more", ())]).rstrip(component)


def other_payer(other: Document) -> Iterator[Segment]:
    """2320, 2330A (its subscriber), 2330B (the payer, with the day it paid), 2330C and on."""
    said: Iterable[Segment] = (
        subscriber(other),
        *adjustments(other.get("adjustments", ())),
        *amounts(other.get("amounts", ())),
        *kept(other),
    )
    yield from ordered(said, OTHER_PAYER_ORDER)
    if insured := other.get("subscriber"):
        yield from name(insured)
    if payer := other.get("payer"):
        head = [*name({key: value for key, value in payer.items() if key != "references"})]
        yield from (*head, *dates(other.get("dates", ())), *references(payer.get("references", ())))
    for party in other.get("providers", ()):
        yield from name(party)
