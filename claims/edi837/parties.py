"""Names and what hangs on them: NM1, N2 to N4, PRV, REF, PER, DMG; the levels 2000A, 2000B and 2000C.

005010X222, X223, X224, loops 2000A to 2010CA, and the NM1 loops below 2300. A party is a document with the keys that
the file fills: loop, role, last_name, first_name, npi (or id_qualifier and id_code), taxonomy_code, address,
references. A date of birth that does not exist is kept as a fault and quarantines each claim of that person.
"""

from typing import NamedTuple

from claims.edi837.draft import Draft, Unreadable, append, day, keep, keep_unknown, quarantine_finding
from claims.edi837.guides import LOOP_OF_LEVEL_ROLE, loop_of
from claims.edi837.records import Document, Heading, Party
from marb.edi.findings import IK403, Finding
from marb.edi.x12 import Segment, Separators

NAME_KEYS = (
    *("role", "entity_type_code", "last_name", "first_name", "middle_name", "prefix", "suffix", "id_qualifier"),
    *("id_code", "relation_code", "related_entity_code", "organization_name"),
)
SUBSCRIBER_KEYS = (
    *("sequence", "relationship_code", "group_number", "group_name", "insurance_type_code", "coordination_code"),
    *("condition_code", "employment_code", "filing_indicator_code"),
)
PATIENT_KEYS = (
    *("relationship_code", "location_code", "employment_code", "student_code", "death_date_format", "death_date"),
    *("weight_unit_code", "weight", "pregnancy_code"),
)
REFERENCE_KEYS = ("qualifier", "value", "description", "related")
ADDRESS_KEYS = ("city", "state", "postal_code", "country_code", "location_qualifier", "location", "subdivision_code")


def named(keys: tuple[str, ...], elements: list[str]) -> Document:
    """Name a segment's elements from the first on; those left empty are left out."""
    return {key: text for key, value in zip(keys, elements[1:], strict=False) if (text := value.strip())}


def read_name(draft: Draft, elements: list[str]) -> None:
    """NM1 below a claim: opens a 2310, 2330 or 2420 loop, a provider's or another payer's."""
    party = named(NAME_KEYS, elements)
    role = party.get("role", "")
    draft.loop = loop = loop_of(draft.section, draft.heading.claim_type, role)
    if loop in ("2310", "2330", "2420"):
        draft.note(IK403, "7", "NM101: the role is not one that the guide has here; the name is kept.", element=1)
    settle_name(draft, party, loop)
    if loop == "2330A":
        draft.scope["subscriber"] = party
    elif loop == "2330B":
        draft.scope["payer"] = party
    elif loop[:4] == "2310":
        draft.parties.append(party)
    else:
        append(draft.line.detail if draft.line and loop[:4] == "2420" else draft.scope, "providers", party)


def read_level_name(draft: Draft, elements: list[str]) -> None:
    """NM1 of a level (2010AA to 2010CA)."""
    party = named(NAME_KEYS, elements)
    draft.loop = LOOP_OF_LEVEL_ROLE.get(party.get("role", ""), draft.section)
    settle_name(draft, party, draft.loop)
    draft.parties.append(party)


def settle_name(draft: Draft, party: Document, loop: str) -> None:
    party["loop"] = loop
    if party.get("id_qualifier") == "XX":
        del party["id_qualifier"]
        party["npi"] = party.pop("id_code", "")
    draft.party = party


def read_reference(draft: Draft, elements: list[str]) -> None:
    if len(elements) == 3 and elements[1] and elements[2]:
        reference = {"qualifier": elements[1].strip(), "value": elements[2].strip()}
    else:
        reference = named(REFERENCE_KEYS, elements)
    append(draft.scope if draft.party is None else draft.party, "references", reference)


def read_second_name(draft: Draft, elements: list[str]) -> None:
    owner(draft)["additional_name"] = " ".join(text.strip() for text in elements[1:])


def read_street(draft: Draft, elements: list[str]) -> None:
    address = owner(draft).setdefault("address", {})
    address.setdefault("lines", []).extend(text for value in elements[1:] if (text := value.strip()))


def read_city(draft: Draft, elements: list[str]) -> None:
    owner(draft).setdefault("address", {}).update(named(ADDRESS_KEYS, elements))


def read_provider(draft: Draft, elements: list[str]) -> None:
    if len(elements) > 3 and elements[2] in ("PXC", "ZZ") and elements[3]:
        owner(draft)["taxonomy_code"] = elements[3].strip()
    else:
        keep(draft, elements)


def read_contact(draft: Draft, elements: list[str]) -> None:
    contact = named(("function_code", "name"), elements[:3])
    for qualifier, number in zip(elements[3::2], elements[4::2], strict=False):
        if number.strip():
            contact[qualifier.strip()] = number.strip()
    append(owner(draft), "contacts", contact)


def read_birth(draft: Draft, elements: list[str]) -> None:
    """DMG: date of birth and gender; the rest (marital status, race, citizenship) is kept as it is."""
    person = owner(draft)
    if birth_date := day(elements, 2):
        person["birth_date"] = birth_date
    if len(elements) > 3 and elements[3].strip():
        person["gender_code"] = elements[3].strip()
    if len(elements) > 4:
        keep(draft, elements)


def owner(draft: Draft) -> Document:
    return draft.scope if draft.party is None else draft.party


def read_subscriber(draft: Draft, elements: list[str]) -> None:
    draft.detail.update(named(SUBSCRIBER_KEYS, elements))


def read_patient(draft: Draft, elements: list[str]) -> None:
    draft.detail["patient"] = named(PATIENT_KEYS, elements)


def pass_over(draft: Draft, elements: list[str]) -> None:
    """HL itself: its place in the hierarchy is already known."""


PARTY_READERS = {
    "N2": read_second_name,
    "N3": read_street,
    "N4": read_city,
    "PRV": read_provider,
    "PER": read_contact,
    "DMG": read_birth,
    "REF": read_reference,
}
LEVEL_READERS = {
    **PARTY_READERS,
    "HL": pass_over,
    "NM1": read_level_name,
    "SBR": read_subscriber,
    "PAT": read_patient,
    "CUR": keep,
    "DTP": keep,
}


class Level(NamedTuple):
    """One HL: a billing provider (2000A), subscriber (2000B) or patient (2000C). `fault` is why its claims are lost."""

    block: list[Segment]
    detail: Document
    parties: list[Document]
    findings: list[Finding]
    fault: Finding | None
    provider: Party

    def party(self, *roles: str) -> Document:
        """Get the first party with one of these roles (NM101), an empty document if the file has none."""
        for party in self.parties:
            if party.get("role") in roles:
                return party
        return {}


def read_level(block: list[Segment], heading: Heading, separators: Separators, section: str) -> Level:
    """Read one HL with its names up to the next HL or CLM."""
    draft, fault = Draft(heading, separators, section), None
    for segment in block:
        draft.here = segment
        try:
            LEVEL_READERS.get(segment[2][0], keep_unknown)(draft, segment[2])
        except Unreadable as unreadable:
            fault = fault or quarantine_finding(draft, unreadable)
    level = Level(block, draft.detail, draft.parties, draft.findings, fault, Party())
    return level._replace(provider=provider_party(level.party("85"), draft.detail.get("taxonomy_code", "")))


def full_name(party: Document) -> str:
    """Write a name as it is read: an organisation's, or `Last, First`."""
    first = party.get("first_name", "")
    last: str = party.get("last_name", "")
    return f"{last}, {first}" if first else last


def provider_party(party: Document, taxonomy_code: str = "") -> Party:
    """Make what the loader resolves of a provider: NPI, name, taxonomy, tax number (REF*EI or SY)."""
    if not party:
        return Party()
    # 004010 names providers by tax number (24) or social security number (34)
    tax_number = party["id_code"] if party.get("id_qualifier") in ("24", "34") and "id_code" in party else ""
    for given in party.get("references", ()):
        if given.get("qualifier") in ("EI", "SY", "TJ"):
            tax_number = tax_number or given.get("value", "")
    return Party(party.get("npi", ""), full_name(party), party.get("taxonomy_code", taxonomy_code), tax_number)
