"""Claim payments (loop 2100): CLP and what stands before its first service line.

Patient is NM1*QC, its member id the QC's or else the subscriber's (NM1*IL); corrections (NM1*74) are kept beside, in
`parties`. Where CLP05 is left out, patient responsibility is what the PR adjustments say; where the claim has no
dates of its own, its lines' first and last stand for them. Both are done in `complete`, when the loop is whole.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from marb.edi.findings import CLAIM, IK403, WARNING, Place
from remits.edi835.codes import CLAIM_STATUSES
from remits.edi835.elements import (
    Note,
    cents,
    cents_or_none,
    check_number,
    fit,
    key,
    label,
    missing,
    pair,
    period,
    text,
)
from remits.edi835.line import REMARK_WIDTH, Adjustment, RemittanceLine, close_line, patient_cents, read_adjustments
from remits.edi835.payment import Payment, contact

# the keys of a claim's parties (claims.edi837), so that one mask and one page serve both
NM1_NAMES = (
    *("role", "entity_type_code", "last_name", "first_name", "middle_name", "prefix", "suffix", "id_qualifier"),
    "id_code",
)
MIA_NAMES = {
    1: "covered_days",
    2: "pps_operating_outlier_amount",
    3: "lifetime_psychiatric_days",
    4: "drg_amount",
    6: "disproportionate_share_amount",
    7: "msp_pass_through_amount",
    8: "pps_capital_amount",
    9: "pps_capital_federal_drg_amount",
    10: "pps_capital_hospital_drg_amount",
    11: "pps_capital_disproportionate_share_amount",
    12: "old_capital_amount",
    13: "pps_capital_indirect_education_amount",
    14: "pps_operating_hospital_drg_amount",
    15: "cost_report_days",
    16: "pps_operating_federal_drg_amount",
    17: "pps_capital_outlier_amount",
    18: "indirect_teaching_amount",
    19: "nonpayable_professional_component_amount",
    24: "pps_capital_exception_amount",
}
MIA_REMARKS = (5, 20, 21, 22, 23)
MOA_NAMES = {
    1: "reimbursement_rate",
    2: "hcpcs_payable_amount",
    8: "esrd_payment_amount",
    9: "nonpayable_professional_component_amount",
}
MOA_REMARKS = (3, 4, 5, 6, 7)


@dataclass(init=False)
class Remittance:
    """One CLP with its adjustments and lines. Amounts in cents, in the sign of the file; dates in ISO text.

    `charge_cents` is None until CLP03 is read. `is_broken`: some value cannot be read, no row can be made.
    """

    payment: Payment | None
    place: Place
    byte_end: int = 0
    is_broken: bool = False
    finding_count: int = 0
    patient_control_number: str = ""
    claim_status_code: str = ""
    charge_cents: int | None = None
    paid_cents: int = 0
    patient_responsibility_cents: int | None = None
    filing_indicator_code: str = ""
    payer_claim_control_number: str = ""
    facility_type_code: str = ""
    frequency_code: str = ""
    drg_code: str = ""
    patient_last_name: str = ""
    patient_first_name: str = ""
    member_id: str = ""
    crossover_payer_name: str = ""
    service_from_date: str | None = None
    service_to_date: str | None = None
    received_date: str | None = None
    remark_codes: list[str] = field(default_factory=list)
    adjustments: list[Adjustment] = field(default_factory=list)
    lines: list[RemittanceLine] = field(default_factory=list)
    rendering: dict[str, str] | None = None
    parties: list[dict[str, str]] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)

    def __init__(self, payment: Payment | None, place: Place):
        self.payment, self.place = payment, place
        self.remark_codes, self.adjustments, self.lines = [], [], []
        self.parties, self.detail = [], {}

    @property
    def is_4010(self) -> bool:
        return self.payment is not None and self.payment.is_4010


def read_clp(remittance: Remittance, elements: list[str], notes: list[Note]) -> None:
    """Read CLP01 to CLP13. Raises BadElement for an amount, or for a control number or status that does not fit."""
    detail = remittance.detail
    remittance.patient_control_number = key(elements, 1, 60)
    remittance.charge_cents = cents(elements, 3)
    remittance.claim_status_code = key(elements, 2, 2)
    remittance.paid_cents = cents(elements, 4)
    remittance.patient_responsibility_cents = cents_or_none(elements, 5)
    remittance.filing_indicator_code = fit(elements, 6, 2, detail, notes)
    remittance.payer_claim_control_number = fit(elements, 7, 80, detail, notes)
    if len(elements) > 8:
        remittance.facility_type_code = fit(elements, 8, 4, detail, notes)
        remittance.frequency_code = fit(elements, 9, 1, detail, notes)
    if len(elements) > 10:
        read_drg(remittance, elements, notes)
    if not remittance.patient_control_number:
        notes.append(missing("CLP", 1, CLAIM))
    if remittance.claim_status_code not in CLAIM_STATUSES:
        notes.append(Note(WARNING, IK403, "7", f"The {label('CLP', 2)} is not a known code.", 2))


def read_drg(remittance: Remittance, elements: list[str], notes: list[Note]) -> None:
    remittance.drg_code = fit(elements, 11, 10, remittance.detail, notes)
    for number, name in ((10, "patient_status_code"), (12, "drg_weight"), (13, "discharge_fraction")):
        value = text(elements, number)
        if value:
            remittance.detail[name] = value


def read_claim_cas(remittance: Remittance, elements: list[str], notes: list[Note]) -> None:
    read_adjustments(remittance.adjustments, elements, notes, is_4010=remittance.is_4010)


def read_nm1(remittance: Remittance, elements: list[str], notes: list[Note]) -> None:
    """Keep every NM1 in `parties`; QC, IL, TT and 82 also fill columns."""
    party = party_of(elements, notes)
    role = party.get("role")
    take_party(remittance, party)
    if role == "QC":
        read_patient(remittance, party, elements, notes)
    elif role == "IL":
        remittance.member_id = remittance.member_id or fit(elements, 9, 80, {}, notes)


def party_of(elements: list[str], notes: list[Note]) -> dict[str, str]:
    party = {name: text for name, value in zip(NM1_NAMES, elements[1:], strict=False) if (text := value.strip())}
    if party.get("id_qualifier") == "XX":
        del party["id_qualifier"]
        party["npi"] = party.pop("id_code", "")
    return party


def take_party(remittance: Remittance, party: dict[str, str]) -> None:
    remittance.parties.append(party)
    role = party.get("role")
    if role == "TT":
        remittance.crossover_payer_name = party.get("last_name", "")[:120]
    elif role == "82":
        remittance.rendering = party


def read_patient(remittance: Remittance, party: dict[str, str], elements: list[str], notes: list[Note]) -> None:
    """Read NM1*QC. A name too long for its column is cut there, a member id left out; both are whole in `parties`."""
    remittance.patient_last_name = party.get("last_name", "")[:80]
    remittance.patient_first_name = party.get("first_name", "")[:60]
    remittance.member_id = fit(elements, 9, 80, {}, notes) or remittance.member_id


def read_mia(remittance: Remittance, elements: list[str], notes: list[Note]) -> None:
    keep_outpatient_or_inpatient(remittance, "mia", MIA_NAMES, MIA_REMARKS, elements, notes)


def read_moa(remittance: Remittance, elements: list[str], notes: list[Note]) -> None:
    keep_outpatient_or_inpatient(remittance, "moa", MOA_NAMES, MOA_REMARKS, elements, notes)


def keep_outpatient_or_inpatient(
    remittance: Remittance,
    name: str,
    names: dict[int, str],
    remarks: tuple[int, ...],
    elements: list[str],
    notes: list[Note],
) -> None:
    remittance.detail.setdefault(name, {}).update(values_of(names, elements))
    for number in remarks:
        code = fit(elements, number, REMARK_WIDTH, remittance.detail, notes)
        if code:
            remittance.remark_codes.append(code)


def values_of(names: dict[int, str], elements: list[str]) -> dict[str, str]:
    return {names[n]: text(elements, n) for n in range(1, len(elements)) if n in names and text(elements, n)}


def outpatient_of(elements: list[str], notes: list[Note]) -> tuple[dict[str, str], list[str]]:
    """Read a MOA as (amounts and rates by name, remark codes)."""
    codes = [fit(elements, number, REMARK_WIDTH, {}, notes) for number in MOA_REMARKS]
    return values_of(MOA_NAMES, elements), [code for code in codes if code]


def take_outpatient(remittance: Remittance, said: tuple[dict[str, str], list[str]]) -> None:
    remittance.detail.setdefault("moa", {}).update(said[0])
    remittance.remark_codes += said[1]


def read_claim_ref(remittance: Remittance, elements: list[str], notes: list[Note]) -> None:
    qualifier, value = pair(elements)
    remittance.detail.setdefault("references", []).append({"qualifier": qualifier, "value": value})


def read_claim_dtm(remittance: Remittance, elements: list[str], notes: list[Note]) -> None:
    take_date(remittance, date_of(elements, notes))


def date_of(elements: list[str], notes: list[Note]) -> tuple[str, Any, str | None]:
    """Read a DTM as (qualifier, from, to), or where it fills no column as (qualifier, what is kept, None)."""
    qualifier, value = pair(elements)
    if qualifier in ("232", "233", "050"):
        return qualifier, *period(elements)
    return "", {"qualifier": qualifier, "value": value}, None


def take_date(remittance: Remittance, said: tuple[str, Any, str | None]) -> None:
    qualifier, first, last = said
    if qualifier == "232":
        remittance.service_from_date, remittance.service_to_date = first, last or remittance.service_to_date
    elif qualifier == "233":
        remittance.service_to_date = first
    elif qualifier == "050":
        remittance.received_date = first
    else:
        append(remittance.detail, "dates", first)


def read_claim_per(remittance: Remittance, elements: list[str], notes: list[Note]) -> None:
    remittance.detail.setdefault("contacts", []).append(contact(elements))


def read_claim_amt(remittance: Remittance, elements: list[str], notes: list[Note]) -> None:
    take_amount(remittance, amount_of(elements, notes))


def amount_of(elements: list[str], notes: list[Note]) -> dict[str, str]:
    qualifier, amount = pair(elements)
    check_number(elements, 2, notes)
    return {"qualifier": qualifier, "amount": amount}


def take_amount(remittance: Remittance, said: dict[str, str]) -> None:
    append(remittance.detail, "amounts", said)


def append(detail: dict[str, Any], name: str, said: dict[str, str]) -> None:
    """Add to a list of `detail`, made when it is first needed."""
    if name in detail:
        detail[name].append(said)
    else:
        detail[name] = [said]


def read_claim_qty(remittance: Remittance, elements: list[str], notes: list[Note]) -> None:
    qualifier, count = pair(elements)
    check_number(elements, 2, notes)
    remittance.detail.setdefault("quantities", []).append({"qualifier": qualifier, "quantity": count})


def complete(remittance: Remittance) -> None:
    """Fill what the claim level left out from what the rest of the loop says, and note that it did not say it."""
    for line in remittance.lines:
        if line.adjusted_cents is None:
            close_line(line)
    if remittance.patient_responsibility_cents is None:
        of_lines = sum([line.patient_cents for line in remittance.lines])
        remittance.patient_responsibility_cents = patient_cents(remittance.adjustments) + of_lines
        remittance.detail["is_responsibility_summed"] = True
    if remittance.service_from_date is None and remittance.lines:
        firsts = [line.service_from_date for line in remittance.lines if line.service_from_date]
        lasts = [line.service_to_date or line.service_from_date for line in remittance.lines]
        remittance.service_from_date = min(firsts, default=None)
        remittance.service_to_date = remittance.service_to_date or max((d for d in lasts if d), default=None)
        remittance.detail["are_dates_of_lines"] = True


CLAIM_SEGMENTS = {
    "CAS": read_claim_cas,
    "NM1": read_nm1,
    "MIA": read_mia,
    "MOA": read_moa,
    "REF": read_claim_ref,
    "DTM": read_claim_dtm,
    "PER": read_claim_per,
    "AMT": read_claim_amt,
    "QTY": read_claim_qty,
}
# what a segment says apart from where it stands, and what takes it
SAID: dict[str, tuple[Callable[[list[str], list[Note]], Any], Callable[[Remittance, Any], None]]] = {
    "NM1": (party_of, take_party),
    "MOA": (outpatient_of, take_outpatient),
    "DTM": (date_of, take_date),
    "AMT": (amount_of, take_amount),
}
