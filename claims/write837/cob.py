"""Coordination of benefits: the claim for the next payer, from the claim that was sent to the one before.

The first payer moves to 2320 and 2330 with what it paid and adjusted, line by line in 2430; the next payer, which
the claim named in a 2320 of its own, moves to 2000B. Who is the patient is told anew by the relationship to the next
payer's subscriber. The law that payers edit by is held before anything is written: each line's charge is what was paid
and what was adjusted, and so is the claim's.
"""

from typing import NamedTuple

from claims.edi837.parties import SUBSCRIBER_KEYS
from claims.edi837.records import Document, ParsedClaim, ParsedLine
from claims.write837.segments import Unwritable
from marb.edi.values import dollars, parse_cents

SELF = "18"
SEQUENCES = ("P", "S", "T")
WORDS = {"S": "secondary", "T": "tertiary"}
# what a payer's own number is: it means nothing to the next
OWN_NUMBERS = {"payer_claim_control_number": "", "prior_authorization_number": "", "referral_number": ""}
NAME_WORDS = (
    *("role", "entity_type_code", "last_name", "first_name", "middle_name", "suffix", "id_qualifier", "id_code", "npi"),
    "address",
)
PERSON_WORDS = ("address", "birth_date", "gender_code")


class LineAdjudication(NamedTuple):
    """What a payer said of one line: SVC01 as parts, its adjustments {group_code, carc, amount, quantity}."""

    procedure: list[str]
    revenue_code: str
    paid_cents: int
    quantity: str
    adjustments: list[Document]


class Adjudication(NamedTuple):
    """What a payer said of a claim: `lines` by the claim's line number, `adjustments` those of the claim level.

    `day` is the payment's as ISO text.
    """

    payer_claim_control_number: str
    paid_cents: int
    patient_cents: int
    day: str
    adjustments: list[Document]
    lines: dict[int, LineAdjudication]


def bill_next(claim: ParsedClaim, adjudication: Adjudication) -> ParsedClaim:
    """Make the claim for the payer after the one that has paid. Raises Unwritable."""
    check_sums(claim, adjudication)
    place, following = next_payer(claim)
    payer = party_of(claim.detail["subscriber"], "PR")
    others = [each for number, each in enumerate(claim.other_payers) if number != place]
    subscriber, patient = people(claim, following)
    detail = {**claim.detail, "subscriber": subscriber}
    detail.pop("patient", None)
    if patient:
        detail["patient"] = patient
    lines = [with_adjudication(line, adjudication, payer.get("id_code", "")) for line in claim.lines]
    others = [paid_payer(claim, adjudication), *others]
    columns = {**OWN_NUMBERS, "frequency_code": "1", "payer_sequence_code": following.get("sequence", "")}
    return claim._replace(detail=detail, lines=lines, other_payers=others, **columns)


def next_payer(claim: ParsedClaim) -> tuple[int, Document]:
    """Find the payer that comes after the claim's own: its place among the other payers."""
    own = claim.payer_sequence_code
    wanted = SEQUENCES[SEQUENCES.index(own) + 1 :][:1] if own in SEQUENCES else ()
    for place, other in enumerate(claim.other_payers):
        if other.get("sequence") in wanted:
            if not other.get("payer") or not other.get("subscriber"):
                raise Unwritable("The claim names its next payer or that payer's subscriber only in part.")
            return place, other
    word = WORDS.get(wanted[0], "next") if wanted else "next"
    raise Unwritable(f"The claim names no {word} payer (loop 2320).")


def check_sums(claim: ParsedClaim, adjudication: Adjudication) -> None:
    adjusted = sum_cents(adjudication.adjustments)
    if adjudication.lines:
        for line in claim.lines:
            if line.line_number not in adjudication.lines:
                raise Unwritable(f"The payer's remittance does not say what became of line {line.line_number}.")
            found = adjudication.lines[line.line_number]
            # what was adjusted for the whole claim is in no line
            if not adjusted and line.charge_cents != found.paid_cents + sum_cents(found.adjustments):
                raise Unwritable(f"What the payer paid and adjusted on line {line.line_number} is not its charge.")
    adjusted += sum(sum_cents(line.adjustments) for line in adjudication.lines.values())
    if claim.charge_cents != adjudication.paid_cents + adjusted:
        raise Unwritable("What the payer paid and adjusted is not the claim's charge.")
    if adjudication.paid_cents < 0:
        raise Unwritable("The payer took money back; there is nothing to tell the next payer.")


def sum_cents(adjustments: list[Document]) -> int:
    return sum(parse_cents(document["amount"]) for document in adjustments)


def party_of(level: Document, role: str) -> Document:
    return next((party for party in level.get("names", ()) if party.get("role") == role), {})


def people(claim: ParsedClaim, following: Document) -> tuple[Document, Document | None]:
    """Make the levels 2000B and 2000C for the next payer: whoever is the patient stays it."""
    detail = claim.detail
    patient_level = detail.get("patient")
    person = party_of(patient_level, "QC") if patient_level else party_of(detail["subscriber"], "IL")
    relationship = following.get("relationship_code", "")
    insured = {**following["subscriber"], "loop": "2010BA"}
    payer = {**following["payer"], "loop": "2010BB"}
    payer.pop("references", None)
    level = {key: following[key] for key in SUBSCRIBER_KEYS if key in following}
    if relationship == SELF:
        insured = {**{key: person[key] for key in PERSON_WORDS if key in person}, **insured}
        return {**level, "names": [insured, payer]}, None
    level.pop("relationship_code", None)
    patient = {key: value for key, value in person.items() if key not in ("id_qualifier", "id_code", "references")}
    names = [{**patient, "role": "QC", "loop": "2010CA"}]
    return {**level, "names": [insured, payer]}, {"patient": {"relationship_code": relationship}, "names": names}


def paid_payer(claim: ParsedClaim, adjudication: Adjudication) -> Document:
    """Make the 2320 of the payer that has paid."""
    level = claim.detail["subscriber"]
    other = {key: level[key] for key in SUBSCRIBER_KEYS if key in level}
    other["relationship_code"] = claim.patient_relationship_code or SELF
    insured = {key: value for key, value in party_of(level, "IL").items() if key in NAME_WORDS}
    payer = {key: value for key, value in party_of(level, "PR").items() if key in NAME_WORDS}
    if adjudication.payer_claim_control_number:
        payer["references"] = [{"qualifier": "F8", "value": adjudication.payer_claim_control_number}]
    other |= {"subscriber": {**insured, "loop": "2330A"}, "payer": {**payer, "loop": "2330B"}}
    other["amounts"] = paid_amounts(adjudication)
    other["paid_amount"] = dollars(adjudication.paid_cents)
    other["segments"] = [["OI", "", "", claim.detail.get("benefits_assignment_code", "Y"), "", "", release(claim)]]
    if adjudication.adjustments:
        other["adjustments"] = adjudication.adjustments
    if not adjudication.lines:
        other["dates"] = [{"qualifier": "573", "format": "D8", "value": adjudication.day.replace("-", "")}]
    return other


def release(claim: ParsedClaim) -> str:
    return str(claim.detail.get("release_code", "Y"))


def paid_amounts(adjudication: Adjudication) -> list[Document]:
    """AMT D is what the payer paid, EAF what it leaves to the patient."""
    paid = {"qualifier": "D", "amount": dollars(adjudication.paid_cents)}
    left = {"qualifier": "EAF", "amount": dollars(adjudication.patient_cents)}
    return [paid, left] if adjudication.patient_cents else [paid]


def with_adjudication(line: ParsedLine, adjudication: Adjudication, payer_code: str) -> ParsedLine:
    found = adjudication.lines.get(line.line_number)
    if found is None:
        return line
    said: Document = {"payer_code": payer_code, "paid_amount": dollars(found.paid_cents), "procedure": found.procedure}
    if found.revenue_code:
        said["revenue_code"] = found.revenue_code
    said["quantity"] = found.quantity or line.unit_count or "1"
    if found.adjustments:
        said["adjustments"] = found.adjustments
    said["date"] = adjudication.day
    return line._replace(adjudications=[said, *line.adjudications])
