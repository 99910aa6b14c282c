"""What the 837 reader answers: one ParsedClaim or one QuarantinedClaim for every CLM.

The fields of ParsedClaim and ParsedLine that have a column bear its name, text columns first, so that a row is a slice.
Dates are ISO text, amounts integer cents, quantities decimal text, documents plain dicts and lists with amounts as
dollars in text. A text longer than its column is cut there and kept whole in `detail["long"]`, with a finding.
"""

from typing import Any, NamedTuple

from marb.edi.findings import Finding, Place, Quarantined

Document = dict[str, Any]


class Heading(NamedTuple):
    """The envelope that a claim stands in: ISA13, GS06, ST02, guide and claim type, BHT06, and when it was made.

    `submitted_date` is BHT04, else GS04; ISO text, None where neither is a date.
    """

    interchange_control: str = ""
    group_control: str = ""
    set_control: str = ""
    guide: str = ""
    claim_type: str = ""
    purpose_code: str = ""
    submitted_date: str | None = None

    def place(self, offset: int, position: int, segment_id: str) -> Place:
        controls = (self.interchange_control, self.group_control, self.set_control)
        return Place(offset, position, segment_id, *controls)


class Party(NamedTuple):
    """A payer or provider as the loader resolves it. `code` is NM109, of a provider only if it is an NPI (XX)."""

    code: str = ""
    name: str = ""
    taxonomy_code: str = ""
    tax_number: str = ""


class ParsedLine(NamedTuple):
    """One service line (loop 2400). The texts of LINE_TEXTS come first, in that order.

    `service_key` is the SVx as it stands in the file: lines with the same key say the same of their service, that is
    all but dates, place in the file, line control number, drug, adjudications and what else hangs on the line.
    """

    revenue_code: str
    procedure_qualifier: str
    procedure_code: str
    unit_code: str
    place_of_service_code: str
    line_control_number: str
    drug_code: str
    drug_unit_code: str
    line_number: int
    byte_offset: int
    unit_count: str | None
    drug_unit_count: str | None
    service_from_date: str | None
    service_to_date: str | None
    modifiers: list[str]
    diagnosis_pointers: list[int]
    adjudications: list[Document]
    detail: Document
    charge_cents: int
    segment_position: int
    service_id: str
    service_key: str


class ParsedClaim(NamedTuple):
    """One claim (loop 2300) with its subscriber, patient and lines. The texts of CLAIM_TEXTS come first."""

    set_control: str
    claim_type: str
    guide: str
    patient_control_number: str
    place_of_service_code: str
    facility_code_qualifier: str
    frequency_code: str
    assignment_code: str
    payer_claim_control_number: str
    prior_authorization_number: str
    referral_number: str
    attending_npi: str
    operating_npi: str
    referring_npi: str
    payer_sequence_code: str
    filing_indicator_code: str
    group_number: str
    subscriber_member_id: str
    subscriber_last_name: str
    subscriber_first_name: str
    subscriber_gender_code: str
    patient_relationship_code: str
    patient_last_name: str
    patient_first_name: str
    patient_gender_code: str
    principal_diagnosis_code: str
    byte_offset: int
    byte_end: int
    segment_position: int
    line_count: int
    subscriber_birth_date: str | None
    patient_birth_date: str | None
    service_from_date: str | None
    service_to_date: str | None
    admission_date: str | None
    discharge_date: str | None
    submitted_date: str | None
    diagnosis_codes: list[str]
    diagnoses: list[Document]
    providers: list[Document]
    other_payers: list[Document]
    detail: Document
    charge_cents: int
    payer: Party
    billing_provider: Party
    rendering_provider: Party
    heading: Heading
    lines: list[ParsedLine]
    findings: list[Finding]

    def place(self) -> Place:
        return self.heading.place(self.byte_offset, self.segment_position, "CLM")


class QuarantinedClaim(NamedTuple):
    """A CLM that cannot become true rows, and why."""

    quarantined: Quarantined
    findings: list[Finding]


class Text(NamedTuple):
    """A text column: its name and length, and the loop, segment and element it comes from."""

    column: str
    length: int
    loop: str
    segment_id: str
    element: int


CLAIM_TEXTS = (
    Text("set_control", 20, "", "ST", 2),
    Text("claim_type", 1, "", "GS", 8),
    Text("guide", 35, "", "GS", 8),
    Text("patient_control_number", 60, "2300", "CLM", 1),
    Text("place_of_service_code", 4, "2300", "CLM", 5),
    Text("facility_code_qualifier", 2, "2300", "CLM", 5),
    Text("frequency_code", 1, "2300", "CLM", 5),
    Text("assignment_code", 2, "2300", "CLM", 7),
    Text("payer_claim_control_number", 80, "2300", "REF", 2),
    Text("prior_authorization_number", 80, "2300", "REF", 2),
    Text("referral_number", 80, "2300", "REF", 2),
    Text("attending_npi", 80, "2310", "NM1", 9),
    Text("operating_npi", 80, "2310", "NM1", 9),
    Text("referring_npi", 80, "2310", "NM1", 9),
    Text("payer_sequence_code", 1, "2000B", "SBR", 1),
    Text("filing_indicator_code", 2, "2000B", "SBR", 9),
    Text("group_number", 80, "2000B", "SBR", 3),
    Text("subscriber_member_id", 80, "2010BA", "NM1", 9),
    Text("subscriber_last_name", 80, "2010BA", "NM1", 3),
    Text("subscriber_first_name", 60, "2010BA", "NM1", 4),
    Text("subscriber_gender_code", 1, "2010BA", "DMG", 3),
    Text("patient_relationship_code", 2, "2000B", "SBR", 2),
    Text("patient_last_name", 80, "2010CA", "NM1", 3),
    Text("patient_first_name", 60, "2010CA", "NM1", 4),
    Text("patient_gender_code", 1, "2010CA", "DMG", 3),
    Text("principal_diagnosis_code", 30, "2300", "HI", 1),
)
LINE_TEXTS = (
    Text("revenue_code", 48, "2400", "SV2", 1),
    Text("procedure_qualifier", 2, "2400", "SV1", 1),
    Text("procedure_code", 48, "2400", "SV1", 1),
    Text("unit_code", 2, "2400", "SV1", 3),
    Text("place_of_service_code", 4, "2400", "SV1", 5),
    Text("line_control_number", 80, "2400", "REF", 2),
    Text("drug_code", 48, "2410", "LIN", 3),
    Text("drug_unit_code", 2, "2410", "CTP", 5),
)
CLAIM_LENGTHS = tuple(text.length for text in CLAIM_TEXTS)
LINE_LENGTHS = tuple(text.length for text in LINE_TEXTS)
DIAGNOSIS_LENGTH = 30
MODIFIER_LENGTH = 10
